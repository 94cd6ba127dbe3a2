//! The mean of numbers, with more digits than a double has.

use values::state_text::{StateReader, write_float};

/// A mean in two parts, the second being what the first has lost. So deviations are as exact as the numbers themselves, also of
/// numbers that lie close together and far from zero.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    high: f64,
    low: f64,
}

impl Mean {
    /// Of one number.
    pub fn of(value: f64) -> Mean {
        Mean { high: value, low: 0.0 }
    }

    /// How far a number lies above it.
    pub fn distance_to(&self, value: f64) -> f64 {
        (value - self.high) - self.low
    }

    /// How far another mean lies above it.
    pub fn distance_to_mean(&self, other: &Mean) -> f64 {
        (other.high - self.high) + (other.low - self.low)
    }

    /// Moves it, with the rounding error of the sum kept (Knuth's two-sum).
    pub fn move_by(&mut self, distance: f64) {
        let moved = self.high + distance;
        let part = moved - self.high;
        self.low += (self.high - (moved - part)) + (distance - part);
        self.high = moved;
    }

    pub fn get(&self) -> f64 {
        self.high + self.low
    }

    /// Appends `high,low`.
    pub fn save(&self, out: &mut Vec<u8>) {
        write_float(self.high, out);
        out.push(b',');
        write_float(self.low, out);
    }

    pub fn load(from: &mut StateReader<'_>) -> Option<Mean> {
        let high = from.float()?;
        from.literal(b",")?;
        Some(Mean { high, low: from.float()? })
    }
}
