//! Sorts what has keys: many keys are compared by a few bytes that stand beside each other, not by going to each key.

use std::cmp::Ordering;

use rayon::slice::ParallelSliceMut;
use time_text::may_be_time;

use crate::keys;

/// A window of fewer keys is sorted before threads have started.
const SORT_ON_ALL_CORES_FROM: usize = 50_000;

/// A place in the list to be sorted, and the bytes of its key behind those that all keys begin with, in two halves so
/// that it takes 12 bytes.
#[derive(Clone, Copy)]
struct Entry {
    high: u32,
    low: u32,
    at: u32,
}

impl Entry {
    fn new(part: &[u8], at: u32) -> Entry {
        let mut bytes = [0; 8];
        let len = part.len().min(8);
        bytes[..len].copy_from_slice(&part[..len]);
        let part = u64::from_be_bytes(bytes);
        Entry { high: (part >> 32) as u32, low: part as u32, at }
    }

    fn part(self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }
}

/// The order of `0..count` by [`keys::compare`] of their keys. Where keys differ, it is one and the same on any number of
/// threads; equal ones stand side by side.
pub fn sorted<'a>(count: u32, key: impl Fn(u32) -> &'a [u8] + Sync) -> impl Iterator<Item = u32> {
    let (texts, others) = match shared_start(count, &key) {
        Some(shared) => (sorted_texts(count, shared, key), Vec::new()),
        None => {
            let mut order: Vec<u32> = (0..count).collect();
            sort(&mut order, |a, b| keys::compare(key(*a), key(*b)));
            (Vec::new(), order)
        }
    };
    texts.into_iter().map(|entry| entry.at).chain(others)
}

fn sorted_texts<'a>(count: u32, shared: usize, key: impl Fn(u32) -> &'a [u8] + Sync) -> Vec<Entry> {
    let mut entries: Vec<Entry> =
        (0..count).map(|at| Entry::new(text(key(at)).get(shared..).unwrap_or_default(), at)).collect();
    sort(&mut entries, |a, b| a.part().cmp(&b.part()).then_with(|| text(key(a.at)).cmp(text(key(b.at)))));
    entries
}

fn sort<T: Send>(items: &mut [T], order: impl Fn(&T, &T) -> Ordering + Sync) {
    if items.len() < SORT_ON_ALL_CORES_FROM {
        items.sort_unstable_by(order);
    } else {
        items.par_sort_unstable_by(order);
    }
}

/// How many bytes all keys begin with, if each is a single string and none a time; those are in the order of their bytes.
fn shared_start<'a>(count: u32, key: impl Fn(u32) -> &'a [u8]) -> Option<usize> {
    let mut shared: Option<&[u8]> = None;
    for at in 0..count {
        let key = key(at);
        if key.len() < 2 || key[0] != b'"' || key.contains(&b'\n') {
            return None;
        }
        let text = text(key);
        if may_be_time(&text[1..]) {
            return None;
        }
        shared = Some(match shared {
            Some(shared) if text.starts_with(shared) => shared,
            Some(shared) => &shared[..shared.iter().zip(text).take_while(|(a, b)| a == b).count()],
            None => text,
        });
    }
    shared.map(<[u8]>::len)
}

/// A string without its closing quote, which would sort before a letter and behind a space.
fn text(key: &[u8]) -> &[u8] {
    &key[..key.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &[&str]) {
        let key = |at: u32| keys[at as usize].as_bytes();
        let found: Vec<&str> = sorted(keys.len() as u32, key).map(|at| keys[at as usize]).collect();
        let mut expected = keys.to_vec();
        expected.sort_by(|a, b| keys::compare(a.as_bytes(), b.as_bytes()));
        assert_eq!(found, expected);
    }

    #[test]
    fn texts_are_in_the_order_of_keys_however_much_they_share() {
        check(&[]);
        check(&["\"a\""]);
        check(&["\"b\"", "\"\"", "\"a\"", "\"a b\"", "\"a!\"", "\"aa\"", "\"é\""]);
        check(&["\"user-10\"", "\"user-9\"", "\"user-1\"", "\"user-100\"", "\"user-\""]);
        check(&["\"same-12345678-b\"", "\"same-12345678-a\"", "\"same-12345678\"", "\"same-1234567\""]);
    }

    #[test]
    fn other_keys_are_in_the_order_of_keys() {
        check(&["10", "9", "-1.5", "null"]);
        check(&["\"b\"", "1", "\"a\"", "true"]);
        check(&["\"2026-01-01T00:00:00.5Z\"", "\"2026-01-01T00:00:00Z\"", "\"2026-01-01T01:00:00+02:00\""]);
        check(&["\"a\"", "\"2026-01-01T00:00:00.5Z\"", "\"2026-01-01T00:00:00Z\""]);
        check(&["\"a\"\n2", "\"a\"\n10", "\"\"\n3", "\"a!\"\n1", "\"a\"\n1"]);
    }
}
