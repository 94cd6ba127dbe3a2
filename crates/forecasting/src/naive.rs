//! The last value, or that of a season ago, as a forecast.

use crate::forecast::Forecast;

/// The last values, as many as a season has; without a season the last one.
#[derive(Clone, Debug, PartialEq)]
pub struct Naive {
    /// From `next` on, around, those of the steps to come.
    pub last: Vec<f64>,
    pub next: usize,
    /// Infinite where there is no error to tell it by.
    pub variance: f64,
}

impl Naive {
    /// Fits a series. None for one that is empty. A season longer than the series counts for nothing.
    #[must_use]
    pub fn fit(series: &[f64], season: usize) -> Option<Naive> {
        let season = if season <= series.len() { season.max(1) } else { 1 };
        let last = series.get(series.len().checked_sub(season)?..)?.to_vec();
        if last.is_empty() {
            return None;
        }
        let errors = series[season..].iter().zip(series).map(|(late, early)| late - early);
        let count = series.len() - season;
        let squares: f64 = errors.map(|error| error * error).sum();
        let variance = if count > 0 { squares / count as f64 } else { f64::INFINITY };
        Some(Naive { last, next: 0, variance })
    }

    /// Takes the next value.
    pub fn update(&mut self, value: f64) {
        self.last[self.next] = value;
        self.next = (self.next + 1) % self.last.len();
    }

    /// Forecasts this many steps.
    #[must_use]
    pub fn forecast(&self, horizon: usize) -> Forecast {
        let season = self.last.len();
        let means = (0..horizon).map(|step| self.last[(self.next + step) % season]).collect();
        let variances = (0..horizon).map(|step| self.variance * (1 + step / season) as f64).collect();
        Forecast::new(means, variances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_season_ago_come_again() {
        let mut naive = Naive::fit(&[1.0, 5.0, 2.0, 7.0], 2).unwrap();
        assert_eq!(naive.forecast(3), Forecast::new(vec![2.0, 7.0, 2.0], vec![2.5, 2.5, 5.0]));
        naive.update(3.0);
        assert_eq!(naive.forecast(2).means, [7.0, 3.0]);
        assert_eq!(Naive::fit(&[4.0], 1).unwrap().forecast(2), Forecast::new(vec![4.0, 4.0], vec![f64::INFINITY; 2]));
        assert_eq!(Naive::fit(&[4.0], 9).unwrap().last, [4.0]);
        assert_eq!(Naive::fit(&[], 1), None);
    }
}
