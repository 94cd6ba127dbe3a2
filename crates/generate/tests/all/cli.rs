//! The binary: flags, messages, exit codes.

use std::time::{Duration, Instant};

use testkit::{bash, run};

const BIN: &str = env!("CARGO_BIN_EXE_generate");

#[test]
fn the_same_flags_give_the_same_bytes_and_a_longer_run_starts_with_the_shorter() {
    let short = run(BIN, &["--lines", "100", "--seed", "5"], "").ok();
    let long = run(BIN, &["-n", "3000", "--seed", "5", "--start", "2026-01-01T00:00:00Z"], "").ok();
    assert_eq!(short.lines().count(), 100);
    assert!(long.starts_with(&short));
}

#[test]
fn no_lines_are_no_bytes() {
    assert_eq!(run(BIN, &["--lines", "0"], "").ok(), "");
}

#[test]
fn the_clocks_rate_sets_event_time_too_unless_told_otherwise() {
    let second = |args: &[&str]| run(BIN, args, "").ok().lines().nth(1).unwrap()[14..38].to_owned();
    assert_eq!(second(&["-n", "2", "--rate", "20/s"]), "2026-01-01T00:00:00.050Z");
    assert_eq!(second(&["-n", "2", "--rate", "20/s", "--event-rate", "1/h"]), "2026-01-01T01:00:00.000Z");
}

#[test]
fn at_a_rate_lines_take_their_time() {
    let before = Instant::now();
    run(BIN, &["-n", "11", "--rate", "20/s"], "").ok();
    assert!(before.elapsed() >= Duration::from_millis(500));
}

#[test]
fn wrong_flags_are_named_with_what_to_say_instead() {
    for (args, words) in [
        (["--start", "yesterday"], "not a time: say 2026-01-01T00:00:00Z or now"),
        (["--rate", "1000"], "rate \"1000\" has no unit: say 1000/s"),
        (["--out-of-order", "2"], "duration \"2\" has no unit: say 2s or 2ms"),
        (["--keys", "0"], "0 is not in 1.."),
    ] {
        run(BIN, &args, "").fails_with(2, words);
    }
    let late = ["--start", "9999-12-31T00:00:00Z", "--event-rate", "1/h", "--lines", "30"];
    run(BIN, &late, "")
        .fails_with(2, "generate: the last line would be after the year 9999\ngenerate: hint: say fewer");
}

#[test]
fn without_end_it_stops_when_the_reader_has_enough() {
    let ran = bash(&["generate"], "set +o pipefail; generate | head -n 2 | wc -l");
    assert_eq!(ran.ok().trim(), "2");
    let ran = bash(&["generate"], "generate --rate 1/h | true");
    assert!(ran.signal == Some(13) || ran.code == Some(141), "{ran:?}");
}

#[test]
fn a_signal_ends_the_stream_cleanly() {
    let script = "out=$(mktemp); generate --rate 100/s > $out & until [[ -s $out ]]; do kill -0 $!; sleep 0.01; done
        kill -TERM $!; wait $!; cat $out; rm $out";
    let ran = bash(&["generate"], script);
    assert!(ran.ok().ends_with("}\n"));
}
