//! Tells a flood from a trickle: a flood is worth larger reads and a larger pipe, as each read that empties a full pipe
//! wakes the writer, and a wake costs as much as the work on a hundred lines.
//!
//! A pipe grows only under a reader that takes at least [`RUN`] full chunks within [`WITHIN`], so what it can hold then is
//! never more than that reader takes in some 25 ms: a slow consumer keeps a short pipe, and a barrier does not wait long in it.

use std::time::{Duration, Instant};

use crate::pipes::sizes::CHUNK_BYTES;

/// Full chunks in a row.
const RUN: u32 = 16;
const WITHIN: Duration = Duration::from_millis(50);

/// Counts full chunks.
#[derive(Debug, Default)]
pub(crate) struct Flood {
    since: Option<Instant>,
    chunks: u32,
    on: bool,
}

impl Flood {
    /// So many bytes have come at `now`; true when a flood begins with them. It does not end.
    #[inline]
    pub fn begins_with(&mut self, bytes: usize, now: Instant) -> bool {
        bytes == CHUNK_BYTES && !self.on && self.counts(now)
    }

    /// A full chunk more.
    fn counts(&mut self, now: Instant) -> bool {
        let since = *self.since.get_or_insert(now);
        if now.duration_since(since) > WITHIN {
            (self.since, self.chunks) = (Some(now), 0);
        }
        self.chunks += 1;
        self.on = self.chunks > RUN;
        self.on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many full chunks it took, coming `pause` apart.
    fn chunks_until_flood(pause: Duration) -> Option<u32> {
        let (mut flood, start) = (Flood::default(), Instant::now());
        (0..1000).find(|n| flood.begins_with(CHUNK_BYTES, start + *n * pause))
    }

    #[test]
    fn full_chunks_one_on_the_other_are_a_flood() {
        assert_eq!(chunks_until_flood(Duration::from_millis(1)), Some(16));
        assert_eq!(chunks_until_flood(Duration::from_millis(3)), Some(16));
    }

    #[test]
    fn a_slow_reader_is_never_flooded() {
        assert_eq!(chunks_until_flood(Duration::from_millis(4)), None);
    }

    #[test]
    fn a_flood_begins_once() {
        let (mut flood, now) = (Flood::default(), Instant::now());
        assert_eq!((0..100).filter(|_| flood.begins_with(CHUNK_BYTES, now)).count(), 1);
        assert!(flood.on);
    }
}
