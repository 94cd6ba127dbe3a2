//! What tools that pass lines on should write, by other means than theirs: each line is compared with all others.

use std::collections::BTreeMap;

use crate::script::{Item, Script};

type Lines = Vec<Vec<u8>>;

/// `dedup --by k,.v%20`: a key is in one partition.
pub fn firsts(script: &Script) -> Lines {
    let mut known = BTreeMap::new();
    for item in script.items() {
        known.entry(slot(item)).or_insert(item);
    }
    known.into_values().map(|item| item.line.clone()).collect()
}

/// The same with `--keep last --time t`.
pub fn latest(script: &Script) -> Lines {
    let mut known: BTreeMap<_, &Item> = BTreeMap::new();
    for item in timed(script) {
        let known = known.entry(slot(item)).or_insert(item);
        if item.time_ms >= known.time_ms {
            *known = item;
        }
    }
    known.into_values().map(|item| item.line.clone()).collect()
}

fn slot(item: &Item) -> (&str, i64) {
    (&item.key, item.value % 20)
}

/// `stream-join --kind anti`: even lines without one divisible by 3 within a second, and those that are neither.
pub fn without_partner(script: &Script) -> Lines {
    let is_left = |item: &Item| item.value % 2 == 0;
    let is_right = |item: &Item| item.value % 3 == 0;
    let are_near = |a: &Item, b: &Item| a.time_ms.zip(b.time_ms).is_some_and(|(a, b)| (a - b).abs() <= 1_000);
    let has_partner =
        |left: &Item| timed(script).any(|right| is_right(right) && right.key == left.key && are_near(left, right));
    let is_written = |item: &&Item| if is_left(item) { !has_partner(item) } else { !is_right(item) };
    timed(script).filter(is_written).map(|item| item.line.clone()).collect()
}

/// `lookup`: rows are divisible by 5, and those divisible by 20 take their key out of the table.
pub fn with_rows(script: &Script) -> Lines {
    script.partitions.iter().flat_map(|items| with_rows_of(items)).collect()
}

fn with_rows_of(items: &[Item]) -> Lines {
    let timed: Vec<(usize, &Item)> = items.iter().enumerate().filter(|(_, item)| item.time_ms.is_some()).collect();
    let (rows, lines): (Vec<_>, Vec<_>) = timed.into_iter().partition(|(_, item)| item.value % 5 == 0);
    let row_of = |line: &Item| {
        let known = rows.iter().filter(|(_, row)| row.key == line.key && row.time_ms <= line.time_ms);
        // Of equal times the last one.
        known.max_by_key(|(at, row)| (row.time_ms, *at)).filter(|(_, row)| row.value % 20 != 0)
    };
    let joined = |line: &Item| match row_of(line) {
        None => line.line.clone(),
        Some((at, row)) => {
            let members = line.line.strip_suffix(b"}").unwrap_or(&line.line);
            [members, format!(",\"rate\":{},\"row\":{at}}}", row.value).as_bytes()].concat()
        }
    };
    lines.into_iter().map(|(_, line)| joined(line)).collect()
}

fn timed(script: &Script) -> impl Iterator<Item = &Item> {
    script.items().filter(|item| item.time_ms.is_some())
}
