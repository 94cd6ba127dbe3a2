//! The operator: lines and marks in, results out.

mod snapshots;

use aggregate::Aggregate;
use aggregate::cli::Cli;
use clap::Parser;
use millpipe::{Config, Driver, Fault, Late, OnError, Rejects, Stateful};
use testkit::{Played, every_way, every_way_with, play, play_with};

fn stage(args: &[&str]) -> Aggregate {
    let args = std::iter::once("aggregate").chain(args.iter().copied());
    Aggregate::new(Cli::parse_from(args).job().unwrap())
}

fn message(played: &Played) -> String {
    match &played.result {
        Err(Fault::Stop(error)) => format!("{}\n{}", error.message, error.hint.clone().unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

/// 2026-01-01T00:00:00Z, when scripts play.
const NOW_MS: i64 = 1_767_225_600_000;

const START: &str = r#"{"$":"watermark","time":null}"#;

/// A watermark at second `s` of the minute.
fn watermark(s: &str) -> String {
    format!(r#"{{"$":"watermark","time":"2026-11-22T10:00:{s}Z"}}"#)
}

/// A line of the ten seconds from `s`.
fn tumbling(s: u32, rest: &str) -> String {
    format!(r#"{{"window_start":"2026-11-22T10:00:{s:02}Z","window_end":"2026-11-22T10:00:{:02}Z",{rest}}}"#, s + 10)
}

fn script(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_watermark_closes_the_windows_below_it() {
    let input = script(&[
        START.into(),
        tumbling(10, r#""k":"b","v":1"#),
        tumbling(0, r#""k":"b","v":2.50"#),
        watermark("09.998"),
        tumbling(0, r#""k":"a","v":3"#),
        watermark("09.999"),
        r#"{"$":"sonar"}"#.into(),
        tumbling(10, r#""k":"b","v":4"#),
    ]);
    let played = play(stage(&["--by", "k", "count", "sum:v"]), &input);
    let expected = [
        r#"{"window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z","k":"a","count":1,"sum":3}"#,
        r#"{"window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z","k":"b","count":1,"sum":2.5}"#,
        r#"{"$":"sonar"}"#,
        r#"{"window_start":"2026-11-22T10:00:10Z","window_end":"2026-11-22T10:00:20Z","k":"b","count":2,"sum":5}"#,
    ];
    assert_eq!(played.out, script(&expected.map(String::from)));
    assert_eq!((played.counts.settled, played.held), (4, 0));
}

#[test]
fn an_annotation_that_is_known_hides_nothing_behind_it() {
    let known = tumbling(0, r#""k":"a","v":1"#);
    let again =
        tumbling(0, r#""k":"b","v":2,"window_start":"2026-11-22T10:00:10Z","window_end":"2026-11-22T10:00:20Z""#);
    let twice = tumbling(0, r#""k":"x","v":3,"k":"a","note":{"k":"y","window_end":0}"#);
    let broken = [tumbling(0, r#""k":"a","v":01"#), tumbling(0, ""), tumbling(0, r#""k":"a","v":1}"#)];
    let mut lines = vec![known.clone(), known, again, twice];
    lines.extend(broken);
    let mut config = Config::new("aggregate");
    config.policy.on_error = Some(OnError::Reject);
    let played = play_with(stage(&["--by", "k", "count", "sum:v"]), config, &script(&lines));
    let expected = [
        r#"{"window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z","k":"a","count":3,"sum":5}"#,
        r#"{"window_start":"2026-11-22T10:00:10Z","window_end":"2026-11-22T10:00:20Z","k":"b","count":1,"sum":2}"#,
    ];
    assert_eq!(played.out, script(&expected.map(String::from)));
    assert_eq!(played.counts.rejected, 3);
}

#[test]
fn a_line_whose_window_was_closed_is_late() {
    let input =
        script(&[tumbling(0, r#""v":1"#), watermark("09.999"), tumbling(0, r#""v":2"#), tumbling(10, r#""v":3"#)]);
    let mut config = Config::new("aggregate");
    config.policy.late = Some(Late::Reject);
    let played = play_with(stage(&["count"]), config, &input);
    assert_eq!(played.data().lines().count(), 2);
    assert_eq!(played.counts.late, 1);
    assert!(played.rejects[0].contains("[2026-11-22T10:00:00Z, 2026-11-22T10:00:10Z)"), "{:?}", played.rejects);
}

#[test]
fn watermarks_end_here_unless_they_are_kept() {
    let input =
        script(&[START.into(), tumbling(0, r#""v":1"#), watermark("30"), r#"{"$":"from","part":"t/0"}"#.into()]);
    assert!(!play(stage(&["count"]), &input).out.contains("{\"$\""));
    let kept = play(stage(&["count", "--keep-marks"]), &input).out;
    let lines: Vec<&str> = kept.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((lines[0], lines[2]), (START, watermark("30").as_str()), "results come before the watermark");
}

#[test]
fn keys_that_are_equal_as_values_are_one_and_a_missing_one_is_null() {
    let input = r#"{"k":1}
{"k":1.0}
{"k":1e0}
{"k":"\u0031"}
{"k":"1"}
{}
{"k":null}
"#;
    let expected = r#"{"k":null,"count":2}
{"k":1,"count":3}
{"k":"1","count":2}
"#;
    assert_eq!(play(stage(&["--by", "k", "count"]), input).out, expected);
}

#[test]
fn behind_a_dot_in_front_a_minus_is_that_of_jq() {
    let input = "{\"a\":5,\"b\":1,\"a-b\":7}\n";
    let played = play(stage(&["--by", "d=.a-1", "s=sum:.a-.b", "n=sum:a-b", "m=sum:.a-b"]), input);
    assert_eq!(played.out, "{\"d\":4,\"s\":4,\"n\":7,\"m\":7}\n");
}

#[test]
fn nested_keys_are_named_by_their_path() {
    let input = r#"{"a":{"b":"x"},"c":2}
{"a":{"b":"x"},"c":10}
{"a":{"b":"x"},"c":2}
"#;
    let expected = r#"{"a.b":"x","c":2,"count":2}
{"a.b":"x","c":10,"count":1}
"#;
    assert_eq!(play(stage(&["--by", ".a.b,c", "count"]), input).out, expected);
}

#[test]
fn the_default_results_are_of_the_value() {
    let input = "{\"value\":2}\n{\"value\":4}\n";
    let expected = r#"{"count":2,"sum":6,"avg":3,"min":2,"max":4,"p50":3,"p90":3.8,"p95":3.9,"p99":3.98}"#;
    assert_eq!(play(stage(&[]), input).out.trim_end(), expected);
    assert_eq!(play(stage(&["--value", ".w"]), "{\"w\":1}\n").data().matches(":1").count(), 9);
}

#[test]
fn update_writes_the_running_results_of_the_line_s_key() {
    let input = "{\"k\":\"a\",\"v\":1}\n{\"k\":\"b\",\"v\":5}\n{\"k\":\"a\",\"v\":2}\n";
    let expected = "{\"k\":\"a\",\"sum\":1}\n{\"k\":\"b\",\"sum\":5}\n{\"k\":\"a\",\"sum\":3}\n";
    let played = play(stage(&["--by", "k", "sum:v", "--emit", "update"]), input);
    assert_eq!(played.out, expected);
    assert_eq!(played.counts.settled, 3);
}

/// More keys than are sorted in one thread, and keys of every kind.
#[test]
fn results_without_windows_come_in_the_order_of_those_of_a_window() {
    let texts: Vec<String> = (0..60_000_u64).map(|n| format!("\"user-{}\"", n.wrapping_mul(7919) % 60_000)).collect();
    let kinds = ["\"b\"", "null", "10", "\"a\"", "9", "true", "\"\"", "-1.5", "[1]", "{\"a\":1}"].map(String::from);
    let args = ["--by", "k", "count", "--emit", "end"];
    for keys in [texts.as_slice(), &kinds] {
        let plain: String = keys.iter().map(|key| format!("{{\"k\":{key}}}\n")).collect();
        let windowed: String = keys.iter().map(|key| tumbling(0, &format!("\"k\":{key}")) + "\n").collect();
        let expected = play(stage(&args[..3]), &windowed).data();
        let window = r#""window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z","#;
        let played = play(stage(&args), &plain);
        assert_eq!(played.data(), expected.replace(window, ""));
        assert_eq!((played.counts.settled, played.held), (keys.len() as u64, 0));
    }
}

#[test]
fn every_writes_the_keys_that_changed_by_the_time_of_the_lines() {
    let line = |s: u32, k: &str| format!(r#"{{"t":"2026-11-22T10:00:{s:02}Z","k":"{k}"}}"#);
    let input = script(&[line(1, "b"), line(9, "a"), line(4, "a"), line(10, "a"), line(35, "c")]);
    let expected = r#"{"k":"a","count":2}
{"k":"b","count":1}
{"k":"a","count":3}
{"k":"c","count":1}
"#;
    let args = ["--by", "k", "count", "--emit", "every:10s", "--time", "t"];
    assert_eq!(play(stage(&args), &input).out, expected);
    every_way(|| stage(&args), &input);
}

#[test]
fn every_goes_by_watermarks_where_there_are_some() {
    let input = script(&[
        START.into(),
        r#"{"k":"a"}"#.into(),
        watermark("05"),
        r#"{"k":"a"}"#.into(),
        watermark("12"),
        r#"{"k":"a"}"#.into(),
    ]);
    let args = ["--by", "k", "count", "--emit", "every:10s"];
    assert_eq!(play(stage(&args), &input).out, "{\"k\":\"a\",\"count\":2}\n{\"k\":\"a\",\"count\":3}\n");
    every_way(|| stage(&args), &input);
}

#[test]
fn without_times_every_goes_by_the_clock() {
    let args = ["--by", "k", "count", "--emit", "every:10s"];
    let mut driver = Driver::new(stage(&args), Config::new("aggregate"), Rejects::in_memory("aggregate"));
    driver.clock(NOW_MS + 1).unwrap();
    driver.feed(b"{\"k\":1}\n{\"k\":2}\n").unwrap();
    driver.clock(NOW_MS + 9_999).unwrap();
    assert!(driver.out.take().is_empty());
    driver.clock(NOW_MS + 10_000).unwrap();
    assert_eq!(driver.out.take(), b"{\"k\":1,\"count\":1}\n{\"k\":2,\"count\":1}\n");
    driver.feed(b"{\"k\":2}\n").unwrap();
    driver.clock(NOW_MS + 20_000).unwrap();
    assert_eq!(driver.out.take(), b"{\"k\":2,\"count\":2}\n");
}

#[test]
fn a_key_beyond_its_time_is_written_and_starts_anew() {
    let line = |s: u32, k: &str| format!(r#"{{"t":"2026-11-22T10:00:{s:02}Z","k":"{k}"}}"#);
    let input = script(&[line(0, "a"), line(5, "b"), line(9, "a"), line(15, "c"), line(19, "a"), line(20, "b")]);
    let expected = r#"{"k":"b","count":1}
{"k":"a","count":2}
{"k":"a","count":1}
{"k":"b","count":1}
{"k":"c","count":1}
"#;
    let args = ["--by", "k", "count", "--ttl", "10s", "--time", "t"];
    let played = play(stage(&args), &input);
    assert_eq!(played.out, expected);
    assert_eq!((played.counts.settled, played.held), (6, 0));
    every_way(|| stage(&args), &input);
}

#[test]
fn at_the_limit_of_keys_it_stops_or_writes_the_oldest() {
    let input = "{\"k\":1}\n{\"k\":2}\n{\"k\":1}\n{\"k\":3}\n{\"k\":2}\n";
    let stopped = play(stage(&["--by", "k", "count", "--max-keys", "2"]), input);
    assert!(message(&stopped).starts_with("more than 2 keys"), "{}", message(&stopped));
    let args = ["--by", "k", "count", "--max-keys", "2", "--overflow", "evict-oldest"];
    let expected = "{\"k\":2,\"count\":1}\n{\"k\":1,\"count\":2}\n{\"k\":2,\"count\":1}\n{\"k\":3,\"count\":1}\n";
    assert_eq!(play(stage(&args), input).out, expected);
    every_way(|| stage(&args), input);
}

#[test]
fn a_line_of_another_kind_is_bad() {
    for (first, second, words) in [
        (tumbling(0, r#""v":1"#), r#"{"v":1}"#.into(), "no window, but the stream has windows of time"),
        (r#"{"v":1}"#.into(), tumbling(0, r#""v":1"#), "a window of time, but the stream has lines without windows"),
        (
            tumbling(0, r#""v":1"#),
            r#"{"window_start":0,"window_end":10}"#.into(),
            "a window of lines, but the stream has windows of time",
        ),
        (
            tumbling(0, r#""v":1"#),
            r#"{"window_start":"2026-11-22T10:00:00Z"}"#.into(),
            r#"no field "window_end" beside "window_start""#,
        ),
        (
            tumbling(0, r#""v":1"#),
            r#"{"window_start":"x","window_end":"y"}"#.into(),
            "neither an RFC 3339 time nor a line number",
        ),
        (
            tumbling(0, r#""v":1"#),
            r#"{"window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:00Z"}"#.into(),
            "is not before",
        ),
        (tumbling(0, r#""v":1"#), tumbling(0, r#""v":"1""#), r#"field "v" is not a number: "1""#),
        (tumbling(0, r#""v":1"#), tumbling(0, r#""v":1e999"#), "number out of range"),
    ] {
        let input = script(&[first.clone(), second, first.clone()]);
        let played = play(stage(&["sum:v"]), &input);
        assert!(message(&played).starts_with("line 2, byte "), "{}", message(&played));
        assert!(message(&played).contains(words), "{}", message(&played));
        let mut config = Config::new("aggregate");
        config.policy.on_error = Some(OnError::Skip);
        let skipped = play_with(stage(&["sum:v"]), config, &input);
        assert_eq!(skipped.data(), play(stage(&["sum:v"]), &script(&[first.clone(), first])).data());
    }
}

#[test]
fn slices_without_a_mark_are_an_error_with_a_way_out() {
    let input = r#"{"slice_start":"2026-11-22T10:00:00Z","slice_end":"2026-11-22T10:00:02Z"}"#;
    let text = message(&play(stage(&["count"]), input));
    assert!(text.contains("no mark says what windows they make") && text.contains("--expand"), "{text}");
}

#[test]
fn what_makes_no_sense_for_the_stream_is_an_error() {
    let window = tumbling(0, r#""v":1"#);
    let sessions = r#"{"$":"sessions","by":["user"]}"#.to_owned();
    let counts = r#"{"$":"counts","by":[],"size":2}"#.to_owned();
    for (args, input, words) in [
        (&["rate"][..], r#"{"v":1}"#.to_owned(), "rate is per second of a window"),
        (&["rate"], counts.clone(), "rate is per second of a window"),
        (&["count", "--emit", "update"], window.clone(), "are for lines without windows"),
        (&["count", "--ttl", "1h"], sessions.clone().replace("user", ""), "which is not in --by"),
        (&["count", "--by", "page"], sessions.clone(), r#"sessions windows are by "user", which is not in --by"#),
        (
            &["count"],
            script(&[window, counts]),
            "a mark announces windows of lines, but the stream has windows of time",
        ),
        (&["count"], r#"{"$":"window","start":"x"}"#.into(), "window mark without start and end"),
        (&["count"], r#"{"$":"watermark","time":"x"}"#.into(), "watermark \"x\" is not RFC 3339"),
    ] {
        let text = message(&play(stage(args), &input));
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn exact_percentiles_stop_at_their_limit() {
    let text = message(&play(stage(&["p50:v", "--percentiles", "exact:2"]), "{\"v\":1}\n{\"v\":1}\n{\"v\":1}\n"));
    assert!(text.starts_with("exact percentiles of field \"v\""), "{text}");
}

#[test]
fn rates_are_per_second_of_the_window() {
    let input = script(&[tumbling(0, r#""v":5"#), tumbling(0, r#""v":10.5"#)]);
    assert!(play(stage(&["rate", "r=rate:v"]), &input).out.ends_with("\"rate\":0.2,\"r\":1.55}\n"));
}

#[test]
fn flags_say_what_the_state_depends_on_and_no_more() {
    let flags = |args: &[&str]| stage(args).flags();
    let expected = "--by .k,.a.b sum|avg|min|max:.v percentiles:.v --percentiles ddsketch:0.01";
    assert_eq!(flags(&["--by", "k,.a.b", "sum:v", "p50:v"]), expected);
    let same = ["--by", "k,a.b", "n=count", "max:v", "p99:v", "--max-keys", "5", "--overflow", "evict-oldest"];
    assert_eq!(
        flags(&[&same[..], &["--emit", "update", "--ttl", "1h", "--keep-marks", "--threads", "2"]].concat()),
        expected
    );
    for other in
        [&["--by", "k", "sum:v", "p50:v"][..], &["--by", "k,a.b", "sum:v"], &["--by", "k,a.b", "sum:w", "p50:v"]]
    {
        assert_ne!(flags(other), expected);
    }
    assert_eq!(flags(&["count", "--time", "t", "--time-unit", "s", "--ttl", "1h"]), "--time .t --time-unit s");
}

#[test]
fn lines_before_the_first_watermark_are_not_forgotten_by_it() {
    let key = |k: &str| format!(r#"{{"k":"{k}"}}"#);
    let input =
        script(&[START.into(), key("z"), watermark("05"), watermark("14"), key("a"), watermark("15"), key("b")]);
    let args = ["--by", "k", "count", "--ttl", "10s"];
    let expected = "{\"k\":\"z\",\"count\":1}\n{\"k\":\"a\",\"count\":1}\n{\"k\":\"b\",\"count\":1}\n";
    assert_eq!(play(stage(&args), &input).out, expected);
    every_way(|| stage(&args), &input);
}

#[test]
fn other_lines_pass_in_their_place_and_all_marks_with_them() {
    let args = ["aggregate", "--by", "k", "count", "--where", "has(\"k\")"];
    let cli = || Cli::parse_from(args);
    let stage = || Aggregate::new(cli().job().unwrap());
    let input = script(&[
        START.to_owned(),
        r#"{"$":"from","part":"a/0"}"#.to_owned(),
        tumbling(0, r#""k":1"#),
        r#"{ "other": 1.0 }"#.to_owned(),
        tumbling(0, r#""k":1"#),
        watermark("10"),
        r#"{"other":2}"#.to_owned(),
    ]);
    let result = r#"{"window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z","k":1,"count":2}"#;
    let expected = script(&[
        START.to_owned(),
        r#"{"$":"from","part":"a/0"}"#.to_owned(),
        r#"{ "other": 1.0 }"#.to_owned(),
        result.to_owned(),
        watermark("10"),
        r#"{"other":2}"#.to_owned(),
    ]);
    assert_eq!(play_with(stage(), cli().config(), &input).out, expected);
    every_way_with(stage, &cli().config(), &input);
}
