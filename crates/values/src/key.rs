//! Keys: the canonical texts of a line's key values, with newlines between them.
//!
//! No JSON text in a line holds a newline, so the cells can be told apart. Equal values have equal keys, however they
//! are written (`1` and `1.0`, an object's members in any order); a missing field is null, as in SQL's GROUP BY.

use std::borrow::Cow;
use std::cmp::Ordering;

use time_text::compare_texts;

use crate::number_order::NumberText;

/// The cells of a key, one for each key field.
pub fn cells(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    key.split(|byte| *byte == b'\n')
}

/// A key as text: its cells are checked to be UTF-8 when the line is scanned.
#[must_use]
pub fn text(key: &[u8]) -> Cow<'_, str> {
    str::from_utf8(key).map_or_else(|_| String::from_utf8_lossy(key), Cow::Borrowed)
}

/// Only the cells with these numbers.
pub fn part(key: &[u8], wanted: &[usize], part: &mut Vec<u8>) {
    part.clear();
    for (number, cell) in wanted.iter().filter_map(|cell| cells(key).nth(*cell)).enumerate() {
        if number > 0 {
            part.push(b'\n');
        }
        part.extend_from_slice(cell);
    }
}

/// The order of keys in output, cell by cell as jq sorts: null, false, true, numbers by value with all their digits, strings by
/// their bytes but times by time (see [`compare_texts`]), then arrays and objects by their text.
#[must_use]
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    cells(a).map(rank).cmp(cells(b).map(rank)).then_with(|| a.cmp(b))
}

/// The order of two values in their canonical texts, as [`compare`] has it; equal only for equal texts.
#[must_use]
pub fn compare_cells(a: &[u8], b: &[u8]) -> Ordering {
    if a == b { Ordering::Equal } else { rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)) }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank<'a> {
    Null,
    False,
    True,
    Number(NumberText<'a>),
    Text(Text<'a>),
    Nested(&'a [u8]),
}

fn rank(cell: &[u8]) -> Rank<'_> {
    match cell {
        b"null" => Rank::Null,
        b"false" => Rank::False,
        b"true" => Rank::True,
        // Without the closing quote, which would sort before a letter and after a space.
        [b'"', text @ .., b'"'] => Rank::Text(Text(text)),
        [b'[' | b'{', ..] => Rank::Nested(cell),
        _ => NumberText::new(cell).map_or(Rank::Nested(cell), Rank::Number),
    }
}

#[derive(PartialEq, Eq)]
struct Text<'a>(&'a [u8]);

impl Ord for Text<'_> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        compare_texts(self.0, other.0)
    }
}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_kind_and_then_by_value() {
        let sorted: [&[u8]; 11] =
            [b"null", b"false", b"true", b"-1", b"2.5", b"10", b"\"\"", b"\"a\"", b"\"a b\"", b"\"b\"", b"[1]"];
        for (a, first) in sorted.iter().enumerate() {
            for (b, second) in sorted.iter().enumerate() {
                assert_eq!(compare(first, second), a.cmp(&b));
            }
        }
        assert_eq!(compare(b"1\n\"b\"", b"1\n\"a\""), Ordering::Greater);
        assert_eq!(compare(b"2\n\"a\"", b"10\n\"a\""), Ordering::Less);
    }

    #[test]
    fn times_and_long_numbers_sort_by_what_they_are() {
        for (first, second) in [
            ("\"2026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00.5Z\""),
            ("\"2026-01-01T06:00:00+02:00\"", "\"2026-01-01T05:00:00Z\""),
            ("\"2026-01-01T00:00:00.000Z\"", "\"2026-01-01T00:00:00Z\""),
            ("340282366920938463463374607431768211454", "340282366920938463463374607431768211455"),
            ("-340282366920938463463374607431768211455", "-340282366920938463463374607431768211454"),
            ("1.00000000000000000000000000000000000000001", "1.00000000000000000000000000000000000000002"),
            ("99999999999999999999999999999999999999999", "1e41"),
        ] {
            assert_eq!(compare(first.as_bytes(), second.as_bytes()), Ordering::Less, "{first} {second}");
            assert_eq!(compare_cells(second.as_bytes(), first.as_bytes()), Ordering::Greater, "{first} {second}");
        }
    }
}
