//! What every source must do.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::every_tool::{closed_files, interface, metrics_stop_nothing, name, signal_when_reader_leaves};
use crate::process::run;

/// A source under test.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// `env!("CARGO_BIN_EXE_…")`
    pub bin: &'a str,
    /// It ends by itself, and gives the same each time.
    pub bounded: &'a [&'a str],
    /// It gives something at once, then nothing for a long time, and does not end.
    pub idle: &'a [&'a str],
}

/// Tries everything. Each failure names the rule.
pub fn source(source: &Source<'_>) {
    interface(source.bin);
    every_line_is_one_value(source);
    a_slow_reader_gets_the_same(source);
    a_signal_ends_the_stream(source);
    output_that_ends(source);
    closed_files(source.bin, source.bounded, "", ">&-", "standard output is closed");
    metrics_stop_nothing(source.bin, source.bounded, "");
}

fn every_line_is_one_value(source: &Source<'_>) {
    let out = run(source.bin, source.bounded, "").ok();
    assert!(!out.is_empty() && out.ends_with('\n'));
    for line in out.lines() {
        let value = serde_json::from_str::<serde_json::Value>(line);
        assert!(value.is_ok(), "{} wrote what is no JSON: {line}", name(source.bin));
    }
    let said = run(source.bin, &[source.bounded, &["-v"]].concat(), "").stderr;
    let lines = out.lines().filter(|line| !line.starts_with("{\"$\":")).count();
    assert!(said.contains(&format!("in {lines} = out {lines} + rejected 0")), "-v accounts for all lines: {said}");
}

fn a_slow_reader_gets_the_same(source: &Source<'_>) {
    let whole = run(source.bin, source.bounded, "").ok();
    let mut child = spawn(source, source.bounded);
    let mut stdout = child.stdout.take().unwrap();
    let (mut out, mut buffer) = (Vec::new(), vec![0; whole.len().div_ceil(50)]);
    loop {
        std::thread::sleep(Duration::from_millis(3));
        match stdout.read(&mut buffer).unwrap() {
            0 => break,
            n => out.extend_from_slice(&buffer[..n]),
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(out == whole.as_bytes(), "a slow reader changes the output of {}", name(source.bin));
}

fn spawn(source: &Source<'_>, args: &[&str]) -> std::process::Child {
    Command::new(source.bin).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Whole lines, and exit code 0.
fn a_signal_ends_the_stream(source: &Source<'_>) {
    for signal in ["-TERM", "-INT"] {
        let mut child = spawn(source, source.idle);
        let mut stdout = child.stdout.take().unwrap();
        let mut out = vec![0; 1];
        stdout.read_exact(&mut out).unwrap();
        run("kill", &[signal, &child.id().to_string()], "").ok();
        stdout.read_to_end(&mut out).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{signal} ends {} cleanly: {:?}", name(source.bin), status.signal());
        assert!(out.ends_with(b"\n"), "{signal} leaves whole lines");
    }
}

fn output_that_ends(source: &Source<'_>) {
    let signal = signal_when_reader_leaves(source.bin, source.idle, "");
    assert_eq!(signal, Some(13), "{} dies by SIGPIPE when its reader has gone", name(source.bin));
    let mut args = vec!["-c", "\"$0\" \"$@\" > /dev/full", source.bin];
    args.extend(source.bounded);
    run("bash", &args, "").fails_with(75, "standard output: No space left on device");
}
