//! Statistics of one field and of two: against numpy, scipy and DuckDB, merged in any way, and through their text.
#![allow(clippy::unwrap_used)]

mod references;

use std::sync::Arc;

use accumulators::{Inputs, MergedResults, Percentiles, Plan, Settings, Table, ValueError, Values, WriteScratch};
use json_fields::Scanner;
use proptest::prelude::*;
use serde_json::Value;
use values::state_text::StateReader;

/// Those whose results are the same to the byte, however groups are merged.
const EXACT: [&str; 9] = [
    "mad:x",
    "iqr:x",
    "geomean:w",
    "wavg:x:w",
    "twa:x:t",
    "entropy:x",
    "histogram:-1,0,2.5,100:x",
    "log2=histogram:log2:x",
    "ohlc:x",
];

/// Those whose last digits depend on the order.
const NEAR: [&str; 8] =
    ["corr:x:y", "covar:x:y", "covar_pop:x:y", "slope:x:y", "intercept:x:y", "r2:x:y", "skewness:x", "kurtosis:x"];

fn all() -> Vec<&'static str> {
    EXACT.into_iter().chain(NEAR).collect()
}

fn plan_with(specs: &[&str], percentiles: Percentiles) -> Arc<Plan> {
    let specs = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    Arc::new(Plan::new(specs, Settings { percentiles, seed: 7, ..Settings::default() }).unwrap())
}

fn plan(specs: &[&str]) -> Arc<Plan> {
    plan_with(specs, Percentiles::default())
}

fn read(plan: &Plan, scanner: &mut Scanner, values: &mut Values, line: &str) -> Result<(), ValueError> {
    let fields = scanner.scan(line.as_bytes()).unwrap();
    let (paths, line) = (fields.as_slice(), line.as_bytes());
    if plan.is_plain() {
        return values.read(plan, paths, line);
    }
    values.read_all(plan, &Inputs { line, paths, computed: b"", expressions: &[], conditions: &[] })
}

/// Feeds lines, each with its sequence number, to a group of the table.
fn feed_to(plan: &Plan, table: &mut Table, group: usize, lines: &[(u64, String)]) {
    let (mut scanner, mut values) = (Scanner::new(plan.paths()), Values::default());
    for (sequence, line) in lines {
        read(plan, &mut scanner, &mut values, line).unwrap();
        table.update(group, &values, line.as_bytes(), *sequence).unwrap();
    }
}

fn feed(plan: &Plan, table: &mut Table, lines: &[(u64, String)]) -> usize {
    let group = table.push();
    feed_to(plan, table, group, lines);
    group
}

fn numbered(lines: &[String]) -> Vec<(u64, String)> {
    (0..).zip(lines.iter().cloned()).collect()
}

fn results(table: &Table, group: usize) -> String {
    let mut out = Vec::new();
    table.write_results(group, Some(10.0), &mut WriteScratch::default(), &mut out);
    let text = format!("{{{}}}", String::from_utf8(out).unwrap());
    serde_json::from_str::<Value>(&text).unwrap();
    text
}

fn of(specs: &[&str], lines: &[String]) -> String {
    let plan = plan(specs);
    let mut table = Table::new(&plan);
    let group = feed(&plan, &mut table, &numbered(lines));
    results(&table, group)
}

fn saved(table: &Table, group: usize) -> String {
    let mut out = Vec::new();
    table.save(group, &mut out);
    String::from_utf8(out).unwrap()
}

fn line(x: &str, y: &str, w: &str, t: &str) -> String {
    format!("{{\"x\":{x},\"y\":{y},\"w\":{w},\"t\":{t}}}")
}

#[test]
fn a_few_lines_give_what_is_worked_out_by_hand() {
    let lines = [line("1", "2", "2", "0"), line("2", "3", "8", "\"1970-01-01T00:00:01Z\""), line("4.0", "1", "1", "4")];
    let expected = concat!(
        r#"{"mad":1,"iqr":1.5,"geomean":2.51984209978975,"wavg":2,"twa":1.75,"entropy":1.58496250072116,"#,
        r#""histogram":[{"le":-1,"count":0},{"le":0,"count":0},{"le":2.5,"count":2},{"le":100,"count":1},{"le":null,"count":0}],"#,
        r#""log2":[{"le":1,"count":1},{"le":2,"count":1},{"le":4,"count":1}],"ohlc":{"open":1,"high":4,"low":1,"close":4}}"#,
    );
    assert_eq!(of(&EXACT, &lines), expected);
}

#[test]
fn a_group_without_values_gives_null_and_a_histogram_of_nothing() {
    let counts = (0..5).map(|_| "0").collect::<Vec<_>>();
    let found: Value = serde_json::from_str(&of(&all(), &["{}".into(), line("null", "1", "null", "1")])).unwrap();
    for (name, value) in found.as_object().unwrap() {
        match name.as_str() {
            "histogram" => assert!(value.as_array().unwrap().iter().map(|b| b["count"].to_string()).eq(counts.clone())),
            "log2" => assert_eq!(value, &Value::Array(Vec::new())),
            _ => assert_eq!(value, &Value::Null, "{name}"),
        }
    }
}

#[test]
fn too_few_values_and_values_that_are_all_the_same_have_no_spread() {
    let specs = ["corr:x:y", "covar:x:y", "covar_pop:x:y", "slope:x:y", "r2:x:y", "skewness:x", "kurtosis:x"];
    let one = [line("0.1", "0.1", "1", "0")];
    let expected = r#"{"corr":null,"covar":null,"covar_pop":0,"slope":null,"r2":null,"skewness":null,"kurtosis":null}"#;
    assert_eq!(of(&specs, &one), expected);
    let same = [&one[..]; 9].concat();
    assert_eq!(of(&specs, &same), expected.replace(r#""covar":null"#, r#""covar":0"#));
}

#[test]
fn a_line_without_one_of_two_fields_does_not_count() {
    let lines = [line("1", "2", "3", "0"), line("null", "5", "3", "1"), line("7", "null", "null", "null"), "{}".into()];
    let specs = ["covar_pop:x:y", "wavg:x:w", "twa:x:t", "n=count:x"];
    assert_eq!(of(&specs, &lines), r#"{"covar_pop":0,"wavg":1,"twa":1,"n":2}"#);
    let plan = plan(&specs);
    let (mut scanner, mut values) = (Scanner::new(plan.paths()), Values::default());
    lines.iter().for_each(|line| read(&plan, &mut scanner, &mut values, line).unwrap());
    assert_eq!(values.skipped(), [3, 3, 3, 2]);
    assert_eq!(plan.labels().collect::<Vec<_>>(), ["x or y", "x or w", "x or t", "x"]);
}

#[test]
fn a_second_field_of_a_wrong_kind_makes_the_line_bad() {
    let plan = plan(&["corr:x:y", "wavg:x:w", "twa:x:t"]);
    let (mut scanner, mut values) = (Scanner::new(plan.paths()), Values::default());
    for (wrong, message) in [
        (line("1", "\"2\"", "1", "1"), r#"field "y" is not a number: "2""#),
        (line("1", "1", "1e999", "1"), r#"field "w": number out of range: 1e999"#),
        (line("1", "1", "1", "\"2026-01-01T00:00:00\""), r#"field "t" is not a time: "2026-01-01T00:00:00""#),
        (line("1", "1", "1", "true"), r#"field "t" is not a time: true"#),
        (line("[1]", "1", "1", "1"), r#"field "x" is not a number: [1]"#),
    ] {
        assert_eq!(read(&plan, &mut scanner, &mut values, &wrong).unwrap_err().to_string(), message);
    }
    let hint = read(&plan, &mut scanner, &mut values, &line("1", "1", "1", "\"a\"")).unwrap_err().with_hint();
    assert!(hint.contains("strptime"), "{hint}");
}

/// What cannot be computed is null, never a text that is no JSON; and what can be is.
#[test]
fn results_beyond_the_range_of_doubles_are_null() {
    let lines = [
        line("1e308", "1e308", "1e308", "0"),
        line("-1.7e308", "1e307", "1.5e308", "1e18"),
        line("3", "1e-300", "1e308", "1"),
        line("1.7e308", "-4", "1e308", "2"),
    ];
    let found: Value = serde_json::from_str(&of(&all(), &lines)).unwrap();
    for name in NEAR {
        assert_eq!(found[name.split(':').next().unwrap()], Value::Null, "{name}: {found}");
    }
    assert_eq!((&found["wavg"], &found["twa"]), (&Value::Null, &Value::Null));
    assert_eq!((&found["mad"], &found["entropy"]), (&Value::from(8.5e307), &Value::from(2)), "{found}");
    assert!(found["geomean"].is_number() && found["ohlc"].is_object(), "{found}");
    let tiny = [line("1e-320", "1", "1", "0"), line("2e-320", "2", "1", "1"), line("4e-320", "4", "0", "2")];
    of(&all(), &tiny);
}

/// Integers, decimals, doubles, missing and null.
fn any_line() -> impl Strategy<Value = String> {
    let number = || {
        prop_oneof![
            4 => (-50i64..50).prop_map(|n| n.to_string()),
            4 => (-10_000i64..10_000).prop_map(|n| format!("{}.{:02}", n / 100, n.abs() % 100)),
            1 => Just("null".to_owned()),
        ]
    };
    let weight = (1u32..5_000).prop_map(|n| format!("{}.{}", n / 10, n % 10));
    let time = prop_oneof![9 => (0u32..500).prop_map(|s| s.to_string()), 1 => Just("null".to_owned())];
    (number(), number(), weight, time).prop_map(|(x, y, w, t)| line(&x, &y, &w, &t))
}

fn kinds() -> impl Strategy<Value = Percentiles> {
    prop::sample::select(vec![
        Percentiles::DdSketch(0.01),
        Percentiles::TDigest(100),
        Percentiles::Reservoir(5),
        Percentiles::Exact(5000),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn parts_merged_in_any_order_equal_the_whole(
        lines in prop::collection::vec((any_line(), 0usize..4), 0..60),
        order in Just([0usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let plan = plan(&EXACT);
        let (mut table, mut parts) = (Table::new(&plan), Table::new(&plan));
        let whole: Vec<(u64, String)> = lines.iter().zip(0..).map(|((line, _), at)| (at, line.clone())).collect();
        let all = feed(&plan, &mut table, &whole);
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

    #[test]
    fn results_of_parts_together_are_those_of_the_merged_group(
        lines in prop::collection::vec((any_line(), 0usize..5), 0..60),
        copies in prop::sample::select(vec![1usize, 12, 60]),
        kind in kinds(),
    ) {
        let plan = plan_with(&all(), kind);
        let (mut table, mut parts) = (Table::new(&plan), Table::new(&plan));
        let merged = table.push();
        for part in 0..5 {
            let mine: Vec<&(String, usize)> = lines.iter().filter(|(_, number)| *number == part).collect();
            let times = mine.len() * if part == 3 { copies } else { 1 };
            let mine: Vec<String> = mine.into_iter().cycle().take(times).map(|(line, _)| line.clone()).collect();
            let group = feed(&plan, &mut parts, &numbered(&mine));
            table.merge(merged, &parts, group).unwrap();
        }
        let groups: Vec<(&Table, usize)> = (0..5).map(|group| (&parts, group)).collect();
        let mut results_of = MergedResults::new(&plan);
        for _ in 0..2 {
            let mut out = b"{".to_vec();
            results_of.write(&groups, Some(10.0), &mut WriteScratch::default(), &mut out).unwrap();
            out.push(b'}');
            prop_assert_eq!(String::from_utf8(out).unwrap(), results(&table, merged));
        }
    }

    #[test]
    fn a_group_survives_its_text_and_goes_on_the_same(
        lines in prop::collection::vec(any_line(), 0..200),
        more in prop::collection::vec(any_line(), 0..20),
        kind in kinds(),
    ) {
        let plan = plan_with(&all(), kind);
        let mut table = Table::new(&plan);
        let kept = feed(&plan, &mut table, &numbered(&lines));
        let text = saved(&table, kept);
        serde_json::from_str::<Value>(&text).unwrap();
        let restored = table.push();
        table.load(restored, &mut StateReader::new(text.as_bytes())).unwrap();
        prop_assert_eq!(saved(&table, restored), text);
        let rest: Vec<(u64, String)> = more.iter().zip(1000..).map(|(line, at)| (at, line.clone())).collect();
        feed_to(&plan, &mut table, kept, &rest);
        feed_to(&plan, &mut table, restored, &rest);
        prop_assert_eq!(results(&table, kept), results(&table, restored));
        table.reset(kept);
        let empty = table.push();
        prop_assert_eq!(saved(&table, kept), saved(&table, empty));
    }

    #[test]
    fn a_damaged_state_is_refused_or_goes_on(
        lines in prop::collection::vec(any_line(), 0..150),
        kind in kinds(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let plan = plan_with(&all(), kind);
        let mut table = Table::new(&plan);
        let group = feed(&plan, &mut table, &numbered(&lines));
        let mut text = saved(&table, group).into_bytes();
        for (place, byte) in damage {
            let at = place.index(text.len());
            text[at] = if byte < 128 { byte } else { text[byte as usize % text.len()] };
        }
        if let Some(place) = cut {
            text.truncate(place.index(text.len()));
        }
        if table.load(group, &mut StateReader::new(&text)).is_ok() {
            feed_to(&plan, &mut table, group, &[(9_999, line("1.5", "2", "3", "4"))]);
            let other = table.clone();
            let _ = table.merge(group, &other, group);
            let mut out = Vec::new();
            table.write_results(group, None, &mut WriteScratch::default(), &mut out);
        }
    }
}

/// Beyond the values that are kept: of a sketch, a digest or a sample.
#[test]
fn distances_of_many_values_are_near() {
    let values: Vec<f64> = (0..20_000_u64).map(|n| ((n * 7919 % 20_011) as f64 / 2e3).exp()).collect();
    let lines: Vec<String> = values.iter().map(|x| format!("{{\"x\":{x}}}")).collect();
    let quantile = |sorted: &[f64], part: f64| sorted[(part * (sorted.len() - 1) as f64) as usize];
    let sorted = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values
    };
    let values = sorted(values);
    let middle = quantile(&values, 0.5);
    let mad = quantile(&sorted(values.iter().map(|x| (x - middle).abs()).collect()), 0.5);
    let iqr = quantile(&values, 0.75) - quantile(&values, 0.25);
    for (kind, tolerance) in [
        (Percentiles::DdSketch(0.01), 0.02),
        (Percentiles::TDigest(200), 0.01),
        (Percentiles::Exact(20_000), 0.001),
        (Percentiles::Reservoir(5_000), 0.2),
    ] {
        let plan = plan_with(&["mad:x", "iqr:x"], kind);
        let mut table = Table::new(&plan);
        let group = feed(&plan, &mut table, &numbered(&lines));
        let found: Value = serde_json::from_str(&results(&table, group)).unwrap();
        let near = |name: &str, expected: f64| (found[name].as_f64().unwrap() / expected - 1.0).abs() < tolerance;
        assert!(near("mad", mad) && near("iqr", iqr), "{kind}: {found}, not {mad} and {iqr}");
    }
}

#[test]
fn states_say_what_they_are_of() {
    let states = |specs: &[&str]| plan(specs).states();
    let expected = "corr|covar|slope:.x:.y wavg:.x:.w twa:.x:.t skewness|kurtosis:.x histogram:1,2:.x";
    assert_eq!(states(&["corr:x:y", "r2:x:y", "wavg:x:w", "twa:x:t", "kurtosis:x", "histogram:1,2.0:x"]), expected);
    assert_ne!(states(&["histogram:1,2:x"]), states(&["histogram:1,3:x"]));
    let text = {
        let plan = plan(&["corr:x:y", "wavg:x:w", "twa:x:t", "geomean:w", "log2=histogram:log2:x"]);
        let mut table = Table::new(&plan);
        let group = feed(&plan, &mut table, &numbered(&[line("1", "2", "0.50", "3"), line("3", "4", "2", "5")]));
        saved(&table, group)
    };
    let expected = concat!(
        r#"{"lines":2,"pairs":[[2,2e0,0e0,3e0,0e0,2e0,2e0,2e0]],"logs":[[2,0,0,2,-25572617290405310464]],"weighted":[[2,6.50,2.50]],"#,
        r#""histograms":[[[1100,1],[1102,1]]],"held":[[0,null,[[3000,0,1],[5000,1,3]]]]}"#,
    );
    assert_eq!(text, expected);
}
