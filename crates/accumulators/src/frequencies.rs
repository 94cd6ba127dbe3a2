//! Which values are frequent: exact for few different ones, else within a stated error.
//!
//! Counters as by Misra and Gries (1982), purged in batches (Anderson et al., IMC 2017): when there are more than
//! [`TRACKED_MAX`], the median count is taken from all and what falls to zero is dropped. So a count is too low by at
//! most [`Frequencies::error`], which is at most 1/2048 of all values, and is given with the result.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use values::state_text::{StateReader, write_items, write_number, write_text};

use crate::settings::Settings;
use crate::state::{State, block};

/// Different values counted in one group.
const TRACKED_MAX: usize = 4096;

/// Counts of values by canonical text.
#[derive(Clone, Debug)]
pub(crate) struct Frequencies {
    counts: HashMap<Box<[u8]>, u64, FixedState>,
    error: u64,
}

impl Default for Frequencies {
    fn default() -> Frequencies {
        Frequencies { counts: HashMap::with_hasher(FixedState::with_seed(0)), error: 0 }
    }
}

impl Frequencies {
    pub fn add(&mut self, text: &[u8], count: u64) {
        *self.counts.entry_ref(text).or_insert(0) += count;
        if self.counts.len() > TRACKED_MAX {
            self.purge();
        }
    }

    fn purge(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let middle = counts.len() / 2;
        let (_, median, _) = counts.select_nth_unstable(middle);
        let median = *median;
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(median);
            *count > 0
        });
        self.error += median;
    }

    pub fn merge(&mut self, other: &Frequencies) {
        self.error += other.error;
        for (text, count) in &other.counts {
            *self.counts.entry_ref(&**text).or_insert(0) += count;
        }
        // Both sides whole before the purge: the outcome must not hang on the order of a map.
        if self.counts.len() > TRACKED_MAX {
            self.purge();
        }
    }

    /// The true count of a value is between its count and that plus this.
    pub fn error(&self) -> u64 {
        self.error
    }

    /// The counts of all values that are known, in no particular order.
    pub fn counts(&self) -> Vec<u64> {
        self.counts.values().copied().collect()
    }

    /// The `limit` most frequent values, the most frequent first, of equal ones the smaller text.
    pub fn top(&self, limit: usize) -> Vec<(&[u8], u64)> {
        let mut all: Vec<(&[u8], u64)> = self.counts.iter().map(|(text, count)| (&**text, *count)).collect();
        let order = |a: &(&[u8], u64), b: &(&[u8], u64)| b.1.cmp(&a.1).then(a.0.cmp(b.0));
        if limit < all.len() {
            all.select_nth_unstable_by(limit, order);
            all.truncate(limit);
        }
        all.sort_unstable_by(order);
        all
    }

    /// All values and counts, by text.
    fn sorted(&self) -> Vec<(&[u8], u64)> {
        let mut all: Vec<(&[u8], u64)> = self.counts.iter().map(|(text, count)| (&**text, *count)).collect();
        all.sort_unstable();
        all
    }
}

impl State for Frequencies {
    const MEMBER: &'static [u8] = b",\"frequencies\":";
    const NAME: &'static str = "frequencies";

    /// `[error,[["value",count],…]]`
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.error, out);
        out.push(b',');
        write_items(&self.sorted(), out, |(text, count), out| {
            out.push(b'[');
            write_text(text, out);
            out.push(b',');
            write_number(*count, out);
            out.push(b']');
        });
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Frequencies> {
        from.literal(b"[")?;
        let error = from.count()?;
        from.literal(b",")?;
        // Collected first, so that the map is made as large as it has to be.
        let mut counts: Vec<(Box<[u8]>, u64)> = Vec::new();
        from.items(|from| {
            from.literal(b"[")?;
            let text = from.string()?.into_owned().into_boxed_slice();
            from.literal(b",")?;
            counts.push((text, from.count()?));
            from.literal(b"]")
        })?;
        from.literal(b"]")?;
        let mut frequencies = Frequencies { error, ..Frequencies::default() };
        frequencies.counts.extend(counts);
        Some(frequencies)
    }

    fn heap_bytes(&self) -> usize {
        block(self.counts.allocation_size() + self.counts.keys().map(|text| text.len() + 16).sum::<usize>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::collections::BTreeMap;

    /// Few frequent values among many rare ones.
    fn skewed(count: usize, seed: u64) -> Vec<Vec<u8>> {
        let mut random = Random::new(seed);
        (0..count)
            .map(|_| {
                let value = if random.below(2) == 0 { random.below(20) } else { 100 + random.below(50_000) };
                value.to_string().into_bytes()
            })
            .collect()
    }

    fn counted(values: &[Vec<u8>]) -> Frequencies {
        let mut frequencies = Frequencies::default();
        values.iter().for_each(|value| frequencies.add(value, 1));
        frequencies
    }

    #[test]
    fn counts_of_few_values_are_exact_and_ties_go_by_text() {
        let frequencies = counted(&[b"b".to_vec(), b"a".to_vec(), b"c".to_vec(), b"c".to_vec()]);
        assert_eq!(frequencies.top(3), [(&b"c"[..], 2), (b"a", 1), (b"b", 1)]);
        assert_eq!(frequencies.error(), 0);
    }

    #[test]
    fn counts_of_many_values_are_within_the_stated_error() {
        let values = skewed(200_000, 4);
        let mut exact: BTreeMap<&[u8], u64> = BTreeMap::new();
        values.iter().for_each(|value| *exact.entry(value).or_default() += 1);
        let (left, right) = values.split_at(70_000);
        let mut merged = counted(left);
        merged.merge(&counted(right));
        for frequencies in [counted(&values), merged] {
            assert!(frequencies.counts.len() <= TRACKED_MAX);
            assert!(frequencies.error() > 0 && frequencies.error() <= 200_000 / 2048);
            let top = frequencies.top(20);
            for (value, count) in &top {
                let true_count = exact[value];
                assert!(*count <= true_count && true_count <= count + frequencies.error());
            }
            assert!(top.iter().all(|(value, _)| value.len() < 3), "the twenty frequent values come first");
        }
    }
}
