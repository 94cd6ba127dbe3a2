//! Conditions, expressions, the order of strings, the best line, exact counts: against a naive model, in every way of
//! running, for every kind of windows.

use std::collections::{BTreeMap, BTreeSet};

use aggregate::Aggregate;
use aggregate::cli::Cli;
use clap::Parser;
use millpipe::{Config, Fault, OnError, Stateful};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::{Played, every_way, play, play_with};

fn stage(args: &[&str]) -> Aggregate {
    let args = std::iter::once("aggregate").chain(args.iter().copied());
    Aggregate::new(Cli::parse_from(args).job().unwrap())
}

fn script(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn message(played: &Played) -> String {
    match &played.result {
        Err(Fault::Stop(error)) => format!("{}\n{}", error.message, error.hint.clone().unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

const SPECS: [&str; 14] = [
    "n=count",
    "few=count?.v < 3",
    "also_few=count?.v < 3",
    "ok=count:w?.ok",
    "sum=sum:v?.ok",
    "sum_all=sum:v",
    "values=distinct:w",
    "values_ok=distinct:w?.ok",
    "least=min:w",
    "largest=max:w",
    "largest_ok=max:w?.ok",
    "upper=max:.w | if type == \"string\" then ascii_upcase else . end",
    "best=max_by:v:w",
    "worst=min_by:w:(.v | tostring)?.ok",
];
const BY: &str = "k,first=.s[:1]";

/// A value of `w`: its order is numbers, then strings by code points.
fn order(value: &Value) -> (u8, i64, String) {
    match value {
        Value::String(text) => (1, 0, text.clone()),
        other => (0, other.as_i64().unwrap(), String::new()),
    }
}

#[derive(Default)]
struct Group {
    lines: Vec<Value>,
}

impl Group {
    /// What every function gives, worked out from all lines at once.
    fn results(&self) -> BTreeMap<&'static str, Value> {
        let ok = |line: &&Value| line["ok"] == json!(true);
        let of = |name: &str, lines: &[&Value]| -> Vec<Value> {
            lines.iter().map(|line| line[name].clone()).filter(|value| !value.is_null()).collect()
        };
        let all: Vec<&Value> = self.lines.iter().collect();
        let good: Vec<&Value> = self.lines.iter().filter(ok).collect();
        let sum = |values: Vec<Value>| match values.is_empty() {
            true => Value::Null,
            false => json!(values.iter().map(|value| value.as_i64().unwrap()).sum::<i64>()),
        };
        let distinct = |values: Vec<Value>| json!(values.iter().map(Value::to_string).collect::<BTreeSet<_>>().len());
        let least = |values: Vec<Value>| values.into_iter().min_by_key(order).unwrap_or_default();
        let largest = |values: Vec<Value>| values.into_iter().max_by_key(order).unwrap_or_default();
        let upper = |value: Value| match value {
            Value::String(text) => json!(text.to_ascii_uppercase()),
            other => other,
        };
        // jq has null, and so a missing field, before every number.
        let few = all.iter().filter(|line| line["v"].as_i64().is_none_or(|v| v < 3)).count();
        let mut best: Option<&Value> = None;
        for line in all.iter().filter(|line| !line["v"].is_null()) {
            if best.is_none_or(|best| line["v"].as_i64() > best["v"].as_i64()) {
                best = Some(line);
            }
        }
        let mut worst: Option<&Value> = None;
        for line in good.iter().filter(|line| !line["w"].is_null()) {
            if worst.is_none_or(|worst| order(&line["w"]) < order(&worst["w"])) {
                worst = Some(line);
            }
        }
        BTreeMap::from([
            ("n", json!(all.len())),
            ("few", json!(few)),
            ("also_few", json!(few)),
            ("ok", json!(of("w", &good).len())),
            ("sum", sum(of("v", &good))),
            ("sum_all", sum(of("v", &all))),
            ("values", distinct(of("w", &all))),
            ("values_ok", distinct(of("w", &good))),
            ("least", least(of("w", &all))),
            ("largest", largest(of("w", &all))),
            ("largest_ok", largest(of("w", &good))),
            ("upper", largest(of("w", &all).into_iter().map(upper).collect())),
            ("best", best.map_or(Value::Null, |line| line["w"].clone())),
            ("worst", worst.map_or(Value::Null, |line| json!(line["v"].to_string()))),
        ])
    }
}

fn line() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec!["a", "b", "B", "é", "a\"b", "a\\", "zz", "\u{1}", "𝄞", "\u{ffff}"]);
    let w = prop_oneof![
        4 => (-3_i64..100).prop_map(|n| json!(n)),
        3 => text.prop_map(|text| json!(text)),
        1 => Just(Value::Null),
    ];
    let v = prop_oneof![4 => (-5_i64..20).prop_map(|n| json!(n)), 1 => Just(Value::Null)];
    let s = prop::sample::select(vec!["x1", "x2", "y"]);
    (v, w, any::<Option<bool>>(), 0..2_u8, s)
        .prop_map(|(v, w, ok, k, s)| json!({ "v": v, "w": w, "ok": ok, "k": k, "s": s }))
}

fn expected(lines: &[Value]) -> Vec<Value> {
    let mut groups: BTreeMap<(u64, String), Group> = BTreeMap::new();
    for line in lines {
        let first = line["s"].as_str().unwrap()[..1].to_owned();
        groups.entry((line["k"].as_u64().unwrap(), first)).or_default().lines.push(line.clone());
    }
    let row = |((k, first), group): (&(u64, String), &Group)| {
        let mut row = json!({ "k": k, "first": first });
        group.results().into_iter().for_each(|(name, value)| row[name] = value);
        row
    };
    groups.iter().map(row).collect()
}

/// What marks and annotation make one window of all lines, and how its results begin.
const KINDS: [(&str, &str); 4] = [
    ("", ""),
    ("", r#""window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z","#),
    (
        r#"{"$":"window","start":"2026-11-22T10:00:00Z","end":"2026-11-22T10:00:10Z"}"#,
        r#""slice_start":"2026-11-22T10:00:0AZ","slice_end":"2026-11-22T10:00:0BZ","#,
    ),
    (r#"{"$":"sessions","by":["k"]}"#, r#""slice_start":"2026-11-22T10:00:0AZ","slice_end":"2026-11-22T10:00:0BZ","#),
];

/// The lines with the annotation: slices are of two kinds, that touch.
fn input(kind: (&str, &str), lines: &[Value]) -> String {
    let mut all = vec![kind.0.to_owned()];
    for (number, line) in lines.iter().enumerate() {
        let (start, end) = if number % 2 == 0 { ("0", "5") } else { ("5", "9") };
        let annotation = kind.1.replace("0A", &format!("0{start}")).replace("0B", &format!("0{end}"));
        all.push(format!("{{{annotation}{}", &line.to_string()[1..]));
    }
    script(&all[usize::from(kind.0.is_empty())..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn results_are_those_of_the_model(lines in prop::collection::vec(line(), 0..60), kind in 0..KINDS.len(), is_exact in any::<bool>()) {
        let mut args = vec!["--by", BY, "--distinct", if is_exact { "exact:100" } else { "hyperloglog" }];
        args.extend(SPECS);
        let played = play(stage(&args), &input(KINDS[kind], &lines));
        let mut rows: Vec<Value> = played.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for row in &mut rows {
            row.as_object_mut().unwrap().retain(|name, _| !name.starts_with("window_"));
        }
        rows.sort_by_key(|row| (row["k"].as_u64(), row["first"].as_str().map(str::to_owned)));
        prop_assert_eq!(rows, expected(&lines));
        prop_assert_eq!(played.held, 0);
    }
}

#[test]
fn every_kind_of_state_goes_through_crashes() {
    let words = ["\"a\"", "\"é\\u0001\"", "7", "null", "\"a\\\"b\"", "-2.50"];
    let line = |n: u64| {
        format!(r#""v":{},"w":{},"ok":{},"k":{},"s":"x{n}"}}"#, n * n % 17, words[n as usize % 6], n % 5 < 3, n % 2)
    };
    for ((mark, annotation), distinct) in KINDS.into_iter().zip(["exact", "hyperloglog"].into_iter().cycle()) {
        let annotation = annotation.replace("0A", "00").replace("0B", "05");
        let lines: Vec<String> = (0..20).map(|n| format!("{{{annotation}{}", line(n))).collect();
        let input = script(&[&[mark.to_owned()], &lines[..]].concat());
        let mut args = vec!["--by", BY, "--distinct", distinct];
        args.extend(SPECS);
        every_way(|| stage(&args), input.trim_start());
    }
}

#[test]
fn many_groups_with_strings_among_numbers_are_as_few() {
    let line = |n: u64| match n % 5 {
        0 => format!(
            r#"{{"window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z","k":{},"v":"s{n}"}}"#,
            n % 7
        ),
        _ => format!(
            r#"{{"window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z","k":{},"v":{n}}}"#,
            n % 7
        ),
    };
    let input = script(&(0..500).map(line).collect::<Vec<_>>());
    let run = |waits_from: usize| {
        let cli = Cli::parse_from(["aggregate", "--by", "k", "min:v", "max:v", "n=count:v", "low=count?.v < 250"]);
        let mut job = cli.job().unwrap();
        job.waits_from = waits_from;
        play(Aggregate::new(job), &input).out
    };
    assert_eq!(run(0), run(usize::MAX));
    assert!(run(0).contains(r#""k":0,"min":7,"max":"s70","n":72,"low":28"#), "{}", run(0));
}

#[test]
fn a_line_on_which_a_filter_fails_is_bad_and_counts_nowhere() {
    let input = "{\"k\":1,\"v\":1}\n{\"k\":1,\"v\":{}}\n{\"k\":[],\"v\":5}\n{\"k\":1,\"v\":2}\n";
    for (args, rejected, expected) in [
        (&["count", "n=count?(.v - 1) > 0"][..], 1, "{\"count\":3,\"n\":2}\n"),
        (&["--by", "k=.k + 1", "max:v"], 2, "{\"k\":2,\"max\":2}\n"),
        (&["sum:.v,.k", "count"], 4, ""),
        (&["max_by:k:v"], 1, "{\"max_by\":1}\n"),
    ] {
        let mut config = Config::new("aggregate");
        config.policy.on_error = Some(OnError::Reject);
        let played = play_with(stage(args), config, input);
        assert_eq!((played.out.as_str(), played.counts.rejected), (expected, rejected), "{args:?}");
    }
    let played = play(stage(&["max:v"]), "{\"v\":[1]}\n");
    assert!(format!("{:?}", played.result).contains("neither a number nor a string"), "{:?}", played.result);
}

#[test]
fn an_exact_count_stops_at_its_limit_and_says_so() {
    let lines = |values: std::ops::Range<u32>| -> String { values.map(|v| format!("{{\"v\":\"u{v}\"}}\n")).collect() };
    let args = ["distinct:v", "--distinct", "exact:2000"];
    let twice = lines(0..2000) + &lines(0..2000);
    assert_eq!(play(stage(&args), &twice).out, "{\"distinct\":2000}\n");
    let told = message(&play(stage(&args), &(twice + &lines(2000..2001))));
    assert_eq!(
        told,
        "exact count of field \"v\": a group has more than 2000 different values\n--distinct exact:N allows more, hyperloglog needs no limit"
    );
    let slice = |s: u32, v: u32| {
        format!(
            "{{\"slice_start\":\"2026-11-22T10:00:0{s}Z\",\"slice_end\":\"2026-11-22T10:00:0{}Z\",\"v\":{v}}}\n",
            s + 1
        )
    };
    let mark = "{\"$\":\"window\",\"start\":\"2026-11-22T10:00:00Z\",\"end\":\"2026-11-22T10:00:10Z\"}\n";
    let input: String = mark.to_owned() + &(0..6).map(|n| slice(n % 2, n * 100)).collect::<String>();
    let args = |max| ["distinct:v", "--distinct", max];
    assert!(play(stage(&args("exact:6")), &input).out.ends_with("\"distinct\":6}\n"));
    assert!(message(&play(stage(&args("exact:5")), &input)).contains("more than 5 different"));
}

#[test]
fn what_filters_say_is_part_of_what_the_state_depends_on() {
    let flags =
        stage(&["--by", "k,day=.at[:10]", "n=count?.ok", "max:v", "x=max_by:v:w?.ok", "--distinct", "exact"]).flags();
    assert_eq!(flags, "--by .k,.at[:10] count?.ok min|max:.v max_by:.v:.w?.ok");
    assert!(stage(&["distinct:v", "--distinct", "exact:9"]).flags().ends_with("distinct:.v --distinct exact"));
}
