//! Keys in the order in which they are forgotten.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A place for each key, by time and what else decides (`O`). A key that is renewed keeps its place, and whoever takes
/// it out gives it a new one: so a key costs the same however often it is renewed. A place may be there twice.
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

    /// The first place that is over at this watermark; the key may have been renewed, or be gone.
    pub fn pop(&mut self, watermark_ms: i64) -> Option<(i64, O, u32)> {
        let place = self.places.peek()?.0;
        if place.0.saturating_add(self.within_ms) > watermark_ms {
            return None;
        }
        while self.places.peek().is_some_and(|next| next.0 == place) {
            self.places.pop();
        }
        Some(place)
    }

    pub fn clear(&mut self) {
        self.places.clear();
    }

    pub fn within_ms(&self) -> i64 {
        self.within_ms
    }
}
