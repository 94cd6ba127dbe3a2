//! Against a model that goes through all earlier lines for each line, and knows no state.

use clap::Parser;
use dedup::cli::Cli;
use proptest::prelude::*;
use testkit::play_with;

const WITHIN: i64 = 10;
const LATENESS: i64 = 4;

#[derive(Clone, Copy, Debug)]
struct Line {
    key: u8,
    time: i64,
}

fn stream() -> impl Strategy<Value = Vec<Line>> {
    let line = (0..4u8, 0..3i64, 0..25i64);
    prop::collection::vec(line, 0..60).prop_map(|steps| {
        let mut now = 0;
        let mut lines = Vec::new();
        for (key, step, behind) in steps {
            now += step * 2;
            lines.push(Line { key, time: (now - if behind > 12 { 0 } else { behind * 2 }).max(0) });
        }
        lines
    })
}

/// The numbers of the lines that came out, and of those that were late.
fn dedup(flags: &str, lines: &[Line]) -> (Vec<usize>, u64) {
    let words = ["dedup", "--by", "k", "--late", "drop", "--within", "10s", "--time", "t", "--lateness", "4s"];
    let without = ["dedup", "--by", "k"];
    let words = if flags.contains("forever") { &without[..] } else { &words[..] };
    let cli = Cli::parse_from(words.iter().copied().chain(flags.split_whitespace().filter(|flag| *flag != "forever")));
    let text = |(n, line): (usize, &Line)| format!("{{\"k\":{},\"t\":{},\"n\":{n}}}\n", line.key, line.time);
    let input: String = lines.iter().enumerate().map(text).collect();
    let played = play_with(cli.dedup().unwrap(), cli.config(), &input);
    played.result.clone().unwrap();
    let number = |line: &str| line.trim_end_matches('}').rsplit(':').next().unwrap().parse().unwrap();
    (played.data().lines().map(number).collect(), played.counts.late)
}

/// The watermark before line `n`.
fn watermark(lines: &[Line], n: usize) -> i64 {
    lines[..n].iter().map(|line| line.time - LATENESS).max().unwrap_or(i64::MIN / 2)
}

fn late(lines: &[Line]) -> Vec<bool> {
    (0..lines.len()).map(|n| lines[n].time + WITHIN <= watermark(lines, n)).collect()
}

fn model_first(lines: &[Line]) -> Vec<usize> {
    let late = late(lines);
    let mut passed: Vec<usize> = Vec::new();
    for n in (0..lines.len()).filter(|n| !late[*n]) {
        let now = watermark(lines, n).max(lines[n].time);
        if !passed.iter().any(|p| lines[*p].key == lines[n].key && lines[*p].time + WITHIN > now) {
            passed.push(n);
        }
    }
    passed
}

/// A line is written unless another of its key follows it in less than `WITHIN`, and arrives before it is final. By
/// time, then arrival.
fn model_last(lines: &[Line]) -> Vec<usize> {
    let late = late(lines);
    let final_at = |n: usize| (n + 1..=lines.len()).find(|end| watermark(lines, *end) >= lines[n].time + WITHIN);
    let is_followed = |n: usize| {
        (0..final_at(n).unwrap_or(lines.len())).any(|other| {
            let (a, b) = (lines[n], lines[other]);
            a.key == b.key && !late[other] && (b.time, other) > (a.time, n) && b.time < a.time + WITHIN
        })
    };
    let mut kept: Vec<usize> = (0..lines.len()).filter(|n| !late[*n] && !is_followed(*n)).collect();
    kept.sort_by_key(|n| (final_at(*n).unwrap_or(usize::MAX), lines[*n].time, *n));
    kept
}

fn model_update(lines: &[Line]) -> Vec<usize> {
    let late = late(lines);
    let later = |n: usize| {
        let is_known = |m: &usize| lines[*m].time + WITHIN > watermark(lines, n);
        (0..n).filter(is_known).any(|m| !late[m] && lines[m].key == lines[n].key && lines[m].time > lines[n].time)
    };
    (0..lines.len()).filter(|n| !late[*n] && !later(*n)).collect()
}

proptest! {
    #[test]
    fn lines_come_out_as_the_model_says(lines in stream()) {
        let late = late(&lines).iter().filter(|late| **late).count() as u64;
        prop_assert_eq!(dedup("", &lines), (model_first(&lines), late));
        prop_assert_eq!(dedup("--keep last", &lines), (model_last(&lines), late));
        prop_assert_eq!(dedup("--keep last --emit update", &lines), (model_update(&lines), late));
    }

    /// In the order of watermarks, and where no line is behind one, all keys are each for itself.
    #[test]
    fn other_keys_make_no_difference(mut lines in stream()) {
        lines.sort_by_key(|line| line.time);
        for flags in ["", "--keep last", "--keep last --emit update"] {
            let all = dedup(flags, &lines).0;
            for key in 0..4 {
                let numbers: Vec<usize> = (0..lines.len()).filter(|n| lines[*n].key == key).collect();
                let own: Vec<Line> = numbers.iter().map(|n| lines[*n]).collect();
                let alone: Vec<usize> = dedup(flags, &own).0.iter().map(|n| numbers[*n]).collect();
                let among: Vec<usize> = all.iter().copied().filter(|n| lines[*n].key == key).collect();
                prop_assert_eq!(among, alone, "{}", flags);
            }
        }
    }

    #[test]
    fn without_within_nothing_is_forgotten(lines in stream()) {
        let is_first = |n: &usize| lines[..*n].iter().all(|line| line.key != lines[*n].key);
        let first: Vec<usize> = (0..lines.len()).filter(is_first).collect();
        let is_last = |n: &usize| lines[n + 1..].iter().all(|line| line.key != lines[*n].key);
        let last: Vec<usize> = (0..lines.len()).filter(is_last).collect();
        let is_latest = |n: &usize| (0..lines.len()).all(|m| {
            lines[m].key != lines[*n].key || (lines[m].time, m) <= (lines[*n].time, *n)
        });
        let mut latest: Vec<usize> = (0..lines.len()).filter(is_latest).collect();
        latest.sort_by_key(|n| (lines[*n].time, *n));
        prop_assert_eq!(dedup("forever", &lines).0, first);
        prop_assert_eq!(dedup("forever --keep last", &lines).0, last);
        prop_assert_eq!(dedup("forever --keep last --time t", &lines).0, latest);
    }
}
