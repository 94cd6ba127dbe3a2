#![allow(clippy::unwrap_used)]

use testkit::conformance::{Stage, stage};

fn check(args: &[&str], one_to_one: bool) {
    let good_line = r#"{"timestamp":"2026-01-01T00:00:05Z","k":"a","v":1}"#;
    stage(&Stage { bin: env!("CARGO_BIN_EXE_window"), args, good_line, one_to_one });
}

#[test]
fn tumbling_windows_keep_the_contract() {
    check(&["--size", "10s"], true);
}

#[test]
fn hopping_windows_keep_the_contract() {
    check(&["--size", "10s", "--slide", "2s"], true);
    check(&["--size", "10s", "--slide", "5s", "--expand"], false);
}

#[test]
fn sessions_keep_the_contract() {
    check(&["--session", "10s", "--by", "k"], true);
    check(&["--session", "10s", "--by", "k", "--plain"], false);
}

#[test]
fn count_windows_keep_the_contract() {
    check(&["--count", "10", "--by", "k"], true);
}
