//! What is kept of a key, and what its lines make of it.

use accumulators::Sum;
use keyed_state::Footprint;
use series::Reading;
use values::state_text::StateReader;
use values::{Number, write_computed, write_f64};

use crate::digests::{increase, per_second};
use crate::function::Statistic;
use crate::inputs::{Input, Numbers};
use crate::part::Part;
use crate::plan::{Member, Plan, Rule};
use crate::room::{Room, TooManyLines};
use crate::window::Window;

/// One state for each part of the plan.
#[derive(Debug, Default)]
pub struct KeyState(Box<[Part]>);

impl Footprint for KeyState {
    fn heap_bytes(&self) -> usize {
        size_of_val(&*self.0) + self.0.iter().map(Part::heap_bytes).sum::<usize>()
    }
}

impl KeyState {
    /// Of a key without lines.
    pub fn new(plan: &Plan) -> KeyState {
        KeyState(plan.parts.iter().map(|_| Part::Empty).collect())
    }

    /// Takes a line and appends its members.
    ///
    /// # Errors
    /// When more lines of the key would be kept than may be.
    #[inline]
    pub fn take(
        &mut self,
        plan: &Plan,
        numbers: &Numbers,
        reading: &Reading<'_>,
        room: &mut Room,
        out: &mut Vec<u8>,
    ) -> Result<(), TooManyLines> {
        self.advance(plan, numbers, reading, room, false)?;
        for member in &plan.members {
            out.extend_from_slice(&member.prefix);
            match numbers.input(member.field, reading) {
                Some(input) => self.write(member, &input, out),
                None => out.extend_from_slice(b"null"),
            }
        }
        self.advance(plan, numbers, reading, room, true)
    }

    /// Lets the parts take in the line: those that look back, or the others.
    #[inline]
    fn advance(
        &mut self,
        plan: &Plan,
        numbers: &Numbers,
        reading: &Reading<'_>,
        room: &mut Room,
        looking_back: bool,
    ) -> Result<(), TooManyLines> {
        for (part, of) in self.0.iter_mut().zip(&plan.parts) {
            if of.kind.looks_back() == looking_back
                && let Some(input) = numbers.input(of.field, reading)
            {
                part.take(&of.kind, &input, room)?;
            }
        }
        Ok(())
    }

    /// Returns what the values that it keeps take.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(Part::bytes).sum()
    }

    fn part(&self, place: usize) -> &Part {
        self.0.get(place).unwrap_or(&Part::Empty)
    }

    #[inline]
    fn write(&self, member: &Member, input: &Input<'_>, out: &mut Vec<u8>) {
        let part = self.part(member.part);
        match &member.rule {
            Rule::Shift(lag) => out.extend_from_slice(text_before(part, *lag).unwrap_or(b"null")),
            Rule::Delta(lag) => write_number(before(part, *lag).map(|before| input.number.minus(&before)), out),
            Rule::Ratio(lag) => {
                write_quotient(before(part, *lag).and_then(|before| input.number.over(&before)), out);
            }
            Rule::PercentChange(lag) => {
                write_quotient(before(part, *lag).and_then(|before| percent_change(&before, input.number)), out);
            }
            Rule::FromFirst => write_number(before(part, 1).map(|first| input.number.minus(&first)), out),
            Rule::Increase => write_number(before(part, 1).map(|before| increase(&before, input.number)), out),
            Rule::Rate => write_quotient(rate(part, input), out),
            Rule::Mean { count } => write_quotient(mean(part, self.part(*count)), out),
            Rule::HoltTrend => write_value(if let Part::Holt(holt) = part { holt.trend() } else { None }, out),
            Rule::Weighted(weights) => write_value(weighted(part, weights), out),
            Rule::Value => write_part(part, out),
            Rule::Of(statistic) => write_statistic(part, *statistic, input, out),
        }
    }

    /// Appends the states of the parts as JSON.
    pub fn save(&self, out: &mut Vec<u8>) {
        values::state_text::write_items(&self.0, out, Part::save);
    }

    /// Reads what `save` wrote.
    pub fn load(from: &mut StateReader<'_>, plan: &Plan) -> Option<KeyState> {
        let mut parts = Vec::with_capacity(plan.parts.len());
        from.items(|from| {
            let of = plan.parts.get(parts.len())?;
            parts.push(Part::load(from, &of.kind)?);
            Some(())
        })?;
        (parts.len() == plan.parts.len()).then(|| KeyState(parts.into()))
    }
}

/// The number so many values ago.
#[inline]
fn before(part: &Part, lag: usize) -> Option<Number> {
    match part {
        Part::Last(last) => Some(last.number),
        Part::Number(first) => Some(*first),
        Part::Lags(values) => values.get(values.len().checked_sub(lag)?).copied(),
        _ => None,
    }
}

fn text_before(part: &Part, lag: usize) -> Option<&[u8]> {
    let Part::Texts(values) = part else { return None };
    values.get(values.len().checked_sub(lag)?).map(|text| text.as_bytes())
}

fn percent_change(before: &Number, value: &Number) -> Option<f64> {
    let change = value.minus(before).times(&Number::decimal(100, 0)).over(before);
    // A difference that is beyond the range may be a small part of the number.
    let of_halves = || (value.to_f64() / 2.0 - before.to_f64() / 2.0) / before.to_f64() * 200.0;
    change.or_else(|| Some(of_halves()).filter(|change| change.is_finite()))
}

fn rate(part: &Part, input: &Input<'_>) -> Option<f64> {
    let Part::Last(last) = part else { return None };
    per_second(&increase(&last.number, input.number), input.time_ms.saturating_sub(last.time_ms))
}

fn mean(sum: &Part, count: &Part) -> Option<f64> {
    match (sum, count) {
        (Part::Sum(sum), Part::Count(count)) => Some(sum.divided_by(*count)),
        _ => None,
    }
}

/// None before there are as many points as weights.
fn weighted(part: &Part, weights: &[f64]) -> Option<f64> {
    let Part::Points(points) = part else { return None };
    (points.len() == weights.len()).then(|| points.iter().zip(weights).map(|(point, weight)| point * weight).sum())
}

/// Appends what a part itself is.
#[inline]
fn write_part(part: &Part, out: &mut Vec<u8>) {
    match part {
        Part::Float(value) => write_computed(*value, out),
        Part::Decaying(mean) => write_computed(mean.mean(), out),
        Part::Holt(holt) => write_computed(holt.level(), out),
        Part::Kalman(kalman) => write_computed(kalman.level(), out),
        Part::Count(count) => values::state_text::write_number(*count, out),
        Part::Sum(sum) => sum.write(out),
        Part::Number(number) => number.write(out),
        _ => out.extend_from_slice(b"null"),
    }
}

fn write_statistic(part: &Part, statistic: Statistic, input: &Input<'_>, out: &mut Vec<u8>) {
    match (part, statistic) {
        (Part::Window(window), _) => write_of_window(window, statistic, input, out),
        (Part::Moments(moments), Statistic::Var) => write_value(moments.variance(), out),
        (Part::Moments(moments), Statistic::Stddev) => write_value(moments.variance().map(libm::sqrt), out),
        (Part::Moments(moments), Statistic::Zscore) => write_value(moments.zscore(input.number.to_f64()), out),
        (Part::Line(line), Statistic::Slope) => write_value(line.1.slope(), out),
        (Part::Rise(rise), Statistic::Increase) => write_sum(rise.grown(), out),
        (Part::Rise(rise), Statistic::Rate) => write_quotient(rise.rate(), out),
        _ => out.extend_from_slice(b"null"),
    }
}

fn write_of_window(window: &Window, statistic: Statistic, input: &Input<'_>, out: &mut Vec<u8>) {
    let variance = || window.moments().and_then(|moments| moments.variance());
    match statistic {
        Statistic::Count => values::state_text::write_number(window.len() as u64, out),
        Statistic::Sum => write_sum(window.sum().as_ref(), out),
        Statistic::Mean => write_quotient(window.sum().map(|sum| sum.divided_by(window.len() as u64)), out),
        Statistic::Min => write_number(window.least().map(|least| least.0), out),
        Statistic::Max => write_number(window.most().map(|most| most.0), out),
        Statistic::Var => write_value(variance(), out),
        Statistic::Stddev => write_value(variance().map(libm::sqrt), out),
        Statistic::Zscore => {
            write_value(window.moments().and_then(|moments| moments.zscore(input.number.to_f64())), out);
        }
        Statistic::Slope => write_value(window.line().and_then(|line| line.slope()), out),
        Statistic::Increase => write_sum(window.rise().as_ref().and_then(|rise| rise.grown()), out),
        Statistic::Rate => write_quotient(window.rise().and_then(|rise| rise.rate()), out),
        Statistic::Percentile(percent) => write_value(window.percentile(percent), out),
    }
}

/// A number as it is, null where there is none, or beyond the range of `f64`.
#[inline]
fn write_number(number: Option<Number>, out: &mut Vec<u8>) {
    match number {
        Some(number) => number.write(out),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_sum(sum: Option<&Sum>, out: &mut Vec<u8>) {
    match sum {
        Some(sum) => sum.write(out),
        None => out.extend_from_slice(b"null"),
    }
}

/// What was rounded once keeps all digits.
#[inline]
fn write_quotient(value: Option<f64>, out: &mut Vec<u8>) {
    write_f64(value.unwrap_or(f64::NAN), out);
}

/// What was worked out in doubles has the digits that mean something.
#[inline]
fn write_value(value: Option<f64>, out: &mut Vec<u8>) {
    write_computed(value.unwrap_or(f64::NAN), out);
}
