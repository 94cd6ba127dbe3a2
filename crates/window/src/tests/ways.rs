//! Any chunking, and a crash at any line, give the same bytes.

use super::cli;
use crate::cli::{Cli, Plan};
use crate::{CountWindows, SessionWindows, TimeWindows};
use millpipe::Stateful;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use testkit::every_way;

fn input(seed: u64, partitions: u32) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut text = String::new();
    let mut now_ms = 1_000_000i64;
    for _ in 0..180 {
        if partitions > 0 && rng.random_ratio(1, 3) {
            text.push_str(&format!("{{\"$\":\"from\",\"part\":\"p{}\"}}\n", rng.random_range(0..partitions)));
        }
        if partitions > 0 && rng.random_ratio(1, 30) {
            let part = rng.random_range(0..partitions);
            text.push_str(&format!("{{\"$\":\"idle\",\"part\":\"p{part}\",\"final\":true}}\n"));
        }
        if rng.random_ratio(1, 20) {
            text.push_str("{\"$\":\"sonar\"}\n");
        }
        now_ms += rng.random_range(0..900);
        let time_ms = now_ms - rng.random_range(0..6_000);
        text.push_str(&format!("{{\"t\":{time_ms},\"k\":\"k\\u006{}\"}}\n", rng.random_range(1..4)));
    }
    text
}

fn try_every_way(flags: &str) {
    let time = if flags.contains("--count") { "" } else { "--time t --time-unit ms --late reject" };
    let cli = cli(&format!("{flags} {time}"));
    for (seed, partitions) in [(1, 0), (2, 3)] {
        let input = input(seed, partitions);
        match cli.plan().unwrap() {
            Plan::Times(_) => every_way(|| times(&cli), &input),
            Plan::Clock(_) => panic!("windows of the clock have a test of their own"),
            Plan::Sessions(_) => every_way(|| sessions(&cli), &input),
            Plan::Counts(_) => every_way(|| counts(&cli), &input),
        }
    }
}

fn times(cli: &Cli) -> TimeWindows {
    match cli.plan().unwrap() {
        Plan::Times(stage) => stage,
        _ => panic!("not windows of time"),
    }
}

fn sessions(cli: &Cli) -> SessionWindows {
    match cli.plan().unwrap() {
        Plan::Sessions(stage) => stage,
        _ => panic!("not sessions"),
    }
}

fn counts(cli: &Cli) -> CountWindows {
    match cli.plan().unwrap() {
        Plan::Counts(stage) => stage,
        _ => panic!("not windows of a count"),
    }
}

#[test]
fn tumbling_windows_run_every_way() {
    try_every_way("--size 3s --lateness 1s");
    try_every_way("--size 1h --timezone Asia/Kolkata");
}

#[test]
fn hopping_windows_run_every_way() {
    try_every_way("--size 10s --slide 4s");
    try_every_way("--size 10s --slide 4s --expand --lateness 1s");
    try_every_way("--size 20s --cumulate 5s");
}

#[test]
fn sessions_run_every_way() {
    try_every_way("--session 900ms --by k");
    try_every_way("--session 900ms --by k --expand");
    try_every_way("--session 300ms --plain");
}

#[test]
fn count_windows_run_every_way() {
    try_every_way("--count 5 --slide-count 2 --by k");
    try_every_way("--count 5 --by k --plain");
}

#[test]
fn a_damaged_snapshot_is_refused() {
    let mut snapshot = Vec::new();
    counts(&cli("--count 5")).snapshot(&mut snapshot).unwrap();
    let error = times(&cli("--size 5s")).restore(&mut snapshot.as_slice()).unwrap_err();
    assert_eq!(error.message, "the snapshot is damaged, or not of window");
    assert!(sessions(&cli("--session 5s")).restore(&mut snapshot.as_slice()).is_err());
    assert!(times(&cli("--size 5s")).restore(&mut &b"{\"windows\":"[..]).is_err());
    assert!(counts(&cli("--count 5")).restore(&mut &b""[..]).is_err());
}

#[test]
fn a_damaged_entry_is_refused() {
    let mut snapshot = Vec::new();
    let mut whole = sessions(&cli("--session 5s --by k"));
    whole.snapshot(&mut snapshot).unwrap();
    whole.restore(&mut snapshot.as_slice()).unwrap();
    whole.restore_entry("1970-01-01T00:00:10Z|\"a\"", b"[10000,20000]").unwrap();
    let wrong: [(&str, &[u8]); 5] = [
        ("1970-01-01T00:00:10Z|\"a\"", b"[15000,25000]"),
        ("1970-01-01T00:00:10Z", b"[30000,40000]"),
        ("10|\"a\"", b"[30000,40000]"),
        ("1970-01-01T00:00:30Z|\"a\"", b"[40000,30000]"),
        ("1970-01-01T00:00:30Z|\"a\"", b"[30000]"),
    ];
    for (name, value) in wrong {
        let error = whole.restore_entry(name, value).unwrap_err();
        assert_eq!(error.message, format!("the saved entry {name:?} is damaged"));
    }
    let mut kept = sessions(&cli("--session 5s --by k --expand --time t"));
    for (name, value) in [("x", "\"{}\""), ("1", "{}"), ("1", "\"{}\""), ("1", "\"{\\\"t\\\":1")] {
        assert!(kept.restore_entry(name, value.as_bytes()).is_err(), "{name} {value}");
    }
    assert!(counts(&cli("--count 5")).restore_entry("", b"-1").is_err());
    assert!(times(&cli("--size 5s")).restore_entry("", b"1").is_err());
}

#[test]
fn flags_say_what_the_state_depends_on_and_no_more() {
    let times = |flags: &str| times(&cli(flags)).flags();
    assert_eq!(
        times("--size 60s --lateness 2s --max-ahead off --late drop"),
        "--size 1m --time .timestamp --time-unit auto"
    );
    assert_eq!(
        times("--size 10s --slide 5s --time at --time-unit s"),
        "--size 10s --slide 5s --time .at --time-unit s"
    );
    let expected = "--session 30s --by .k,.a.b --time .timestamp --time-unit auto --expand";
    assert_eq!(sessions(&cli("--session 30s --by k,.a.b --expand --buffer 1GiB --max-keys 5")).flags(), expected);
    assert_eq!(counts(&cli("--count 5 --slide-count 2 --plain")).flags(), "--count 5 --slide-count 2 --plain");
}
