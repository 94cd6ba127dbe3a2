//! How good forecasts were, one value at a time: sMAPE, MASE (Hyndman and Koehler 2006), and how many values were within
//! the bounds.

/// Sums over the values that came.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accuracy {
    pub count: f64,
    /// Sum of 200 |value - forecast| / (|value| + |forecast|); 0 where both are 0.
    pub percents: f64,
    /// Sum of |value - forecast| as multiples of the scale.
    pub scaled: f64,
    /// How many have a scale.
    pub scaled_count: f64,
    pub within: f64,
}

impl Accuracy {
    /// Adds a value and what was forecast for it. `scale` is that of [`scale`] before the forecast.
    pub fn add(&mut self, value: f64, forecast: f64, bounds: (f64, f64), scale: f64) {
        // Halves: the difference of two finite numbers may not be one.
        let (error, size) = ((value / 2.0 - forecast / 2.0).abs(), value.abs() / 2.0 + forecast.abs() / 2.0);
        self.count += 1.0;
        self.percents += if size > 0.0 { 200.0 * (error / size) } else { 0.0 };
        if scale > 0.0 && (2.0 * error / scale).is_finite() {
            self.scaled += 2.0 * error / scale;
            self.scaled_count += 1.0;
        }
        if bounds.0 <= value && value <= bounds.1 {
            self.within += 1.0;
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

    /// Returns the share of values within their bounds, in percent. None without values.
    #[must_use]
    pub fn coverage(&self) -> Option<f64> {
        (self.count > 0.0).then(|| 100.0 * self.within / self.count)
    }
}

/// Returns what the (seasonal) naive forecast misses on a series: the mean of |value - that of a season ago|; 0 for a series
/// no longer than a season.
#[must_use]
pub fn scale(series: &[f64], season: usize) -> f64 {
    let season = season.max(1);
    let pairs = series.len().saturating_sub(season);
    let missed = |(late, early): (&f64, &f64)| (late - early).abs() / pairs as f64;
    series.iter().skip(season).zip(series).map(missed).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measures_are_those_of_the_m4_competition() {
        let mut accuracy = Accuracy::default();
        assert_eq!((accuracy.smape(), accuracy.mase(), accuracy.coverage()), (None, None, None));
        let scale = scale(&[1.0, 2.0, 3.0, 6.0], 2);
        assert_eq!(scale, 3.0);
        accuracy.add(4.0, 4.0, (3.0, 5.0), scale);
        accuracy.add(2.0, 6.0, (3.0, 5.0), scale);
        accuracy.add(0.0, 0.0, (0.0, 0.0), 0.0);
        accuracy.add(1e308, -1e308, (-1.0, 1.0), 0.0);
        assert_eq!(accuracy.smape(), Some((100.0 + 200.0) / 4.0));
        assert_eq!(accuracy.mase(), Some(4.0 / 3.0 / 2.0));
        assert_eq!(accuracy.coverage(), Some(50.0));
        assert_eq!(super::scale(&[1.0], 1), 0.0);
    }
}
