//! A table in the stream, against a model that knows all rows of all times.

use clap::Parser;
use lookup::cli::{Cli, Plan};
use proptest::prelude::*;
use testkit::play;

#[derive(Clone, Copy, Debug)]
struct Line {
    is_row: bool,
    key: u8,
    time: i64,
}

const LATENESS: i64 = 6;

/// No line is more than the lateness behind those before it.
fn stream() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((any::<bool>(), 0..3u8, 0..3i64, 0..=LATENESS), 0..60).prop_map(|steps| {
        let mut now = 0;
        let line = |(is_row, key, step, behind): (bool, u8, i64, i64)| {
            now += step;
            Line { is_row, key, time: (now - behind).max(0) }
        };
        steps.into_iter().map(line).collect()
    })
}

/// (number of the line, number of its row) in the order of output.
fn lookup(flags: &str, lines: &[Line]) -> Vec<(u64, Option<u64>)> {
    let words = ["lookup", "--table-where", ".row", "--on", "k=k", "--fields", "r=n"];
    let cli = Cli::parse_from(words.into_iter().chain(flags.split_whitespace()));
    let Plan::Stream(stage) = cli.plan().unwrap() else { panic!("the table is in the stream") };
    let text = |(n, line): (usize, &Line)| {
        format!("{{\"row\":{},\"k\":{},\"t\":{},\"n\":{n}}}\n", line.is_row, line.key, line.time)
    };
    let played = play(*stage, &lines.iter().enumerate().map(text).collect::<String>());
    played.result.unwrap();
    assert_eq!(played.counts.late, 0);
    let values = played.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    values.map(|value| (value["n"].as_u64().unwrap(), value["r"].as_u64())).collect()
}

/// The last row of the key for which `counts`, by `order`.
fn last_row<O: Ord>(
    lines: &[Line],
    key: u8,
    counts: impl Fn(usize) -> bool,
    order: impl Fn(usize) -> O,
) -> Option<u64> {
    let rows = (0..lines.len()).filter(|n| lines[*n].is_row && lines[*n].key == key && counts(*n));
    rows.max_by_key(|n| order(*n)).map(|n| n as u64)
}

proptest! {
    #[test]
    fn with_times_every_line_gets_the_row_of_its_time(lines in stream()) {
        let mut wanting: Vec<usize> = (0..lines.len()).filter(|n| !lines[*n].is_row).collect();
        // A line that comes at or above the watermark waits; one below it is written at once.
        let watermark = |n: usize| lines[..n].iter().map(|line| line.time - LATENESS).max().unwrap_or(i64::MIN);
        wanting.retain(|n| lines[*n].time >= watermark(*n));
        prop_assert!(wanting.len() == lines.iter().filter(|line| !line.is_row).count());
        wanting.sort_by_key(|n| (lines[*n].time, *n));
        let of_time = |n: usize| {
            let row = last_row(&lines, lines[n].key, |row| lines[row].time <= lines[n].time, |row| (lines[row].time, row));
            (n as u64, row)
        };
        let expected: Vec<_> = wanting.into_iter().map(of_time).collect();
        prop_assert_eq!(lookup("--time t --time-unit s --lateness 6s", &lines), expected.clone());
        let inner: Vec<_> = expected.into_iter().filter(|(_, row)| row.is_some()).collect();
        prop_assert_eq!(lookup("--time t --time-unit s --lateness 6s --kind inner", &lines), inner);
    }

    #[test]
    fn without_times_every_line_gets_the_last_row_before_it(lines in stream()) {
        let wanting = (0..lines.len()).filter(|n| !lines[*n].is_row);
        let before = |n: usize| (n as u64, last_row(&lines, lines[n].key, |row| row < n, |row| row));
        prop_assert_eq!(lookup("", &lines), wanting.map(before).collect::<Vec<_>>());
    }
}
