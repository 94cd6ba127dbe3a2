//! Values in their order, for percentiles of a window.

/// Values of a block before it is cut in two.
const BLOCK_MAX: usize = 512;

/// Sorted values in sorted blocks: one is put in or taken out by moving at most a block. What it gives depends on the values
/// alone, not on how they came.
#[derive(Clone, Debug, Default)]
pub struct Ranked {
    /// None of them is empty.
    blocks: Vec<Vec<f64>>,
    len: usize,
}

impl Ranked {
    pub fn insert(&mut self, value: f64) {
        self.len += 1;
        let at = self.block_of(value).min(self.blocks.len().saturating_sub(1));
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(vec![value]);
            return;
        };
        block.insert(block.partition_point(|other| *other < value), value);
        if block.len() > BLOCK_MAX {
            let upper = block.split_off(BLOCK_MAX / 2);
            self.blocks.insert(at + 1, upper);
        }
    }

    /// Takes out one of the values that are equal to this.
    pub fn remove(&mut self, value: f64) {
        let at = self.block_of(value);
        let Some(block) = self.blocks.get_mut(at) else { return };
        let place = block.partition_point(|other| *other < value);
        if block.get(place).is_some_and(|other| *other == value) {
            block.remove(place);
            self.len -= 1;
            if block.is_empty() {
                self.blocks.remove(at);
            }
        }
    }

    /// The first block that has a value as large.
    fn block_of(&self, value: f64) -> usize {
        self.blocks.partition_point(|block| block.last().is_some_and(|last| *last < value))
    }

    fn nth(&self, mut rank: usize) -> Option<f64> {
        for block in &self.blocks {
            match block.get(rank) {
                Some(value) => return Some(*value),
                None => rank -= block.len(),
            }
        }
        None
    }

    /// Returns a percentile, between two values as SQL's PERCENTILE_CONT has it.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let position = percent * self.len.checked_sub(1)? as f64 / 100.0;
        let rank = (position as usize).min(self.len - 1);
        let (low, part) = (self.nth(rank)?, position - rank as f64);
        if part <= 0.0 {
            return Some(low);
        }
        let high = self.nth(rank + 1)?;
        let step = high - low;
        // The difference of two huge values overflows; their shares do not.
        Some(if step.is_finite() { low + step * part } else { low * (1.0 - part) + high * part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_sorted_values(values in prop::collection::vec(-50i32..50, 1..3000), kept in 1usize..1500) {
            let mut ranked = Ranked::default();
            for (at, value) in values.iter().enumerate() {
                if at >= kept {
                    ranked.remove(f64::from(values[at - kept]));
                }
                ranked.insert(f64::from(*value));
            }
            let mut last: Vec<f64> = values[values.len().saturating_sub(kept)..].iter().map(|v| f64::from(*v)).collect();
            last.sort_by(f64::total_cmp);
            let middle = (last[(last.len() - 1) / 2] + last[last.len() / 2]) / 2.0;
            prop_assert_eq!(ranked.percentile(50.0), Some(middle));
            prop_assert_eq!(ranked.percentile(0.0), last.first().copied());
            prop_assert_eq!(ranked.percentile(100.0), last.last().copied());
        }
    }
}
