//! Groups beyond `--memory`: the same bytes as without a limit.

use aggregate::Aggregate;
use aggregate::cli::Cli;
use clap::Parser;
use millpipe::{Changes, Config, Driver, Exit, Fault, Rejects, Stateful};
use proptest::prelude::*;
use sorted_runs::Memory;
use testkit::{Played, every_way, play};

fn stage(args: &[&str]) -> Aggregate {
    let args = std::iter::once("aggregate").chain(args.iter().copied());
    Aggregate::new(Cli::parse_from(args).job().unwrap())
}

/// With less memory than the flag may say.
fn spilling(args: &[&str], bytes: usize, scratch: &Memory) -> Aggregate {
    let args = ["aggregate", "--memory", "16MiB"].iter().chain(args).copied();
    let mut job = Cli::parse_from(args).job().unwrap();
    job.memory_bytes = Some(bytes);
    Aggregate::new(job).spill_to(Box::new(scratch.clone())).unwrap()
}

const SPECS: [&str; 23] = [
    "count",
    "sum:v",
    "avg:v",
    "min:v",
    "max:v",
    "p50:v",
    "p99:v",
    "first:v",
    "last:v",
    "list:3:v",
    "distinct:v",
    "top:2:v",
    "delta:v",
    "geomean:v",
    "wavg:v:v",
    "twa:v:v",
    "entropy:v",
    "mad:v",
    "iqr:v",
    "histogram:1,20,50.5:v",
    "log2=histogram:log2:v",
    "ohlc:v",
    "covar_pop:.v-.v:v",
];

fn time(second: u32) -> String {
    format!("2026-11-22T10:{:02}:{:02}Z", second / 60, second % 60)
}

/// What lines are of: nothing, ten seconds, or two seconds out of which windows of ten are made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    None,
    Windows,
    Slices,
}

fn line(kind: Kind, second: u32, key: u32, value: u32) -> String {
    let key = match key % 3 {
        0 => format!("{key}"),
        1 => format!("\"a key of some length, which does not fit in its place {key}\""),
        _ => format!("\"k{key}\""),
    };
    let value = format!("{}.{}", value / 10, value % 10);
    let (from, to) = match kind {
        Kind::None => return format!(r#"{{"k":{key},"v":{value}}}"#),
        Kind::Windows => ("window_start", second - second % 10),
        Kind::Slices => ("slice_start", second - second % 2),
    };
    let (end, length) = if kind == Kind::Windows { ("window_end", 10) } else { ("slice_end", 2) };
    format!(r#"{{"{from}":"{}","{end}":"{}","k":{key},"v":{value}}}"#, time(to), time(to + length))
}

/// Lines of a minute and a half, each up to four seconds late, with watermarks.
fn script(kind: Kind, lines: &[(u32, u32, u32)]) -> String {
    let mut text = String::from("{\"$\":\"watermark\",\"time\":null}\n");
    let mut announced = 0;
    for (at, (late, key, value)) in lines.iter().enumerate() {
        let now = 20 + at as u32 * 90 / lines.len() as u32;
        while kind == Kind::Slices && announced <= now {
            let mark = format!(r#"{{"$":"window","start":"{}","end":"{}"}}"#, time(announced), time(announced + 10));
            text += &(mark + "\n");
            announced += 2;
        }
        text += &(line(kind, now - late, *key, *value) + "\n");
        if at % 7 == 0 {
            text += &format!("{{\"$\":\"watermark\",\"time\":\"{}\"}}\n", time(now - 4));
        }
    }
    text
}

fn message(played: &Played) -> (Exit, String) {
    match &played.result {
        Err(Fault::Stop(error)) => (error.exit, error.message.clone()),
        other => panic!("{other:?}"),
    }
}

/// Memory for so many groups, about.
fn groups(count: usize) -> usize {
    count * 600
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn results_are_the_same_with_any_limit(
        kind in prop_oneof![Just(Kind::None), Just(Kind::Windows), Just(Kind::Slices)],
        lines in prop::collection::vec((0u32..4, 0u32..40, 0u32..1000), 0..300),
        limit in prop_oneof![Just(0), 0usize..60],
    ) {
        let args: Vec<&str> = ["--by", "k", "--keep-marks"].into_iter().chain(SPECS).collect();
        let input = script(kind, &lines);
        let expected = play(stage(&args), &input);
        let scratch = Memory::default();
        let found = play(spilling(&args, groups(limit), &scratch), &input);
        prop_assert_eq!(&found.result, &Ok(()));
        prop_assert_eq!(found.out, expected.out);
        prop_assert_eq!((found.counts.settled, found.held), (expected.counts.settled, 0));
        prop_assert_eq!(scratch.files(), 0, "no run is kept longer than its windows");
        if limit == 0 && !lines.is_empty() {
            prop_assert!(scratch.written() > 0);
        }
    }
}

fn many_lines(kind: Kind) -> String {
    let lines: Vec<_> = (0..2000u32).map(|n| (n % 4, n * n % 397, n * 7919 % 1000)).collect();
    script(kind, &lines)
}

#[test]
fn more_than_memory_holds_goes_to_disk_and_no_more() {
    for kind in [Kind::None, Kind::Windows, Kind::Slices] {
        let args = ["--by", "k", "count", "sum:v"];
        let input = many_lines(kind);
        let written = |groups: usize| {
            let scratch = Memory::default();
            assert_eq!(play(spilling(&args, groups * 250, &scratch), &input).out, play(stage(&args), &input).out);
            scratch.written()
        };
        assert!(written(10) > written(100), "{kind:?}");
        assert!(written(100) > 0, "{kind:?}");
        assert_eq!(written(100_000), 0, "{kind:?}");
    }
}

#[test]
fn a_full_disk_is_told_in_a_line_with_a_way_out() {
    let played = play(spilling(&["--by", "k", "count"], 1000, &Memory::with_room(3000)), &many_lines(Kind::Windows));
    let expected = "keys beyond --memory cannot go to memory: no storage space";
    assert_eq!(message(&played), (Exit::Temporary, expected.into()));
}

#[test]
fn a_damaged_run_is_an_error() {
    for kind in [Kind::None, Kind::Windows, Kind::Slices] {
        let scratch = Memory::default();
        scratch.damage(50);
        let played = play(spilling(&["--by", "k", "count"], 1000, &scratch), &many_lines(kind));
        let expected = "spilled keys: memory: a run is damaged at byte 0";
        assert_eq!(message(&played), (Exit::Temporary, expected.into()));
    }
}

#[test]
fn a_limit_of_values_holds_for_all_parts_of_a_key_together() {
    let args = ["--by", "k", "p50:v", "--percentiles", "exact:3"];
    let input = "{\"k\":1,\"v\":1}\n".repeat(4);
    let played = play(spilling(&args, 0, &Memory::default()), &input);
    assert!(message(&played).1.starts_with("exact percentiles of field \"v\""), "{:?}", played.result);
    assert!(play(spilling(&args, 0, &Memory::default()), &input[..3 * 14]).result.is_ok());
}

#[test]
fn kinds_of_windows_that_cannot_spill_say_so() {
    for mark in [r#"{"$":"sessions","by":[]}"#, r#"{"$":"counts","by":[],"size":2}"#] {
        let (exit, text) = message(&play(spilling(&["count"], 1000, &Memory::default()), mark));
        assert!(exit == Exit::Usage && text.starts_with("--memory is not for "), "{text}");
    }
    let lines = r#"{"window_start":0,"window_end":10}"#;
    assert_eq!(message(&play(spilling(&["count"], 1000, &Memory::default()), lines)).0, Exit::Usage);
}

/// In a stream with checkpoints.
fn saved(args: &[&str], bytes: usize, scratch: &Memory) -> Aggregate {
    let mut stage = spilling(args, bytes, scratch);
    stage.begin_checkpoints().unwrap();
    stage
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn keys_on_disk_are_in_checkpoints(
        kind in prop_oneof![Just(Kind::Windows), Just(Kind::Slices)],
        lines in prop::collection::vec((0u32..4, 0u32..40, 0u32..1000), 1..120),
        limit in prop_oneof![Just(0), 0usize..40],
    ) {
        let args: Vec<&str> = ["--by", "k", "--keep-marks"].into_iter().chain(SPECS).collect();
        let input = script(kind, &lines);
        let scratch = Memory::default();
        let expected = play(stage(&args), &input);
        let found = play(saved(&args, groups(limit), &scratch), &input);
        prop_assert_eq!(found.out, expected.out);
        every_way(|| saved(&args, groups(limit), &scratch), &input);
        prop_assert_eq!(scratch.files(), 0);
    }
}

#[test]
fn eras_start_again_when_no_window_is_open() {
    let mut input = String::new();
    for window in 0..12u32 {
        let second = 20 + window * 30;
        (0..5 + window % 3).for_each(|n| input += &(line(Kind::Windows, second, n % 4, n) + "\n"));
        input += &format!("{{\"$\":\"watermark\",\"time\":\"{}\"}}\n", time(second + 20));
    }
    for limit in [0, 2, 5] {
        every_way(|| saved(&["--by", "k", "count", "sum:v"], groups(limit), &Memory::default()), &input);
    }
}

/// The state after a save in the middle of a window, with keys on disk.
fn state_with_parts() -> (String, String) {
    let mut driver =
        Driver::new(saved(&["--by", "k", "count"], 0, &Memory::default()), Config::new("s"), Rejects::in_memory("s"));
    let input: String =
        [(2, 10), (2, 20), (2, 10)].map(|(key, value)| line(Kind::Windows, 20, key, value) + "\n").concat();
    driver.feed(input.as_bytes()).unwrap();
    let (mut head, mut changes) = (Vec::new(), Changes::default());
    driver.stage.snapshot(&mut head).unwrap();
    driver.stage.changes(&mut changes).unwrap();
    (String::from_utf8(head).unwrap(), String::from_utf8(changes.text().to_vec()).unwrap())
}

#[test]
fn each_part_of_a_key_has_an_entry_of_its_own() {
    let (head, entries) = state_with_parts();
    assert!(head.contains(r#""era":3"#), "{head}");
    let expected =
        ["", "#1", "#2"].map(|era| format!("[\"2026-11-22T10:00:20Z/10s{era}|\\\"k2\\\"\",{{\"lines\":1}}]\n"));
    assert_eq!(entries, expected.concat());
}

#[test]
fn a_state_with_keys_on_disk_needs_the_flag_again() {
    let (head, entries) = state_with_parts();
    let mut without = stage(&["--by", "k", "count"]);
    without.restore(&mut head.as_bytes()).unwrap();
    let line = entries.lines().next().unwrap();
    let (name, value): (String, Box<serde_json::value::RawValue>) = serde_json::from_str(line).unwrap();
    let error = without.restore_entry(&name, value.get().as_bytes()).unwrap_err();
    assert_eq!(error.message, "the state has keys that were beyond --memory");
}

#[test]
fn lines_without_windows_cannot_spill_in_a_stream_with_checkpoints() {
    let (exit, text) = message(&play(saved(&["count"], 1000, &Memory::default()), "{}"));
    assert!(exit == Exit::Usage && text.starts_with("--memory is not for lines without windows"), "{text}");
}
