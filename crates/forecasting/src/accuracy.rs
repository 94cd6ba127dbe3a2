//! How good forecasts were, one value at a time: sMAPE, MASE (Hyndman and Koehler 2006), and how many values were within
//! the bounds.

/// Sums over the values that came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accuracy {
    pub count: f64,
    /// Sum of 200 |value - forecast| / (|value| + |forecast|); 0 where both are 0.
    percents: f64,
    /// Sum of |value - forecast| as multiples of the scale, and of how many.
    scaled: f64,
    scaled_count: f64,
    /// How many values were within the bounds of each level.
    within: Vec<f64>,
}

impl Accuracy {
    /// Adds a value, what was forecast for it, and its bounds at each level. `scale` is that of [`scale`] before the forecast.
    pub fn add(&mut self, value: f64, forecast: f64, bounds: &[(f64, f64)], scale: f64) {
        // Halves: the difference of two finite numbers may not be one.
        let (error, size) = ((value / 2.0 - forecast / 2.0).abs(), value.abs() / 2.0 + forecast.abs() / 2.0);
        self.count += 1.0;
        self.percents += match size {
            0.0 => 0.0,
            _ if size.is_finite() => 200.0 * (error / size),
            _ => 200.0,
        };
        if scale > 0.0 && scale.is_finite() && (2.0 * error / scale).is_finite() {
            self.scaled += 2.0 * error / scale;
            self.scaled_count += 1.0;
        }
        self.within.resize(bounds.len(), 0.0);
        for (within, (lower, upper)) in self.within.iter_mut().zip(bounds) {
            *within += if *lower <= value && value <= *upper { 1.0 } else { 0.0 };
        }
    }

    /// Returns the mean symmetric percentage error, 0 to 200. None without values.
    #[must_use]
    pub fn smape(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.percents / self.count)
    }

    /// Returns the mean error, as a multiple of what the naive forecast (of a season ago) missed before. None without values.
    #[must_use]
    pub fn mase(&self) -> Option<f64> {
        (self.scaled_count > 0.0).then(|| self.scaled / self.scaled_count)
    }

    /// Returns the share of values within their bounds at a level, by its number, in percent. None without values.
    #[must_use]
    pub fn coverage(&self, level: usize) -> Option<f64> {
        self.within.get(level).map(|within| 100.0 * within / self.count)
    }

    /// Returns all that it is made of.
    #[must_use]
    pub fn numbers(&self) -> Vec<f64> {
        let sums = [self.count, self.percents, self.scaled, self.scaled_count];
        sums.into_iter().chain(self.within.iter().copied()).collect()
    }

    /// Makes it of what [`Accuracy::numbers`] gave; none of anything else.
    #[must_use]
    pub fn of_numbers(numbers: &[f64]) -> Option<Accuracy> {
        let ([count, percents, scaled, scaled_count], within) = numbers.split_first_chunk()?;
        Some(Accuracy {
            count: *count,
            percents: *percents,
            scaled: *scaled,
            scaled_count: *scaled_count,
            within: within.to_vec(),
        })
    }
}

/// Returns what the (seasonal) naive forecast misses on a series: the mean of |value - that of a season ago|; 0 for a series
/// no longer than a season.
#[must_use]
pub fn scale(series: &[f64], season: usize) -> f64 {
    let season = season.max(1);
    let pairs = series.len().saturating_sub(season);
    let missed = |(late, early): (&f64, &f64)| (late - early).abs();
    series.iter().skip(season).zip(series).map(missed).sum::<f64>() / pairs.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measures_are_those_of_the_m4_competition() {
        let mut accuracy = Accuracy::default();
        assert_eq!((accuracy.smape(), accuracy.mase(), accuracy.coverage(0)), (None, None, None));
        let scale = scale(&[1.0, 2.0, 3.0, 6.0], 2);
        assert_eq!(scale, 3.0);
        accuracy.add(4.0, 4.0, &[(3.0, 5.0)], scale);
        accuracy.add(2.0, 6.0, &[(3.0, 5.0)], scale);
        accuracy.add(0.0, 0.0, &[(0.0, 0.0)], 0.0);
        accuracy.add(1e308, -1e308, &[(-1.0, 1.0)], 0.0);
        assert_eq!(accuracy.smape(), Some((100.0 + 200.0) / 4.0));
        assert_eq!(accuracy.mase(), Some(4.0 / 3.0 / 2.0));
        assert_eq!(accuracy.coverage(0), Some(50.0));
        assert_eq!(Accuracy::of_numbers(&accuracy.numbers()), Some(accuracy));
        assert_eq!(Accuracy::of_numbers(&[1.0]), None);
        assert_eq!(super::scale(&[1.0], 1), 0.0);
    }
}
