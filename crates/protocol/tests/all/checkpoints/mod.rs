//! Streams with checkpoints, on the state machines that keep them, with a state folder on the disk.

mod fit;
mod removed;
mod sources;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use checkpoint::{CheckpointId, RealDisk};
use protocol::{Config, Driver, Rejects};

use stream::{Error, Exit};
use world::{Counter, World, barrier, stopped};

#[test]
fn a_stage_goes_on_from_the_snapshot_that_hello_names() {
    let world = World::new();
    let mut first = world.stage("");
    first.feed(format!("{}x\ny\nx\n{}", world.hello("a", None), barrier("a.1", 3, "")).as_bytes()).unwrap();
    first.feed(format!("x\n{}x\n", barrier("a.2", 1, "")).as_bytes()).unwrap();
    world.save();
    let written = String::from_utf8(first.out.take()).unwrap();
    assert!(written.contains(r#""hops":["s","counter"],"snapshots":["2-counter"]"#), "{written}");

    for (id, expected) in [("a.1", "x 2\ny 1\n"), ("a.2", "x 3\ny 1\n")] {
        let mut second = world.stage("");
        second.feed(world.hello("b", Some(id)).as_bytes()).unwrap();
        second.out.take();
        second.feed(b"{\"$\":\"end\",\"lines\":0,\"drain\":true}\n").unwrap();
        let written = String::from_utf8(second.out.take()).unwrap();
        assert!(written.starts_with(expected), "from {id}: {written}");
    }
}

#[test]
fn a_snapshot_that_went_while_the_run_was_already_stale_is_temporary() {
    let world = World::new();
    world.commit("z.9");
    let error = stopped(world.stage("").feed(world.hello("b", Some("a.1")).as_bytes()));
    assert_eq!(error.exit, Exit::Temporary, "{error}");
}

#[test]
fn the_last_barrier_flushes_and_the_end_does_not_flush_again() {
    let world = World::new();
    let mut stage = world.stage("");
    let input = format!(
        "{}x\n{}{}",
        world.hello("a", None),
        barrier("a.1", 1, ",\"drain\":true"),
        "{\"$\":\"end\",\"lines\":0,\"drain\":true}\n"
    );
    stage.feed(input.as_bytes()).unwrap();
    let written = String::from_utf8(stage.out.take()).unwrap();
    assert_eq!(written.matches("x 1\n").count(), 1, "{written}");
    assert!(written.find("x 1\n").unwrap() < written.find("barrier").unwrap(), "{written}");
    world.save();
    let mut again = world.stage("");
    again
        .feed(format!("{}{}", world.hello("b", Some("a.1")), "{\"$\":\"end\",\"lines\":0,\"drain\":true}\n").as_bytes())
        .unwrap();
    let written = String::from_utf8(again.out.take()).unwrap();
    assert!(!written.contains("x 1"), "the snapshot is that behind the flush: {written}");
}

#[test]
fn a_sink_commits_when_all_snapshots_are_there() {
    let world = World::new();
    let mut stage = world.stage("");
    stage.feed(format!("{}x\n{}", world.hello("a", None), barrier("a.1", 1, ",\"drain\":true")).as_bytes()).unwrap();
    let stream = stage.out.take();
    let listens = |rest: &str| {
        let mut sink = world.sink(None);
        sink.keeper().watch_upstream(|| true);
        sink.feed(&stream).unwrap();
        sink.feed(rest.as_bytes()).unwrap();
        let error = stopped(sink.finish());
        (error.exit, error.message)
    };
    for rest in ["", "y\n", &barrier("a.2", 0, ""), "{\"$\":\"fai"] {
        let (exit, message) = listens(rest);
        assert!(exit == Exit::Temporary && message.contains("no snapshot a.1"), "{rest}: {message}");
    }
    let (exit, message) = listens("y\n{\"$\":\"failed\",\"by\":\"window\"}\n");
    assert!(exit == Exit::Data && message.contains("window, before this stage, has failed"), "{message}");
    assert_eq!(world.committed(), None);

    world.save();
    world.sink(None).feed(&stream).unwrap();
    let committed = world.committed().unwrap();
    assert_eq!((committed.id, committed.snapshots), (CheckpointId::new("a", 1), vec!["2-counter".to_owned()]));
}

/// A sink that waits for a snapshot that never comes: what it says, and how often it has looked for its source.
fn waits_in_vain(source_has_gone: bool, stage_has_gone: bool, live_run: &str) -> (Error, usize) {
    let world = World::new();
    checkpoint::begin_run(&RealDisk, world.path(), live_run).unwrap();
    let mut stage = world.stage("");
    stage.feed(format!("{}x\n{}", world.hello("a", None), barrier("a.1", 1, "")).as_bytes()).unwrap();
    let mut sink = world.sink(None);
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    sink.keeper().watch_source(move |_| source_has_gone);
    sink.keeper().watch_stages(move |folder| {
        counted.fetch_add(1, Relaxed);
        stage_has_gone && folder.ends_with("2-counter")
    });
    sink.feed(&stage.out.take()).unwrap();
    sink.clock(9_999).unwrap();
    let error = stopped(sink.clock(10_000));
    (error, looks.load(Relaxed))
}

#[test]
fn a_sink_that_waits_for_a_snapshot_finds_out_that_a_stage_or_the_source_is_dead_or_another_run_has_begun() {
    for (source_has_gone, stage_has_gone, live_run) in [(true, false, "a"), (false, true, "a"), (false, false, "b")] {
        let (error, looks) = waits_in_vain(source_has_gone, stage_has_gone, live_run);
        assert!(error.message.contains("no snapshot a.1") && error.exit == Exit::Temporary, "{error}");
        assert_eq!(looks, 1);
    }
    let (_, looks) = waits_in_vain(false, false, "a");
    assert!(looks > 10, "it waits while there is hope: {looks}");
}

#[test]
fn a_stale_sink_leaves_the_copy_of_a_younger_run_alone() {
    let world = World::new();
    let mut sink = world.sink(None);
    sink.feed(world.hello("a", None).as_bytes()).unwrap();
    checkpoint::begin_run(&RealDisk, world.path(), "b").unwrap();
    world.commit("b.1");
    let error = stopped(sink.feed(barrier("a.1", 0, "").as_bytes()));
    assert_eq!(error.exit, Exit::Temporary);
    assert!(error.message.contains("another run has begun since: b"), "{error}");
    assert_eq!(world.committed().unwrap().id, CheckpointId::new("b", 1));
}

#[test]
fn lines_behind_the_last_barrier_are_a_broken_contract() {
    let world = World::new();
    let input = format!("{}x\n{{\"$\":\"end\",\"lines\":1,\"drain\":false}}\n", world.hello("a", None));
    let error = stopped(world.sink(None).feed(input.as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
}

#[test]
fn a_barrier_of_another_run_is_a_broken_contract() {
    let world = World::new();
    let error =
        stopped(world.stage("").feed(format!("{}{}", world.hello("b", None), barrier("a.1", 0, "")).as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
}

#[test]
fn two_stages_cannot_keep_their_state_under_one_name() {
    let world = World::new();
    let config = || Config { state_name: Some("totals".to_owned()), ..Config::new("counter") };
    let stage = || Driver::new(Counter::default(), config(), Rejects::in_memory("counter")).keep_with(world.keeper());
    let mut first = stage();
    first.feed(format!("{}{}", world.hello("a", None), barrier("a.1", 0, "")).as_bytes()).unwrap();
    let error = stopped(stage().feed(&first.out.take()));
    assert_eq!(error.exit, Exit::Usage, "{error}");
}
