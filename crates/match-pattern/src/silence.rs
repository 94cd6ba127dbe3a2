//! Keys in the order in which they are forgotten, when no row of them comes.

use std::collections::BTreeSet;

/// A row by its time and number.
pub type RowPlace = (i64, u64);

/// A place for each key that has had a row. A key keeps its place when rows come, and moves when that is over: so a row costs
/// the same however many keys there are.
#[derive(Debug)]
pub struct Silence {
    ttl_ms: Option<i64>,
    places: BTreeSet<(i64, u64, u32)>,
}

impl Silence {
    #[must_use]
    pub fn new(ttl_ms: Option<i64>) -> Self {
        Self { ttl_ms, places: BTreeSet::new() }
    }

    /// Returns true if keys are forgotten at all.
    #[inline]
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.ttl_ms.is_some()
    }

    pub fn put(&mut self, (time_ms, sequence): RowPlace, id: u32) {
        self.places.insert((time_ms, sequence, id));
    }

    pub fn leave(&mut self, (time_ms, sequence): RowPlace, id: u32) {
        self.places.remove(&(time_ms, sequence, id));
    }

    /// Takes out the first key whose place is over at this time.
    pub fn pop(&mut self, time_ms: i64) -> Option<u32> {
        let (place_ms, _, id) = *self.places.first()?;
        (place_ms.saturating_add(self.ttl_ms?) <= time_ms).then(|| {
            self.places.pop_first();
            id
        })
    }
}
