//! A digest of a window that moves, without taking values away from it.
//!
//! Two stacks (Tangwongsan, Hirzel and Schneider, *In-Order Sliding-Window Aggregation in Worst-Case Constant Time*, 2021,
//! "two-stacks lite"): the older entries of a window are its front, whose digests from some place to their end are kept; the
//! younger ones are its back, of which one digest is kept. A window is what is left of its front joined with its back. When
//! the front is used up, all entries are made the front: each entry is joined once more, so a line takes constant time on average.
//!
//! Digests of the front are kept for each eighth place only: they take little memory, and up to seven values are joined anew
//! for each line. The result depends on the entries and on how many of them are the front, and on nothing that was before.

use std::collections::VecDeque;

use crate::digests::{Digest, Entry};

/// Entries between two digests that are kept.
const STRIDE: usize = 8;

/// The digests of one kind.
#[derive(Clone, Debug)]
pub struct Folds<D> {
    /// Number n is of the last 8 (n + 1) entries of the front.
    suffixes: Vec<D>,
    back: Option<D>,
}

impl<D> Default for Folds<D> {
    fn default() -> Folds<D> {
        Folds { suffixes: Vec::new(), back: None }
    }
}

impl<D: Digest> Folds<D> {
    /// Makes so many of the entries the front.
    pub fn turn(&mut self, entries: &VecDeque<Entry>, front: usize, origin_ms: i64) {
        self.suffixes.clear();
        for number in 0..front / STRIDE {
            let first = front - (number + 1) * STRIDE;
            let Some(mut digest): Option<D> = fold(entries.range(first..first + STRIDE), origin_ms) else { continue };
            if let Some(later) = self.suffixes.last() {
                digest.join(later);
            }
            self.suffixes.push(digest);
        }
        self.back = None;
        entries.range(front..).for_each(|entry| self.push(entry, origin_ms));
    }

    /// Takes one entry more into the back.
    #[inline]
    pub fn push(&mut self, entry: &Entry, origin_ms: i64) {
        let digest = D::of(entry, origin_ms);
        match &mut self.back {
            Some(back) => back.join(&digest),
            None => self.back = Some(digest),
        }
    }

    /// Returns the digest of all entries, of which so many are the front; none if there are no entries.
    #[inline]
    pub fn total(&self, entries: &VecDeque<Entry>, front: usize, origin_ms: i64) -> Option<D> {
        let total = fold(entries.iter().take(front % STRIDE), origin_ms);
        let suffix = (front / STRIDE).checked_sub(1).and_then(|number| self.suffixes.get(number));
        joined(joined(total, suffix), self.back.as_ref())
    }
}

#[inline]
fn fold<'a, D: Digest>(entries: impl Iterator<Item = &'a Entry>, origin_ms: i64) -> Option<D> {
    entries.fold(None, |all, entry| joined(all, Some(&D::of(entry, origin_ms))))
}

#[inline]
fn joined<D: Digest>(first: Option<D>, later: Option<&D>) -> Option<D> {
    match (first, later) {
        (Some(mut first), Some(later)) => {
            first.join(later);
            Some(first)
        }
        (first, later) => first.or_else(|| later.cloned()),
    }
}
