//! Follows the mean of absolute errors.

use values::state_text::{StateReader, write_number};

use crate::{POINTS_FEW, state};

/// An error moves the mean by this part, at least.
const WEIGHT_MIN: f64 = 0.001;
/// An error larger than so many means counts as that.
const CLIP: f64 = 10.0;

/// A mean that the newest 1,000 errors weigh most in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeanError {
    mean: f64,
    count: u64,
}

impl MeanError {
    pub fn mean(&self) -> f64 {
        self.mean
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the part by which the newest of so many values moves a mean.
    pub fn weight(count: u64) -> f64 {
        WEIGHT_MIN.max(1.0 / count as f64)
    }

    pub fn take(&mut self, error: f64) {
        self.count += 1;
        let error = if self.is_settled() { error.min(CLIP * self.mean) } else { error };
        self.mean += Self::weight(self.count) * (error - self.mean);
    }

    /// Makes a difference that is larger than any ordinary one smaller.
    pub fn clip_signed(&self, difference: f64) -> f64 {
        self.clip_to(difference, CLIP)
    }

    /// Makes a difference at most so many means, once the mean is known.
    pub fn clip_to(&self, difference: f64, means: f64) -> f64 {
        if self.is_settled() { difference.clamp(-means * self.mean, means * self.mean) } else { difference }
    }

    fn is_settled(&self) -> bool {
        self.count > POINTS_FEW && self.mean > 0.0
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        state::write_floats(&[self.mean], out);
        out.push(b',');
        write_number(self.count, out);
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        let [mean] = state::floats(from)?.try_into().ok()?;
        from.literal(b",")?;
        from.count().map(|count| Self { mean, count })
    }
}
