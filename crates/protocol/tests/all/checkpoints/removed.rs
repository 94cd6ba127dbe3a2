//! A state folder that cannot be written any more, or is removed while the pipeline runs.

use std::fs;

use checkpoint::{Lock, RealDisk, begin_run};
use protocol::{Config, Driver, Keeper, Rejects};
use stream::Exit;

use super::world::{Counter, World, barrier, stopped};

#[test]
fn a_snapshot_that_cannot_be_written_ends_the_run() {
    let world = World::new();
    let mut stage = world.stage("");
    stage.feed(world.hello("a", None).as_bytes()).unwrap();
    fs::write(world.path().join("2-counter"), "a file where a folder should be").unwrap();
    stage.feed(format!("x\n{}", barrier("a.1", 1, "")).as_bytes()).unwrap();
    world.save();
    assert!(stage.is_saving().is_err());
    let error = stopped(stage.feed(barrier("a.2", 0, "").as_bytes()));
    assert!(error.message.contains("2-counter"), "{error}");
}

#[test]
fn a_stage_whose_folder_was_removed_does_not_make_it_anew() {
    for (removed, named) in [("", "removed while the pipeline ran"), ("2-counter", "2-counter: removed while")] {
        let world = World::new();
        begin_run(&RealDisk, world.path(), "a").unwrap();
        let mut stage = world.stage("");
        stage.feed(format!("{}x\n{}", world.hello("a", None), barrier("a.1", 1, "")).as_bytes()).unwrap();
        world.save();
        fs::remove_dir_all(world.path().join(removed)).unwrap();
        stage.feed(format!("x\n{}", barrier("a.2", 1, "")).as_bytes()).unwrap();
        world.save();
        let error = stopped(stage.is_saving().map(|_| ()));
        assert_eq!(error.exit, Exit::Temporary, "{error}");
        assert!(error.message.contains(named), "{error}");
        assert!(!world.path().join("2-counter").exists());
    }
}

#[test]
fn a_sink_whose_state_folder_was_removed_commits_nothing_more() {
    let world = World::new();
    begin_run(&RealDisk, world.path(), "a").unwrap();
    let mut sink = world.sink(None);
    sink.feed(format!("{}x\n{}", world.hello("a", None), barrier("a.1", 1, "")).as_bytes()).unwrap();
    fs::remove_dir_all(world.path()).unwrap();
    let error = stopped(sink.feed(format!("x\n{}", barrier("a.2", 1, "")).as_bytes()));
    assert_eq!(error.exit, Exit::Temporary, "{error}");
    assert!(error.message.contains("removed while the pipeline ran: nothing can be committed any more"), "{error}");
    assert!(!world.path().exists());
}

/// A stage can be blocked in a write to a sink that waits for its snapshot: so the sink must not wait for the stage to end.
#[test]
fn a_stage_that_cannot_save_shows_no_life_any_more() {
    let world = World::new();
    let folder = world.path().join("2-counter");
    let mut stage = Driver::new(Counter::default(), Config::new("counter"), Rejects::in_memory("counter"))
        .keep_with(Keeper::default());
    stage.feed(world.hello("a", None).as_bytes()).unwrap();
    assert!(!Lock::is_left(&folder));
    fs::create_dir(folder.join("a.1.ndjson")).unwrap();
    stage.feed(format!("x\n{}", barrier("a.1", 1, "")).as_bytes()).unwrap();
    assert!(Lock::is_left(&folder));
    assert!(stage.is_saving().is_err());
}
