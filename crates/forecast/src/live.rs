//! A model of a key that goes along with its values.

use std::collections::VecDeque;

use forecasting::Model;
use forecasting::accuracy::{self, Accuracy};
use forecasting::periods;

use crate::Job;
use crate::history::History;
use crate::rows::{Expected, Rows, Subject};
use series::Step;

/// A model, and what it said of values that are still to come.
#[derive(Clone, Debug, Default)]
pub struct Live {
    pub model: Option<Model>,
    /// How many values the model was fitted to, and how many it took since.
    pub fitted: u64,
    pub since: u64,
    /// What a naive forecast misses, where the model was fitted.
    pub scale: f64,
    /// With `--check`, of the next steps: the last is `--horizon` steps ahead.
    pub expected: VecDeque<Option<Expected>>,
    pub accuracy: Accuracy,
}

/// Without `--refit`, a model takes a quarter of the values that it was fitted to, and at least this many.
const REFIT_MIN: u64 = 100;

/// Fewer values make no model.
pub const VALUES_MIN: u64 = 10;

/// About what a model takes beside its numbers.
const MODEL_BYTES: usize = 512;

impl Live {
    /// Returns what it takes in memory beside its own size, about.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let of_expected = |expected: &Option<Expected>| {
            let bounds = expected.as_ref().map_or(0, |expected| expected.bounds.capacity());
            size_of::<Option<Expected>>() + bounds * size_of::<(f64, f64)>()
        };
        let numbers = self.model.as_ref().map_or(0, |model| model.numbers().len() * size_of::<f64>() + MODEL_BYTES);
        numbers + self.expected.iter().map(of_expected).sum::<usize>()
    }

    /// Goes on so many steps, of which only the last has a value. Returns what was expected of it, with `--check`.
    pub fn take(&mut self, value: f64, steps: i64, job: &Job) -> Option<Expected> {
        let mut expected = None;
        for missing in (0..steps).rev() {
            expected = self.expected.pop_front().flatten();
            self.update((missing == 0).then_some(value));
            if missing > 0 && job.check {
                self.expect(job);
            }
        }
        let expected = expected.filter(|_| job.check)?;
        self.accuracy.add(value, expected.mean, &expected.bounds, self.scale);
        Some(expected)
    }

    /// Forgets the model: what comes next has nothing to do with it.
    pub fn forget(&mut self) {
        *self = Live { accuracy: self.accuracy.clone(), ..Live::default() };
    }

    /// For a missing value the model takes what it expects.
    fn update(&mut self, value: Option<f64>) {
        let Some(model) = &mut self.model else { return };
        let value = value.or_else(|| model.forecast(1).means.first().copied());
        if !value.is_some_and(|value| model.update(value)) {
            self.model = None;
        }
        self.since += 1;
    }

    /// Fits the model anew when it is time: after `--refit` values, and before that when there are twice as many as it was
    /// fitted to.
    pub fn fit(&mut self, history: &History, step: Step, job: &Job) {
        let refit = job.refit.unwrap_or((self.fitted / 4).max(REFIT_MIN));
        let is_due = self.model.is_none() || self.since >= self.fitted.min(refit);
        if !is_due || (history.len() as u64) < VALUES_MIN {
            return;
        }
        let Some(grid) = history.grid(step, job.history) else { return };
        let seasons = job.seasons.lengths(step, || periods::find(&grid.values));
        self.model = Model::fit(&grid.values, &seasons, job.method);
        (self.fitted, self.since) = (grid.values.len() as u64, 0);
        self.scale = accuracy::scale(&grid.values, seasons.first().copied().unwrap_or(1));
    }

    /// Notes what the model says of the value `--horizon` steps ahead.
    pub fn expect(&mut self, job: &Job) {
        let forecast = self.model.as_ref().map(|model| model.forecast(job.horizon));
        let expected = forecast.and_then(|forecast| {
            let bounds =
                job.levels.as_slice().iter().filter_map(|level| forecast.bounds(level.percent).last()).collect();
            Some(Expected { mean: *forecast.means.last()?, bounds })
        });
        // The first model has nothing to say of the steps before its horizon.
        self.expected.resize(job.horizon - 1, None);
        self.expected.push_back(expected);
    }
}

/// Writes the rows of the steps after the last value.
pub fn write_rows(
    live: &Live,
    subject: Subject<'_>,
    last_ms: i64,
    step: Step,
    job: &Job,
    rows: &Rows,
    out: &mut millpipe::Out,
) {
    if let Some(model) = &live.model {
        let time = |ahead: usize| step.after(last_ms, ahead as i64 + 1).filter(|time_ms| crate::is_time(*time_ms));
        rows.write_forecast(subject, &model.forecast(job.horizon), time, out);
    }
}
