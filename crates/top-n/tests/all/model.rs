//! Against a model that sorts all lines of a key, and changes against what they add up to.

use std::collections::BTreeMap;

use clap::Parser;
use proptest::prelude::*;
use serde_json::Value;
use testkit::play;
use top_n::cli::Cli;

/// A key and two values; the second may be missing.
type Line = (u8, i32, Option<u8>);

fn top_n(flags: &str, lines: &[Line]) -> Vec<Value> {
    let cli = Cli::parse_from(
        ["top-n", "--by", "k", "--order", "a:desc,b:asc", "--rank", "rank"].into_iter().chain(flags.split_whitespace()),
    );
    let text = |(n, (k, a, b)): (usize, &Line)| {
        let b = b.map(|b| format!(",\"b\":{b}.0")).unwrap_or_default();
        format!("{{\"k\":{k},\"a\":{a},\"n\":{n}{b}}}\n")
    };
    let input: String = lines.iter().enumerate().map(text).collect();
    let played = play(cli.top_n().unwrap(), &input);
    played.result.unwrap();
    played.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// (key, rank, number) of the best lines.
fn model(n: usize, ties: bool, lines: &[Line]) -> Vec<(u64, u64, u64)> {
    let mut best = Vec::new();
    for key in 0..4 {
        let mut of_key: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].0 == key).collect();
        let better = |at: &usize| (-lines[*at].1, lines[*at].2.map_or(u32::MAX, u32::from));
        of_key.sort_by_key(better);
        for (place, at) in of_key.iter().enumerate() {
            let above = of_key.iter().filter(|other| better(other) < better(at)).count();
            let rank = if ties { above } else { place };
            if rank < n {
                best.push((u64::from(key), rank as u64 + 1, *at as u64));
            }
        }
    }
    best
}

fn short(line: &Value) -> (u64, u64, u64) {
    let number = |name: &str| line[name].as_u64().unwrap();
    (number("k"), number("rank"), number("n"))
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((0..4u8, -3..4i32, prop::option::of(0..3u8)), 0..60)
}

proptest! {
    #[test]
    fn the_best_lines_are_those_of_the_model(lines in lines(), n in 1..5usize, ties: bool) {
        let ran = top_n(&format!("-n {n} {}", if ties { "--ties" } else { "" }), &lines);
        prop_assert_eq!(ran.iter().map(short).collect::<Vec<_>>(), model(n, ties, &lines));
    }

    /// Deletes take away what is there, and at any time what is there is the best of the lines so far.
    #[test]
    fn changes_add_up_to_the_best_lines(lines in lines(), n in 1..5usize, ties: bool) {
        let flags = format!("-n {n} --emit update {}", if ties { "--ties" } else { "" });
        let changes = top_n(&flags, &lines);
        let mut there = BTreeMap::new();
        for change in &changes {
            let is_new = match change["op"].as_str() {
                Some("insert") => there.insert(short(change), ()).is_none(),
                _ => there.remove(&short(change)).is_some(),
            };
            prop_assert!(is_new, "{change} in {changes:?}");
        }
        prop_assert_eq!(there.into_keys().collect::<Vec<_>>(), {
            let mut best = model(n, ties, &lines);
            best.sort_unstable();
            best
        });
        let before = top_n(&flags, &lines[..lines.len() / 2]);
        prop_assert_eq!(&changes[..before.len()], &before[..]);
    }
}
