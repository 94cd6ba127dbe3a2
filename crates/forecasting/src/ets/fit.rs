//! Fits the parameters of a form, and chooses a form.

use crate::ets::form::{Form, Trend};
use crate::ets::recursion::{Fit, State, Weights, run};
use crate::ets::start;
use crate::naive::Naive;
use crate::part::Part;
use crate::season_figure::SeasonFigure;
use crate::simplex::{self, Coordinate, Patience};

/// A fitted model with its state after the last value.
#[derive(Clone, Debug, PartialEq)]
pub struct Ets {
    pub form: Form,
    pub weights: Weights,
    pub state: State,
    /// Variance of the errors: relative ones where the error multiplies.
    pub variance: f64,
    /// Akaike's criterion, corrected for short series; without what is the same for all models of the series.
    pub aicc: f64,
}

/// Which forms are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Those with the season, if it has one.
    All,
    /// Only those without a season.
    WithoutSeason,
}

/// Bounds of the parameters, as in R's `ets`.
const LOW: f64 = 1e-4;
const HIGH: f64 = 1.0 - 1e-4;
const PHI: (f64, f64) = (0.8, 0.98);
/// A longer season has more states than AICc can weigh.
pub const SEASON_MAX: usize = 24;
/// In a longer series the first states weigh little: they stay as they are estimated at first.
const LEN_SHORT: usize = 200;

impl Ets {
    /// Fits the forms that suit the series and returns the one with the least AICc. None for an empty series.
    ///
    /// Forms that multiply need values above zero. Season and error are chosen first, then the trend.
    #[must_use]
    pub fn fit(series: &[f64], season: usize, choice: Choice) -> Option<Ets> {
        let fitting = Fitting::new(series, season, choice);
        let mut best = Best::default();
        for (season, error) in fitting.parts() {
            best.try_form(&fitting, Form::new(error, Trend::None, season));
        }
        // A short series is fitted in no time, and its trend may hide its season.
        let parts = match &best.0 {
            Some(best) if series.len() >= LEN_SHORT => vec![(best.form.season, best.form.error)],
            _ => fitting.parts(),
        };
        for trend in [Trend::Additive, Trend::Damped] {
            for (season, error) in &parts {
                best.try_form(&fitting, Form::new(*error, trend, *season));
            }
        }
        best.0.or_else(|| fitting.fit_anyway())
    }

    /// Fits one form. None where it has more parameters than the series allows, or the series has a value that it does
    /// not allow.
    #[must_use]
    pub fn fit_form(series: &[f64], season: usize, form: Form) -> Option<Ets> {
        Fitting::new(series, season, Choice::All).fit(form)
    }

    /// Takes the next value: the state moves on, the parameters stay.
    ///
    /// Returns false, and does nothing, when the model has parts that multiply and the value is not above zero.
    #[must_use]
    pub fn update(&mut self, value: f64) -> bool {
        if self.form.multiplies() && value <= 0.0 {
            return false;
        }
        run(self.form, self.weights, &mut self.state, &[value], |_| {});
        true
    }
}

/// The model with the least AICc so far; of equal ones the first.
#[derive(Default)]
struct Best(Option<Ets>);

impl Best {
    fn try_form(&mut self, fitting: &Fitting<'_>, form: Form) {
        if let Some(fitted) = fitting.fit(form)
            && self.0.as_ref().is_none_or(|best| fitted.aicc < best.aicc)
        {
            self.0 = Some(fitted);
        }
    }
}

struct Fitting<'a> {
    series: &'a [f64],
    is_positive: bool,
    added: Option<SeasonFigure>,
    multiplied: Option<SeasonFigure>,
}

impl<'a> Fitting<'a> {
    fn new(series: &'a [f64], season: usize, choice: Choice) -> Fitting<'a> {
        let is_positive = series.iter().all(|value| *value > 0.0);
        let has_season = choice == Choice::All && (2..=SEASON_MAX).contains(&season);
        let figure = |part| SeasonFigure::of(series, season, part).filter(|_| has_season);
        Fitting {
            series,
            is_positive,
            added: figure(Part::Additive),
            multiplied: figure(Part::Multiplicative).filter(|_| is_positive),
        }
    }

    /// The seasons and errors that suit the series. A season that multiplies goes with an error that does.
    fn parts(&self) -> Vec<(Option<Part>, Part)> {
        let (added, multiplied) = (Part::Additive, Part::Multiplicative);
        let all = [
            (None, added),
            (None, multiplied),
            (Some(added), added),
            (Some(added), multiplied),
            (Some(multiplied), multiplied),
        ];
        let suits = |(season, error): &(Option<Part>, Part)| match season {
            _ if *error == multiplied && !self.is_positive => false,
            None => true,
            Some(Part::Additive) => self.added.is_some(),
            Some(Part::Multiplicative) => self.multiplied.is_some(),
        };
        all.into_iter().filter(suits).collect()
    }

    fn figure(&self, form: Form) -> Option<&SeasonFigure> {
        match form.season? {
            Part::Additive => self.added.as_ref(),
            Part::Multiplicative => self.multiplied.as_ref(),
        }
    }

    fn fit(&self, form: Form) -> Option<Ets> {
        let figure = self.figure(form);
        let freedom = form.freedom(figure.map_or(0, |figure| figure.indices.len()));
        if self.series.len() <= freedom + 1
            || form.season.is_some() != figure.is_some()
            || (form.multiplies() && !self.is_positive)
        {
            return None;
        }
        let start = start::state(form, self.series, figure);
        let shape = Shape::new(form, &start, self.series);
        let mut state = start.clone();
        let len = self.series.len();
        let mut at = |point: &[f64]| {
            let weights = shape.read(point, &start, &mut state);
            run(form, weights, &mut state, self.series, |_| {}).deviance(len)
        };
        let patience = Patience { evaluations: 150 * shape.bounds.len(), tolerance: shape.tolerance() * len as f64 };
        let (point, deviance) = simplex::least(&shape.bounds, patience, &mut at);
        if !deviance.is_finite() {
            return None;
        }
        let weights = shape.read(&point, &start, &mut state);
        let fit = run(form, weights, &mut state, self.series, |_| {});
        Some(self.finish(form, weights, state, fit, freedom))
    }

    fn finish(&self, form: Form, weights: Weights, state: State, fit: Fit, freedom: usize) -> Ets {
        let (len, freedom) = (self.series.len() as f64, freedom as f64);
        let aicc = fit.deviance(self.series.len()) + 2.0 * freedom * len / (len - freedom - 1.0);
        Ets { form, weights, state, variance: fit.squares / (len - freedom).max(1.0), aicc }
    }

    /// A series too short for any form: the level is the last value.
    fn fit_anyway(&self) -> Option<Ets> {
        let level = *self.series.last()?;
        let form = Form::new(Part::Additive, Trend::None, None);
        let weights = Weights { alpha: 1.0, beta_share: 0.0, gamma: 0.0, phi: 1.0 };
        let variance = Naive::fit(self.series, 1)?.variance;
        Some(Ets {
            form,
            weights,
            state: State { level, slope: 0.0, season: vec![], next: 0 },
            variance,
            aicc: f64::MAX,
        })
    }
}

/// What a point of the search stands for.
struct Shape {
    form: Form,
    bounds: Vec<Coordinate>,
    /// What the first level and slope move by, for one unit of their coordinates.
    spread: f64,
    moves_start: bool,
}

impl Shape {
    fn new(form: Form, start: &State, series: &[f64]) -> Shape {
        let share = |start: f64| Coordinate { low: LOW, high: HIGH, start, step: 0.2 };
        let season = start.season.len().max(1) as f64;
        let mut bounds = vec![share(LOW + 0.2 * (HIGH - LOW) / season)];
        if form.trend != Trend::None {
            bounds.push(share(0.1));
        }
        if form.season.is_some() {
            bounds.push(share(0.05));
        }
        if form.trend == Trend::Damped {
            bounds.push(Coordinate { low: PHI.0, high: PHI.1, start: 0.95, step: -0.05 });
        }
        let moves_start = series.len() < LEN_SHORT;
        if moves_start {
            let moved = |step| Coordinate { low: -1e3, high: 1e3, start: 0.0, step };
            bounds.push(moved(0.5));
            if form.trend != Trend::None {
                bounds.push(moved(0.1));
            }
        }
        let spread = series.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>() / series.len() as f64;
        Shape { form, bounds, spread, moves_start }
    }

    /// How near to the least deviance the search comes, for each value. In a long series far less than this says nothing.
    fn tolerance(&self) -> f64 {
        if self.moves_start { 1e-6 } else { 1e-5 }
    }

    /// Puts the first state of a point into `state` and returns the weights.
    fn read(&self, point: &[f64], start: &State, state: &mut State) -> Weights {
        let mut rest = point.iter().copied();
        let mut next = || rest.next().unwrap_or(0.0);
        let alpha = next();
        let beta_share = if self.form.trend != Trend::None { next() } else { 0.0 };
        let gamma = if self.form.season.is_some() { next() * (1.0 - alpha) } else { 0.0 };
        let phi = if self.form.trend == Trend::Damped { next() } else { 1.0 };
        (state.level, state.slope, state.next) = (start.level, start.slope, 0);
        state.season.copy_from_slice(&start.season);
        if self.moves_start {
            state.level += self.spread * next();
            if self.form.trend != Trend::None {
                state.slope += self.spread * next();
            }
        }
        Weights { alpha, beta_share, gamma, phi }
    }
}
