//! Judges a distance against the largest ones of its stream.

use std::f64::consts::LN_10;

use values::state_text::{StateReader, write_number};

use crate::{POINTS_FEW, POINTS_REMEMBERED, state};

/// The largest values that are kept.
const KEPT: usize = 50;
/// An excess above that of the sixth largest value, times this, counts as this: one wild value does not hide the next.
const EXCESS_CAP: f64 = 20.0;
/// Rank tells half of the surprise: novelties come in clusters.
const BELIEF: f64 = 0.5;
/// In decades.
const SURPRISE_MAX: f64 = 30.0;

/// An exponential tail over the 50 largest values so far (peaks over threshold; Siffer et al. 2017 without the fit).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail {
    /// The largest first.
    top: Vec<f64>,
    count: u64,
}

impl Tail {
    /// Takes a distance, not negative. Returns how surprising it is, in decades: 0 for an ordinary one.
    pub fn take(&mut self, value: f64) -> f64 {
        self.count += 1;
        let smallest = self.top.get(KEPT - 1).copied();
        let surprise = match smallest {
            Some(smallest) if self.count > POINTS_FEW && value > smallest => self.surprise(value, smallest),
            _ => 0.0,
        };
        if smallest.is_none_or(|smallest| value > smallest) {
            self.insert(value);
        }
        surprise
    }

    /// `smallest` is that of the 50.
    fn surprise(&self, value: f64, smallest: f64) -> f64 {
        let cap = EXCESS_CAP * (self.top[5] - smallest);
        let excesses = self.top[..KEPT - 1].iter().map(|top| (top - smallest).min(cap));
        let mean = excesses.sum::<f64>() / (KEPT - 1) as f64;
        let scale = mean.max(0.5 * smallest).max(1e-9 * (self.top[0] - smallest)).max(1e-300);
        let seen = (self.count + 1).min(POINTS_REMEMBERED) as f64;
        BELIEF * libm::log10(seen / KEPT as f64) + ((value - smallest) / (scale * LN_10)).min(SURPRISE_MAX)
    }

    fn insert(&mut self, value: f64) {
        let place = self.top.partition_point(|top| *top >= value);
        self.top.truncate(KEPT - 1);
        self.top.insert(place, value);
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        self.top.capacity() * size_of::<f64>()
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.count, out);
        out.push(b',');
        state::write_floats(&self.top, out);
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let count = from.count()?;
        from.literal(b",")?;
        let top = state::floats(from).filter(|top| top.len() <= KEPT)?;
        from.literal(b"]")?;
        Some(Self { top, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_above_the_fifty_largest_surprises() {
        let mut tail = Tail::default();
        for value in 0..5000 {
            tail.take(f64::from(value % 50));
        }
        assert_eq!(tail.take(48.0), 0.0);
        assert!(tail.take(60.0) > 1.0);
        assert_eq!(tail.take(48.0), 0.0);
    }

    #[test]
    fn one_wild_value_does_not_hide_the_next() {
        let mut tail = Tail::default();
        for value in 0..1000 {
            tail.take(f64::from(value % 100));
        }
        tail.take(1e6);
        assert!(tail.take(200.0) > 1.0);
    }

    #[test]
    fn equal_values_and_zeros_give_finite_surprises() {
        let mut tail = Tail::default();
        (0..100).for_each(|_| assert_eq!(tail.take(0.0), 0.0));
        assert!(tail.take(1e-320).is_finite());
        assert!(tail.take(1e290).is_finite());
    }
}
