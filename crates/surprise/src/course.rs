//! Follows the course of a series, and judges how far a value is from it.

use values::state_text::StateReader;

use crate::mean_error::MeanError;
use crate::novelty::Novelty;
use crate::state;
use crate::tail::Tail;

/// Of an error, the parts that the level and the slope take (Holt 1957).
const LEVEL_GAIN: f64 = 0.1;
const SLOPE_GAIN: f64 = 0.0025;
/// An error moves the line as if it were at most so many mean errors.
const CLIP: f64 = 4.0;
/// What the course tells counts by this: a series that wanders has large errors in clusters.
const WEIGHT: f64 = 0.7;

/// A line through the last values, and what is left of each value without it. Distances are in mean deviations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Where the next value is expected.
    ahead: f64,
    slope: f64,
    error: MeanError,
    remainders: Novelty,
    tail: Tail,
}

impl Course {
    /// Takes the value of a point. Returns how surprising its distance from the line is.
    pub fn take(&mut self, value: f64, point: u32) -> f64 {
        let count = self.error.count() + 1;
        let error = if count == 1 { 0.0 } else { value - self.ahead };
        let clipped = self.error.clip_to(error, CLIP);
        let level_gain = LEVEL_GAIN.max(2.0 / (count as f64 + 1.0)).min(1.0);
        let slope_gain = SLOPE_GAIN.max(1.0 / (count as f64 * count as f64)).min(1.0);
        let level = if count == 1 { value } else { self.ahead + level_gain * clipped };
        self.slope = (self.slope + slope_gain * clipped).clamp(-1e290, 1e290);
        self.ahead = (level + self.slope).clamp(-1e291, 1e291);
        self.error.take(clipped.abs());
        let distance = self.remainders.take(error, point);
        let distance = self.remainders.relative(distance);
        WEIGHT * distance.map_or(0.0, |distance| self.tail.take(distance))
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        self.remainders.heap_bytes() + self.tail.heap_bytes()
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        state::write_floats(&[self.ahead, self.slope], out);
        out.push(b',');
        self.error.save(out);
        out.push(b',');
        self.remainders.save(out);
        out.push(b',');
        self.tail.save(out);
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let [ahead, slope] = state::floats(from)?.try_into().ok()?;
        from.literal(b",")?;
        let error = MeanError::load(from)?;
        from.literal(b",")?;
        let remainders = Novelty::load(from)?;
        from.literal(b",")?;
        let tail = Tail::load(from)?;
        from.literal(b"]")?;
        Some(Self { ahead, slope, error, remainders, tail })
    }
}
