//! Takes whole series apart by STL or MSTL.

use forecasting::periods;
use forecasting::stl::{self, StlSettings, mstl_with, stl};
use series::Step;

use crate::decomposer::NUMBER_MAX;
use crate::parts::{Parts, SEASONS_MAX, strength};

/// How series are taken apart, the same for all.
#[derive(Clone, Debug)]
pub struct Method {
    /// None: each line is a step.
    pub step: Option<Step>,
    /// The length of each season in steps and of its smoother, the shortest season first; none: as each series shows them.
    pub smoothers: Option<Vec<(usize, usize)>>,
    pub settings: StlSettings,
    /// Of so many of the last steps.
    pub history: usize,
}

/// A number of a line; it may be missing.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub time_ms: i64,
    pub number: Option<f64>,
    /// Which line it is of.
    pub line: usize,
}

/// A series that was taken apart, or that no season was found in.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    parts: Option<stl::Parts>,
    strength: f64,
    /// For each line of the series the step that it is in; none for those before the history.
    places: Vec<(usize, Option<usize>)>,
}

impl Whole {
    /// Takes a series apart: points in the order of their times, the latest of a step counts. Steps without a number lie on a line
    /// between their neighbours.
    pub fn of(points: &[Point], method: &Method) -> Self {
        let offsets = offsets(points, method);
        let numbers = points.iter().zip(&offsets).filter(|(point, _)| tame(point.number).is_some());
        let Some(earliest) = numbers.filter_map(|(_, offset)| *offset).max() else { return Self::default() };
        let mut values = vec![f64::NAN; earliest + 1];
        let place = |offset: Option<usize>| offset.and_then(|offset| earliest.checked_sub(offset));
        for (point, offset) in points.iter().zip(&offsets) {
            if let (Some(number), Some(place)) = (tame(point.number), place(*offset)) {
                values[place] = number;
            }
        }
        fill(&mut values);
        let parts = decompose(&values, method);
        let places = points.iter().zip(&offsets).map(|(point, offset)| (point.line, place(*offset))).collect();
        Self { strength: parts.as_ref().map_or(0.0, strength_of), parts, places }
    }

    /// Returns true if there are parts.
    pub fn has_parts(&self) -> bool {
        self.parts.is_some()
    }

    /// Returns the lines of the series, with the step of each.
    pub fn places(&self) -> &[(usize, Option<usize>)] {
        &self.places
    }

    /// Returns the parts of a number at a step.
    pub fn at(&self, place: Option<usize>, number: Option<f64>) -> Option<Parts> {
        let (whole, place, number) = (self.parts.as_ref()?, place?, tame(number)?);
        let mut parts = Parts { trend: whole.trend[place], strength: self.strength, ..Parts::default() };
        let places = parts.seasons.iter_mut().zip(&mut parts.lengths);
        for ((part, length), (season, steps)) in places.zip(whole.seasons.iter().zip(&whole.lengths)) {
            *part = season[place];
            *length = *steps as u32;
        }
        parts.season = parts.seasons.iter().sum();
        parts.remainder = number - parts.trend - parts.season;
        Some(parts)
    }
}

fn tame(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.abs() <= NUMBER_MAX)
}

/// How many steps each point is before the last one with a number; none where that is not within the history.
fn offsets(points: &[Point], method: &Method) -> Vec<Option<usize>> {
    let Some(last) = points.iter().rposition(|point| tame(point.number).is_some()) else {
        return vec![None; points.len()];
    };
    let offset = |(at, point): (usize, &Point)| {
        let steps = match method.step {
            Some(step) => step.count(point.time_ms, points[last].time_ms),
            None => last as i64 - at as i64,
        };
        usize::try_from(steps).ok().filter(|steps| *steps < method.history)
    };
    points.iter().enumerate().map(offset).collect()
}

/// Puts those that are missing on a line between their neighbours; the first and the last are there.
fn fill(values: &mut [f64]) {
    let mut known = 0;
    for at in 1..values.len() {
        if values[at].is_nan() {
            continue;
        }
        let (from, to) = (values[known], values[at]);
        let rise = (to - from) / (at - known) as f64;
        let missing = values[known + 1..at].iter_mut().zip(1..);
        missing.for_each(|(value, step)| *value = from + rise * f64::from(step));
        known = at;
    }
}

fn decompose(values: &[f64], method: &Method) -> Option<stl::Parts> {
    let found;
    let smoothers = match &method.smoothers {
        Some(smoothers) => smoothers,
        None => {
            found = default_smoothers(&periods::find(values));
            &found
        }
    };
    match smoothers[..] {
        [(length, seasonal)] => stl(values, length, StlSettings { seasonal, ..method.settings }),
        _ => mstl_with(values, smoothers, method.settings),
    }
}

/// Returns the seasons, the shortest first, each with the length of the smoother that it has in statsmodels: 7 of a single one, 11,
/// 15, 19, … of several.
pub fn default_smoothers(lengths: &[usize]) -> Vec<(usize, usize)> {
    let first = if lengths.len() == 1 { 7 } else { 11 };
    lengths.iter().take(SEASONS_MAX).copied().zip((first..).step_by(4)).collect()
}

fn strength_of(parts: &stl::Parts) -> f64 {
    let with_season = |(at, rest): (usize, &f64)| rest + parts.seasons.iter().map(|season| season[at]).sum::<f64>();
    let all: Vec<f64> = parts.remainder.iter().enumerate().map(with_season).collect();
    let size = parts.trend.iter().fold(0.0, |largest: f64, trend| largest.max(trend.abs()));
    strength(variance(&parts.remainder), variance(&all), size)
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64
}
