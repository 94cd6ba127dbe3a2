//! Plays a script of lines and marks to a stage, in one process, without a pipe.

use millpipe::{Config, Counts, Driver, Fault, Rejects, Stage};

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
            counts.settled + counts.late + counts.rejected + held,
            "in = out + late + rejected + held does not hold: {counts:?}, held {held}"
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

/// Checks that a stage gives the same bytes however its input is cut, and after a crash at any line: snapshot,
/// restore into a new stage, go on.
pub fn every_way<S: Stage>(make: impl Fn() -> S, input: &str) {
    let lines: Vec<&str> = input.lines().collect();
    let whole = checked(&make, &lines, usize::MAX);
    for chunk in [1, 2, 3, 7, 61, 1000] {
        assert_eq!(checked(&make, &lines, chunk), whole, "chunks of {chunk} bytes change the output");
    }
    let step = lines.len().div_ceil(200).max(1);
    for at in (0..=lines.len()).step_by(step) {
        let crashed = crash_at(&make, &lines, at);
        assert_eq!(crashed, whole, "a crash and restore after line {at} changes the output");
    }
}

const HELLO: &str = "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n";

/// A checked stream in one go; the output without hello and end.
fn checked<S: Stage>(make: &impl Fn() -> S, lines: &[&str], chunk: usize) -> String {
    let mut driver = driver(make());
    let text = format!("{HELLO}{}{}", text(lines), end_mark(lines));
    for chunk in text.as_bytes().chunks(chunk.min(text.len())) {
        driver.feed(chunk).unwrap();
    }
    driver.finish().unwrap();
    without_frame(&String::from_utf8(driver.out.take()).unwrap())
}

/// A first run that ends at a line, and a second one from its snapshot.
fn crash_at<S: Stage>(make: &impl Fn() -> S, lines: &[&str], at: usize) -> String {
    let mut first = driver(make());
    first.feed(format!("{HELLO}{}", text(&lines[..at])).as_bytes()).unwrap();
    let before = String::from_utf8(first.out.take()).unwrap();
    let mut snapshot = Vec::new();
    first.stage.snapshot(&mut snapshot).unwrap();
    assert!(std::str::from_utf8(&snapshot).is_ok(), "a snapshot is text");

    let mut stage = make();
    stage.restore(&mut snapshot.as_slice()).unwrap();
    let mut second = driver(stage);
    second.feed(HELLO.as_bytes()).unwrap();
    second.out.take(); // hello, and what the stage announces again in each run
    second.feed(format!("{}{}", text(&lines[at..]), end_mark(&lines[at..])).as_bytes()).unwrap();
    second.finish().unwrap();
    let after = String::from_utf8(second.out.take()).unwrap();
    without_frame(&format!("{before}{after}"))
}

fn driver<S: Stage>(stage: S) -> Driver<S> {
    let mut driver = Driver::new(stage, Config::new("stage"), Rejects::in_memory("stage"));
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
