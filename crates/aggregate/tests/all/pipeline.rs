//! `window | aggregate` against an independent computation from the raw lines: slow, and by trying everything.

use std::collections::BTreeMap;

use aggregate::Aggregate;
use aggregate::cli::Cli;
use clap::Parser;
use testkit::{bin, every_way, play, run};

#[derive(Clone)]
struct Line {
    id: u64,
    t: i64,
    k: u64,
    v: i64,
}

/// Disordered lines of a few keys, some of them very late, with pauses now and then.
fn lines(seed: u64, count: u64) -> Vec<Line> {
    let mut state = seed;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut now = 1_700_000_000_000;
    (0..count)
        .map(|id| {
            now += if below(100) == 0 { 25_000 } else { below(400) as i64 };
            let behind = if below(12) == 0 { below(40_000) } else { below(1_500) } as i64;
            Line { id, t: now - behind, k: below(6), v: below(2_000) as i64 - 1_000 }
        })
        .collect()
}

fn text(lines: &[Line]) -> String {
    let line = |l: &Line| {
        let hundredths = format!("{}{}.{:02}", if l.v < 0 { "-" } else { "" }, l.v.abs() / 100, l.v.abs() % 100);
        format!("{{\"t\":{},\"k\":{},\"id\":{},\"v\":{hundredths}}}\n", l.t, l.k, l.id)
    };
    lines.iter().map(line).collect()
}

/// Lines of a window and key, in order of arrival.
type Cells = BTreeMap<(i64, i64, u64), Vec<Line>>;

/// Result rows by (end, start, key), as the model writes them.
fn rows(cells: &Cells, time: bool) -> Vec<String> {
    cells.iter().map(|((end, start, k), lines)| row(*start, *end, *k, lines, time)).collect()
}

fn row(start: i64, end: i64, k: u64, lines: &[Line], time: bool) -> String {
    let bound = |value: i64| match time {
        true => format!("\"{}\"", event_time::format_rfc3339(value)),
        false => value.to_string(),
    };
    let values: Vec<i64> = lines.iter().map(|l| l.v).collect();
    let sum: i64 = values.iter().sum();
    let decimal = |hundredths: i64| {
        let text = format!("{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        format!("{}{text}", if hundredths < 0 { "-" } else { "" })
    };
    let ids: Vec<String> = lines.iter().map(|l| l.id.to_string()).collect();
    format!(
        "{{\"window_start\":{},\"window_end\":{},\"k\":{k},\"count\":{},\"sum\":{},\"min\":{},\"max\":{},\"first\":{},\"last\":{},\"ids\":[{}]}}",
        bound(start),
        bound(end),
        lines.len(),
        decimal(sum),
        decimal(*values.iter().min().unwrap()),
        decimal(*values.iter().max().unwrap()),
        ids[0],
        ids[ids.len() - 1],
        ids.join(",")
    )
}

const RESULTS: [&str; 9] =
    ["--by", "k", "count", "sum:v", "min:v", "max:v", "first:id", "last:id", "ids=list:10000:id"];

/// All windows of a size and slide, with the watermark just before each line.
fn expect_time(lines: &[Line], size: i64, slide: i64, lateness: i64) -> Cells {
    let mut cells = Cells::new();
    let mut watermark = i64::MIN;
    for line in lines {
        let last = line.t.div_euclid(slide) * slide;
        let starts = (0..size / slide + 1).map(|step| last - step * slide).filter(|start| line.t < start + size);
        for start in starts.filter(|start| watermark < start + size - 1) {
            cells.entry((start + size, start, line.k)).or_default().push(line.clone());
        }
        watermark = watermark.max(line.t - lateness);
    }
    cells
}

fn expect_cumulate(lines: &[Line], size: i64, step: i64, lateness: i64) -> Cells {
    let mut cells = Cells::new();
    let mut watermark = i64::MIN;
    for line in lines {
        let start = line.t.div_euclid(size) * size;
        for end in (1..=size / step).map(|n| start + n * step).filter(|end| line.t < *end && watermark < end - 1) {
            cells.entry((end, start, line.k)).or_default().push(line.clone());
        }
        watermark = watermark.max(line.t - lateness);
    }
    cells
}

/// Sessions that touch join; one is over when the watermark has passed it.
fn expect_sessions(lines: &[Line], gap: i64, lateness: i64) -> Cells {
    let mut open: Vec<(i64, i64, u64, Vec<Line>)> = Vec::new();
    let mut done = Cells::new();
    let mut watermark = i64::MIN;
    for line in lines {
        let (mut start, mut end) = (line.t, line.t + gap);
        let (touching, rest): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(s, e, k, _)| *k == line.k && *s <= end && start <= *e);
        open = rest;
        if !touching.is_empty() || watermark < end - 1 {
            let mut members = vec![line.clone()];
            for (s, e, _, other) in touching {
                (start, end) = (start.min(s), end.max(e));
                members.extend(other);
            }
            members.sort_by_key(|l| l.id);
            open.push((start, end, line.k, members));
        }
        watermark = watermark.max(line.t - lateness);
        let (over, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, e, _, _)| watermark >= e - 1);
        open = rest;
        done.extend(over.into_iter().map(|(s, e, k, members)| ((e, s, k), members)));
    }
    done.extend(open.into_iter().map(|(s, e, k, members)| ((e, s, k), members)));
    done
}

fn expect_counts(lines: &[Line], size: usize, slide: usize) -> Cells {
    let mut cells = Cells::new();
    for k in 0..6 {
        let mine: Vec<&Line> = lines.iter().filter(|l| l.k == k).collect();
        for start in (0..mine.len()).step_by(slide) {
            let members: Vec<Line> = mine[start..(start + size).min(mine.len())].iter().map(|l| (*l).clone()).collect();
            cells.insert(((start + size) as i64, start as i64, k), members);
        }
    }
    cells
}

pub fn windowed(flags: &str, input: &str) -> String {
    let flags: Vec<&str> = flags.split_whitespace().chain(["--late", "drop"]).collect();
    let flags = if flags[0] == "--count" { &flags[..flags.len() - 2] } else { &flags[..] };
    run(bin("window").to_str().unwrap(), flags, input).ok()
}

fn aggregated(annotated: &str) -> Vec<String> {
    let ran = run(env!("CARGO_BIN_EXE_aggregate"), &RESULTS, annotated);
    ran.ok().lines().map(str::to_owned).collect()
}

fn stage() -> Aggregate {
    let args = std::iter::once("aggregate").chain(RESULTS);
    Aggregate::new(Cli::parse_from(args).job().unwrap())
}

/// Fails with the first row that differs.
fn compare(found: &[String], expected: &[String], what: &str) {
    let differs = found.iter().zip(expected).position(|(a, b)| a != b);
    if let Some(at) = differs {
        panic!("{what}: row {at} is\n{}\nand should be\n{}", found[at], expected[at]);
    }
    assert_eq!(found.len(), expected.len(), "{what}: number of rows");
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

#[test]
fn tumbling_windows_equal_the_model() {
    for seed in 0..4 {
        let lines = lines(seed, 1_500);
        let annotated = windowed("--size 10s --time t --lateness 2s", &text(&lines));
        let expected = expect_time(&lines, 10_000, 10_000, 2_000);
        let taken: usize = expected.values().map(Vec::len).sum();
        assert!(taken < lines.len() - 10, "there are late lines");
        compare(&aggregated(&annotated), &rows(&expected, true), "");
    }
}

#[test]
fn hopping_windows_equal_the_model_with_lines_late_for_some_of_them() {
    for (flags, slide) in [("--slide 2s", 2_000), ("--slide 2s --expand", 2_000), ("--slide 5s", 5_000)] {
        let lines = lines(7, 1_500);
        let annotated = windowed(&format!("--size 10s {flags} --time t --lateness 2s"), &text(&lines));
        compare(&aggregated(&annotated), &rows(&expect_time(&lines, 10_000, slide, 2_000), true), flags);
    }
}

#[test]
fn cumulating_windows_equal_the_model() {
    let lines = lines(8, 1_500);
    let annotated = windowed("--size 30s --cumulate 5s --time t --lateness 2s", &text(&lines));
    compare(&aggregated(&annotated), &rows(&expect_cumulate(&lines, 30_000, 5_000, 2_000), true), "");
}

#[test]
fn sessions_equal_the_model() {
    for (seed, gap) in [(1, 400), (2, 1_500), (3, 5_000), (4, 400), (5, 800), (6, 400), (7, 2_500)] {
        let lines = lines(seed, 1_500);
        let annotated = windowed(&format!("--session {gap}ms --by k --time t --lateness 1s"), &text(&lines));
        let expected = expect_sessions(&lines, gap, 1_000);
        assert!(expected.len() > 20, "there are many sessions");
        compare(&aggregated(&annotated), &rows(&expected, true), &format!("gap {gap}"));
    }
}

#[test]
fn count_windows_equal_the_model() {
    for (flags, size, slide) in [
        ("--count 7", 7, 7),
        ("--count 10 --slide-count 4", 10, 4),
        ("--count 10 --slide-count 4 --expand", 10, 4),
        ("--count 3 --slide-count 1", 3, 1),
        ("--count 7 --plain", 7, 7),
    ] {
        let lines = lines(5, 700);
        let annotated = windowed(&format!("{flags} --by k"), &text(&lines));
        let found = aggregated(&annotated);
        compare(&sorted(found), &sorted(rows(&expect_counts(&lines, size, slide), false)), flags);
    }
}

#[test]
fn every_way_of_running_gives_the_same_results() {
    let input = text(&lines(11, 160));
    for flags in [
        "--size 10s --time t",
        "--size 10s --slide 2s --time t --lateness 5s",
        "--size 30s --cumulate 5s --time t",
        "--session 800ms --by k --time t --lateness 10s",
        "--count 10 --slide-count 4 --by k",
        "--count 7 --by k",
        "--count 7 --by k --plain",
        "--count 10 --slide-count 4 --by k --plain",
    ] {
        every_way(stage, &windowed(flags, &input));
    }
}

#[test]
fn every_way_of_running_gives_the_same_results_where_windows_are_of_fewer_fields_than_keys() {
    let input = text(&lines(12, 160));
    for flags in ["--session 300ms --time t --lateness 30s", "--count 10 --slide-count 4", "--count 7"] {
        every_way(stage, &windowed(flags, &input));
    }
}

/// A stage in whose windows lines wait for others as soon as there are so many groups.
fn waiting(from: usize, args: &[&str]) -> Aggregate {
    let args = ["aggregate", "--by", "k", "count", "n=count:id", "sum:v", "max:v", "var:v", "p90:v"].iter().chain(args);
    let mut job = Cli::parse_from(args).job().unwrap();
    assert!(job.waits_from < usize::MAX, "these results are of numbers alone");
    job.waits_from = from;
    Aggregate::new(job)
}

#[test]
fn lines_that_wait_for_others_give_the_same_results() {
    for flags in ["--size 10s --time t", "--size 10s --slide 2s --time t --lateness 5s"] {
        let input = windowed(flags, &text(&lines(14, 900)));
        let expected = play(waiting(usize::MAX, &[]), &input);
        for from in [0, 1, 4] {
            let found = play(waiting(from, &[]), &input);
            assert_eq!((found.out, found.counts), (expected.out.clone(), expected.counts), "{flags}, from {from}");
        }
        every_way(|| waiting(3, &[]), &windowed(flags, &text(&lines(15, 160))));
    }
}

#[test]
fn the_line_that_is_one_key_too_many_is_named_also_where_lines_wait() {
    let keys = (0..200).map(|key| format!("{{\"t\":1000,\"k\":{},\"v\":1}}\n", key / 2)).collect::<String>();
    let input = windowed("--size 10s --time t --time-unit ms", &keys);
    for max in ["1", "31", "32", "33", "34", "64", "65", "90"] {
        let stopped = |from| format!("{:?}", play(waiting(from, &["--max-keys", max]), &input).result);
        assert_eq!(stopped(0), stopped(usize::MAX), "--max-keys {max}");
        let lines_before = |from| play(waiting(from, &["--max-keys", max]), &input).counts.lines_in;
        assert_eq!(lines_before(0), lines_before(usize::MAX), "--max-keys {max}");
    }
}

#[test]
fn every_state_survives_every_way_of_running() {
    let input = windowed("--size 30s --time t", &text(&lines(13, 160)));
    for how in ["ddsketch", "tdigest", "exact", "reservoir:3"] {
        let args = "aggregate --by k count c=count:id sum:v var:v p50:v p99:v first:v delta:v list:3:id top:v mode:k distinct:id";
        let args: Vec<&str> = args.split(' ').chain(["--percentiles", how]).collect();
        every_way(|| Aggregate::new(Cli::parse_from(&args).job().unwrap()), &input);
    }
}

#[test]
fn sessions_of_fewer_fields_than_the_keys_hold_groups() {
    let input = r#"{"t":1000,"u":"a","p":1}
{"t":1500,"u":"a","p":2}
{"t":9000,"u":"a","p":1}
{"t":9100,"u":"b","p":2}
{"t":2400,"u":"a","p":1}
"#;
    let annotated = windowed("--session 1s --by u --time t --time-unit ms --lateness 20s", input);
    let ran = run(env!("CARGO_BIN_EXE_aggregate"), &["--by", "p,u", "count"], &annotated);
    let expected = r#"{"window_start":"1970-01-01T00:00:01Z","window_end":"1970-01-01T00:00:03.400Z","p":1,"u":"a","count":2}
{"window_start":"1970-01-01T00:00:01Z","window_end":"1970-01-01T00:00:03.400Z","p":2,"u":"a","count":1}
{"window_start":"1970-01-01T00:00:09Z","window_end":"1970-01-01T00:00:10Z","p":1,"u":"a","count":1}
{"window_start":"1970-01-01T00:00:09.100Z","window_end":"1970-01-01T00:00:10.100Z","p":2,"u":"b","count":1}
"#;
    assert_eq!(ran.ok(), expected);
}

#[test]
fn results_can_be_windowed_and_aggregated_again() {
    let lines = lines(3, 1_000);
    let aggregate = env!("CARGO_BIN_EXE_aggregate");
    let annotated = windowed("--size 10s --time t --lateness 2s", &text(&lines));
    let first = run(aggregate, &["--by", "k", "count", "--keep-marks"], &annotated).ok();
    let again = windowed("--size 1m --time window_start", &first);
    let counts = run(aggregate, &["n=sum:count"], &again).ok();
    let total: u64 =
        counts.lines().map(|l| l.split("\"n\":").nth(1).unwrap().trim_end_matches('}').parse::<u64>().unwrap()).sum();
    let expected: usize = expect_time(&lines, 10_000, 10_000, 2_000).values().map(Vec::len).sum();
    assert_eq!(total, expected as u64);
}
