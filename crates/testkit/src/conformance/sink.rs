//! What every sink must do.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::every_tool::{
    HELLO, bad_values, barrier, closed_files, end, interface, lines_need_a_hello, metrics_stop_nothing, name, terminal,
    with_files,
};
use crate::process::{Ran, run_bytes};

/// A sink under test.
#[derive(Clone, Copy, Debug)]
pub struct Sink<'a> {
    /// `env!("CARGO_BIN_EXE_…")`
    pub bin: &'a str,
    pub args: &'a [&'a str],
    /// A JSON object that the tool takes with these arguments, as often as it comes.
    pub good_line: &'a str,
}

/// Tries everything. Each failure names the rule.
pub fn sink(sink: &Sink<'_>) {
    interface(sink.bin);
    terminal(sink.bin, sink.args);
    plain_streams(sink);
    checked_streams(sink);
    exactly_once(sink);
    bad_lines(sink);
    a_slow_writer(sink);
    standard_files_that_are_closed(sink);
}

impl Sink<'_> {
    fn run(&self, input: &str) -> Ran {
        self.run_with(&[], input.as_bytes())
    }

    fn run_with(&self, more: &[&str], input: &[u8]) -> Ran {
        run_bytes(self.bin, &[self.args, more].concat(), input)
    }

    fn lines(&self, n: usize) -> String {
        format!("{}\n", self.good_line).repeat(n)
    }

    /// Runs with `-v`, and must end with 0, everything delivered and no word on stdout.
    fn takes(&self, lines: usize, input: &str) {
        let ran = self.run_with(&["-v"], input.as_bytes());
        let said = format!("in {lines} = out {lines} + late 0 + rejected 0 + held 0");
        assert!(ran.stderr.contains(&said), "{} takes {lines} lines: {}", name(self.bin), ran.stderr);
        assert_eq!(ran.ok(), "", "a sink writes nothing");
    }
}

fn plain_streams(sink: &Sink<'_>) {
    sink.takes(0, "");
    sink.takes(3, &sink.lines(3));
    sink.takes(3, sink.lines(3).trim_end());
    sink.takes(3, &format!("\n{}  \n", sink.lines(3)));
    sink.takes(2, &format!("{}{{\"$\":\"watermark\",\"time\":null}}\n{}", sink.lines(1), sink.lines(1)));
}

fn checked_streams(sink: &Sink<'_>) {
    sink.takes(3, &format!("{HELLO}{}{}{}{}", sink.lines(2), barrier(2), sink.lines(1), end(1, true)));
    let lost = sink.run(&format!("{HELLO}{}{}{}", sink.lines(2), barrier(3), end(0, true)));
    lost.fails_with(1, &format!("a program between kafka-cat-in and {} dropped 1", name(sink.bin)));
    sink.run(&format!("{HELLO}{}{}", sink.lines(2), end(1, true))).fails_with(1, "added 1");
    sink.run(&format!("{HELLO}{}", sink.lines(2))).fails_with(75, "cut short");
    sink.run(&format!("{HELLO}{}{}", sink.lines(2), sink.good_line)).fails_with(75, "in the middle of a line");
    sink.run(&format!("{HELLO}{}{}", end(0, true), sink.lines(1))).fails_with(1, "follows the end mark");
}

fn exactly_once(sink: &Sink<'_>) {
    // Its own flags may end with a `-- COMMAND`.
    let run = |input: &str| run_bytes(sink.bin, &[&["--exactly-once"], sink.args].concat(), input.as_bytes());
    lines_need_a_hello(name(sink.bin), &sink.lines(2), run);
    assert_eq!(run(&format!("{HELLO}{}{}", sink.lines(1), end(1, true))).ok(), "");
}

fn bad_lines(sink: &Sink<'_>) {
    let name = name(sink.bin);
    for (what, bad) in bad_values() {
        let input = [sink.lines(1).as_bytes(), &bad, b"\n", sink.lines(1).as_bytes()].concat();
        let stopped = sink.run_with(&[], &input);
        assert_eq!(stopped.code, Some(1), "{what} stops {name}: {}", stopped.stderr);
        let place = format!("{name}: line 2, byte {}: ", sink.good_line.len() + 1);
        assert!(stopped.stderr.starts_with(&place), "{what}: the message names the place: {}", stopped.stderr);
        let skipped = sink.run_with(&["--on-error", "skip", "-v"], &input);
        assert!(skipped.stderr.contains("in 3 = out 2 + late 0 + rejected 1"), "{what} is counted: {}", skipped.stderr);
        assert!(skipped.stderr.contains("1 bad lines skipped"), "and told: {}", skipped.stderr);
        skipped.ok();
    }
    let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(2 << 20));
    sink.run_with(&["--max-line", "1MiB"], long.as_bytes()).fails_with(1, "a line longer than 1048576 bytes");
}

/// Pauses in the middle of lines.
fn a_slow_writer(sink: &Sink<'_>) {
    let args = [sink.args, &["-v"]].concat();
    let mut child = Command::new(sink.bin).args(args).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for part in sink.lines(5).as_bytes().chunks(sink.good_line.len() - 1) {
        stdin.write_all(part).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(stdin);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert!(ran.stderr.contains("in 5 = out 5"), "{}", ran.stderr);
    ran.ok();
}

fn standard_files_that_are_closed(sink: &Sink<'_>) {
    let lines = sink.lines(3);
    closed_files(sink.bin, sink.args, &lines, "<&-", "standard input is closed");
    let written = with_files(sink.bin, sink.args, &lines, ">&-");
    assert_eq!(written.code, Some(0), "a sink needs no standard output: {}", written.stderr);
    metrics_stop_nothing(sink.bin, sink.args, &lines);
}
