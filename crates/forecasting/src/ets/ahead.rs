//! Forecasts of a model, and their variances (Hyndman et al. 2008, chapter 6).

use crate::ets::fit::Ets;
use crate::ets::form::Trend;
use crate::forecast::Forecast;
use crate::part::Part;

impl Ets {
    /// Forecasts this many steps.
    #[must_use]
    pub fn forecast(&self, horizon: usize) -> Forecast {
        let base = self.bases(horizon);
        let index = |step: usize| match self.form.season {
            Some(_) => self.state.season[(self.state.next + step) % self.state.season.len()],
            None => 0.0,
        };
        let means: Vec<f64> = base
            .iter()
            .enumerate()
            .map(|(step, base)| match self.form.season {
                Some(Part::Multiplicative) => base * index(step),
                Some(Part::Additive) => base + index(step),
                None => *base,
            })
            .collect();
        let variances = match (self.form.error, self.form.season) {
            (Part::Additive, _) => self.absolute(horizon),
            (Part::Multiplicative, Some(Part::Multiplicative)) => {
                let scaled = |(step, variance): (usize, f64)| variance * index(step) * index(step);
                self.relative(&base).into_iter().enumerate().map(scaled).collect()
            }
            (Part::Multiplicative, _) => self.relative(&means),
        };
        Forecast::new(means, variances)
    }

    /// Level and trend of each step.
    fn bases(&self, horizon: usize) -> Vec<f64> {
        let (mut sum, mut power) = (0.0, 1.0);
        (0..horizon)
            .map(|_| {
                power *= self.weights.phi;
                sum += power;
                match self.form.trend {
                    Trend::None => self.state.level,
                    _ => self.state.level + sum * self.state.slope,
                }
            })
            .collect()
    }

    /// What an error at a step adds to the value so many steps later, from 1.
    fn effects(&self, horizon: usize) -> Vec<f64> {
        let (mut sum, mut power) = (0.0, 1.0);
        let season = self.state.season.len();
        // The season of a multiplied one is no part of the base.
        let has_season = self.form.season == Some(Part::Additive);
        (1..horizon)
            .map(|later| {
                power *= self.weights.phi;
                sum += power;
                let trend = if self.form.trend == Trend::None { 0.0 } else { self.weights.beta_share * sum };
                let index = if has_season && later.is_multiple_of(season) { self.weights.gamma } else { 0.0 };
                self.weights.alpha * (1.0 + trend) + index
            })
            .collect()
    }

    /// Class 1: everything adds.
    fn absolute(&self, horizon: usize) -> Vec<f64> {
        let effects = self.effects(horizon);
        let mut sum = 1.0;
        let later = effects.iter().map(|effect| {
            sum += effect * effect;
            sum * self.variance
        });
        std::iter::once(self.variance).chain(later).take(horizon).collect()
    }

    /// Classes 2 and 3: the error multiplies what is expected, and in class 3 the season too.
    fn relative(&self, means: &[f64]) -> Vec<f64> {
        let effects = self.effects(means.len());
        let season = if self.form.season == Some(Part::Multiplicative) { self.state.season.len() } else { usize::MAX };
        let of_season = 1.0 + self.weights.gamma * self.weights.gamma * self.variance;
        let (mut squares, mut grown) = (Vec::with_capacity(means.len()), 1.0);
        let mut variances = Vec::with_capacity(means.len());
        for (step, mean) in means.iter().enumerate() {
            let carried: f64 = effects[..step]
                .iter()
                .zip(squares.iter().rev())
                .map(|(effect, square): (&f64, &f64)| effect * effect * square)
                .sum();
            let square = mean * mean + self.variance * carried;
            squares.push(square);
            if step > 0 && step.is_multiple_of(season) {
                grown *= of_season;
            }
            variances.push((1.0 + self.variance) * grown * square - mean * mean);
        }
        variances
    }
}
