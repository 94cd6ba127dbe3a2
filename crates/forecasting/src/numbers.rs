//! Models as plain numbers, for a checkpoint: what is read back is the same to the bit.

use crate::ets::{Ets, Form, State, Weights};
use crate::model::{Member, Model};
use crate::naive::Naive;
use crate::part::Part;
use crate::season_figure::SeasonFigure;
use crate::seasonal_trend::{Cycle, SeasonalTrend};
use crate::theta::{Lines, Theta};

const NAIVE: f64 = 0.0;
const ETS: f64 = 1.0;
const THETA: f64 = 2.0;
const SEASONAL_TREND: f64 = 3.0;

impl Model {
    /// Returns all that the model is made of, as numbers; a variance may be infinite.
    #[must_use]
    pub fn numbers(&self) -> Vec<f64> {
        let mut to = vec![self.unit, self.members.len() as f64];
        self.members.iter().for_each(|member| member.write(&mut to));
        to
    }

    /// Makes a model of what [`Model::numbers`] gave; none of anything else.
    #[must_use]
    pub fn of_numbers(numbers: &[f64]) -> Option<Model> {
        let mut from = Numbers(numbers);
        let unit = from.number().filter(|unit| *unit > 0.0)?;
        let members = from.list(Member::read)?;
        (from.0.is_empty() && !members.is_empty()).then_some(Model { unit, members })
    }
}

/// What is still to be read.
struct Numbers<'a>(&'a [f64]);

impl Numbers<'_> {
    fn number(&mut self) -> Option<f64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        first.is_finite().then_some(*first)
    }

    fn variance(&mut self) -> Option<f64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        (*first >= 0.0).then_some(*first)
    }

    fn count(&mut self) -> Option<usize> {
        let number = self.number()?;
        let count = number as usize;
        (count as f64 == number).then_some(count)
    }

    /// A count, and so many items, each of one number or more.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count().filter(|count| *count <= self.0.len())?;
        (0..count).map(|_| item(self)).collect()
    }

    /// Numbers around a place among them.
    fn ring(&mut self) -> Option<(Vec<f64>, usize)> {
        let (ring, next) = (self.list(Numbers::number)?, self.count()?);
        (next < ring.len().max(1)).then_some((ring, next))
    }
}

fn write_list(list: &[f64], to: &mut Vec<f64>) {
    to.push(list.len() as f64);
    to.extend_from_slice(list);
}

fn write_ring(ring: &[f64], next: usize, to: &mut Vec<f64>) {
    write_list(ring, to);
    to.push(next as f64);
}

impl Member {
    fn write(&self, to: &mut Vec<f64>) {
        match self {
            Member::Naive(model) => {
                to.extend([NAIVE, model.variance]);
                write_ring(&model.last, model.next, to);
            }
            Member::Ets(model) => {
                to.push(ETS);
                write_ets(model, to);
            }
            Member::Theta(model) => {
                to.push(THETA);
                write_theta(model, to);
            }
            Member::SeasonalTrend(model) => {
                to.extend([SEASONAL_TREND, f64::from(u8::from(model.is_log)), model.cycles.len() as f64]);
                model.cycles.iter().for_each(|cycle| write_ring(&cycle.indices, cycle.next, to));
                write_ets(&model.rest, to);
            }
        }
    }

    fn read(from: &mut Numbers<'_>) -> Option<Member> {
        let kind = from.number()?;
        if kind == NAIVE {
            let variance = from.variance()?;
            let (last, next) = from.ring().filter(|(last, _)| !last.is_empty())?;
            return Some(Member::Naive(Naive { last, next, variance }));
        }
        if kind == ETS {
            return read_ets(from).map(Member::Ets);
        }
        if kind == THETA {
            return read_theta(from).map(Member::Theta);
        }
        if kind == SEASONAL_TREND {
            let is_log = from.number()? != 0.0;
            let cycle = |(indices, next): (Vec<f64>, usize)| (!indices.is_empty()).then_some(Cycle { indices, next });
            let cycles = from.list(|from| from.ring().and_then(cycle))?;
            return Some(Member::SeasonalTrend(SeasonalTrend { is_log, cycles, rest: read_ets(from)? }));
        }
        None
    }
}

fn write_ets(model: &Ets, to: &mut Vec<f64>) {
    let Weights { alpha, beta_share, gamma, phi } = model.weights;
    let State { level, slope, .. } = model.state;
    to.extend([f64::from(model.form.code()), alpha, beta_share, gamma, phi, level, slope, model.variance, model.aicc]);
    write_ring(&model.state.season, model.state.next, to);
}

fn read_ets(from: &mut Numbers<'_>) -> Option<Ets> {
    let form = Form::of_code(u8::try_from(from.count()?).ok()?)?;
    let weights =
        Weights { alpha: from.number()?, beta_share: from.number()?, gamma: from.number()?, phi: from.number()? };
    let (level, slope, variance, aicc) = (from.number()?, from.number()?, from.number()?, from.number()?);
    let (season, next) = from.ring()?;
    let state = State { level, slope, season, next };
    (form.season.is_some() != state.season.is_empty()).then_some(Ets { form, weights, state, variance, aicc })
}

fn write_theta(model: &Theta, to: &mut Vec<f64>) {
    let Lines { count, level, mean, intercept, slope, left } = model.lines;
    to.extend([model.alpha, model.theta, model.variance, count, level, mean, intercept, slope, left]);
    match &model.figure {
        None => write_list(&[], to),
        Some(figure) => {
            write_list(&figure.indices, to);
            to.push(if figure.part == Part::Multiplicative { 1.0 } else { 0.0 });
        }
    }
}

fn read_theta(from: &mut Numbers<'_>) -> Option<Theta> {
    let (alpha, theta, variance) = (from.number()?, from.number()?, from.number()?);
    let lines = Lines {
        count: from.number()?,
        level: from.number()?,
        mean: from.number()?,
        intercept: from.number()?,
        slope: from.number()?,
        left: from.number()?,
    };
    let indices = from.list(Numbers::number)?;
    let figure = if indices.is_empty() {
        None
    } else {
        let part = if from.number()? == 0.0 { Part::Additive } else { Part::Multiplicative };
        Some(SeasonFigure { part, indices })
    };
    Some(Theta { alpha, theta, lines, figure, variance })
}
