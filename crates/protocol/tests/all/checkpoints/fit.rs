//! Whether a state folder, a pipeline and its output belong together, and what is said where they do not.

use std::sync::Arc;

use checkpoint::{CheckpointId, Committed, RealDisk, write_committed};
use protocol::{Config, Driver, LineSelection, LineSelector, Rejects};
use stream::{Exit, Fault};

use super::world::{Counter, World, barrier, stopped};

#[test]
fn a_snapshot_of_other_flags_stops_the_run() {
    let world = World::new();
    let mut first = world.stage("--by x");
    first.feed(format!("{}x\n{}", world.hello("a", None), barrier("a.1", 1, "")).as_bytes()).unwrap();
    world.save();
    let goes_on = |sink, group| {
        world.commit_to("a.1", sink);
        let error = stopped(world.stage("--by y").feed(world.hello_of(group, "b", Some("a.1")).as_bytes()));
        assert_eq!(error.exit, Exit::Data);
        assert!(error.message.contains("--by x") && error.message.contains("--by y"), "{error}");
        error.hint.unwrap()
    };
    let anew = "give the old flags, or begin anew with ";
    assert_eq!(goes_on("files", None), format!("{anew}another --state folder and another output"));
    let group = format!("{anew}another -G than \"job\", another --state folder and another output");
    assert_eq!(goes_on("kafka", Some("job")), group);
    assert_eq!(goes_on("files", Some("job")), group);
}

/// Takes no line.
#[derive(Debug)]
struct Nothing(&'static str);

impl LineSelection for Nothing {
    fn selector(&self) -> Box<dyn LineSelector> {
        Box::new(Self(self.0))
    }

    fn flag(&self) -> String {
        format!(" --where '{}'", self.0)
    }
}

impl LineSelector for Nothing {
    fn takes(&mut self, _line: &[u8]) -> Result<bool, Fault> {
        Ok(false)
    }
}

#[test]
fn a_snapshot_of_another_selection_stops_the_run() {
    let world = World::new();
    let stage = |filter| {
        let config = Config { selection: Some(Arc::new(Nothing(filter))), ..Config::new("counter") };
        let stage = Counter { flags: "--by x", ..Counter::default() };
        Driver::new(stage, config, Rejects::in_memory("counter")).keep_with(world.keeper())
    };
    let mut first = stage(".a");
    first.feed(format!("{}x\n{}", world.hello("a", None), barrier("a.1", 1, "")).as_bytes()).unwrap();
    assert!(String::from_utf8(first.out.take()).unwrap().contains("\nx\n"), "what is not selected passes");
    assert_eq!(first.stage.counts.len(), 0);
    world.save();
    world.commit("a.1");
    stage(".a").feed(world.hello("b", Some("a.1")).as_bytes()).unwrap();
    let error = stopped(stage(".b").feed(world.hello("c", Some("a.1")).as_bytes()));
    let has_both = error.message.contains("--by x --where '.a'") && error.message.contains("--by x --where '.b'");
    assert!(has_both, "{error}");
}

#[test]
fn a_stage_whose_snapshot_is_in_no_folder_is_of_another_pipeline() {
    let world = World::new();
    let error = stopped(world.stage("").feed(world.hello("b", Some("a.1")).as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
    assert!(error.message.contains("2-counter/a.1: there is no such snapshot, nor any other"), "{error}");
    let hint = "is --state the folder of this pipeline? If its state is lost, begin anew with another --state folder and another output";
    assert_eq!(error.hint.as_deref(), Some(hint));
    let error = stopped(world.stage("").feed(world.hello_of(Some("job"), "b", Some("a.1")).as_bytes()));
    let said = "the consumer group \"job\" is at checkpoint a.1, and \"";
    assert!(error.message.starts_with(said) && error.message.ends_with("\" has no state of it"), "{error}");
    assert!(error.hint.unwrap().contains("begin anew with another -G than \"job\""));
}

#[test]
fn a_stage_that_has_moved_is_told_where_its_state_is() {
    let world = World::new();
    for folder in ["1-s", "3-counter", "4-window"] {
        world.has_snapshot(folder, "a.1");
    }
    let error = stopped(world.stage("").feed(world.hello("b", Some("a.1")).as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
    assert!(error.message.ends_with("; folders that have it: 1-s, 3-counter, 4-window"), "{error}");
    let state = world.path().display();
    let hint = format!("state save {state} NEW --rename 3-counter=2-counter, then --state NEW");
    assert!(error.hint.as_ref().unwrap().ends_with(&hint), "{:?}", error.hint);
}

#[test]
fn a_stage_in_a_shard_is_told_the_name_without_the_shard() {
    let world = World::new();
    world.has_snapshot("3-counter.shard-0", "a.1");
    let hello = world.hello("b", Some("a.1")).replace("\"interval_ms\"", "\"shard\":\"0\",\"interval_ms\"");
    let error = stopped(world.stage("").feed(hello.as_bytes()));
    assert!(error.hint.as_ref().unwrap().contains("--rename 3-counter=2-counter,"), "{:?}", error.hint);
}

#[test]
fn a_stage_that_is_new_is_told_so() {
    let world = World::new();
    world.has_snapshot("1-s", "a.1");
    let error = stopped(world.stage("").feed(world.hello("b", Some("a.1")).as_bytes()));
    assert!(error.hint.as_ref().unwrap().starts_with("counter had no state in that checkpoint"), "{:?}", error.hint);
}

#[test]
fn a_sink_whose_target_knows_another_commit_mends_the_copy_and_ends() {
    let world = World::new();
    world.commit("a.7");
    world.has_snapshot("1-s", "a.8");
    let error = stopped(world.sink(Some(8)).feed(world.hello("b", Some("a.7")).as_bytes()));
    assert_eq!(error.exit, Exit::Temporary, "{error}");
    assert_eq!(error.hint.as_deref(), Some("start the pipeline again; the state folder is now correct"));
    assert_eq!(world.committed().unwrap().id, CheckpointId::new("a", 8));
    world.sink(Some(8)).feed(world.hello("c", Some("a.8")).as_bytes()).unwrap();
}

#[test]
fn a_target_without_any_commit_is_not_that_of_this_state() {
    let world = World::new();
    let error = stopped(world.sink(None).feed(world.hello("b", Some("a.7")).as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
}

#[test]
fn a_copied_checkpoint_may_begin_a_new_output() {
    let world = World::new();
    let committed = Committed {
        id: CheckpointId::new("a", 7),
        sink: checkpoint::SAVEPOINT.to_owned(),
        snapshots: Vec::new(),
        at: String::new(),
    };
    write_committed(&RealDisk, world.path(), &committed).unwrap();
    world.sink(None).feed(world.hello("b", Some("a.7")).as_bytes()).unwrap();
    let error = stopped(world.sink(Some(9)).feed(world.hello("c", Some("a.7")).as_bytes()));
    assert_eq!(error.exit, Exit::Data, "an output that has commits is another matter: {error}");
}

#[test]
fn a_folder_that_is_older_than_the_output_is_not_mended() {
    let world = World::new();
    world.commit("a.7");
    world.has_snapshot("1-s", "a.7");
    let error = stopped(world.sink(Some(9)).feed(world.hello("b", Some("a.7")).as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
    assert!(error.message.starts_with("a.9 is committed in the output, and \""), "{error}");
    assert!(error.message.contains("it is at a.7, an older copy or that of another pipeline"), "{error}");
    let hint = error.hint.unwrap();
    let state = world.path().display();
    assert!(hint.contains("bring the newest state folder back, or begin anew with another --state folder"), "{hint}");
    assert!(
        hint.ends_with(&format!("to go on from a.7: state save {state} NEW, then --state NEW, another output")),
        "{hint}"
    );
    assert_eq!(world.committed().unwrap().id, CheckpointId::new("a", 7), "the folder stays as it is");
}

/// The younger run went on from the commit of the output, and has removed its snapshots since.
#[test]
fn a_stale_sink_whose_commit_is_gone_just_ends() {
    let world = World::new();
    world.commit("c.3");
    let error = stopped(world.sink(Some(9)).feed(world.hello("b", Some("a.7")).as_bytes()));
    assert_eq!(error.exit, Exit::Temporary, "{error}");
    assert_eq!(error.message, "another run has committed c.3 since this one began");
}

#[test]
fn an_empty_folder_beside_an_output_is_not_mended_whatever_the_output_is() {
    let world = World::new();
    let error = stopped(world.sink(Some(9)).feed(world.hello("b", None).as_bytes()));
    assert_eq!(error.exit, Exit::Data, "{error}");
    assert!(
        error.hint.unwrap().starts_with("bring the state folder back that the output was written with, or begin anew")
    );
    assert_eq!(world.committed(), None);
}
