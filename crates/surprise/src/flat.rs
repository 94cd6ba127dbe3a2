//! Watches how long a value stays the same.

use crate::POINTS_FEW;

/// A run of fewer equal values is none.
const RUN_FEW: u16 = 12;
/// A run is a flat line when it is so many times as long as the longest before it.
const TIMES_LONGER: u16 = 3;

/// The runs of equal values of a series. What a point tells: its value is the same as so many before it, where it used to vary.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flat {
    /// How many points had the value of the one before, without a break.
    run: u16,
    /// The longest run that has ended.
    longest: u16,
}

impl Flat {
    /// Takes a point after `count` others, and whether it has the value of the last one. Returns true for the one that makes a
    /// flat line. A series that begins with equal values is not known to vary.
    #[inline]
    pub fn take(&mut self, is_same: bool, count: u64) -> bool {
        if !is_same {
            self.longest = self.longest.max(self.run);
            self.run = 0;
            return false;
        }
        self.run = self.run.saturating_add(1);
        let needed = RUN_FEW.max(self.longest.saturating_mul(TIMES_LONGER));
        self.run == needed && needed < u16::MAX && count >= POINTS_FEW + u64::from(self.run)
    }

    /// Returns it as one number, for [`Flat::of_words`].
    pub fn words(self) -> u32 {
        u32::from(self.run) << 16 | u32::from(self.longest)
    }

    /// Takes what [`Flat::words`] gave.
    pub fn of_words(word: u32) -> Self {
        Self { run: (word >> 16) as u16, longest: word as u16 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat_lines(values: impl IntoIterator<Item = i32>) -> Vec<usize> {
        let (mut flat, mut last) = (Flat::default(), None);
        let values = values.into_iter().enumerate();
        values
            .filter_map(|(at, value)| flat.take(last.replace(value) == Some(value), at as u64).then_some(at))
            .collect()
    }

    #[test]
    fn a_value_that_stays_is_a_flat_line_once() {
        assert_eq!(flat_lines((0..200).map(|at| if at < 100 { at } else { 7 })), [112]);
    }

    #[test]
    fn runs_as_long_as_earlier_ones_are_none() {
        assert!(flat_lines((0..1000).map(|at| at / 10)).is_empty());
        assert!(flat_lines((0..1000).map(|_| 3)).is_empty());
        assert_eq!(flat_lines((0..1000).map(|at| if at < 500 { at / 10 } else { -1 })), [527]);
    }
}
