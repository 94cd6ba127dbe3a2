//! Keys in the order in which they are forgotten.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One place for each key, by time and what else decides (`O`). A key whose line is replaced by a later one keeps its
/// place, and gets a new one when that comes up: so a key costs the same however often its line changes.
#[derive(Debug)]
pub struct Expiry<O> {
    within_ms: i64,
    places: BinaryHeap<Reverse<(i64, O, u32)>>,
}

impl<O: Ord + Copy> Expiry<O> {
    pub fn new(within_ms: i64) -> Expiry<O> {
        Expiry { within_ms, places: BinaryHeap::new() }
    }

    pub fn push(&mut self, time_ms: i64, order: O, id: u32) {
        self.places.push(Reverse((time_ms, order, id)));
    }

    /// The first key that is over at this watermark; `now` says what a key's time and order are now.
    pub fn pop(&mut self, watermark_ms: i64, now: impl Fn(u32) -> (i64, O)) -> Option<u32> {
        while let Some(Reverse((time_ms, order, id))) = self.places.peek().copied() {
            if time_ms.saturating_add(self.within_ms) > watermark_ms {
                return None;
            }
            self.places.pop();
            let (now_ms, now_order) = now(id);
            if (now_ms, now_order) == (time_ms, order) {
                return Some(id);
            }
            self.push(now_ms, now_order, id);
        }
        None
    }

    pub fn clear(&mut self) {
        self.places.clear();
    }

    pub fn within_ms(&self) -> i64 {
        self.within_ms
    }
}
