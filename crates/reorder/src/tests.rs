use crate::cli::Cli;
use crate::{Reorder, Settings};
use clap::Parser;
use millpipe::{Config, Driver, Exit, Fault, Late, Rejects, Stage, Stateful};
use proptest::prelude::*;
use selection::WhereArgs;
use sorted_runs::Memory;
use std::fmt::Write as _;
use testkit::{Played, every_way, play, play_with};

/// With less memory than the flag may say.
fn reorder_with(flags: &str, memory_bytes: usize, scratch: &Memory) -> Reorder {
    let cli = Cli::parse_from(format!("reorder --time t {flags}").split_whitespace());
    let settings = Settings { memory_bytes, ..cli.settings() };
    Reorder::new(settings, cli.time.stream_time(), Box::new(scratch.clone())).unwrap()
}

fn reorder(flags: &str) -> Reorder {
    reorder_with(flags, 1 << 20, &Memory::default())
}

/// In a stream with checkpoints.
fn kept(flags: &str, memory_bytes: usize, scratch: &Memory) -> Reorder {
    let mut stage = reorder_with(flags, memory_bytes, scratch);
    stage.begin_checkpoints().unwrap();
    stage
}

const NULL: &str = "{\"$\":\"watermark\",\"time\":null}\n";

fn mark(time: &str) -> String {
    format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T{time}Z\"}}\n")
}

fn times(seconds: &[u32]) -> String {
    seconds.iter().map(|second| format!("{{\"t\":{second}}}\n")).collect()
}

fn late_as(late: Late) -> Config {
    let mut config = Config::new("stage");
    config.policy.late = Some(late);
    config
}

#[test]
fn a_line_is_held_until_the_watermark_has_reached_its_time() {
    let played = play(reorder("--lateness 2s"), &times(&[10, 12, 11, 13, 14]));
    let (at_8, at_10, at_11, at_12) = (mark("00:00:08"), mark("00:00:10"), mark("00:00:11"), mark("00:00:12"));
    let lines = [10, 11, 12].map(|second| times(&[second]));
    let [ten, eleven, twelve] = lines;
    let rest = times(&[13, 14]);
    assert_eq!(played.out, format!("{NULL}{at_8}{ten}{at_10}{eleven}{at_11}{twelve}{at_12}{rest}"));
}

#[test]
fn lines_of_the_same_time_keep_the_order_of_their_arrival() {
    let input = "{\"t\":5,\"n\":1}\n{\"t\":4,\"n\":2}\n{\"t\":5,\"n\":3}\n{\"t\":4,\"n\":4}\n";
    let sorted = "{\"t\":4,\"n\":2}\n{\"t\":4,\"n\":4}\n{\"t\":5,\"n\":1}\n{\"t\":5,\"n\":3}\n";
    assert_eq!(play(reorder("--lateness 5s"), input).data(), sorted);
}

#[test]
fn without_disorder_and_lateness_a_line_goes_out_at_once() {
    let input = "{\"t\":1}\r\n { \"t\":2}\n{\"t\":2.0}\n";
    let expected =
        |one: &str, two: &str| format!("{NULL}{{\"t\":1}}\r\n{} {{ \"t\":2}}\n{}{{\"t\":2.0}}\n", mark(one), mark(two));
    assert_eq!(play(reorder("--lateness 0s"), input).out, expected("00:00:01", "00:00:02"));
    // Unless told otherwise, a second line of a window's last millisecond is not late behind it.
    assert_eq!(play(reorder(""), input).out, expected("00:00:00.999", "00:00:01.999"));
}

#[test]
fn a_line_older_than_the_watermark_is_late() {
    let input = times(&[10, 8, 7, 9]);
    let dropped = play(reorder("--lateness 2s"), &input);
    assert_eq!((dropped.data(), dropped.counts.late), (times(&[8, 9, 10]), 1));
    let rejected = play_with(reorder("--lateness 2s"), late_as(Late::Reject), &input);
    let why = "time 1970-01-01T00:00:07Z is late: the watermark was 1970-01-01T00:00:08Z";
    assert!(rejected.rejects[0].contains(why), "{:?}", rejected.rejects);
    let passed = play_with(reorder("--lateness 2s"), late_as(Late::Pass), &input);
    assert_eq!((passed.data(), passed.counts.late_passed), (times(&[8, 7, 9, 10]), 1));
}

#[test]
fn marks_pass_in_their_place_and_watermarks_behind_what_they_cover() {
    let sonar = "{\"$\":\"sonar\"}\n";
    let input = format!("{}{sonar}{}{sonar}", times(&[5]), times(&[9]));
    let (at_3, at_7) = (mark("00:00:03"), mark("00:00:07"));
    let expected = format!("{NULL}{at_3}{sonar}{}{at_7}{sonar}{}", times(&[5]), times(&[9]));
    assert_eq!(play(reorder("--lateness 2s"), &input).out, expected);
}

#[test]
fn marks_are_at_least_every_so_far_apart() {
    let played = play(reorder("--lateness 0s --every 2s"), &times(&[1, 2, 3, 4, 5]));
    let (one, three, five) = (mark("00:00:01"), mark("00:00:03"), mark("00:00:05"));
    let expected = format!("{NULL}{}{one}{}{three}{}{five}", times(&[1]), times(&[2, 3]), times(&[4, 5]));
    assert_eq!(played.out, expected);
}

#[test]
fn watermarks_of_the_input_are_its_time() {
    let (at_3, at_4) = (mark("00:00:03"), mark("00:00:03.010"));
    let input = format!("{NULL}{}{at_3}{at_4}{}", times(&[3, 60, 2]), times(&[3, 4]));
    let played = play(reorder("--lateness 50s"), &input);
    assert_eq!(played.out, format!("{NULL}{}{at_3}{at_4}{}", times(&[2, 3]), times(&[4, 60])));
    assert_eq!(played.counts.late, 1);
}

#[test]
fn the_slowest_partition_holds_lines_back_until_it_is_idle_for_good() {
    let from = |part: u32| format!("{{\"$\":\"from\",\"part\":\"{part}\"}}\n");
    let idle = "{\"$\":\"idle\",\"part\":\"1\",\"final\":true}\n";
    let parts = [from(0), from(1), times(&[3]), from(0), times(&[4, 9]), from(1), times(&[5])];
    let input = format!("{}{idle}{}", parts.concat(), times(&[8]));
    let played = play(reorder("--lateness 0s"), &input);
    let (at_3, at_5, at_9) = (mark("00:00:03"), mark("00:00:05"), mark("00:00:09"));
    assert_eq!(played.out, format!("{NULL}{}{at_3}{}{at_5}{}{at_9}", times(&[3]), times(&[4, 5]), times(&[9])));
    assert_eq!(played.counts.late, 1, "8 came behind watermark 9");
}

#[test]
fn other_lines_pass_at_once_and_their_time_counts() {
    let selection = WhereArgs { selection: Some(".kind == 1".parse().unwrap()) };
    let [first, second] = ["{\"t\":5,\"kind\":1}\n", "{\"t\":4,\"kind\":1}\n"];
    let [other, timeless] = ["{\"t\":9,\"kind\":2}\n", "{\"kind\":3}\n"];
    let config = selection.select(Config::new("reorder"));
    let played = play_with(reorder("--lateness 4s"), config, &[first, timeless, other, second].concat());
    let (at_1, at_5) = (mark("00:00:01"), mark("00:00:05"));
    assert_eq!(played.out, format!("{NULL}{at_1}{timeless}{other}{first}{at_5}"));
    assert_eq!(played.counts.late, 1);
}

#[test]
fn a_bad_line_leaves_no_trace() {
    for (line, why) in [
        ("{\"a\":1}", "no field \\\"t\\\""),
        ("17", "not an object"),
        ("{\"t\":\"soon\"}", "time \\\"soon\\\" is neither RFC 3339 nor an epoch number"),
        ("{\"t\":\"2026-01-01T00:05:01Z\"}", "5m1s ahead of the clock, more than 5m (--max-ahead)"),
    ] {
        let played = play(reorder(""), &format!("{line}\n"));
        let error = format!("{:?}", played.result);
        assert!(error.contains(why), "{error}");
        assert_eq!((played.out.as_str(), played.held), (NULL, 0));
    }
}

/// What `reorder` must do, the naive way: all that is held is looked through at each line.
fn model(times_ms: &[i64], lateness_ms: i64) -> (Vec<(i64, usize)>, u64) {
    let (mut held, mut out, mut late, mut watermark_ms) = (Vec::new(), Vec::new(), 0, i64::MIN);
    for (number, time_ms) in times_ms.iter().enumerate() {
        if *time_ms < watermark_ms {
            late += 1;
            continue;
        }
        held.push((*time_ms, number));
        watermark_ms = watermark_ms.max(time_ms - lateness_ms);
        let mut due: Vec<_> = held.iter().copied().filter(|(time_ms, _)| *time_ms <= watermark_ms).collect();
        held.retain(|(time_ms, _)| *time_ms > watermark_ms);
        due.sort_by_key(|(time_ms, _)| *time_ms);
        out.extend(due);
    }
    held.sort_by_key(|(time_ms, _)| *time_ms);
    out.extend(held);
    (out, late)
}

fn lines(times_ms: impl IntoIterator<Item = (i64, usize)>) -> String {
    let mut text = String::new();
    for (time_ms, number) in times_ms {
        let time = event_time::format_rfc3339(time_ms);
        let _ = writeln!(text, "{{\"t\":\"{time}\",\"n\":{number}}}");
    }
    text
}

/// Times that wander, with some disorder.
fn disorder() -> impl Strategy<Value = Vec<i64>> {
    let step = (0i64..40, -100i64..100);
    proptest::collection::vec(step, 1..120).prop_map(|steps| {
        let mut now_ms = 1_000;
        let place = |(step, off)| {
            now_ms += step;
            now_ms + off
        };
        steps.into_iter().map(place).collect()
    })
}

proptest! {
    #[test]
    fn any_order_comes_out_as_the_naive_way_has_it(
        times_ms in disorder(), lateness_ms in 0i64..150, memory_bytes in prop_oneof![Just(0usize), Just(900), Just(1 << 20)],
    ) {
        let scratch = Memory::default();
        let stage = reorder_with(&format!("--lateness {lateness_ms}ms"), memory_bytes, &scratch);
        let played = play(stage, &lines(times_ms.iter().copied().zip(0..)));
        let (expected, late) = model(&times_ms, lateness_ms);
        prop_assert_eq!(played.data(), lines(expected));
        prop_assert_eq!(played.counts.late, late);
        prop_assert_eq!(scratch.files(), 0);
        no_line_is_older_than_a_mark_before_it(&played);
    }
}

fn no_line_is_older_than_a_mark_before_it(played: &Played) {
    let mut watermark = String::new();
    for line in played.out.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let time = value["t"].as_str().or(value["time"].as_str()).unwrap_or_default().to_owned();
        // RFC 3339 with and without a fraction do not compare as text.
        let time_ms = event_time::parse_rfc3339(time.as_bytes()).unwrap_or(i64::MIN);
        let watermark_ms = event_time::parse_rfc3339(watermark.as_bytes()).unwrap_or(i64::MIN);
        assert!(time_ms >= watermark_ms, "{line} behind watermark {watermark}");
        if value["$"] == "watermark" {
            watermark = time;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_way_of_running_gives_the_same(times_ms in disorder(), memory_bytes in prop_oneof![Just(0usize), Just(900), Just(1 << 20)]) {
        let input = lines(times_ms.iter().copied().zip(0..));
        every_way(|| kept("--lateness 100ms", memory_bytes, &Memory::default()), &input);
        every_way(|| kept("--lateness 10ms --every 50ms", memory_bytes, &Memory::default()), &input);
    }
}

#[test]
fn every_way_of_running_gives_the_same_with_partitions_and_odd_bytes() {
    let mut input = String::new();
    for i in 0..200u32 {
        let part = i * 7 % 3;
        let _ = write!(
            input,
            "{{\"$\":\"from\",\"part\":\"a/{part}\"}}\n{{\"t\":{},\"é\":\"\\\\\"}} \r\n",
            i + i * 31 % 17
        );
        if i % 50 == 49 {
            let _ = writeln!(input, "{{\"$\":\"idle\",\"part\":\"a/{part}\",\"final\":{}}}", i % 100 == 99);
        }
    }
    for memory_bytes in [0, 3_000, 1 << 20] {
        every_way(|| kept("--lateness 3s", memory_bytes, &Memory::default()), &input);
    }
}

#[test]
fn with_checkpoints_a_line_goes_to_disk_once_one_has_it() {
    let scratch = Memory::default();
    let mut driver = Driver::new(
        kept("--lateness 1h --max-ahead off", 1_000, &scratch),
        Config::new("stage"),
        Rejects::in_memory("stage"),
    );
    let save = |driver: &mut Driver<Reorder>| {
        let mut changes = millpipe::Changes::default();
        driver.stage.changes(&mut changes).unwrap();
        changes.len()
    };
    driver.feed(times(&(1000..1100).collect::<Vec<_>>()).as_bytes()).unwrap();
    assert_eq!((scratch.written(), save(&mut driver)), (0, 100));
    driver.feed(times(&[1100]).as_bytes()).unwrap();
    assert!(scratch.written() > 0);
    assert_eq!((driver.stage.held(), save(&mut driver)), (101, 1));
    driver.feed(times(&[1000 + 3600 + 9]).as_bytes()).unwrap();
    assert_eq!(save(&mut driver), 11, "ten are gone, one is new");
}

#[test]
fn a_restored_state_takes_no_more_memory_than_it_may() {
    let mut first = Driver::new(reorder("--lateness 200s"), Config::new("stage"), Rejects::in_memory("stage"));
    first.feed(times(&(100..200).collect::<Vec<_>>()).as_bytes()).unwrap();
    let (mut head, mut changes) = (Vec::new(), millpipe::Changes::default());
    first.stage.snapshot(&mut head).unwrap();
    first.stage.changes(&mut changes).unwrap();
    let scratch = Memory::default();
    let mut again = kept("--lateness 200s", 1_000, &scratch);
    again.restore(&mut head.as_slice()).unwrap();
    for line in std::str::from_utf8(changes.text()).unwrap().lines() {
        let (name, value): (String, Box<serde_json::value::RawValue>) = serde_json::from_str(line).unwrap();
        again.restore_entry(&name, value.get().as_bytes()).unwrap();
    }
    assert_eq!((again.held(), scratch.files()), (100, 9));
    assert!(again.restore_entry("1970-01-01T00:00:00Z", b"\"x\"").is_err());
    assert!(again.restore(&mut "{}".as_bytes()).is_err());
}

#[test]
fn a_disk_that_fails_ends_the_run() {
    let input = times(&(1000..1100).collect::<Vec<_>>());
    let full = play(reorder_with("--lateness 1h", 1_000, &Memory::with_room(1_000)), &input).result;
    let Err(Fault::Stop(error)) = full else { panic!("{full:?}") };
    assert_eq!(
        (error.exit, error.message.as_str()),
        (Exit::Temporary, "lines beyond --memory cannot go to memory: no storage space")
    );
    let scratch = Memory::default();
    scratch.damage(20);
    let damaged = play(reorder_with("--lateness 1h", 1_000, &scratch), &input).result;
    let Err(Fault::Stop(error)) = damaged else { panic!("{damaged:?}") };
    assert_eq!(
        (error.exit, error.message.as_str()),
        (Exit::Temporary, "spilled lines: memory: a run is damaged at byte 0")
    );
}
