//! Finds the keys that come most often, for those who watch a run: from a sample of the lines, in bounded memory.
//!
//! Space-Saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams, 2005): a key
//! that is not among the counted takes the place of the least, and its count, which is noted as the error of the new one.

use std::collections::HashMap;
use std::fmt::Debug;

use serde_json::{Value, json};
use stream::is_mark;

use crate::figures::Facts;
use crate::select::LineSelector;

/// How many keys are counted. A key with more than 1/100 of the lines is among them.
const COUNTED_MAX: usize = 100;

/// How many are shown, those that have at least [`SHOWN_SHARE_MIN`] of the lines.
const SHOWN_MAX: usize = 10;

const SHOWN_SHARE_MIN: f64 = 0.02;

/// Fewer lines than these say nothing.
const SAMPLE_MIN: u64 = 50;

/// When so many were looked at, all counts are halved: what counts is what came lately.
const SAMPLE_MAX: u64 = 20_000;

/// A line is looked at when at least so many have come since the last one, in a long stream: a sample costs as much as a few lines.
const LINES_BETWEEN: u64 = 1024;

/// In a young stream fewer: this part of what has come.
const PART_BETWEEN: u64 = 64;

/// So much of a key is kept.
const KEY_BYTES_MAX: usize = 200;

/// Reads the key of a line: the JSON texts of its parts, with newlines between them. None for a line without a key.
pub type ReadKey = Box<dyn FnMut(&[u8]) -> Option<String>>;

/// The keys of lines, from a flag.
pub trait LineKeys: Debug + Send + Sync {
    /// Makes what reads the key of line after line.
    fn reader(&self) -> ReadKey;
}

/// The keys of a run that come most often.
pub struct HotKeys {
    read: ReadKey,
    counts: HashMap<String, Count>,
    looked_at: u64,
    /// How many lines had come when one was looked at last.
    lines_then: Option<u64>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    lines: u64,
    /// The key may have had so many fewer.
    error: u64,
}

impl HotKeys {
    pub fn new(keys: &dyn LineKeys) -> Self {
        Self { read: keys.reader(), counts: HashMap::new(), looked_at: 0, lines_then: None }
    }

    /// Looks at the first line of what begins with a line; about `lines` have come before it. Chunks are cut anywhere, so
    /// that is a line as good as any other.
    pub fn look(&mut self, chunk: &[u8], lines: u64, selector: Option<&mut Box<dyn LineSelector>>) {
        let between = (lines / PART_BETWEEN).clamp(1, LINES_BETWEEN);
        if self.lines_then.is_some_and(|then| lines < then + between) {
            return;
        }
        let Some(line) = memchr::memchr(b'\n', chunk).map(|end| &chunk[..end]) else { return };
        let is_taken = !is_mark(line) && selector.is_none_or(|selector| selector.takes(line).unwrap_or(false));
        if is_taken && let Some(key) = (self.read)(line) {
            self.lines_then = Some(lines);
            self.count(shortened(key));
        }
    }

    fn count(&mut self, key: String) {
        self.looked_at += 1;
        if let Some(count) = self.counts.get_mut(&key) {
            count.lines += 1;
        } else {
            let error = if self.counts.len() < COUNTED_MAX { 0 } else { self.take_least() };
            self.counts.insert(key, Count { lines: error + 1, error });
        }
        if self.looked_at >= SAMPLE_MAX {
            self.halve();
        }
    }

    /// Takes out the key with the fewest lines, of equal ones the last by its text; returns how many it had.
    fn take_least(&mut self) -> u64 {
        let least = self.counts.iter().min_by(|a, b| a.1.lines.cmp(&b.1.lines).then_with(|| b.0.cmp(a.0)));
        let Some((key, count)) = least.map(|(key, count)| (key.clone(), *count)) else { return 0 };
        self.counts.remove(&key);
        count.lines
    }

    fn halve(&mut self) {
        self.looked_at /= 2;
        self.counts.values_mut().for_each(|count| *count = Count { lines: count.lines / 2, error: count.error / 2 });
        self.counts.retain(|_, count| count.lines > 0);
    }

    /// Says which keys have how much of the lines, at least.
    pub fn facts(&self, to: &mut Facts) {
        if self.looked_at < SAMPLE_MIN {
            return;
        }
        let share = |count: &Count| (count.lines - count.error) as f64 / self.looked_at as f64;
        let mut hot: Vec<(&String, f64)> = self.counts.iter().map(|(key, count)| (key, share(count))).collect();
        hot.retain(|(_, share)| *share >= SHOWN_SHARE_MIN);
        hot.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let shown = hot
            .iter()
            .take(SHOWN_MAX)
            .map(|(key, share)| json!({ "key": shown(key), "share": (share * 1000.0).round() / 1000.0 }));
        to.insert("hot_keys".to_owned(), shown.collect());
    }
}

/// A key of one part as its value, of several as an array of them.
fn shown(key: &str) -> Value {
    let mut parts: Vec<Value> =
        key.split('\n').map(|part| serde_json::from_str(part).unwrap_or_else(|_| part.into())).collect();
    if parts.len() == 1 { parts.remove(0) } else { parts.into() }
}

fn shortened(mut key: String) -> String {
    if key.len() > KEY_BYTES_MAX {
        key.truncate(key.floor_char_boundary(KEY_BYTES_MAX));
        key.push('…');
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct WholeLine;

    impl LineKeys for WholeLine {
        fn reader(&self) -> ReadKey {
            Box::new(|line| Some(String::from_utf8_lossy(line).into_owned()))
        }
    }

    fn looked_at(lines: impl Iterator<Item = String>) -> Vec<Value> {
        let mut hot = HotKeys::new(&WholeLine);
        for (number, line) in lines.enumerate() {
            hot.look(format!("{line}\n").as_bytes(), number as u64 * LINES_BETWEEN, None);
        }
        let mut facts = Facts::new();
        hot.facts(&mut facts);
        facts.get("hot_keys").and_then(|keys| keys.as_array()).cloned().unwrap_or_default()
    }

    #[test]
    fn frequent_keys_are_found_among_many_rare_ones() {
        let line = |n: usize| match n % 10 {
            0..3 => "\"often\"".to_owned(),
            3 => "[7]".to_owned(),
            _ => format!("{n}"),
        };
        let hot = looked_at((0..10_000).map(line));
        assert_eq!(hot.iter().map(|key| &key["key"]).collect::<Vec<_>>(), [&json!("often"), &json!([7])]);
        let share = hot[0]["share"].as_f64().unwrap();
        assert!((0.28..=0.3).contains(&share), "{share}");
    }

    #[test]
    fn what_came_lately_counts_more() {
        let old = (0..SAMPLE_MAX).map(|_| "\"old\"".to_owned());
        let hot = looked_at(old.chain((0..SAMPLE_MAX).map(|_| "\"new\"".to_owned())));
        assert_eq!((&hot[0]["key"], &hot[1]["key"]), (&json!("new"), &json!("old")));
        assert!(hot[0]["share"].as_f64() > Some(0.7));
    }

    #[test]
    fn no_key_is_frequent_where_all_are_alike_or_there_are_few_lines() {
        assert!(looked_at((0..5_000).map(|n| n.to_string())).is_empty());
        assert!(looked_at((0..10).map(|_| "1".to_owned())).is_empty());
    }

    #[test]
    fn marks_have_no_key_and_long_keys_are_cut() {
        let marks = (0..100).map(|_| "{\"$\":\"watermark\"}".to_owned());
        let long = format!("\"{}\"", "ü".repeat(200));
        let hot = looked_at(marks.chain((0..100).map(|_| long.clone())));
        assert_eq!(hot.len(), 1);
        assert!(hot[0]["key"].as_str().unwrap().len() <= KEY_BYTES_MAX + 3);
    }

    #[test]
    fn memory_is_bounded() {
        let mut hot = HotKeys::new(&WholeLine);
        (0..50_000).for_each(|n: u64| hot.look(format!("{n}\n").as_bytes(), n * LINES_BETWEEN, None));
        assert!(hot.counts.len() <= COUNTED_MAX);
    }
}
