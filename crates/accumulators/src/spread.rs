//! How far values lie apart: the median of the distances from the median, and the distance between quartiles.

use crate::ddsketch::DdSketch;
use crate::digest::Digest;
use crate::digits::rounded;
use crate::interpolation::{INTERPOLATED_DIGITS, SKETCH_DIGITS, between, settle};
use crate::ranks::Ranks;

const QUARTILES: [f64; 3] = [25.0, 50.0, 75.0];
const MEDIAN: f64 = 50.0;

/// Both, as they are appended to a field's percentiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub deviation: f64,
    pub quartile_range: f64,
}

impl Spread {
    /// With so many digits that mean something.
    fn new(deviation: f64, quartile_range: f64, digits: usize) -> Spread {
        Spread { deviation: rounded(deviation, digits), quartile_range: rounded(quartile_range, digits) }
    }

    /// Of all values of a list; none if it is empty.
    pub fn of_values(values: &[f64], ranks: &mut Ranks) -> Option<Spread> {
        let count = values.len() as u64;
        if count == 0 {
            return None;
        }
        settle(values, &QUARTILES, ranks);
        let [low, middle, high] =
            QUARTILES.map(|percent| between(percent, count, |rank| ranks.value_at(rank as usize)));
        let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        settle(&distances, &[MEDIAN], ranks);
        let deviation = between(MEDIAN, count, |rank| ranks.value_at(rank as usize));
        Some(Spread::new(deviation, high - low, INTERPOLATED_DIGITS))
    }

    /// Of all values that a sketch has seen, each taken for the middle of its bin.
    pub fn of_sketch(sketch: &DdSketch) -> Spread {
        let [low, middle, high] =
            QUARTILES.map(|percent| between(percent, sketch.count(), |rank| sketch.value_at(rank)));
        let distance = |(value, count): (f64, u64)| ((value - middle).abs(), count);
        let mut distances: Vec<(f64, u64)> = sketch.values().map(distance).collect();
        distances.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let value_at = |rank: u64| {
            let mut below = 0;
            let found = distances.iter().find(|(_, count)| {
                below += count;
                below > rank
            });
            found.or(distances.last()).map_or(0.0, |(distance, _)| *distance)
        };
        Spread::new(between(MEDIAN, sketch.count(), value_at), high - low, SKETCH_DIGITS)
    }

    /// Of all values that a digest has seen.
    pub fn of_digest(digest: &Digest) -> Option<Spread> {
        let quartiles = digest.percentiles(&QUARTILES);
        let [Some(low), Some(middle), Some(high)] = quartiles[..] else { return None };
        Some(Spread::new(digest.half_within(middle)?, high - low, SKETCH_DIGITS))
    }

    pub fn append(self, results: &mut Vec<f64>) {
        results.extend([self.deviation, self.quartile_range]);
    }
}
