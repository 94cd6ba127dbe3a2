//! The mean season of a series, by classical decomposition, and a test for a season.

use crate::part::Part;

/// One number for each place in a season.
#[derive(Clone, Debug, PartialEq)]
pub struct SeasonFigure {
    pub part: Part,
    /// They add up to 0, or have the mean 1.
    pub indices: Vec<f64>,
}

impl SeasonFigure {
    /// Computes the figure: the mean of what is over (or the ratio) to a centred moving average, for each place. None
    /// when there are not two whole seasons, or where a ratio is not a number above zero.
    #[must_use]
    pub fn of(series: &[f64], season: usize, part: Part) -> Option<SeasonFigure> {
        if season < 2 || series.len() < 2 * season {
            return None;
        }
        let half = season / 2;
        let mut sums = vec![(0.0, 0.0); season];
        for at in half..series.len() - half {
            let trend = centred_mean(series, at, season);
            let index = match part {
                Part::Additive => series[at] - trend,
                Part::Multiplicative => series[at] / trend,
            };
            let (sum, count) = &mut sums[at % season];
            *sum += index;
            *count += 1.0;
        }
        let means: Vec<f64> = sums.iter().map(|(sum, count)| sum / count).collect();
        let mean = means.iter().sum::<f64>() / season as f64;
        let indices: Vec<f64> = match part {
            Part::Additive => means.iter().map(|index| index - mean).collect(),
            Part::Multiplicative => means.iter().map(|index| index / mean).collect(),
        };
        let is_good = |index: &f64| index.is_finite() && (part == Part::Additive || *index > 0.0);
        indices.iter().all(is_good).then_some(SeasonFigure { part, indices })
    }

    /// Takes the season out of the value at this place.
    #[must_use]
    pub fn without(&self, value: f64, at: usize) -> f64 {
        let index = self.indices[at % self.indices.len()];
        if self.part == Part::Additive { value - index } else { value / index }
    }

    /// Puts the season into a value at this place.
    #[must_use]
    pub fn with(&self, value: f64, at: usize) -> f64 {
        let index = self.indices[at % self.indices.len()];
        if self.part == Part::Additive { value + index } else { value * index }
    }

    /// Returns what one unit of a value without season is at this place.
    #[must_use]
    pub fn scale(&self, at: usize) -> f64 {
        if self.part == Part::Additive { 1.0 } else { self.indices[at % self.indices.len()] }
    }
}

/// The mean over one season around a place; of an even season the two ends count half.
fn centred_mean(series: &[f64], at: usize, season: usize) -> f64 {
    let half = season / 2;
    let sum: f64 = series[at - half..=at + half].iter().sum();
    let ends = if season.is_multiple_of(2) { (series[at - half] + series[at + half]) / 2.0 } else { 0.0 };
    (sum - ends) / season as f64
}

/// Tests at 90 % whether values a season apart go together (Fiorucci et al. 2016; the test of the M4 competition). It
/// needs three whole seasons.
#[must_use]
pub fn is_seasonal(series: &[f64], season: usize) -> bool {
    if season < 2 || series.len() < 3 * season {
        return false;
    }
    let correlations = autocorrelations(series, season);
    let Some((last, others)) = correlations.split_last() else { return false };
    let spread = 1.0 + 2.0 * others.iter().map(|r| r * r).sum::<f64>();
    last.abs() > 1.645 * (spread / series.len() as f64).sqrt()
}

/// The autocorrelations at the lags 1 to `lags`; all 0 for a constant series.
fn autocorrelations(series: &[f64], lags: usize) -> Vec<f64> {
    let mean = series.iter().sum::<f64>() / series.len() as f64;
    let away: Vec<f64> = series.iter().map(|value| value - mean).collect();
    let square: f64 = away.iter().map(|value| value * value).sum();
    let at = |lag: usize| away[lag..].iter().zip(&away).map(|(late, early)| late * early).sum::<f64>();
    (1..=lags).map(|lag| if square > 0.0 { at(lag) / square } else { 0.0 }).collect()
}
