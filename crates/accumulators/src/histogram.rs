//! Counts of values in buckets.

use values::state_text::{StateReader, write_items, write_number, write_signed};

use crate::settings::Settings;
use crate::state::{State, block};

/// The buckets that have values, by number, with how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    counts: Vec<(i32, u64)>,
}

impl Histogram {
    pub fn add(&mut self, bucket: i32, count: u64) {
        match self.counts.binary_search_by_key(&bucket, |(known, _)| *known) {
            Ok(at) => self.counts[at].1 += count,
            Err(at) => self.counts.insert(at, (bucket, count)),
        }
    }

    /// Takes back a value that was added.
    pub fn take_back(&mut self, bucket: i32) {
        let Ok(at) = self.counts.binary_search_by_key(&bucket, |(known, _)| *known) else { return };
        self.counts[at].1 -= 1;
        if self.counts[at].1 == 0 {
            self.counts.remove(at);
        }
    }

    pub fn merge(&mut self, other: &Histogram) {
        other.counts.iter().for_each(|(bucket, count)| self.add(*bucket, *count));
    }

    /// How many values a bucket has.
    pub fn count(&self, bucket: i32) -> u64 {
        self.counts.binary_search_by_key(&bucket, |(known, _)| *known).map_or(0, |at| self.counts[at].1)
    }

    /// The buckets that have values, in order.
    pub fn counts(&self) -> &[(i32, u64)] {
        &self.counts
    }
}

impl State for Histogram {
    const MEMBER: &'static [u8] = b",\"histograms\":";
    const NAME: &'static str = "histograms";

    /// `[[bucket,count],…]`
    fn save(&self, out: &mut Vec<u8>) {
        write_items(&self.counts, out, |(bucket, count), out| {
            out.push(b'[');
            write_signed((*bucket).into(), out);
            out.push(b',');
            write_number(*count, out);
            out.push(b']');
        });
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Histogram> {
        let mut histogram = Histogram::default();
        from.items(|from| {
            from.literal(b"[")?;
            let bucket = from.signed()?.try_into().ok()?;
            from.literal(b",")?;
            histogram.add(bucket, from.count()?);
            from.literal(b"]")
        })?;
        Some(histogram)
    }

    fn heap_bytes(&self) -> usize {
        block(self.counts.capacity() * size_of::<(i32, u64)>())
    }
}
