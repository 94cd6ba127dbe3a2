//! The same results by other means: counts and sums in a few lines, to compare an undisturbed run with.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::line_models;
use crate::program::copies_of;
use crate::script::{Item, Script};

/// Count and sum by window and key.
type Cells = BTreeMap<(String, String), (i64, i64)>;

/// What a pipeline's lines should say, for those that have a model.
///
/// # Errors
/// The difference.
pub fn check(pipeline: &str, script: &Script, lines: &[Vec<u8>]) -> Result<(), String> {
    match pipeline {
        "lines" => same(&sorted(script.items().map(|item| &item.line)), &sorted(lines)),
        "copies" => {
            let copied = script.items().flat_map(|item| vec![&item.line; copies_of(&item.line)]);
            same(&sorted(copied), &sorted(lines))
        }
        "tumbling" | "foreign" => same(&windows(script, 10_000, 10_000), &cells(lines)),
        "hopping" => same(&windows(script, 10_000, 5_000), &cells(lines)),
        "two-levels" => same(&two_levels(script), &cells(lines)),
        "dedup-first" => same(&sorted(&line_models::firsts(script)), &sorted(lines)),
        "dedup-last" => same(&sorted(&line_models::latest(script)), &sorted(lines)),
        "anti-joined" => same(&sorted(&line_models::without_partner(script)), &sorted(lines)),
        "looked-up" => same(&sorted(&line_models::with_rows(script)), &sorted(lines)),
        "running" => same(&totals(script), &last_cells(lines)),
        _ => Ok(()),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(expected: &T, found: &T) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("the model says {expected:?}, the operators {found:?}")) }
}

fn sorted<'a>(lines: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<Vec<u8>> {
    let mut lines: Vec<_> = lines.into_iter().cloned().collect();
    lines.sort_unstable();
    lines
}

fn windows(script: &Script, size_ms: i64, slide_ms: i64) -> Cells {
    let mut cells = Cells::new();
    for (item, time_ms) in timed(script) {
        let last = time_ms.div_euclid(slide_ms) * slide_ms;
        for start in (0..size_ms / slide_ms).map(|back| last - back * slide_ms) {
            add(&mut cells, start, &item.key, item.value);
        }
    }
    cells
}

/// Of windows of 5 s: how many there are in 20 s, and their sum.
fn two_levels(script: &Script) -> Cells {
    let mut small: BTreeMap<(i64, &str), i64> = BTreeMap::new();
    for (item, time_ms) in timed(script) {
        *small.entry((time_ms.div_euclid(5_000) * 5_000, &item.key)).or_default() += item.value;
    }
    let mut cells = Cells::new();
    for ((start, key), sum) in small {
        add(&mut cells, start.div_euclid(20_000) * 20_000, key, sum);
    }
    cells
}

fn totals(script: &Script) -> Cells {
    let mut cells = Cells::new();
    for item in script.items() {
        let cell = cells.entry((String::new(), item.key.clone())).or_default();
        *cell = (cell.0 + 1, cell.1 + item.value);
    }
    cells
}

fn timed(script: &Script) -> impl Iterator<Item = (&Item, i64)> {
    script.items().filter_map(|item| Some((item, item.time_ms?)))
}

fn add(cells: &mut Cells, start_ms: i64, key: &str, value: i64) {
    let start = chrono_text(start_ms);
    let cell = cells.entry((start, key.to_owned())).or_default();
    *cell = (cell.0 + 1, cell.1 + value);
}

/// Seconds are enough: windows start at whole ones. All lines are of one day.
fn chrono_text(ms: i64) -> String {
    let s = (ms - crate::script::FIRST_MS) / 1_000;
    let (day, s) = if s < 0 { ("2025-12-31", s + 86_400) } else { ("2026-01-01", s) };
    format!("{day}T{:02}:{:02}:{:02}Z", s / 3_600, s / 60 % 60, s % 60)
}

fn cells(lines: &[Vec<u8>]) -> Cells {
    let mut cells = Cells::new();
    for (place, (n, total)) in lines.iter().filter_map(|line| cell(line)) {
        // A second result of the same place must not hide the first.
        let cell = cells.entry(place).or_default();
        *cell = (cell.0 + n, cell.1 + total);
    }
    cells
}

/// Of updates, the last one of each key counts.
fn last_cells(lines: &[Vec<u8>]) -> Cells {
    lines.iter().filter_map(|line| cell(line)).collect()
}

fn cell(line: &[u8]) -> Option<((String, String), (i64, i64))> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Some(((text("window_start"), text("k")), (value["n"].as_i64()?, value["total"].as_i64()?)))
}
