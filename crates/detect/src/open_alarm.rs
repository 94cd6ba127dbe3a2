//! The alarm that goes on.

use values::state_text::{StateReader, write_finite, write_number, write_signed};

use crate::judged::{Cause, Judged};

/// After so many points a new level is ordinary: the alarm is over.
const ALARM_POINTS_MAX: u32 = 20;
const CAUSES: [Cause; 3] = [Cause::Number, Cause::Flat, Cause::Gap];

/// An alarm and what it is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Open {
    pub since_ms: i64,
    /// How many points it has.
    pub points: u32,
    pub cause: Cause,
    /// Which number it is about.
    value: u32,
    /// The middle between the number that began it and what was expected.
    middle: f64,
    /// The number that began it.
    first: f64,
    /// That number is above the middle.
    is_above: bool,
}

impl Open {
    pub fn new(point: &Judged<'_>, cause: Cause) -> Option<Self> {
        let first = (*point.numbers.get(point.value)?)?;
        let expected = point.verdict.interval.map_or(first, |interval| interval.expected);
        let middle = first / 2.0 + expected / 2.0;
        let value = u32::try_from(point.value).ok()?;
        Some(Self { since_ms: point.time_ms, points: 1, cause, value, middle, first, is_above: first > middle })
    }

    /// Counts one more point.
    pub fn with_a_point(mut open: Box<Self>) -> Box<Self> {
        open.points += 1;
        open
    }

    fn number(&self, numbers: &[Option<f64>]) -> Option<f64> {
        numbers.get(self.value as usize).copied().flatten()
    }

    /// A point without this number changes nothing.
    pub fn goes_on(&self, numbers: &[Option<f64>]) -> bool {
        let is_on = |number: f64| match self.cause {
            Cause::Number if self.is_above => number > self.middle,
            Cause::Number => number < self.middle,
            Cause::Flat => number == self.first,
            Cause::Gap => false,
        };
        self.points < ALARM_POINTS_MAX && self.number(numbers).is_none_or(is_on)
    }

    /// Returns true if the number is now at least as far beyond the first one as that was from what was expected.
    pub fn departs(&self, numbers: &[Option<f64>]) -> bool {
        let far = 2.0 * (self.first / 2.0 - self.middle / 2.0).abs();
        let beyond = |number: f64| if self.is_above { number - self.first } else { self.first - number };
        self.number(numbers).is_some_and(|number| beyond(number) / 2.0 >= far)
    }

    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_signed(self.since_ms, out);
        for number in [self.points, self.value, self.is_above.into()] {
            out.push(b',');
            write_number(number.into(), out);
        }
        for number in [self.middle, self.first] {
            out.push(b',');
            write_finite(number, out);
        }
        out.push(b',');
        write_number(CAUSES.iter().position(|cause| *cause == self.cause).unwrap_or(0) as u64, out);
        out.push(b']');
    }

    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let since_ms = from.signed()?;
        let mut numbers = [0; 3];
        for number in &mut numbers {
            from.literal(b",")?;
            *number = u32::try_from(from.count()?).ok()?;
        }
        from.literal(b",")?;
        let middle = from.finite()?;
        let [points, value, is_above] = numbers;
        // A version before this one had no more: such an alarm never departs.
        let is_above = is_above == 1;
        let (mut first, mut cause) = (if is_above { f64::MAX } else { f64::MIN }, Cause::Number);
        if from.literal(b",").is_some() {
            first = from.finite()?;
            from.literal(b",")?;
            cause = *CAUSES.get(usize::try_from(from.count()?).ok()?)?;
        }
        from.literal(b"]")?;
        Some(Self { since_ms, points, cause, value, middle, first, is_above })
    }
}
