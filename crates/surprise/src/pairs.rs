//! Compares a value, together with the one four points before it, with such pairs of the past.

use values::state_text::StateReader;

use crate::state;

/// In points.
const LAG: usize = 4;
/// Pairs that are compared with.
const PAIRS: usize = 1000;
/// Fewer pairs say nothing.
const PAIRS_FEW: usize = 16;
/// Values that may be there beside those that are needed, so that old ones are dropped many at a time.
const ROOM: usize = 128;
/// Distances that are looked at together.
const TOGETHER: usize = 8;

/// The last 1,000 pairs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    values: Vec<f64>,
}

impl Pairs {
    /// Takes the next value. Returns the distance to the third nearest pair, where the distance of two pairs is the larger of
    /// their two differences; none while there are few.
    pub fn take(&mut self, value: f64) -> Option<f64> {
        let distance = self.distance(value);
        if self.values.len() >= PAIRS + LAG + ROOM {
            self.values.drain(..=ROOM);
        }
        if self.values.len() == self.values.capacity() {
            // Doubling would take twice what is needed.
            let more = self.values.len().max(PAIRS_FEW);
            self.values.reserve_exact(more.min(PAIRS + LAG + ROOM - self.values.len()));
        }
        self.values.push(value);
        distance
    }

    fn distance(&self, value: f64) -> Option<f64> {
        let count = self.values.len();
        let pairs = count.checked_sub(LAG)?.min(PAIRS);
        if pairs < PAIRS_FEW {
            return None;
        }
        let before = self.values[count - LAG];
        let (seconds, firsts) = (&self.values[count - pairs..], &self.values[count - pairs - LAG..count - LAG]);
        Some(third_nearest(value, before, seconds, firsts))
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        self.values.capacity() * size_of::<f64>()
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        let first = self.values.len().saturating_sub(PAIRS + LAG);
        state::write_floats(&self.values[first..], out);
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        state::floats(from).filter(|values| values.len() <= PAIRS + LAG).map(|values| Self { values })
    }
}

/// Both slices are of one length: the pairs' second and first values.
fn third_nearest(value: f64, before: f64, seconds: &[f64], firsts: &[f64]) -> f64 {
    let mut nearest = [f64::INFINITY; 3];
    let (blocks, rest) = seconds.as_rchunks_rev();
    let (blocks_before, rest_before) = firsts.as_rchunks_rev();
    // The newest first: they are near most often, so that the others are passed over.
    for (block, block_before) in blocks.zip(blocks_before) {
        let mut distances = [0.0; TOGETHER];
        for ((distance, second), first) in distances.iter_mut().zip(block).zip(block_before) {
            *distance = larger((value - second).abs(), (before - first).abs());
        }
        let smallest = distances.iter().fold(f64::INFINITY, |smallest, other| smaller(smallest, *other));
        if smallest < nearest[2] {
            distances.iter().for_each(|distance| insert(&mut nearest, *distance));
        }
    }
    for (second, first) in rest.iter().zip(rest_before) {
        insert(&mut nearest, larger((value - second).abs(), (before - first).abs()));
    }
    nearest[2]
}

/// Blocks from the end, and what is left in front.
trait FromTheEnd {
    fn as_rchunks_rev(&self) -> (impl Iterator<Item = &[f64; TOGETHER]>, &[f64]);
}

impl FromTheEnd for [f64] {
    #[inline]
    fn as_rchunks_rev(&self) -> (impl Iterator<Item = &[f64; TOGETHER]>, &[f64]) {
        let (rest, blocks) = self.as_rchunks();
        (blocks.iter().rev(), rest)
    }
}

// Without those of `f64`, which ask for NaN.
#[inline]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

#[inline]
fn insert(nearest: &mut [f64; 3], distance: f64) {
    if distance < nearest[2] {
        nearest[2] = distance;
        if nearest[2] < nearest[1] {
            nearest.swap(1, 2);
        }
        if nearest[1] < nearest[0] {
            nearest.swap(0, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, word for word.
    fn model(values: &[f64]) -> Option<f64> {
        let i = values.len() - 1;
        let n = i.checked_sub(LAG)?.min(PAIRS);
        if n < PAIRS_FEW {
            return None;
        }
        let distance = |j: usize| (values[i] - values[j]).abs().max((values[i - LAG] - values[j - LAG]).abs());
        let mut distances: Vec<f64> = (i - n..i).map(distance).collect();
        distances.sort_by(f64::total_cmp);
        Some(distances[2])
    }

    proptest! {
        #[test]
        fn it_is_as_the_definition_has_it(values in proptest::collection::vec(-100i32..100, 1..2500)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mut pairs = Pairs::default();
            for (count, value) in values.iter().enumerate() {
                let distance = pairs.take(*value);
                if count % 97 == 0 || count < 50 {
                    prop_assert_eq!(distance, model(&values[..=count]));
                }
            }
            prop_assert!(pairs.values.len() <= PAIRS + LAG + ROOM);
        }
    }
}
