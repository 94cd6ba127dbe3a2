//! Results that replace earlier ones, lines that take back others, the last lines of a key, and lines that go on: against
//! naive models, in every way of running.

use std::collections::BTreeMap;

use aggregate::Aggregate;
use aggregate::cli::Cli;
use clap::Parser;
use millpipe::{Config, Error, Late, OnError};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::{every_way, play, play_with};

fn job(args: &[&str]) -> Result<aggregate::Job, Error> {
    Cli::parse_from(std::iter::once("aggregate").chain(args.iter().copied())).job()
}

fn stage(args: &[&str]) -> Aggregate {
    Aggregate::new(job(args).unwrap())
}

fn script(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is left of rows with changes: as a sink would have it. Every change must fit what is there.
fn applied(changes: &[Value]) -> Vec<Value> {
    let mut left: Vec<Value> = Vec::new();
    for change in changes {
        let mut row = change.clone();
        let op = row.as_object_mut().unwrap().remove("op").unwrap();
        match op.as_str().unwrap() {
            "insert" | "update_after" => left.push(row),
            _ => {
                let at = left.iter().position(|known| *known == row).unwrap_or_else(|| panic!("{row} was not there"));
                left.remove(at);
            }
        }
    }
    left.sort_by_key(ToString::to_string);
    left
}

/// Highest price by auction, then the average of those by category: of all lines at once.
fn averages(bids: &[(u64, i64)]) -> Vec<Value> {
    let mut highest: BTreeMap<u64, i64> = BTreeMap::new();
    for (auction, price) in bids {
        let known = highest.entry(*auction).or_insert(*price);
        *known = (*known).max(*price);
    }
    let mut categories: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
    highest.iter().for_each(|(auction, price)| categories.entry(auction % 3).or_default().push(*price));
    let average = |prices: &[i64]| prices.iter().sum::<i64>() as f64 / prices.len() as f64;
    let row = |(category, prices): (&u64, &Vec<i64>)| json!({ "category": category, "final": average(prices), "n": prices.len() });
    categories.iter().map(row).collect()
}

fn bids(bids: &[(u64, i64)]) -> String {
    let line =
        |(auction, price): &(u64, i64)| format!(r#"{{"id":{auction},"category":{},"price":{price}}}"#, auction % 3);
    script(&bids.iter().map(line).collect::<Vec<_>>())
}

/// Numbers as a reader has them, who may round the last digit.
fn plain(rows: Vec<Value>) -> Vec<Value> {
    let plain = |mut row: Value| {
        if let Some(value) = row.get("final").and_then(Value::as_f64) {
            row["final"] = json!((value * 1e6).round());
        }
        row
    };
    let mut rows: Vec<Value> = rows.into_iter().map(plain).collect();
    rows.sort_by_key(|row| row["category"].as_u64());
    rows
}

const HIGHEST: [&str; 6] = ["--by", "id,category", "max:price", "--changes", "--emit", "update"];
const AVERAGES: [&str; 5] = ["--by", "category", "--of-changes", "final=avg:max", "n=count"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn an_average_of_changing_maxima_is_that_of_the_last_ones(
        all in prop::collection::vec((0_u64..12, 0_i64..100), 0..80),
        emit in prop::sample::select(vec!["update", "every:3s"]),
    ) {
        let timed: String = bids(&all).lines().zip(0..).map(|(line, t)| format!("{{\"t\":{t},{}\n", &line[1..])).collect();
        let mut highest = HIGHEST.to_vec();
        highest[5] = emit;
        if emit != "update" {
            highest.extend(["--time", "t", "--time-unit", "s"]);
        }
        let changes = play(stage(&highest), &timed);
        prop_assert_eq!((changes.counts.settled, changes.held), (all.len() as u64, 0));
        let expected = plain(averages(&all));
        let end = play(stage(&AVERAGES), &changes.out);
        prop_assert_eq!(plain(rows(&end.out)), expected.clone());
        prop_assert_eq!((end.counts.settled, end.held), (changes.counts.lines_out, 0));
        let again = play(stage(&[&AVERAGES[..], &["--changes", "--emit", "update"]].concat()), &changes.out);
        prop_assert_eq!(plain(applied(&rows(&again.out))), expected);
    }

    #[test]
    fn last_lines_are_those_of_the_model(
        lines in prop::collection::vec((0_u8..3, prop::option::of(-50_i64..50), 0_u8..4), 0..80),
        last in 1_usize..9,
    ) {
        let v = |v: Option<i64>, kind: u8| match (v, kind) {
            (None, _) => json!(null),
            (Some(v), 0) => json!(v as f64 / 4.0),
            (Some(v), _) => json!(v),
        };
        let input = script(&lines.iter().map(|(k, n, kind)| json!({ "k": k, "v": v(*n, *kind) }).to_string()).collect::<Vec<_>>());
        let text = last.to_string();
        let args = ["--by", "k", "--last", &text, "n=count", "c=count:v", "big=count?.v > 9", "sum:v", "avg:v", "min:v", "max:v", "first:v", "last:v", "delta:v"];
        let played = play(stage(&args), &input);
        let found = rows(&played.out);
        prop_assert_eq!((found.len(), played.counts.settled, played.held), (lines.len(), lines.len() as u64, 0));
        for (at, (row, (k, ..))) in found.iter().zip(&lines).enumerate() {
            let mut of_key: Vec<_> = lines[..=at].iter().filter(|line| line.0 == *k).rev().take(last).collect();
            of_key.reverse();
            let values: Vec<f64> = of_key.iter().filter_map(|(_, n, kind)| v(*n, *kind).as_f64()).collect();
            let get = |name: &str| row[name].as_f64();
            prop_assert_eq!(get("n"), Some(of_key.len() as f64));
            prop_assert_eq!(get("c"), Some(values.len() as f64));
            prop_assert_eq!(get("big"), Some(values.iter().filter(|v| **v > 9.0).count() as f64));
            let of = |value: f64| (!values.is_empty()).then_some(value);
            let sum: f64 = values.iter().sum();
            prop_assert_eq!(get("sum"), of(sum));
            let avg = of(sum / values.len() as f64);
            prop_assert!(get("avg").zip(avg).is_none_or(|(a, b)| (a - b).abs() < 1e-9) && get("avg").is_some() == avg.is_some());
            prop_assert_eq!(get("min"), values.iter().copied().reduce(f64::min));
            prop_assert_eq!(get("max"), values.iter().copied().reduce(f64::max));
            prop_assert_eq!(get("first"), values.first().copied());
            prop_assert_eq!(get("last"), values.last().copied());
            prop_assert_eq!(get("delta"), of(values.last().unwrap_or(&0.0) - values.first().unwrap_or(&0.0)));
        }
    }

    #[test]
    fn lines_of_the_last_time_are_those_of_the_model(
        steps in prop::collection::vec((-3_i64..4, 0_i64..50), 0..60),
    ) {
        let mut time = 100;
        let lines: Vec<(i64, i64)> = steps.iter().map(|(step, v)| { time += step; (time, *v) }).collect();
        let input = script(&lines.iter().map(|(t, v)| format!(r#"{{"t":{t},"v":{v}}}"#)).collect::<Vec<_>>());
        let played = play(stage(&["--last", "2s", "--time", "t", "--time-unit", "s", "n=count", "sum:v", "max:v", "last:v"]), &input);
        let (mut newest, mut kept, mut expected, mut late) = (0, Vec::new(), Vec::new(), 0);
        for (t, v) in lines {
            if t < newest - 2 {
                late += 1;
                continue;
            }
            newest = newest.max(t);
            kept.push((t, v));
            kept.retain(|(t, _)| *t >= newest - 2);
            let values: Vec<i64> = kept.iter().map(|(_, v)| *v).collect();
            expected.push(json!({ "n": kept.len(), "sum": values.iter().sum::<i64>(), "max": values.iter().max(), "last": v }));
        }
        prop_assert_eq!(rows(&played.out), expected);
        prop_assert_eq!(played.counts.late, late);
    }
}

#[test]
fn changes_come_as_pairs_and_a_key_without_lines_is_deleted() {
    let input = script(
        &[
            r#"{"op":"insert","k":"a","v":1.50}"#,
            r#"{"op":"insert","k":"b","v":7}"#,
            r#"{"op":"update_before","k":"a","v":1.5}"#,
            r#"{"op":"update_after","k":"a","v":2}"#,
            r#"{"op":"insert","k":"a","v":0}"#,
            r#"{"op":"insert","k":"c","v":null}"#,
            r#"{"op":"delete","k":"b","v":7}"#,
            r#"{"op":"delete","k":"c","v":null}"#,
            r#"{"op":"insert","k":"b","v":1}"#,
        ]
        .map(String::from),
    );
    let args = ["--by", "k", "--of-changes", "--changes", "--emit", "update", "sum:v"];
    let played = play(stage(&args), &input);
    let expected = [
        r#"{"op":"insert","k":"a","sum":1.5}"#,
        r#"{"op":"insert","k":"b","sum":7}"#,
        r#"{"op":"delete","k":"a","sum":1.5}"#,
        r#"{"op":"insert","k":"a","sum":2}"#,
        r#"{"op":"insert","k":"c","sum":null}"#,
        r#"{"op":"delete","k":"b","sum":7}"#,
        r#"{"op":"delete","k":"c","sum":null}"#,
        r#"{"op":"insert","k":"b","sum":1}"#,
    ];
    assert_eq!(played.out, script(&expected.map(String::from)));
    assert_eq!((played.counts.settled, played.held), (9, 0));
    every_way(|| stage(&args), &input);
    let end = ["--by", "k", "--of-changes", "sum:v", "n=count"];
    assert_eq!(play(stage(&end), &input).out, "{\"k\":\"a\",\"sum\":2,\"n\":2}\n{\"k\":\"b\",\"sum\":1,\"n\":1}\n");
    every_way(|| stage(&end), &input);
}

#[test]
fn what_cannot_be_taken_back_is_a_bad_line_and_leaves_no_trace() {
    let input = script(
        &[
            r#"{"op":"delete","k":1,"v":5}"#,
            r#"{"op":"insert","k":1,"v":null}"#,
            r#"{"op":"delete","k":1,"v":5}"#,
            r#"{"op":"upsert","k":1,"v":5}"#,
            r#"{"k":1,"v":5}"#,
            r#"{"op":"insert","k":1,"v":2}"#,
        ]
        .map(String::from),
    );
    let mut config = Config::new("aggregate");
    config.policy.on_error = Some(OnError::Reject);
    let played = play_with(stage(&["--by", "k", "--of-changes", "n=count", "sum:v"]), config, &input);
    assert_eq!((played.out.as_str(), played.counts.rejected), ("{\"k\":1,\"n\":2,\"sum\":2}\n", 4));
    let told = format!("{:?}", played.rejects);
    assert!(told.contains("takes back one that has not come before"), "{told}");
    assert!(told.contains("no field \\\"op\\\"") || told.contains("no field"), "{told}");
}

#[test]
fn changes_and_last_lines_go_through_crashes() {
    let all: Vec<(u64, i64)> = (0..90_u64).map(|n| (n * n % 11, (n * 37 % 50) as i64)).collect();
    every_way(|| stage(&HIGHEST), &bids(&all));
    let changes = play(stage(&HIGHEST), &bids(&all)).out;
    every_way(|| stage(&[&AVERAGES[..], &["--changes", "--emit", "update"]].concat()), &changes);
    every_way(
        || stage(&["--by", "category", "--last", "4", "avg:price", "min:price", "first:id", "n=count?.id > 3"]),
        &bids(&all),
    );
    let timed: String =
        bids(&all).lines().zip(0..).map(|(line, t)| format!("{{\"t\":{},{}\n", t * 7 % 60 + t, &line[1..])).collect();
    every_way(
        || stage(&["--by", "category", "--last", "9s", "--time", "t", "--time-unit", "s", "sum:price", "last:id"]),
        &timed,
    );
}

#[test]
fn sums_of_last_lines_are_as_if_the_others_had_never_been() {
    let input = "{\"v\":1e30}\n{\"v\":0.1}\n{\"v\":0.2}\n{\"v\":1e300}\n{\"v\":3}\n{\"v\":4}\n";
    let out = play(stage(&["--last", "2", "sum:v"]), input).out;
    let sums: Vec<&str> = out.lines().collect();
    assert_eq!((sums[2], sums[5]), ("{\"sum\":0.3}", "{\"sum\":7}"));
}

#[test]
fn last_lines_beyond_the_buffer_stop_with_a_way_out() {
    let mut job = job(&["--last", "100000", "sum:v"]).unwrap();
    job.buffer_bytes = 10_000;
    let input: String = (0..1000).map(|v| format!("{{\"v\":{v}}}\n")).collect();
    let told = format!("{:?}", play(Aggregate::new(job), &input).result);
    assert!(told.contains("take more than 10000 bytes") && told.contains("--buffer SIZE"), "{told}");
}

const WINDOW: &str = r#""window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z""#;

#[test]
fn lines_that_are_kept_go_on_before_the_results_that_they_make() {
    let mark = |time: &str| format!(r#"{{"$":"watermark","time":"2026-11-22T10:00:{time}Z"}}"#);
    let line = |v: u32| format!(r#"{{{WINDOW},"v":{v}}}"#);
    let input = script(&[line(1), line(2), mark("10"), line(9)]);
    let result = format!(r#"{{{WINDOW},"sum":3}}"#);
    let args = ["sum:v", "--keep-lines"];
    let played = play(stage(&args), &input);
    assert_eq!(played.out, script(&[line(1), line(2), result.clone(), mark("10")]));
    assert_eq!((played.counts.settled, played.counts.late, played.held), (2, 1, 0));
    every_way(|| stage(&args), &input);
    let mut config = Config::new("aggregate");
    config.policy.late = Some(Late::Pass);
    let played = play_with(stage(&args), config, &input);
    assert_eq!(played.out, script(&[line(1), line(2), result, mark("10"), line(9)]));
    assert_eq!((played.counts.settled, played.counts.late, played.counts.late_passed), (3, 0, 1));
    let plain = "{\"k\":1}\n{\"k\":2}\n{\"k\":1}\n";
    for (args, expected) in [
        (&["--emit", "update"][..], "{\"k\":1}\n{\"count\":1}\n{\"k\":2}\n{\"count\":2}\n{\"k\":1}\n{\"count\":3}\n"),
        (&["--last", "2"], "{\"k\":1}\n{\"count\":1}\n{\"k\":2}\n{\"count\":2}\n{\"k\":1}\n{\"count\":2}\n"),
        (&[], "{\"k\":1}\n{\"k\":2}\n{\"k\":1}\n{\"count\":3}\n"),
    ] {
        let args = [&["count", "--keep-lines"], args].concat();
        let played = play(stage(&args), plain);
        assert_eq!((played.out.as_str(), played.counts.settled, played.held), (expected, 3, 0), "{args:?}");
        every_way(|| stage(&args), plain);
    }
}

#[test]
fn what_lines_that_leave_cannot_give_is_refused() {
    for (args, told, hint) in [
        (&["--last", "3", "p50:v"][..], "\"p50\" cannot be of lines that leave", "count, sum, avg, min, max, first"),
        (&["--of-changes", "max:v"], "\"max\" cannot be of lines that leave", "count, sum, avg, geomean"),
        (&["--last", "3s", "count"], "--last of a time needs --time", "--last 10m --time FIELD"),
        (&["--last", "3", "--time", "t", "count"], "--last of a time needs --time", "--last 11"),
        (&["--changes", "count"], "written more than once", "--emit update"),
        (&["--changes", "--emit", "update", "op=count"], "would be named \"op\"", "name a result"),
        (&["--late", "pass", "count"], "a late line cannot pass", "--keep-lines"),
        (&["--by", ".a[:1]", "count"], "the key \".a[:1]\" has no name", "day=.a[:1]"),
    ] {
        let error = job(args).unwrap_err();
        assert!(error.message.contains(told), "{args:?}: {}", error.message);
        assert!(error.hint.unwrap().contains(hint), "{args:?}");
    }
}
