use std::collections::BTreeMap;

use clap::Parser;
use proptest::prelude::*;
use testkit::{Played, every_way, every_way_with, play, play_with};

use crate::Resample;
use crate::cli::Cli;

fn cli(flags: &str) -> Cli {
    let words = ["resample", "--every", "10s", "--time", "t", "--value", "v"].into_iter();
    Cli::try_parse_from(words.chain(flags.split_whitespace())).unwrap()
}

fn resample(flags: &str) -> Resample {
    cli(flags).resample().unwrap()
}

fn played(flags: &str, input: &str) -> Played {
    let played = play_with(resample(flags), cli(flags).config(), input);
    assert_eq!(played.result, Ok(()));
    played
}

/// A row as `second key=value`, with `~` in front of what is filled.
fn rows(flags: &str, input: &str) -> Vec<String> {
    let row = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let time = row["t"].as_str().unwrap();
        let filled = if row["filled"] == true { "~" } else { "" };
        format!("{} {filled}{}", &time[14..19], row["v"])
    };
    played(flags, input).data().lines().map(row).collect()
}

fn lines(points: &[(i64, &str)]) -> String {
    points.iter().map(|(second, value)| format!("{{\"t\":{second},\"v\":{value}}}\n")).collect()
}

const GAPS: &[(i64, &str)] = &[(1, "1"), (8, "2"), (41, "5.5"), (49, "5"), (200, "7")];

#[test]
fn each_step_has_the_last_of_its_numbers_at_its_start() {
    assert_eq!(rows("", &lines(GAPS)), ["00:00 2", "00:40 5", "03:20 7"]);
    let text = played("--by k", "{\"k\":\"a\",\"t\":3,\"v\":1.50}\n").data();
    assert_eq!(text, "{\"k\":\"a\",\"t\":\"1970-01-01T00:00:00Z\",\"v\":1.5}\n");
}

#[test]
fn a_step_takes_what_it_is_told_to() {
    let input = lines(&[(1, "0.1"), (2, "0.2"), (9, "-4"), (3, "0.7")]);
    let text = played("--lateness 10s --take last,mean,sum,count,min,max", &input).data();
    let row = "\"v_last\":-4,\"v_mean\":-0.75,\"v_sum\":-3,\"v_count\":4,\"v_min\":-4,\"v_max\":0.7";
    assert_eq!(text, format!("{{\"t\":\"1970-01-01T00:00:00Z\",{row}}}\n"));
}

#[test]
fn gaps_are_filled_as_told_and_say_so() {
    let rows = |flags: &str| rows(&format!("--max-gap 2 {flags}"), &lines(GAPS));
    assert_eq!(
        rows("--fill null"),
        ["00:00 2", "00:10 ~null", "00:20 ~null", "00:40 5", "00:50 ~null", "01:00 ~null", "03:20 7"]
    );
    assert_eq!(rows("--fill last"), ["00:00 2", "00:10 ~2", "00:20 ~2", "00:40 5", "00:50 ~5", "01:00 ~5", "03:20 7"]);
    assert_eq!(rows("--fill zero"), ["00:00 2", "00:10 ~0", "00:20 ~0", "00:40 5", "00:50 ~0", "01:00 ~0", "03:20 7"]);
    assert_eq!(rows("--fill linear"), ["00:00 2", "00:40 5", "03:20 7"]);
}

#[test]
fn a_line_goes_through_a_gap_that_is_short_enough() {
    let rows = rows("--max-gap 30s --fill linear", &lines(GAPS));
    assert_eq!(rows, ["00:00 2", "00:10 ~2.75", "00:20 ~3.5", "00:30 ~4.25", "00:40 5", "03:20 7"]);
}

#[test]
fn a_silent_key_is_filled_while_time_passes_and_not_beyond_the_end() {
    let input = "{\"k\":\"a\",\"t\":0,\"v\":1}\n{\"k\":\"b\",\"t\":0,\"v\":2}\n{\"k\":\"b\",\"t\":35,\"v\":3}\n";
    let text = played("--by k --fill last", input).data();
    let keys: String = text.lines().map(|line| &line[6..7]).collect();
    assert_eq!(keys, "abababb", "{text}");
}

#[test]
fn one_value_without_a_number_is_named() {
    let rows = |fill: &str| {
        let words = ["resample", "--every", "10s", "--time", "t", "--value", "a,b", "--fill", fill];
        let words = words.into_iter().chain(if fill == "none" { &[][..] } else { &["--max-gap", "1"] }.iter().copied());
        let input = "{\"t\":0,\"a\":1,\"b\":2}\n{\"t\":10,\"a\":3}\n{\"t\":20,\"b\":null,\"a\":4}\n";
        let played = play(Cli::try_parse_from(words).unwrap().resample().unwrap(), input);
        played.data().lines().map(|line| line[28..].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(rows("none"), ["\"a\":1,\"b\":2}", "\"a\":3,\"b\":null}", "\"a\":4,\"b\":null}"]);
    let of_b = "\"b\":2,\"filled\":[\"b\"]}";
    assert_eq!(rows("last"), ["\"a\":1,\"b\":2}", &format!("\"a\":3,{of_b}"), "\"a\":4,\"b\":null}"]);
    assert_eq!(rows("zero")[1..], ["\"a\":3,\"b\":0,\"filled\":[\"b\"]}", "\"a\":4,\"b\":null}"]);
}

#[test]
fn what_is_no_number_is_a_bad_line() {
    let played = play(resample(""), "{\"t\":0,\"v\":\"5\"}\n");
    assert!(format!("{:?}", played.result).contains("tonumber"), "{:?}", played.result);
}

#[test]
fn lines_of_a_closed_step_are_late_and_those_without_a_number_make_none() {
    let played = played("", &lines(&[(1, "1"), (11, "2"), (12, "3"), (9, "4"), (30, "null")]));
    assert_eq!(played.data().lines().count(), 2);
    assert_eq!(played.counts.late, 1);
}

#[test]
fn marks_go_on_as_much_earlier_as_the_rows_to_come() {
    let watermark = |second| format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T00:01:{second:02}Z\"}}\n");
    let out = |flags: &str| played(flags, &(lines(&[(61, "1")]) + &watermark(15) + &watermark(20))).out;
    let marks = |out: &str| -> Vec<String> {
        out.lines().filter(|line| line.starts_with("{\"$\"")).map(|line| line.to_owned()).collect()
    };
    let of_rows = marks(&out(""));
    assert!(of_rows[0].contains("00:01:09.999Z") && of_rows[1].contains("00:01:19.999Z"), "{of_rows:?}");
    let held = marks(&out("--fill linear --max-gap 1"));
    assert!(held[0].contains("00:00:59.999Z"), "{held:?}");
    assert!(out("").lines().next().unwrap().contains("\"v\":1"), "the row stands before the mark");
}

#[test]
fn what_is_extreme_gives_rows_and_no_panic() {
    assert_eq!(rows("--take sum", &lines(&[(0, "1e308"), (1, "1e308")])), ["00:00 null"]);
    assert_eq!(rows("--fill linear", &lines(&[(0, "-1e308"), (20, "1e308")]))[1], "00:10 ~0");
    let far = "{\"t\":\"0001-01-01T00:00:00Z\",\"v\":1}\n{\"t\":\"9999-12-31T23:59:59Z\",\"v\":2}\n";
    for fill in ["none", "null", "last", "linear", "zero"] {
        let played = play(
            resample(&format!("--max-ahead off --fill {fill} {}", if fill == "none" { "" } else { "--max-gap 3" })),
            far,
        );
        assert!(played.result.is_ok() && played.data().lines().count() >= 2, "{fill}: {:?}", played.result);
    }
}

#[test]
fn flags_that_do_not_go_together_are_told() {
    let error = |flags: &str| cli(flags).resample().map(drop).unwrap_err().message;
    assert_eq!(error("--max-gap 3"), "--max-gap without --fill");
    assert_eq!(error("--fill last --max-gap 365d"), "--max-gap 365d is 3153600 steps of 10s");
    assert_eq!(error("--by v"), "a row cannot have two members named \"v\" (\"v\")");
    assert_eq!(
        error("--by filled"),
        "the name \"filled\" is that of the member which says what is filled (\".filled\")"
    );
}

#[test]
fn too_many_open_steps_end_the_run() {
    let input: String = (0..100).map(|n| format!("{{\"t\":{},\"v\":1}}\n", n * 10)).collect();
    let played = play(resample("--lateness 1h --buffer 1KiB"), &input);
    assert!(format!("{:?}", played.result).contains("the open steps of all keys take more than 1KiB"));
}

/// Takes all lines, in any order, and says which rows there are: another way to the same result, without time that passes.
fn model(points: &[(u8, i64, i64)], fill: &str, gap: i64) -> Vec<String> {
    let mut steps: BTreeMap<(i64, u8), i64> = BTreeMap::new();
    for (key, second, value) in points {
        steps.insert((second / 10, *key), *value);
    }
    let mut rows: BTreeMap<(i64, u8), (String, bool)> = BTreeMap::new();
    for ((step, key), value) in &steps {
        rows.insert((*step, *key), (value.to_string(), false));
    }
    let end = steps.keys().map(|(step, _)| *step).max().unwrap_or(0);
    for ((step, key), value) in &steps {
        let next = (step + 1..).take_while(|next| *next <= end).find(|next| steps.contains_key(&(*next, *key)));
        // What is silent at the end is filled as far as time has come: the last line's step is not closed yet.
        let last = next.map_or(end - 1, |next| next - 1).min(step + gap);
        for empty in step + 1..=last {
            let text = match (fill, next) {
                ("null", _) => "null".to_owned(),
                ("last", _) => value.to_string(),
                ("zero", _) => "0".to_owned(),
                ("linear", Some(next)) if next - step - 1 <= gap => {
                    let to = steps[&(next, *key)];
                    let part = (empty - step) as f64 / (next - step) as f64;
                    serde_json::to_string(&(*value as f64 + (to - value) as f64 * part)).unwrap()
                }
                _ => continue,
            };
            rows.insert((empty, *key), (text.trim_end_matches(".0").to_owned(), true));
        }
    }
    rows.into_iter().map(|((step, key), (value, filled))| format!("{key} {step} {value} {filled}")).collect()
}

fn sorted_rows(text: &str) -> Vec<String> {
    let row = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let seconds = event_time::parse_rfc3339(row["t"].as_str().unwrap().as_bytes()).unwrap() / 1000;
        let value = row["v"].to_string();
        let text = format!("{} {} {} {}", row["k"], seconds / 10, value.trim_end_matches(".0"), row["filled"] == true);
        ((seconds, row["k"].as_u64().unwrap()), text)
    };
    let mut rows: Vec<((i64, u64), String)> = text.lines().map(row).collect();
    rows.sort();
    rows.into_iter().map(|(_, text)| text).collect()
}

proptest! {
    #[test]
    fn it_gives_the_rows_of_the_model(
        steps in prop::collection::vec((0..3u8, 0..60i64, -50..50i64), 1..40),
        fill in prop::sample::select(vec!["none", "null", "last", "linear", "zero"]),
        gap in 0..5i64,
    ) {
        let mut second = 0;
        let points: Vec<(u8, i64, i64)> = steps.into_iter().map(|(key, more, value)| { second += more; (key, second, value) }).collect();
        let input: String = points.iter().map(|(key, second, value)| format!("{{\"k\":{key},\"t\":{second},\"v\":{value}}}\n")).collect();
        let gap_flag = if fill == "none" { String::new() } else { format!("--max-gap {gap}") };
        let text = played(&format!("--by k --fill {fill} {gap_flag}"), &input).data();
        prop_assert_eq!(sorted_rows(&text), model(&points, fill, gap));
    }
}

#[test]
fn it_gives_the_same_rows_in_every_way() {
    let input: String = [(0, 1), (3, 2), (25, 1), (21, 2), (60, 1), (155, 2), (158, 3), (400, 1)]
        .iter()
        .map(|(second, key)| format!("{{\"k\":{key},\"t\":{second},\"v\":{}.25}}\n", second * 7 % 31))
        .collect();
    let idle = "{\"$\":\"watermark\",\"time\":\"1970-01-01T00:05:00Z\"}\n";
    for fill in ["none", "null", "last", "linear", "zero"] {
        let gap = if fill == "none" { "" } else { "--max-gap 4" };
        let flags = format!("--by k --take last,mean,count --lateness 15s --fill {fill} {gap}");
        every_way(|| resample(&flags), &input);
        every_way(|| resample(&flags), &(input.clone() + idle));
        every_way_with(|| resample(&flags), &cli("--where .k<3").config(), &input);
    }
}
