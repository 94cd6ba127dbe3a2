//! Two outputs as sets of lines with their numbers: what is lost, doubled, wrong.
//!
//! A line is known by 64 bits of its hash (xxh3): with ten million different lines the chance that any two are taken for
//! one is about one in 400,000. The lines themselves are read again for the few that are shown.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use json_fields::{FieldPath, Scanner};
use millpipe::Error;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::lines::Output;

/// How many differences of a kind are shown.
const SHOWN_MAX: usize = 5;
/// Lost lines that are kept to be shown beside the wrong ones that stand for them.
const KEPT_MAX: usize = 1000;

/// What the two outputs have and have not in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub expected: u64,
    pub got: u64,
    pub lost: u64,
    pub doubled: u64,
    pub wrong: u64,
    /// With `--ordered`: the first line, counted from 1, that is not the same in both.
    pub order_differs_at: Option<u64>,
    /// A few of each kind, for people.
    pub shown: Vec<String>,
}

impl Comparison {
    pub fn is_exact(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.wrong == 0 && self.order_differs_at.is_none()
    }
}

/// How often a line is expected and was found.
#[derive(Clone, Copy, Default)]
struct Times {
    expected: u32,
    got: u32,
}

type Lines = HashMap<u64, Times>;

/// Compares. With key fields, wrong lines are paired with lost ones.
///
/// # Errors
/// When an output cannot be read.
pub fn compare(expected: &Output, got: &Output, by: Option<&[FieldPath]>, ordered: bool) -> Result<Comparison, Error> {
    let mut lines = Lines::new();
    expected.for_each(|line| lines.entry(xxh3_64(line)).or_default().expected += 1)?;
    got.for_each(|line| lines.entry(xxh3_64(line)).or_default().got += 1)?;
    let mut comparison = count(&lines);
    if !comparison.is_exact() {
        let mut differences = Differences::new(by);
        differences.read_expected(expected, &mut lines.clone())?;
        differences.read_got(got, &mut lines)?;
        differences.put_into(&mut comparison);
    } else if ordered {
        comparison.order_differs_at = first_difference(expected, got)?;
    }
    Ok(comparison)
}

fn count(lines: &Lines) -> Comparison {
    let mut comparison = Comparison::default();
    for Times { expected, got } in lines.values().copied() {
        comparison.expected += u64::from(expected);
        comparison.got += u64::from(got);
        comparison.lost += u64::from(expected.saturating_sub(got));
        let surplus = u64::from(got.saturating_sub(expected));
        if expected > 0 {
            comparison.doubled += surplus;
        } else {
            comparison.wrong += surplus;
        }
    }
    comparison
}

fn first_difference(expected: &Output, got: &Output) -> Result<Option<u64>, Error> {
    let (mut expected, mut got) = (expected.reader(), got.reader());
    let (mut right, mut is) = (Vec::new(), Vec::new());
    let mut number = 1;
    loop {
        match (expected.next(&mut right)?, got.next(&mut is)?) {
            (false, false) => return Ok(None),
            (true, true) if right == is => number += 1,
            _ => return Ok(Some(number)),
        }
    }
}

/// The second reading, with the lines themselves.
struct Differences {
    keys: Option<Keys>,
    lost: Shown,
    doubled: Shown,
    wrong: Shown,
    /// Wrong lines that stand for a lost one, and those whose key was there already.
    paired: u64,
    key_doubled: u64,
}

impl Differences {
    fn new(by: Option<&[FieldPath]>) -> Self {
        let [lost, doubled, wrong] = ["lost", "doubled", "wrong"].map(Shown::new);
        Self { keys: by.map(Keys::new), lost, doubled, wrong, paired: 0, key_doubled: 0 }
    }

    fn read_expected(&mut self, expected: &Output, lines: &mut Lines) -> Result<(), Error> {
        expected.for_each(|line| {
            let times = lines.entry(xxh3_64(line)).or_default();
            let is_lost = times.expected > times.got;
            times.expected -= u32::from(is_lost);
            match &mut self.keys {
                Some(keys) => keys.expect(line, is_lost),
                None if is_lost => self.lost.add(|| text(line)),
                None => {}
            }
        })
    }

    fn read_got(&mut self, got: &Output, lines: &mut Lines) -> Result<(), Error> {
        got.for_each(|line| {
            let times = lines.entry(xxh3_64(line)).or_default();
            if times.got <= times.expected {
                return;
            }
            times.got -= 1;
            if times.expected > 0 {
                self.doubled.add(|| text(line));
                return;
            }
            match self.keys.as_mut().map_or(Pair::None, |keys| keys.pair(line)) {
                Pair::None => self.wrong.add(|| text(line)),
                Pair::Lost(right) => {
                    self.paired += 1;
                    self.wrong.add(|| format!("{} instead of {}", text(line), right.as_deref().unwrap_or("another")));
                }
                Pair::Known => {
                    self.key_doubled += 1;
                    self.doubled.add(|| format!("{} (its key was there already)", text(line)));
                }
            }
        })
    }

    fn put_into(mut self, comparison: &mut Comparison) {
        comparison.lost -= self.paired;
        comparison.wrong -= self.key_doubled;
        comparison.doubled += self.key_doubled;
        for line in self.keys.iter_mut().flat_map(Keys::still_lost) {
            self.lost.add(|| line);
        }
        let counts = [comparison.lost, comparison.doubled, comparison.wrong];
        for (shown, count) in [self.lost, self.doubled, self.wrong].into_iter().zip(counts) {
            comparison.shown.extend(shown.lines(count));
        }
    }
}

/// The keys of all expected lines.
struct Keys {
    scanner: Scanner,
    known: HashMap<u64, Lost>,
    kept: usize,
}

/// The lost lines of a key.
#[derive(Default)]
struct Lost {
    count: u32,
    line: Option<String>,
}

/// What an unexpected line is.
enum Pair {
    /// Of a key that was not expected at all, or without a key.
    None,
    /// It stands for a line that is lost.
    Lost(Option<String>),
    /// All lines of its key were found.
    Known,
}

impl Keys {
    fn new(by: &[FieldPath]) -> Self {
        Self { scanner: Scanner::new(by), known: HashMap::new(), kept: 0 }
    }

    fn expect(&mut self, line: &[u8], is_lost: bool) {
        // Lines without a key are one key that nothing is paired with.
        let key = self.key(line).unwrap_or_default();
        let entry = self.known.entry(key).or_default();
        if is_lost {
            entry.count += 1;
            if entry.line.is_none() && self.kept < KEPT_MAX {
                self.kept += 1;
                entry.line = Some(text(line));
            }
        }
    }

    fn pair(&mut self, line: &[u8]) -> Pair {
        let Some(key) = self.key(line) else { return Pair::None };
        match self.known.entry(key) {
            Entry::Vacant(_) => Pair::None,
            Entry::Occupied(mut entry) if entry.get().count > 0 => {
                let lost = entry.get_mut();
                lost.count -= 1;
                Pair::Lost(lost.line.take())
            }
            Entry::Occupied(_) => Pair::Known,
        }
    }

    fn still_lost(&mut self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.known.values_mut().filter(|lost| lost.count > 0).filter_map(|lost| lost.line.take()).collect();
        lines.sort();
        lines
    }

    /// A hash of the key's values; none when one is missing, or the line is no JSON.
    fn key(&mut self, line: &[u8]) -> Option<u64> {
        let fields = self.scanner.scan(line).ok()?;
        let mut hash = Xxh3::new();
        for field in fields.as_slice() {
            let value = field.as_ref()?.text(line);
            hash.update(&value.len().to_le_bytes());
            hash.update(value);
        }
        Some(hash.digest())
    }
}

/// A few lines of one kind.
struct Shown {
    kind: &'static str,
    lines: Vec<String>,
}

impl Shown {
    fn new(kind: &'static str) -> Self {
        Self { kind, lines: Vec::new() }
    }

    fn add(&mut self, line: impl FnOnce() -> String) {
        if self.lines.len() < SHOWN_MAX {
            self.lines.push(line());
        }
    }

    fn lines(self, count: u64) -> impl Iterator<Item = String> {
        let more = count.saturating_sub(self.lines.len() as u64);
        let kind = self.kind;
        let rest = (more > 0).then(|| format!("{kind}: and {more} more"));
        self.lines.into_iter().map(move |line| format!("{kind}: {line}")).chain(rest)
    }
}

/// A line for people, cut where it gets too long.
fn text(line: &[u8]) -> String {
    const MAX: usize = 300;
    let text = String::from_utf8_lossy(&line[..line.len().min(MAX)]).into_owned();
    if line.len() > MAX { format!("{text}…") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn compared(expected: &str, got: &str, by: Option<&str>, ordered: bool) -> Comparison {
        let folder = tempfile::tempdir().unwrap();
        let output = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text.replace(' ', "\n")).unwrap();
            Output::at(&path).unwrap()
        };
        let by = by.map(|by| FieldPath::parse_list(by).unwrap());
        compare(&output("expected", expected), &output("got", got), by.as_deref(), ordered).unwrap()
    }

    fn counts(comparison: &Comparison) -> [u64; 3] {
        [comparison.lost, comparison.doubled, comparison.wrong]
    }

    #[test]
    fn the_same_lines_in_another_order_are_the_same() {
        let same = compared("a b b c", "c b a b", None, false);
        assert!(same.is_exact() && same.expected == 4 && same.got == 4, "{same:?}");
    }

    #[test]
    fn order_counts_when_asked_for() {
        let other = compared("a b b c", "a b c b", None, true);
        assert_eq!((counts(&other), other.order_differs_at), ([0, 0, 0], Some(3)));
        assert!(compared("a b", "a b", None, true).is_exact());
    }

    #[test]
    fn lost_doubled_and_wrong_lines_are_told_apart_and_shown() {
        let found = compared("a b b c d", "a a b x c", None, false);
        assert_eq!(counts(&found), [2, 1, 1]);
        assert_eq!(found.shown, ["lost: b", "lost: d", "doubled: a", "wrong: x"]);
    }

    #[test]
    fn a_difference_in_one_byte_is_found_at_every_place() {
        let line = "abcdefghijklmnopqrstuvwxyz";
        for at in 0..line.len() {
            let mut other = line.as_bytes().to_vec();
            other[at] ^= 1;
            let other = String::from_utf8(other).unwrap().replace(' ', "_");
            assert_eq!(counts(&compared(line, &other, None, false)), [1, 0, 1], "{other}");
        }
    }

    #[test]
    fn with_a_key_a_wrong_value_is_one_wrong_line() {
        let expected = r#"{"k":1,"n":5} {"k":2,"n":6} {"k":3,"n":7}"#;
        let got = r#"{"k":1,"n":5} {"k":2,"n":99} {"k":1,"n":4} {"k":9,"n":1}"#;
        assert_eq!(counts(&compared(expected, got, None, false)), [2, 0, 3]);
        let found = compared(expected, got, Some("k"), false);
        assert_eq!(counts(&found), [1, 1, 2]);
        assert_eq!(
            found.shown,
            [
                r#"lost: {"k":3,"n":7}"#,
                r#"doubled: {"k":1,"n":4} (its key was there already)"#,
                r#"wrong: {"k":2,"n":99} instead of {"k":2,"n":6}"#,
                r#"wrong: {"k":9,"n":1}"#
            ]
        );
    }

    #[test]
    fn lines_without_a_key_are_paired_with_nothing() {
        assert_eq!(counts(&compared(r#"{"n":5} x"#, r#"{"n":6} y"#, Some("k"), false)), [2, 0, 2]);
    }

    #[test]
    fn many_differences_are_counted_and_a_few_are_shown() {
        let expected: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let found = compared(&expected.join(" "), "0", None, false);
        assert_eq!((found.lost, found.shown.len()), (99, SHOWN_MAX + 1));
        assert_eq!(found.shown[SHOWN_MAX], "lost: and 94 more");
    }
}
