//! Values that are easily taken for others: times as texts, long numbers, numbers in quotes, sums out of range.

use aggregate::Aggregate;
use aggregate::cli::Cli;
use clap::Parser;
use millpipe::Fault;
use proptest::prelude::*;
use testkit::{every_way, play};

fn stage(args: &[&str]) -> Aggregate {
    Aggregate::new(Cli::parse_from(std::iter::once("aggregate").chain(args.iter().copied())).job().unwrap())
}

fn input(values: &[&str]) -> String {
    values.iter().map(|value| format!("{{\"v\":{value}}}\n")).collect()
}

fn played(args: &[&str], values: &[&str]) -> Vec<String> {
    let played = play(stage(args), &input(values));
    assert_eq!(played.result, Ok(()), "{args:?}");
    played.out.lines().map(str::to_owned).collect()
}

fn out(args: &[&str], values: &[&str]) -> Vec<String> {
    every_way(|| stage(args), &input(values));
    played(args, values)
}

/// In the order of time; the second and the third are one time.
const TIMES: [&str; 5] = [
    "\"2026-01-01T00:00:00Z\"",
    "\"2026-01-01T00:00:00.5Z\"",
    "\"2026-01-01T01:00:00.500+01:00\"",
    "\"2025-12-31 23:00:00.75 -0100\"",
    "\"2026-01-01T00:00:01Z\"",
];

#[test]
fn the_least_and_the_latest_time_are_those_of_time() {
    for (values, least, largest) in [([0, 1, 2, 3, 4], 0, 4), ([3, 1, 0, 2, 1], 0, 3), ([1, 2, 2, 1, 2], 1, 2)] {
        let lines = values.map(|at| TIMES[at]);
        let expected = format!("{{\"min\":{0},\"max\":{1},\"a\":{0},\"b\":{1}}}", TIMES[least], TIMES[largest]);
        assert_eq!(out(&["min:v", "max:v", "a=min_by:v:v", "b=max_by:v:v"], &lines), [expected]);
    }
}

#[test]
fn keys_that_are_times_come_out_in_the_order_of_time() {
    let mixed = ["\"user\"", TIMES[4], TIMES[3], TIMES[1], TIMES[2], TIMES[0], "7"];
    let expected: Vec<String> = ["7", TIMES[0], TIMES[1], TIMES[2], TIMES[3], TIMES[4], "\"user\""]
        .iter()
        .map(|key| format!("{{\"v\":{key},\"count\":1}}"))
        .collect();
    assert_eq!(out(&["--by", "v", "count"], &mixed), expected);
    assert_eq!(out(&["--by", "v", "count"], &mixed[1..6]), expected[1..6]);
}

#[test]
fn numbers_of_any_length_are_keys_of_their_own() {
    let values = [
        "340282366920938463463374607431768211455",
        "340282366920938463463374607431768211454",
        "1234567890123456789012345678901234567890",
        "0.1234567890123456789012345678901234567891",
        "0.1234567890123456789012345678901234567892",
        "1234567890123456789012345678901234567891",
        "340282366920938463463374607431768211454.0",
    ];
    let expected = [
        "{\"v\":0.1234567890123456789012345678901234567891,\"count\":1}",
        "{\"v\":0.1234567890123456789012345678901234567892,\"count\":1}",
        "{\"v\":340282366920938463463374607431768211454,\"count\":2}",
        "{\"v\":340282366920938463463374607431768211455,\"count\":1}",
        "{\"v\":1234567890123456789012345678901234567890,\"count\":1}",
        "{\"v\":1234567890123456789012345678901234567891,\"count\":1}",
    ];
    assert_eq!(out(&["--by", "v", "count"], &values), expected);
    for flags in [&["distinct:v"][..], &["distinct:v", "--distinct", "exact"]] {
        assert_eq!(out(flags, &values), ["{\"distinct\":6}"]);
    }
    let mode = "{\"mode\":340282366920938463463374607431768211454}";
    assert_eq!(out(&["mode:v"], &values), [mode]);
}

#[test]
fn a_result_that_is_named_like_a_path_is_found_by_that_path() {
    let input = "{\"r\":{\"h\":\"a\"},\"n\":1}\n{\"r\":{\"h\":\"b\"},\"n\":2}\n{\"r\":{\"h\":\"a\"},\"n\":3}\n";
    let first = play(stage(&["--by", "r.h", "x.s=sum:n"]), input).out;
    assert_eq!(first, "{\"r.h\":\"a\",\"x.s\":4}\n{\"r.h\":\"b\",\"x.s\":2}\n");
    let second = play(stage(&["--by", "r.h", "max:x.s", "m=max:.x.s?.n == null"]), &first).out;
    assert_eq!(second, "{\"r.h\":\"a\",\"max\":4,\"m\":4}\n{\"r.h\":\"b\",\"max\":2,\"m\":2}\n");
}

#[test]
fn a_sum_may_leave_the_range_and_come_back() {
    for values in [["1e308", "1e308", "-1e308"], ["1e308", "-1e308", "1e308"], ["-1e308", "1e308", "1e308"]] {
        let sums = out(&["sum:v", "avg:v"], &values);
        assert_eq!(sums[0].split(',').next(), Some("{\"sum\":1e308"), "{sums:?}");
    }
    assert_eq!(out(&["sum:v", "avg:v"], &["1e308", "1e308"]), ["{\"sum\":null,\"avg\":1e308}"]);
}

#[test]
fn a_number_in_quotes_is_refused_with_what_makes_a_number_of_it() {
    let played = play(stage(&["avg:v"]), "{\"v\":\"0.004\"}\n");
    let Err(Fault::Stop(error)) = &played.result else { panic!("{played:?}") };
    assert!(error.message.ends_with("field \"v\" is not a number: \"0.004\""), "{error:?}");
    let hint = error.hint.clone().unwrap();
    assert!(hint.starts_with("tonumber makes a number of a text: 'sum:.v | tonumber'; validate --coerce"), "{hint}");
    assert_eq!(out(&["sum:.v | tonumber"], &["\"0.004\"", "\"2\""]), ["{\"sum\":2.004}"]);
    let played = play(stage(&["avg:v"]), "{\"v\":\"-\"}\n");
    assert!(format!("{:?}", played.result).contains("is not a number"), "{played:?}");
    assert!(!format!("{:?}", played.result).contains("tonumber"), "{played:?}");
}

#[test]
fn the_time_may_be_what_an_expression_gives() {
    let flags = ["--by", "k", "--last", "10s", "--time", ".a // .b", "--zone", "Europe/Berlin", "n=count"];
    let line = |k: &str, time: &str| format!("{{\"k\":\"{k}\",{time}}}\n");
    let input = [
        line("x", "\"a\":\"2026-06-10 06:00:00,5\""),
        line("x", "\"a\":null,\"b\":\"2026-06-10T04:00:09Z\""),
        line("x", "\"b\":\"2026-06-10T06:00:11+0200\""),
    ]
    .concat();
    let played = play(stage(&flags), &input);
    let counts: Vec<&str> = played.out.lines().map(|line| line.rsplit(':').next().unwrap()).collect();
    assert_eq!(counts, ["1}", "2}", "2}"], "{played:?}");
    let missing = play(stage(&flags), "{\"k\":1,\"when\":\"2026-06-10T06:00:11Z\"}\n").result;
    let shown = format!("{missing:?}");
    assert!(shown.contains("no value of .a // .b; the line has ") && shown.contains("--time when"), "{shown}");
}

/// A time of a few seconds, and one of the ways to write it.
fn time() -> impl Strategy<Value = (i64, String)> {
    (0..4i64, prop::sample::select(vec![0, 5, 50, 123]), 0..6usize).prop_map(|(second, ms, style)| {
        let text = match style {
            0 => format!("2026-01-01T00:00:0{second}.{ms:03}Z"),
            1 => format!("2026-01-01T02:00:0{second}.{ms:03}+02:00"),
            2 => format!("2025-12-31 23:30:0{second},{ms:03} -0030"),
            3 if ms == 0 => format!("2026-01-01T00:00:0{second}Z"),
            _ => format!("2026-01-01 00:00:0{second}.{ms:03}0 UTC"),
        };
        (second * 1000 + ms, text)
    })
}

proptest! {
    #[test]
    fn extremes_and_keys_of_times_are_those_of_the_model(times in prop::collection::vec(time(), 1..12)) {
        let values: Vec<String> = times.iter().map(|(_, text)| format!("\"{text}\"")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let mut sorted = times.clone();
        sorted.sort();
        sorted.dedup();
        let (least, largest) = (&sorted[0].1, &sorted[sorted.len() - 1].1);
        prop_assert_eq!(played(&["min:v", "max:v"], &values), [format!("{{\"min\":\"{least}\",\"max\":\"{largest}\"}}")]);
        let keys: Vec<String> = sorted.iter().map(|(_, text)| format!("{{\"v\":\"{text}\"}}")).collect();
        let found = played(&["--by", "v", "count"], &values);
        let found: Vec<String> = found.iter().map(|line| format!("{}}}", line.split(",\"count").next().unwrap())).collect();
        prop_assert_eq!(found, keys);
    }
}
