//! What every stage must do.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::every_tool::{
    HELLO, bad_values, barrier, closed_files, end, interface, lines_need_a_hello, metrics_stop_nothing, name,
    signal_when_reader_leaves, terminal, with_files,
};
use crate::play::data_lines;
use crate::process::{Ran, run, run_bytes};

/// A stage under test.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    /// `env!("CARGO_BIN_EXE_…")`
    pub bin: &'a str,
    pub args: &'a [&'a str],
    /// A JSON object that the tool takes with these arguments, as often as it comes.
    pub good_line: &'a str,
    /// Each input line gives one output line at once, so that marks have a place between them.
    pub one_to_one: bool,
}

/// Tries everything. Each failure names the rule.
pub fn stage(stage: &Stage<'_>) {
    interface(stage.bin);
    plain_streams(stage);
    checked_streams(stage);
    exactly_once(stage);
    marks_keep_their_place(stage);
    bad_lines(stage);
    big_lines(stage);
    the_way_of_running_changes_nothing(stage);
    output_that_ends(stage);
    standard_files_that_are_closed(stage);
}

impl Stage<'_> {
    fn name(&self) -> &str {
        name(self.bin)
    }

    fn run(&self, input: &str) -> Ran {
        run(self.bin, self.args, input)
    }

    fn run_with(&self, more: &[&str], input: &[u8]) -> Ran {
        // Own flags go first: behind them there may be a `-- COMMAND`.
        let args: Vec<&str> = more.iter().chain(self.args).copied().collect();
        run_bytes(self.bin, &args, input)
    }

    fn lines(&self, n: usize) -> String {
        format!("{}\n", self.good_line).repeat(n)
    }
}

fn plain_streams(stage: &Stage<'_>) {
    terminal(stage.bin, stage.args);
    let empty = stage.run("");
    assert_eq!(data_lines(&empty.ok()), "", "nothing in, nothing out");
    let whole = stage.run(&stage.lines(3)).ok();
    let torn = stage.run(stage.lines(3).trim_end()).ok();
    assert_eq!(whole, torn, "a last line without newline is a line");
    let blank = stage.run(&format!("\n{}  \n", stage.lines(3))).ok();
    assert_eq!(whole, blank, "blank lines are no lines");
    assert!(whole.is_empty() || whole.ends_with('\n'));
}

fn checked_streams(stage: &Stage<'_>) {
    let name = stage.name();
    let good = stage.run(&format!("{HELLO}{}{}{}{}", stage.lines(2), barrier(2), stage.lines(1), end(1, true))).ok();
    assert!(good.contains("\"hop\":2"), "{name} adds 1 to hop: {good}");
    assert!(good.contains(&format!("\"hops\":[\"kafka-cat-in\",\"{name}\"]")), "{name} adds itself to hops: {good}");
    counts_are_rewritten(&good);

    let lost = stage.run(&format!("{HELLO}{}{}{}", stage.lines(2), barrier(3), end(0, true)));
    lost.fails_with(1, "a program between kafka-cat-in and");
    assert!(lost.stderr.contains("dropped 1"), "{}", lost.stderr);
    let doubled = stage.run(&format!("{HELLO}{}{}{}", stage.lines(4), barrier(3), end(0, true)));
    doubled.fails_with(1, "added 1");
    stage.run(&format!("{HELLO}{}{}", stage.lines(2), end(3, true))).fails_with(1, "dropped 1");

    stage.run(&format!("{HELLO}{}", stage.lines(2))).fails_with(75, "cut short");
    let torn = stage.run(&format!("{HELLO}{}{}", stage.lines(2), stage.good_line));
    torn.fails_with(75, "in the middle of a line");
    let stopped = stage.run(&format!("{HELLO}{}{}", stage.lines(2), end(2, false))).ok();
    assert!(stopped.trim_end().ends_with("\"drain\":false}"), "end is the last mark: {stopped}");
    stage.run(&format!("{HELLO}{}{}", end(0, true), stage.lines(1))).fails_with(1, "follows the end mark");
    stage.run(&format!("{}{HELLO}", stage.lines(1))).fails_with(1, "hello");
    if stage.one_to_one {
        let rejected = stage.run(&format!("{HELLO}not json\n{}{}", stage.lines(1), end(2, true))).ok();
        assert!(rejected.contains("{\"$\":\"reject\",\"by\":"), "bad lines travel as marks: {rejected}");
    }
}

fn exactly_once(stage: &Stage<'_>) {
    let run = |input: &str| stage.run_with(&["--exactly-once"], input.as_bytes());
    lines_need_a_hello(stage.name(), &stage.lines(2), run);
    let checked = format!("{HELLO}{}{}", stage.lines(1), end(1, true));
    assert_eq!(run(&checked).ok(), stage.run(&checked).ok(), "{}: the flag changes nothing else", stage.name());
}

/// Between two marks that count, there are as many data lines as the second one says.
fn counts_are_rewritten(out: &str) {
    let mut lines = 0;
    for line in out.lines() {
        if !line.starts_with("{\"$\":") {
            lines += 1;
        } else if line.starts_with("{\"$\":\"barrier\"") || line.starts_with("{\"$\":\"end\"") {
            let mark: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(mark["lines"], lines, "the count in {line}");
            lines = 0;
        }
    }
}

fn marks_keep_their_place(stage: &Stage<'_>) {
    let sonar = |n: usize| format!("{{\"$\":\"sonar\",\"n\":{n},\"x\":[1.50,\"\\u00e9\"]}}\n");
    let input: String = (0..5).map(|n| format!("{}{}", stage.lines(n), sonar(n))).collect();
    let out = stage.run(&input).ok();
    let seen: Vec<(usize, usize)> = out
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("{\"$\":\"sonar\""))
        .map(|(at, line)| {
            (at, serde_json::from_str::<serde_json::Value>(line).unwrap()["n"].as_u64().unwrap() as usize)
        })
        .collect();
    assert_eq!(seen.iter().map(|s| s.1).collect::<Vec<_>>(), [0, 1, 2, 3, 4], "unknown marks pass, in order");
    if !stage.one_to_one {
        return;
    }
    let mut data = 0;
    for line in out.lines() {
        if line.starts_with("{\"$\":\"sonar\"") {
            let n = serde_json::from_str::<serde_json::Value>(line).unwrap()["n"].as_u64().unwrap() as usize;
            assert_eq!(data, n * (n + 1) / 2, "mark {n} has its place among the lines: {out}");
        }
        data += usize::from(!line.starts_with("{\"$\":"));
    }
}

fn bad_lines(stage: &Stage<'_>) {
    let name = stage.name();
    for (what, bad) in bad_values() {
        let input = [stage.lines(1).as_bytes(), &bad, b"\n", stage.lines(1).as_bytes()].concat();
        let stopped = stage.run_with(&[], &input);
        assert_eq!(stopped.code, Some(1), "{what} stops {name}: {}", stopped.stderr);
        let place = format!("{name}: line 2, byte {}: ", stage.good_line.len() + 1);
        assert!(stopped.stderr.starts_with(&place), "{what}: the message names the place: {}", stopped.stderr);
        let skipped = stage.run_with(&["--on-error", "skip", "-v"], &input);
        assert!(skipped.stderr.contains("rejected 1"), "{what} is counted: {}", skipped.stderr);
        assert!(skipped.stderr.contains("1 bad lines skipped"), "and told: {}", skipped.stderr);
        assert_eq!(skipped.ok(), stage.run(&stage.lines(2)).ok(), "{what} skipped leaves no trace");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rejects");
    let path = file.to_str().unwrap();
    stage.run_with(&["--on-error", "reject", "--rejects", path], b"{\"a\":tru}\n").ok();
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!((kept["line"].as_str(), kept["at"].as_str()), (Some("{\"a\":tru}"), Some("line 1")));
}

fn big_lines(stage: &Stage<'_>) {
    let wide = |bytes: usize| {
        let padding = format!("\"padding\":\"{}\"}}", "x".repeat(bytes));
        let body = stage.good_line.strip_suffix('}').unwrap();
        format!("{body}{}{padding}\n", if body.ends_with('{') { "" } else { "," })
    };
    stage.run(&wide(10 << 20)).ok();
    let over = stage.run_with(&["--max-line", "1MiB"], wide(2 << 20).as_bytes());
    over.fails_with(1, "line 1, byte 0: a line longer than 1048576 bytes");
    let skipped = stage.run_with(
        &["--max-line", "1MiB", "--on-error", "skip"],
        format!("{}{}", wide(2 << 20), stage.lines(2)).as_bytes(),
    );
    assert_eq!(data_lines(&skipped.ok()), data_lines(&stage.run(&stage.lines(2)).ok()), "the lines behind it arrive");
}

fn the_way_of_running_changes_nothing(stage: &Stage<'_>) {
    let input = stage.lines(400);
    let whole = stage.run(&input).ok();
    for threads in ["1", "2", "3", "4"] {
        for chunk in ["1B", "7B", "1000B", "64KiB"] {
            let out = stage.run_with(&["--threads", threads, "--chunk", chunk], input.as_bytes()).ok();
            assert!(out == whole, "--threads {threads} with chunks of {chunk} changes the output");
        }
    }
    assert!(slowly(stage, &stage.lines(20)) == stage.run(&stage.lines(20)).ok(), "pauses change the output");
}

/// A writer that stops in the middle of lines, and a reader that takes its time.
fn slowly(stage: &Stage<'_>, input: &str) -> String {
    let mut child =
        Command::new(stage.bin).args(stage.args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let bytes = input.as_bytes().to_vec();
    let writer = std::thread::spawn(move || {
        for part in bytes.chunks(37.max(input_step(bytes.len()))) {
            stdin.write_all(part).unwrap();
            std::thread::sleep(Duration::from_millis(3));
        }
    });
    let (mut out, mut buffer) = (Vec::new(), [0; 11]);
    loop {
        match stdout.read(&mut buffer).unwrap() {
            0 => break,
            n => out.extend_from_slice(&buffer[..n]),
        }
    }
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    String::from_utf8(out).unwrap()
}

/// At most a hundred pauses, however long the input is.
fn input_step(bytes: usize) -> usize {
    bytes.div_ceil(100)
}

fn output_that_ends(stage: &Stage<'_>) {
    let name = stage.name();
    let signal = signal_when_reader_leaves(stage.bin, stage.args, &stage.lines(1));
    assert_eq!(signal, Some(13), "{name} dies by SIGPIPE when its reader has gone");
    let command = "\"$0\" \"$@\" > /dev/full";
    let mut args = vec!["-c", command, stage.bin];
    args.extend(stage.args);
    run("bash", &args, &stage.lines(10)).fails_with(75, "standard output: No space left on device");
}

fn standard_files_that_are_closed(stage: &Stage<'_>) {
    let lines = stage.lines(3);
    closed_files(stage.bin, stage.args, &lines, ">&-", "standard output is closed");
    closed_files(stage.bin, stage.args, &lines, "<&-", "standard input is closed");
    let dropped = with_files(stage.bin, stage.args, &lines, "> /dev/null");
    assert_eq!(dropped.code, Some(0), "whoever wants no output may say so: {}", dropped.stderr);
    let silent = with_files(stage.bin, stage.args, &lines, "2>&-");
    assert_eq!(silent.ok(), stage.run(&lines).ok(), "warnings are for those who want them");
    metrics_stop_nothing(stage.bin, stage.args, &lines);
}
