//! Groups against naive models, merged in any way, and through their text.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use accumulators::{
    MergedResults, Percentiles, Plan, Settings, SnapshotError, Spec, Table, ValueError, Values, WriteScratch,
};
use json_fields::Scanner;
use proptest::prelude::*;
use serde_json::Value;
use values::state_text::StateReader;

fn plan_with(specs: &[&str], percentiles: Percentiles) -> Arc<Plan> {
    let specs: Vec<Spec> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    Arc::new(Plan::new(specs, Settings { percentiles, seed: 7, ..Settings::default() }).unwrap())
}

fn plan(specs: &[&str]) -> Arc<Plan> {
    plan_with(specs, Percentiles::default())
}

fn numbered(lines: &[String]) -> Vec<(u64, String)> {
    lines.iter().zip(0..).map(|(line, at)| (at, line.clone())).collect()
}

/// Feeds lines, each with its sequence number, to a group of the table.
fn feed_to(plan: &Plan, table: &mut Table, group: usize, lines: &[(u64, String)]) {
    let mut scanner = Scanner::new(plan.paths());
    let mut values = Values::default();
    for (sequence, line) in lines {
        let fields = scanner.scan(line.as_bytes()).unwrap();
        values.read(plan, fields.as_slice(), line.as_bytes()).unwrap();
        table.update(group, &values, line.as_bytes(), *sequence).unwrap();
    }
}

fn feed(plan: &Plan, table: &mut Table, lines: &[(u64, String)]) -> usize {
    let group = table.push();
    feed_to(plan, table, group, lines);
    group
}

fn results(table: &Table, group: usize) -> String {
    let mut out = Vec::new();
    table.write_results(group, Some(10.0), &mut WriteScratch::default(), &mut out);
    let text = format!("{{{}}}", String::from_utf8(out).unwrap());
    serde_json::from_str::<Value>(&text).unwrap();
    text
}

fn of(specs: &[&str], lines: &[&str]) -> String {
    let plan = plan(specs);
    let mut table = Table::new(&plan);
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let group = feed(&plan, &mut table, &numbered(&lines));
    results(&table, group)
}

const ALL: [&str; 22] = [
    "count",
    "n=count:v",
    "sum:v",
    "avg:v",
    "min:v",
    "max:v",
    "var:v",
    "stddev:v",
    "first:s",
    "last:s",
    "f=first:v",
    "distinct:s",
    "p50:v",
    "p99.9:v",
    "median:v",
    "top:3:s",
    "list:4:s",
    "mode:s",
    "rate",
    "r=rate:v",
    "delta:v",
    "l=list:2:s",
];

#[test]
fn every_function_gives_its_result() {
    let lines = [
        r#"{"v":1.50,"s":"a"}"#,
        r#"{"v":2,"s":"b"}"#,
        r#"{"v":null,"s":"\u0061"}"#,
        r#"{"s":null}"#,
        r#"{"v":-4.25,"s":{"x": 1}}"#,
        r#"{"v":10,"s":1.0}"#,
    ];
    let expected = concat!(
        r#"{"count":6,"n":4,"sum":9.25,"avg":2.3125,"min":-4.25,"max":10,"var":34.307291666666664,"#,
        r#""stddev":5.857242667558402,"first":"a","last":1.0,"f":1.50,"distinct":4,"p50":1.75,"p99.9":9.976,"#,
        r#""median":1.75,"top":[{"value":"a","count":2},{"value":"b","count":1},{"value":1,"count":1}],"#,
        r#""list":["a","b","\u0061",{"x": 1}],"mode":"a","rate":0.6,"r":0.925,"delta":8.5,"l":["a","b"]}"#,
    );
    assert_eq!(of(&ALL, &lines), expected);
}

#[test]
fn a_group_without_values_has_zero_counts_and_null_results() {
    let expected = concat!(
        r#"{"count":1,"n":0,"sum":null,"avg":null,"min":null,"max":null,"var":null,"stddev":null,"first":null,"#,
        r#""last":null,"f":null,"distinct":0,"p50":null,"p99.9":null,"median":null,"top":[],"list":[],"mode":null,"#,
        r#""rate":0.1,"r":null,"delta":null,"l":[]}"#,
    );
    assert_eq!(of(&ALL, &["{}"]), expected);
}

#[test]
fn a_line_with_a_wrong_value_is_refused_whole() {
    let plan = plan(&["count", "sum:a", "sum_b=sum:b", "last:a"]);
    let mut values = Values::default();
    for (line, message) in [
        (r#"{"a":5,"b":"2"}"#, r#"field "b" is not a number: "2""#),
        (r#"{"a":5,"b":1e999}"#, r#"field "b": number out of range: 1e999"#),
        (r#"{"a":[1],"b":2}"#, r#"field "a" is not a number: [1]"#),
    ] {
        let mut scanner = Scanner::new(plan.paths());
        let fields = scanner.scan(line.as_bytes()).unwrap();
        let error: ValueError = values.read(&plan, fields.as_slice(), line.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    assert_eq!(values.skipped(), [] as [u64; 0]);
}

#[test]
fn missing_and_null_fields_are_counted() {
    let plan = plan(&["sum:a", "count:b"]);
    let mut scanner = Scanner::new(plan.paths());
    let mut values = Values::default();
    for line in [r#"{"a":1}"#, r#"{"a":null,"b":1}"#, "{}"] {
        let fields = scanner.scan(line.as_bytes()).unwrap();
        values.read(&plan, fields.as_slice(), line.as_bytes()).unwrap();
    }
    assert_eq!(values.skipped(), [2, 2]);
}

#[test]
fn exact_percentiles_stop_at_their_limit_before_anything_changes() {
    let plan = plan_with(&["count", "p50:v"], Percentiles::Exact(2));
    let mut table = Table::new(&plan);
    let line = (0, r#"{"v":1}"#.to_owned());
    let full = feed(&plan, &mut table, &[line.clone(), line.clone()]);
    let other = feed(&plan, &mut table, &[line]);
    let copy = table.clone();
    let error = table.merge(full, &copy, other).unwrap_err();
    assert_eq!(error.to_string(), r#"exact percentiles of field "v": a group has more than 2 values"#);
    assert_eq!(results(&table, full), r#"{"count":2,"p50":1}"#);
}

#[test]
fn a_group_of_count_sum_min_and_max_takes_less_than_100_bytes() {
    let plan = plan(&["count", "sum:v", "min:v", "max:v", "avg:v"]);
    assert!(Table::new(&plan).bytes_per_group() < 100, "{}", Table::new(&plan).bytes_per_group());
}

#[test]
fn a_group_that_was_reset_is_as_new() {
    let plan = plan(&ALL);
    let mut table = Table::new(&plan);
    let empty = table.push();
    let group = feed(&plan, &mut table, &[(3, r#"{"v":1,"s":"x"}"#.into())]);
    table.reset(group);
    assert_eq!(saved(&table, group), saved(&table, empty));
}

fn saved(table: &Table, group: usize) -> String {
    let mut out = Vec::new();
    table.save(group, &mut out);
    String::from_utf8(out).unwrap()
}

fn load(table: &mut Table, group: usize, text: &str) -> Result<(), SnapshotError> {
    table.load(group, &mut StateReader::new(text.as_bytes()))
}

#[test]
fn a_state_is_text_that_a_person_can_read() {
    let plan = plan(&["count", "sum:v", "p50:v", "last:s", "list:2:s", "top:s", "c=count:s"]);
    let mut table = Table::new(&plan);
    let lines = [r#"{"v":13.07,"s":"a"}"#, r#"{"v":30.00,"s":"b"}"#, r#"{"v":17.86,"s":"a"}"#, "{}"].map(String::from);
    let group = feed(&plan, &mut table, &numbered(&lines));
    let expected = concat!(
        r#"{"lines":4,"counts":[3],"stats":[[3,60.93,13.07,30.00]],"quantiles":[[13.07,30,17.86]],"#,
        r#""ends":[[0,"\"a\"",2,"\"a\""]],"lists":[[[0,"\"a\""],[1,"\"b\""]]],"#,
        r#""frequencies":[[0,[["\"a\"",2],["\"b\"",1]]]]}"#,
    );
    assert_eq!(saved(&table, group), expected);
}

#[test]
fn a_snapshot_of_other_results_is_refused() {
    let (one, other) = (plan(&["count", "sum:v"]), plan(&["count", "first:v", "p50:v"]));
    let mut table = Table::new(&one);
    let group = table.push();
    let text = saved(&table, group);
    let mut table = Table::new(&other);
    let group = table.push();
    let error = load(&mut table, group, &text).unwrap_err();
    assert_eq!(error.to_string(), "the saved quantiles do not fit these results");
    assert!(load(&mut table, group, "null").is_err());
}

/// Values of many kinds: integers, decimals, missing, null; strings and numbers with doubles.
fn any_line() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        4 => (-1_000i64..1_000).prop_map(|n| n.to_string()),
        4 => (-100_000i64..100_000).prop_map(|n| format!("{}.{:02}", n / 100, n.abs() % 100)),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        1 => Just("null".to_owned()),
    ];
    let text = prop_oneof![
        (0u8..6).prop_map(|n| format!("\"{}\"", char::from(b'a' + n))),
        (0u32..40).prop_map(|n| n.to_string()),
        Just("null".to_owned()),
    ];
    (prop::option::weighted(0.9, number), text).prop_map(|(number, text)| match number {
        Some(number) => format!("{{\"v\":{number},\"s\":{text}}}"),
        None => format!("{{\"s\":{text}}}"),
    })
}

/// A value of `any_line` in hundredths, which all of them are.
fn hundredths(line: &str) -> Option<i128> {
    let raw = line.split("\"v\":").nth(1)?.split(',').next()?;
    let (whole, cents) = raw.split_once('.').unwrap_or((raw, "00"));
    let (whole, cents): (i128, i128) = (whole.parse().ok()?, cents.parse().ok()?);
    Some(whole * 100 + if raw.starts_with('-') { -cents } else { cents })
}

/// All functions whose merge is exact: no variance, whose last digits depend on the order.
fn exact_specs() -> Vec<&'static str> {
    ALL.into_iter().filter(|spec| !["var:v", "stddev:v"].contains(spec)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn parts_merged_in_any_order_equal_the_whole(
        lines in prop::collection::vec((any_line(), 0usize..4), 0..60),
        order in Just([0usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let plan = plan(&exact_specs());
        let mut table = Table::new(&plan);
        let whole: Vec<(u64, String)> = lines.iter().zip(0..).map(|((line, _), at)| (at, line.clone())).collect();
        let all = feed(&plan, &mut table, &whole);
        let mut parts = Table::new(&plan);
        for part in 0..4 {
            let mine = whole.iter().zip(&lines).filter(|(_, (_, number))| *number == part);
            feed(&plan, &mut parts, &mine.map(|(line, _)| line.clone()).collect::<Vec<_>>());
        }
        let merged = table.push();
        for part in order {
            table.merge(merged, &parts, part).unwrap();
        }
        prop_assert_eq!(results(&table, merged), results(&table, all));
    }

    /// All of them: also variances, digests and samples, which the order of merging shows in.
    #[test]
    fn results_of_parts_together_are_those_of_the_merged_group(
        lines in prop::collection::vec((any_line(), 0usize..5), 0..60),
        copies in prop::sample::select(vec![1usize, 12, 60]),
        kind in prop::sample::select(vec![
            Percentiles::DdSketch(0.01), Percentiles::TDigest(100), Percentiles::Reservoir(5), Percentiles::Exact(2000),
        ]),
    ) {
        let plan = plan_with(&ALL, kind);
        let (mut table, mut parts) = (Table::new(&plan), [Table::new(&plan), Table::new(&plan)]);
        let (merged, mut merged_all, mut groups) = (table.push(), Ok(()), Vec::new());
        for part in 0..5 {
            let mine: Vec<&(String, usize)> = lines.iter().filter(|(_, number)| *number == part).collect();
            // One part of many lines, whose values do not stay a list.
            let times = mine.len() * if part == 3 { copies } else { 1 };
            let mine: Vec<String> = mine.into_iter().cycle().take(times).map(|(line, _)| line.clone()).collect();
            let group = feed(&plan, &mut parts[part % 2], &numbered(&mine));
            merged_all = merged_all.and_then(|()| table.merge(merged, &parts[part % 2], group));
            groups.push((part % 2, group));
        }
        let groups: Vec<(&Table, usize)> = groups.into_iter().map(|(part, group)| (&parts[part], group)).collect();
        let mut results_of = MergedResults::new(&plan);
        prop_assert_eq!(results_of.check(&groups), merged_all.clone());
        for _ in (0..2).filter(|_| merged_all.is_ok()) {
            let mut out = b"{".to_vec();
            results_of.write(&groups, Some(10.0), &mut WriteScratch::default(), &mut out).unwrap();
            out.push(b'}');
            prop_assert_eq!(String::from_utf8(out).unwrap(), results(&table, merged));
        }
    }

    #[test]
    fn statistics_agree_with_a_naive_model(lines in prop::collection::vec(any_line(), 0..60)) {
        let plan = plan(&["count", "n=count:v", "sum:v", "min:v", "max:v", "avg:v", "var:v", "p25:v"]);
        let mut table = Table::new(&plan);
        let group = feed(&plan, &mut table, &numbered(&lines));
        let found: Value = serde_json::from_str(&results(&table, group)).unwrap();
        let mut exact: Vec<i128> = lines.iter().filter_map(|line| hundredths(line)).collect();
        exact.sort_unstable();
        prop_assert_eq!(found["count"].as_u64().unwrap(), lines.len() as u64);
        prop_assert_eq!(found["n"].as_u64().unwrap(), exact.len() as u64);
        if exact.is_empty() {
            return Ok(());
        }
        let largest = exact.iter().map(|v| v.abs()).max().unwrap() as f64 / 100.0 + 1.0;
        let close = |name: &str, expected: f64, scale: f64| {
            (found[name].as_f64().unwrap() - expected).abs() <= scale * 1e-12
        };
        let sum = exact.iter().sum::<i128>() as f64 / 100.0;
        let mean = sum / exact.len() as f64;
        prop_assert!(close("sum", sum, largest), "sum {}", found);
        prop_assert!(close("avg", mean, largest), "avg {}", found);
        prop_assert!(close("min", exact[0] as f64 / 100.0, largest), "min {}", found);
        prop_assert!(close("max", exact[exact.len() - 1] as f64 / 100.0, largest), "max {}", found);
        if exact.len() > 1 {
            let squares: f64 = exact.iter().map(|v| (*v as f64 / 100.0 - mean).powi(2)).sum();
            prop_assert!(close("var", squares / (exact.len() - 1) as f64, largest * largest), "var {}", found);
        }
        let position = 0.25 * (exact.len() - 1) as f64;
        let low = exact[position as usize] as f64 / 100.0;
        let high = exact[(position as usize + 1).min(exact.len() - 1)] as f64 / 100.0;
        prop_assert!(close("p25", low + (high - low) * position.fract(), largest), "p25 {}", found);
    }

    #[test]
    fn a_merged_variance_is_close_to_the_whole(lines in prop::collection::vec(any_line(), 2..60), cut in 0usize..60) {
        let plan = plan(&["var:v", "avg:v", "max:v"]);
        let mut table = Table::new(&plan);
        let all = numbered(&lines);
        let (left, right) = all.split_at(cut.min(lines.len()));
        let whole = feed(&plan, &mut table, &all);
        let (left, right) = (feed(&plan, &mut table, left), feed(&plan, &mut table, right));
        let copy = table.clone();
        table.merge(left, &copy, right).unwrap();
        let read = |group| serde_json::from_str::<Value>(&results(&table, group)).unwrap()["var"].as_f64();
        match (read(whole), read(left)) {
            (Some(whole), Some(merged)) => prop_assert!((whole - merged).abs() <= 1e-9 * whole.abs() + 1e-9),
            (whole, merged) => prop_assert_eq!(whole, merged),
        }
    }

    #[test]
    fn a_group_survives_its_text_and_goes_on_the_same(
        lines in prop::collection::vec(any_line(), 0..60),
        more in prop::collection::vec(any_line(), 0..20),
        kind in prop::sample::select(vec![
            Percentiles::DdSketch(0.01), Percentiles::TDigest(100), Percentiles::Reservoir(5), Percentiles::Exact(1000),
        ]),
    ) {
        let plan = plan_with(&ALL, kind);
        let mut table = Table::new(&plan);
        let kept = feed(&plan, &mut table, &numbered(&lines));
        let text = saved(&table, kept);
        serde_json::from_str::<Value>(&text).unwrap();
        let restored = table.push();
        load(&mut table, restored, &text).unwrap();
        prop_assert_eq!(saved(&table, restored), text);
        let rest: Vec<(u64, String)> = more.iter().zip(1000..).map(|(line, at)| (at, line.clone())).collect();
        feed_to(&plan, &mut table, kept, &rest);
        feed_to(&plan, &mut table, restored, &rest);
        prop_assert_eq!(results(&table, kept), results(&table, restored));
    }

    /// A flipped byte may give another good state, of which results can be written; it never panics.
    #[test]
    fn a_damaged_state_is_refused_or_goes_on(
        lines in prop::collection::vec(any_line(), 0..40),
        copies in prop::sample::select(vec![1usize, 30]),
        kind in prop::sample::select(vec![
            Percentiles::DdSketch(0.01), Percentiles::TDigest(100), Percentiles::Reservoir(5), Percentiles::Exact(5000),
        ]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let plan = plan_with(&ALL, kind);
        let mut table = Table::new(&plan);
        let many: Vec<String> = lines.iter().cycle().take(lines.len() * copies).cloned().collect();
        let group = feed(&plan, &mut table, &numbered(&many));
        let mut text = saved(&table, group).into_bytes();
        for (place, byte) in damage {
            let at = place.index(text.len());
            text[at] = if byte < 128 { byte } else { text[byte as usize % text.len()] };
        }
        if let Some(place) = cut {
            text.truncate(place.index(text.len()));
        }
        let mut table = Table::new(&plan);
        let group = table.push();
        if table.load(group, &mut StateReader::new(&text)).is_ok() {
            feed_to(&plan, &mut table, group, &[(9_999, r#"{"v":1.5,"s":"x"}"#.to_owned())]);
            let other = table.clone();
            let _ = table.merge(group, &other, group);
            let mut out = Vec::new();
            table.write_results(group, None, &mut WriteScratch::default(), &mut out);
        }
    }
}
