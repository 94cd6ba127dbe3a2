//! Sources: when barriers come, and what ends a run.

use std::path::PathBuf;

use checkpoint::RealDisk;
use protocol::{Checkpoints, Out, Policy, Polled, Positions, Rejects, Source, SourceDriver, Turn};
use serde_json::json;
use stream::{Error, Exit, Fault};

use super::world::World;

/// Gives the numbers from 1 to `last`; then it has ended, or with 0 it waits for ever.
struct Numbers {
    next: u64,
    last: u64,
    committed: Vec<Positions>,
}

impl Source for Numbers {
    fn poll(&mut self, _wait_ms: u64, out: &mut Out) -> Result<Polled, Fault> {
        if self.next > self.last {
            return Ok(if self.last == 0 { Polled::Nothing } else { Polled::Done });
        }
        out.line(self.next.to_string().as_bytes());
        self.next += 1;
        Ok(Polled::More)
    }

    fn position(&self) -> String {
        self.next.to_string()
    }

    fn seek(&mut self, position: &str) -> Result<(), Error> {
        self.next = position.parse().map_err(Error::data)?;
        Ok(())
    }

    fn positions(&self) -> Positions {
        json!({ "n": self.next }).as_object().cloned().unwrap()
    }

    fn committed(&mut self, positions: &Positions) -> Result<(), Fault> {
        self.committed.push(positions.clone());
        Ok(())
    }
}

fn source(world: &World, run: &str, last: u64) -> SourceDriver<Numbers> {
    let checkpoints =
        Checkpoints { state: PathBuf::from(world.path()), interval_ms: 50, run: run.to_owned(), drains: true };
    let out = Out::new(&Policy::default(), Rejects::in_memory("numbers"));
    let numbers = Numbers { next: 1, last, committed: Vec::new() };
    SourceDriver::new(numbers, "numbers", out, Some(checkpoints), world.keeper())
}

fn turn(source: &mut SourceDriver<Numbers>, now_ms: i64) -> (Turn, String) {
    source.out.set_now_ms(now_ms);
    let turn = source.turn(100).unwrap();
    (turn, String::from_utf8(source.out.take()).unwrap())
}

#[test]
fn one_barrier_is_in_flight_at_a_time() {
    let world = World::new();
    let mut source = source(&world, "a", 1_000);
    source.begin().unwrap();
    let barriers: Vec<i64> = (0..500).filter(|&ms| turn(&mut source, ms).1.contains("barrier")).collect();
    assert_eq!(barriers, [50], "the second one waits for the commit of the first");
    world.save();
    world.commit("a.1");
    let second = turn(&mut source, 502).1;
    assert!(second.contains("\"id\":\"a.2\"") && !second.contains("last"), "{second}");
    let at_barrier = json!({ "n": 51 }).as_object().cloned().unwrap();
    assert_eq!(source.source.committed, [at_barrier], "the position when the barrier was written");
}

#[test]
fn a_source_that_waits_for_a_commit_writes_now_and_then_so_that_a_broken_pipe_is_noticed() {
    let world = World::new();
    let mut source = source(&world, "a", 3);
    source.begin().unwrap();
    let written: Vec<(i64, String)> = (0..3_500).map(|ms| (ms, turn(&mut source, ms).1)).collect();
    let marks: Vec<_> = written.iter().filter(|(_, text)| text.contains("waiting")).collect();
    let waiting = "{\"$\":\"waiting\",\"for\":\"a.1\"}\n";
    assert!(marks.len() == 3 && marks.iter().all(|(_, text)| text == waiting), "{marks:?}");
}

#[test]
fn the_end_waits_for_the_last_commit() {
    let world = World::new();
    let mut source = source(&world, "a", 3);
    source.begin().unwrap();
    let written: String = (0..20).map(|ms| turn(&mut source, ms).1).collect();
    let last = written.lines().last().unwrap();
    assert!(
        last.contains("\"id\":\"a.1\"")
            && last.contains("\"lines\":3")
            && last.contains("\"last\":true,\"drain\":true"),
        "{written}"
    );
    world.save();
    world.commit("a.1");
    let (over, end) = turn(&mut source, 100);
    assert_eq!(over, Turn::Over);
    assert_eq!(end, "{\"$\":\"end\",\"lines\":0,\"drain\":true}\n");

    let mut again = self::source(&world, "b", 5);
    again.begin().unwrap();
    assert!(String::from_utf8(again.out.take()).unwrap().contains("\"restore\":{\"id\":\"a.1\""));
    assert_eq!(turn(&mut again, 1).1, "4\n", "the next run goes on where the last one ended");
}

#[test]
fn a_signal_ends_the_stream_without_a_flush() {
    let world = World::new();
    let mut source = source(&world, "a", 1_000);
    source.begin().unwrap();
    turn(&mut source, 1);
    source.stop();
    let (_, written) = turn(&mut source, 2);
    assert!(written.contains("barrier") && !written.contains("drain"), "{written}");
    assert!(written.ends_with(",\"last\":true}\n"), "{written}");
    world.save();
    world.commit("a.1");
    assert_eq!(turn(&mut source, 9).1, "{\"$\":\"end\",\"lines\":0,\"drain\":false}\n");
}

#[test]
fn a_source_whose_state_another_run_has_taken_over_ends() {
    let world = World::new();
    let mut source = source(&world, "a", 1_000);
    source.begin().unwrap();
    turn(&mut source, 60);
    world.commit("b.1");
    source.out.set_now_ms(70);
    let Err(Fault::Stop(error)) = source.turn(100) else { panic!("it goes on") };
    assert_eq!(error.exit, Exit::Temporary, "{error}");
}

/// A source whose barrier nobody commits, for twenty seconds: why it ended, and what it said.
fn without_a_commit(world: &World, last: u64, step_ms: i64) -> (Option<Error>, Vec<String>) {
    let mut source = source(world, "a", last);
    source.begin().unwrap();
    for now_ms in (0..20_000).step_by(step_ms.try_into().unwrap()) {
        source.out.set_now_ms(now_ms);
        if let Err(fault) = source.turn(100) {
            let Fault::Stop(error) = fault else { panic!("{fault:?}") };
            return (Some(error), source.out.rejects().warnings());
        }
    }
    (None, source.out.rejects().warnings())
}

#[test]
fn a_source_whose_lines_go_on_though_no_sink_has_its_hello_ends() {
    for last in [1_000_000, 3] {
        let world = World::new();
        checkpoint::show_sink(&RealDisk, world.path(), "an older run").unwrap();
        let (error, warnings) = without_a_commit(&world, last, 10);
        let error = error.unwrap();
        assert_eq!(error.exit, Exit::Data, "a new start gives the same");
        assert!(error.message.starts_with("no sink has taken the hello mark within 10 s"), "{error}");
        let hint = error.hint.unwrap();
        assert!(
            hint.starts_with("is there a sink at the end of the pipe") && hint.contains("takes marks out"),
            "{hint}"
        );
        assert_eq!(warnings, [""; 0]);
    }
}

#[test]
fn a_source_whose_sink_is_slow_waits_and_says_so() {
    let world = World::new();
    checkpoint::show_sink(&RealDisk, world.path(), "a").unwrap();
    let (error, warnings) = without_a_commit(&world, 1_000_000, 10);
    assert_eq!(error, None);
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("waiting for the sink to commit a.1 since 10 s"),
        "{warnings:?}"
    );
}

#[test]
fn a_source_without_lines_asks_whether_there_is_a_sink() {
    let world = World::new();
    let (error, warnings) = without_a_commit(&world, 0, 10);
    assert_eq!(error, None);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with("no sink has taken the hello mark within 10 s\nhint: is there a sink"),
        "{warnings:?}"
    );
}

#[test]
fn a_machine_that_slept_has_not_waited() {
    let (error, warnings) = without_a_commit(&World::new(), 1_000_000, 5_000);
    assert_eq!((error, warnings), (None, Vec::new()));
}
