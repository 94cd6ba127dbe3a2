//! What sources, stages and sinks all must do, and the lines that they are tried with.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::{Ran, run};
use crate::waiting::{wait_for_rest, wait_until};

pub(super) const HELLO: &str = "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n";

pub(super) fn barrier(lines: usize) -> String {
    format!("{{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":{lines},\"hops\":[\"kafka-cat-in\"]}}\n")
}

pub(super) fn end(lines: usize, drain: bool) -> String {
    format!("{{\"$\":\"end\",\"lines\":{lines},\"drain\":{drain}}}\n")
}

pub(super) const WATERMARK: &str = "{\"$\":\"watermark\",\"time\":null}\n";
pub(super) const REJECT: &str =
    "{\"$\":\"reject\",\"by\":\"window\",\"why\":\"late\",\"at\":\"line 7\",\"line\":\"{}\"}\n";

/// `--exactly-once` at a stage or sink: `run` gives it to the tool, with this input. Lines come after a hello only; where
/// the source has failed before that, nothing is written or said, so that the source's exit code counts.
pub(super) fn lines_need_a_hello(name: &str, lines: &str, run: impl Fn(&str) -> Ran) {
    for nothing in ["", " \n\n", WATERMARK, WATERMARK.trim_end()] {
        let ran = run(nothing);
        assert_eq!((ran.stderr.as_str(), ran.stdout.as_str()), ("", ""), "{name} after {nothing:?}");
        ran.ok();
    }
    let after_a_mark = format!("{WATERMARK}{lines}");
    for plain in [lines, lines.trim_end(), &after_a_mark, REJECT] {
        let ran = run(plain);
        ran.fails_with(1, "lines come without the hello mark of an exactly-once pipe, and nothing is written");
        assert!(ran.stderr.contains("hint: a program before this one that takes marks out"), "{}", ran.stderr);
        assert_eq!(ran.stdout, "", "{name} writes nothing");
    }
}

/// The tool's name.
pub(super) fn name(bin: &str) -> &str {
    Path::new(bin).file_name().and_then(|n| n.to_str()).unwrap()
}

/// Lines that no tool takes.
pub(super) fn bad_values() -> [(&'static str, Vec<u8>); 6] {
    [
        ("no JSON", b"{\"a\":tru}".to_vec()),
        ("a torn value", b"{\"a\":1".to_vec()),
        ("two values", b"{} {}".to_vec()),
        ("invalid UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec()),
        ("deep nesting", format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes()),
        ("a lone surrogate", b"{\"a\":\"\\ud800\"}".to_vec()),
    ]
}

/// `--help`, `--version`, a typo.
pub(super) fn interface(bin: &str) {
    let name = name(bin);
    let help = run(bin, &["--help"], "").ok();
    assert!(help.contains("Examples"), "{name} --help teaches with examples");
    assert!(run(bin, &["--version"], "").ok().starts_with(name));
    let typo = run(bin, &["--no-such-flag"], "");
    typo.fails_with(2, &format!("{name}: "));
    assert!(typo.stdout.is_empty());
}

/// With a terminal as its stdin a tool shows its help, and does not wait for somebody to type.
pub(super) fn terminal(bin: &str, args: &[&str]) {
    let command = std::iter::once(bin).chain(args.iter().copied()).collect::<Vec<_>>().join(" ");
    let shown = run("script", &["-qec", &command, "/dev/null"], "");
    assert_eq!(shown.code, Some(2), "help on a terminal exits with 2: {}", shown.stdout);
    assert!(shown.stdout.contains("Usage"), "a terminal as stdin shows the help: {}", shown.stdout);
}

/// The writer stays and is silent, the reader goes: the tool notices by itself. The signal that it died of.
pub(super) fn signal_when_reader_leaves(bin: &str, args: &[&str], input: &str) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt;
    let mut child = Command::new(bin).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A source does not read it.
    let _ = stdin.write_all(input.as_bytes());
    wait_for_rest(&[child.id()]);
    drop(child.stdout.take());
    let mut status = None;
    wait_until(&format!("{} is idle and notices that its reader has gone", name(bin)), || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap().signal()
}

/// A tool whose standard files the caller has closed (`>&-`): that no word of it can be read is told, not taken for success.
pub(super) fn closed_files(bin: &str, args: &[&str], input: &str, closed: &str, words: &str) {
    let ran = with_files(bin, args, input, closed);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{} {closed}: {}", name(bin), ran.stderr);
    assert!(ran.stderr.starts_with(&format!("{}: {words}", name(bin))), "{closed}: {}", ran.stderr);
}

/// Runs it with a redirection of the shell.
pub(super) fn with_files(bin: &str, args: &[&str], input: &str, redirection: &str) -> Ran {
    let command = format!("\"$0\" \"$@\" {redirection}");
    run("bash", &[&["-c", &command, bin], args].concat(), input)
}

/// A folder for metrics that cannot be one stops nothing, and is told once.
pub(super) fn metrics_stop_nothing(bin: &str, args: &[&str], input: &str) {
    let with = run("env", &[&["MILLPIPE_METRICS=/dev/null", bin], args].concat(), input);
    assert_eq!(with.code, Some(0), "{} without metrics: {}", name(bin), with.stderr);
    let told =
        with.stderr.matches(&format!("{}: no metrics (--metrics, MILLPIPE_METRICS): /dev/null", name(bin))).count();
    assert_eq!(told, 1, "{}: {}", name(bin), with.stderr);
}
