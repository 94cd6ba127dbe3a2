//! Plays a script of lines and marks to a stage, in one process, without a pipe.

use std::collections::{BTreeMap, BTreeSet};

use checkpoint::Changes;
use protocol::{Config, Counts, Driver, Rejects, Stage};
use serde_json::value::RawValue;
use stream::Fault;

/// The processing time of every script, until a script says otherwise: 2026-01-01T00:00:00Z.
pub const NOW_MS: i64 = 1_767_225_600_000;

/// What came of a script.
#[derive(Debug)]
pub struct Played {
    /// Lines and marks written, one a line.
    pub out: String,
    pub rejects: Vec<String>,
    pub warnings: Vec<String>,
    pub result: Result<(), Fault>,
    pub counts: Counts,
    pub held: u64,
}

impl Played {
    /// The output without its marks.
    pub fn data(&self) -> String {
        data_lines(&self.out)
    }
}

/// Plays a plain stream: `input` is lines and marks, then the end of file.
pub fn play<S: Stage>(stage: S, input: &str) -> Played {
    play_with(stage, Config::new("stage"), input)
}

/// The same with limits and policies of one's own.
pub fn play_with<S: Stage>(stage: S, config: Config, input: &str) -> Played {
    let name = config.name.clone();
    let mut driver = Driver::new(stage, config, Rejects::in_memory(&name));
    let result = driver.clock(NOW_MS).and_then(|()| driver.feed(input.as_bytes())).and_then(|()| driver.finish());
    let (counts, held) = driver.counts();
    if result.is_ok() {
        assert_eq!(
            counts.lines_in,
            counts.settled + counts.left_out + counts.late + counts.rejected + held,
            "in = out + left out + late + rejected + held does not hold: {counts:?}, held {held}"
        );
    }
    Played {
        out: String::from_utf8(driver.out.take()).unwrap(),
        rejects: driver.out.rejects().take(),
        warnings: driver.out.rejects().warnings(),
        result,
        counts,
        held,
    }
}

/// Checks that a stage gives the same bytes however its input is cut, and after crashes anywhere: its state saved
/// step by step, restored into a new stage, which goes on, is saved, crashes and is restored again.
pub fn every_way<S: Stage>(make: impl Fn() -> S, input: &str) {
    every_way_with(make, &Config::new("stage"), input);
}

/// The same with limits and policies of one's own.
pub fn every_way_with<S: Stage>(make: impl Fn() -> S, config: &Config, input: &str) {
    let make = || driver(make(), config.clone());
    let lines: Vec<&str> = input.lines().collect();
    let whole = checked(&make, &lines, usize::MAX);
    for chunk in [1, 2, 3, 7, 61, 1000, 10_000] {
        assert_eq!(checked(&make, &lines, chunk), whole, "chunks of {chunk} bytes change the output");
        assert_eq!(read_ahead(&make, &lines, chunk), whole, "reading ahead of {chunk} bytes changes the output");
    }
    let mut last = Saved::default();
    assert_eq!(run(&make, &mut last, &lines, usize::MAX, true), whole, "saving changes the output");
    let step = lines.len().div_ceil(200).max(1);
    for at in (0..=lines.len()).step_by(step) {
        let mut saved = Saved::default();
        let crashed = crash_twice(&make, &mut saved, &lines, at);
        assert_eq!(crashed, whole, "crashes after line {at} and later change the output");
        assert_eq!(saved, last, "crashes after line {at} and later change the last state");
    }
    goes_on_after_the_end(&make, &lines);
}

/// How many lines lie between two saves of a run.
const PACES: [usize; 4] = [1, 3, 10, usize::MAX];

/// A run that ends at a line, a second one that ends half way, and a third one to the end.
fn crash_twice<S: Stage>(make: &impl Fn() -> Driver<S>, saved: &mut Saved, lines: &[&str], at: usize) -> String {
    let again = at + (lines.len() - at) / 2;
    let mut out = run(make, saved, &lines[..at], PACES[at % 4], false);
    out += &run(make, saved, &lines[at..again], PACES[at / 4 % 4], false);
    out + &run(make, saved, &lines[again..], PACES[at / 16 % 4], true)
}

/// A finished job is run again with more input: its state is that after the flush.
fn goes_on_after_the_end<S: Stage>(make: &impl Fn() -> Driver<S>, lines: &[&str]) {
    let (first, second) = lines.split_at(lines.len() / 2);
    let mut flushed = Saved::default();
    run(make, &mut flushed, first, 3, true);
    let mut last = flushed.clone();
    let whole = run(make, &mut last, second, usize::MAX, true);
    for at in (0..=second.len()).step_by(second.len().div_ceil(10).max(1)) {
        let mut saved = flushed.clone();
        assert_eq!(crash_twice(make, &mut saved, second, at), whole, "a crash {at} lines after a flush");
        assert_eq!(saved, last, "a crash {at} lines after a flush changes the last state");
    }
}

const HELLO: &str = "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n";

/// A checked stream in one go; the output without hello and end.
fn checked<S: Stage>(make: &impl Fn() -> Driver<S>, lines: &[&str], chunk: usize) -> String {
    let mut driver = make();
    let text = format!("{HELLO}{}{}", text(lines), end_mark(lines));
    for chunk in text.as_bytes().chunks(chunk.min(text.len())) {
        driver.feed(chunk).unwrap();
    }
    driver.finish().unwrap();
    without_frame(&String::from_utf8(driver.out.take()).unwrap())
}

/// The same with two readers that take turns, if the stage has any.
fn read_ahead<S: Stage>(make: &impl Fn() -> Driver<S>, lines: &[&str], chunk: usize) -> String {
    let mut driver = make();
    let mut readers = driver.readers(2);
    if readers.is_empty() {
        return checked(make, lines, usize::MAX);
    }
    let text = format!("{HELLO}{}{}", text(lines), end_mark(lines));
    for (turn, chunk) in text.as_bytes().chunks(chunk).enumerate() {
        let lines = protocol::read_ahead(readers[turn % 2].as_mut(), chunk);
        driver.feed_read(chunk, lines).unwrap();
    }
    driver.finish().unwrap();
    without_frame(&String::from_utf8(driver.out.take()).unwrap())
}

/// One run from what is saved: its lines, with a save after every `pace` of them and behind the last; with `drain` the
/// end of the input too. Returns the output.
fn run<S: Stage>(make: &impl Fn() -> Driver<S>, saved: &mut Saved, lines: &[&str], pace: usize, drain: bool) -> String {
    let mut driver = make();
    let is_restored = saved.restore(&mut driver.stage);
    driver.feed(HELLO.as_bytes()).unwrap();
    if is_restored {
        driver.out.take(); // hello, and what the stage announces again in each run
        if lines.len().is_multiple_of(2) {
            assert_eq!(saved.save(&mut driver.stage), 0, "nothing has changed since the state was restored");
        }
    }
    for part in lines.chunks(pace.min(lines.len().max(1))) {
        driver.feed(text(part).as_bytes()).unwrap();
        saved.save(&mut driver.stage);
    }
    if drain {
        driver.feed(end_mark(lines).as_bytes()).unwrap();
        driver.finish().unwrap();
    }
    saved.save(&mut driver.stage);
    without_frame(&String::from_utf8(driver.out.take()).unwrap())
}

/// What a state folder would have of one stage.
#[derive(Clone, Debug, Default, PartialEq)]
struct Saved {
    flags: String,
    head: String,
    entries: BTreeMap<String, String>,
    held: u64,
}

impl Saved {
    /// Takes the stage's state of now; returns how many entries changed.
    fn save(&mut self, stage: &mut impl Stage) -> usize {
        self.held = stage.held();
        let Some(state) = stage.state() else { return 0 };
        let mut head = Vec::new();
        state.snapshot(&mut head).unwrap();
        self.head = String::from_utf8(head).unwrap();
        let mut changes = Changes::default();
        state.changes(&mut changes).unwrap();
        self.flags = state.flags();
        self.apply(std::str::from_utf8(changes.text()).unwrap());
        changes.len()
    }

    fn apply(&mut self, changes: &str) {
        let (mut put, mut removed) = (BTreeSet::new(), BTreeSet::new());
        for line in changes.lines() {
            let mut entry: Vec<&RawValue> = serde_json::from_str(line).unwrap();
            let value = (entry.len() == 2).then(|| entry.remove(1).get().to_owned());
            let key: String = serde_json::from_str(entry[0].get()).unwrap();
            assert!(entry.len() == 1, "an entry has a key and a value: {line}");
            let is_first = if value.is_some() { put.insert(key.clone()) } else { removed.insert(key.clone()) };
            assert!(is_first, "the key {key:?} comes twice in one save");
            match value {
                Some(value) => drop(self.entries.insert(key, value)),
                None => assert!(self.entries.remove(&key).is_some(), "{key:?} is removed and was never saved"),
            }
        }
    }

    /// True if there was something to restore.
    fn restore(&self, stage: &mut impl Stage) -> bool {
        if self.head.is_empty() && self.entries.is_empty() {
            return false;
        }
        let state = stage.state().unwrap();
        assert_eq!(state.flags(), self.flags);
        state.restore(&mut self.head.as_bytes()).unwrap();
        for (key, value) in &self.entries {
            state.restore_entry(key, value.as_bytes()).unwrap();
        }
        assert_eq!(stage.held(), self.held, "lines held, after a restore");
        true
    }
}

fn driver<S: Stage>(stage: S, config: Config) -> Driver<S> {
    let mut driver = Driver::new(stage, config, Rejects::in_memory("stage"));
    driver.clock(NOW_MS).unwrap();
    driver
}

fn text(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn end_mark(lines: &[&str]) -> String {
    let count = lines.iter().filter(|l| !l.starts_with("{\"$\":")).count();
    format!("{{\"$\":\"end\",\"lines\":{count},\"drain\":true}}\n")
}

/// Hello and end differ from run to run, and so does the line number in a reject mark.
fn without_frame(out: &str) -> String {
    let frame = ["{\"$\":\"hello\"", "{\"$\":\"end\""];
    let lines = out.lines().filter(|l| !frame.iter().any(|f| l.starts_with(f)));
    lines.map(|l| if l.starts_with("{\"$\":\"reject\"") { without_place(l) } else { format!("{l}\n") }).collect()
}

fn without_place(reject: &str) -> String {
    let mut mark: serde_json::Map<String, serde_json::Value> = serde_json::from_str(reject).unwrap();
    mark.remove("at");
    format!("{}\n", serde_json::Value::Object(mark))
}

pub(crate) fn data_lines(out: &str) -> String {
    out.lines().filter(|l| !l.starts_with("{\"$\":")).map(|l| format!("{l}\n")).collect()
}
