//! Expected lines and those that came: what differs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::model::Order;

/// The most lines of a difference that are shown.
const SHOWN_MAX: usize = 24;
/// Lines around a difference.
const CONTEXT: usize = 2;

/// A line that is expected, and where that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub text: String,
    pub line: usize,
}

/// What differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub missing: usize,
    pub unexpected: usize,
    /// The number of the expected line from which the order is another, where nothing is missing or unexpected.
    pub order_from: Option<usize>,
    /// For people: `  12 - …`, `     + …`.
    pub shown: Vec<String>,
}

impl Difference {
    /// Says it in a line.
    #[must_use]
    pub fn words(&self) -> String {
        let lines = |count: usize| if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
        let mut words = Vec::new();
        if self.missing > 0 {
            words.push(format!("{} missing", lines(self.missing)));
        }
        if self.unexpected > 0 {
            words.push(format!("{} not expected", lines(self.unexpected)));
        }
        if let Some(line) = self.order_from {
            words.push(format!("the order is another from line {line} on"));
        }
        words.join(", ")
    }
}

/// Compares; `keys` are those of the expected lines and of those that came, for the order by key.
#[must_use]
pub fn compare(
    expected: &[Expected],
    got: &[String],
    order: Order,
    keys: (&[String], &[String]),
) -> Option<Difference> {
    let texts: Vec<&str> = expected.iter().map(|line| line.text.as_str()).collect();
    let came: Vec<&str> = got.iter().map(String::as_str).collect();
    match order {
        Order::Exact => ordered(expected, &texts, &came),
        Order::Any => unordered(expected, &came),
        Order::ByKey => by_key(expected, &came, keys),
    }
}

fn ordered(expected: &[Expected], texts: &[&str], came: &[&str]) -> Option<Difference> {
    if texts == came {
        return None;
    }
    let (missing, unexpected) = counts(texts, came);
    let first = texts.iter().zip(came).position(|(one, other)| one != other);
    let order_from = first.filter(|_| missing + unexpected == 0).map(|at| expected[at].line);
    Some(Difference { missing, unexpected, order_from, shown: shown(expected, texts, came) })
}

fn unordered(expected: &[Expected], came: &[&str]) -> Option<Difference> {
    let mut sorted = expected.to_vec();
    sorted.sort_by(|one, other| one.text.cmp(&other.text));
    let mut came = came.to_vec();
    came.sort_unstable();
    let texts: Vec<&str> = sorted.iter().map(|line| line.text.as_str()).collect();
    let difference = ordered(&sorted, &texts, &came)?;
    let shown = difference.shown.into_iter().filter(|line| !line[4..].starts_with("   ")).collect();
    Some(Difference { shown, ..difference })
}

/// The lines of each key by themselves.
fn by_key(expected: &[Expected], came: &[&str], keys: (&[String], &[String])) -> Option<Difference> {
    let mut groups: BTreeMap<&str, (Vec<Expected>, Vec<&str>)> = BTreeMap::new();
    for (line, key) in expected.iter().zip(keys.0) {
        groups.entry(key).or_default().0.push(line.clone());
    }
    for (line, key) in came.iter().zip(keys.1) {
        groups.entry(key).or_default().1.push(line);
    }
    let mut sum: Option<Difference> = None;
    for (key, (expected, came)) in &groups {
        let texts: Vec<&str> = expected.iter().map(|line| line.text.as_str()).collect();
        let Some(difference) = ordered(expected, &texts, came) else { continue };
        let sum = sum.get_or_insert_default();
        sum.missing += difference.missing;
        sum.unexpected += difference.unexpected;
        sum.order_from = sum.order_from.or(difference.order_from);
        sum.shown.push(format!("       of key {key}:"));
        sum.shown.extend(difference.shown);
    }
    sum
}

/// How many lines are missing and not expected, whatever their order.
fn counts(texts: &[&str], came: &[&str]) -> (usize, usize) {
    let mut balance: BTreeMap<&str, i64> = BTreeMap::new();
    texts.iter().for_each(|text| *balance.entry(text).or_default() += 1);
    came.iter().for_each(|text| *balance.entry(text).or_default() -= 1);
    let sum = |sign: i64| balance.values().map(|count| usize::try_from(count * sign).unwrap_or(0)).sum();
    (sum(1), sum(-1))
}

fn shown(expected: &[Expected], texts: &[&str], came: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    let ops = capture_diff_slices(Algorithm::Patience, texts, came);
    for (at, op) in ops.iter().enumerate() {
        match op {
            DiffOp::Equal { old_index, len, .. } => {
                let from_start = if at == 0 { 0 } else { CONTEXT.min(*len) };
                let from_end = if at + 1 == ops.len() { 0 } else { CONTEXT.min(len - from_start) };
                let middle = len - from_start - from_end;
                lines.extend((0..from_start).map(|offset| line(expected, old_index + offset, ' ')));
                if middle > 0 && at > 0 && at + 1 < ops.len() {
                    lines.push("       …".to_owned());
                }
                lines.extend((len - from_end..*len).map(|offset| line(expected, old_index + offset, ' ')));
            }
            _ => {
                lines.extend(op.old_range().map(|index| line(expected, index, '-')));
                lines.extend(op.new_range().map(|index| format!("     + {}", came[index])));
            }
        }
    }
    limited(lines)
}

fn line(expected: &[Expected], index: usize, sign: char) -> String {
    let Expected { text, line } = &expected[index];
    format!("{line:>4} {sign} {text}")
}

/// The first lines of many, and how many more there are.
fn limited(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        lines.truncate(SHOWN_MAX);
        let mut last = String::new();
        // A text takes all.
        let _ = write!(last, "       … and {more} more");
        lines.push(last);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(lines: &[&str]) -> Vec<Expected> {
        lines.iter().enumerate().map(|(at, text)| Expected { text: (*text).to_owned(), line: at + 10 }).collect()
    }

    fn compared(lines: &[&str], came: &[&str], order: Order) -> Option<Difference> {
        let key = |line: &&str| line[..1].to_owned();
        let (keys, came_keys): (Vec<_>, Vec<_>) = (lines.iter().map(key).collect(), came.iter().map(key).collect());
        let came: Vec<String> = came.iter().map(|line| (*line).to_owned()).collect();
        compare(&expected(lines), &came, order, (&keys, &came_keys))
    }

    #[test]
    fn a_difference_has_the_numbers_of_the_lines() {
        let difference = compared(&["a", "b", "c", "d"], &["a", "b", "x", "d"], Order::Exact).unwrap();
        assert_eq!(difference.words(), "1 line missing, 1 line not expected");
        assert_eq!(difference.shown, ["  10   a", "  11   b", "  12 - c", "     + x", "  13   d"]);
        assert_eq!(compared(&["a"], &["a"], Order::Exact), None);
    }

    #[test]
    fn another_order_is_told_as_one() {
        let difference = compared(&["a", "b", "c"], &["a", "c", "b"], Order::Exact).unwrap();
        assert_eq!(difference.words(), "the order is another from line 11 on");
        assert_eq!(compared(&["a", "b"], &["b", "a"], Order::Any), None);
    }

    #[test]
    fn a_line_too_many_is_found_in_any_order() {
        let difference = compared(&["a", "b"], &["b", "a", "b"], Order::Any).unwrap();
        assert_eq!((difference.words().as_str(), difference.shown.len()), ("1 line not expected", 1));
        assert!(difference.shown[0].ends_with("+ b"), "{difference:?}");
        assert_eq!(compared(&["a", "b"], &["a"], Order::Any).unwrap().words(), "1 line missing");
    }

    #[test]
    fn by_key_the_lines_of_a_key_have_their_order() {
        assert_eq!(compared(&["a1", "a2", "b1"], &["b1", "a1", "a2"], Order::ByKey), None);
        let difference = compared(&["a1", "a2", "b1"], &["b1", "a2", "a1"], Order::ByKey).unwrap();
        assert_eq!(difference.words(), "the order is another from line 10 on");
        assert_eq!(difference.shown[0], "       of key a:");
        assert_eq!(compared(&["a1"], &["a1", "c"], Order::ByKey).unwrap().words(), "1 line not expected");
    }

    #[test]
    fn of_many_differences_the_first_are_shown() {
        let came: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let difference = compare(&[], &came, Order::Exact, (&[], &[])).unwrap();
        assert_eq!((difference.unexpected, difference.shown.len()), (100, 25));
        assert_eq!(difference.shown[24], "       … and 76 more");
    }
}
