//! Rates: `1000/s`, `10/m`, `5/h`.

use crate::QuantityError;
use crate::number::split_digits;
use std::fmt;
use std::str::FromStr;

/// What a rate counts per.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateUnit {
    Second,
    Minute,
    Hour,
    Day,
}

impl RateUnit {
    /// Its length in nanoseconds.
    pub const fn nanos(self) -> u64 {
        const SECOND: u64 = 1_000_000_000;
        match self {
            Self::Second => SECOND,
            Self::Minute => 60 * SECOND,
            Self::Hour => 3_600 * SECOND,
            Self::Day => 86_400 * SECOND,
        }
    }

    /// The unit that is written so behind the slash.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "s" => Self::Second,
            "m" => Self::Minute,
            "h" => Self::Hour,
            "d" => Self::Day,
            _ => return None,
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
        }
    }
}

/// So many (one or more) per second, minute, hour or day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u64,
    unit: RateUnit,
}

impl Rate {
    /// `count` per `unit`; none for a count of zero.
    pub fn new(count: u64, unit: RateUnit) -> Option<Self> {
        (count > 0).then_some(Self { count, unit })
    }

    /// How many in each [`Rate::unit`].
    pub const fn count(self) -> u64 {
        self.count
    }

    pub const fn unit(self) -> RateUnit {
        self.unit
    }

    /// How many per second.
    #[allow(clippy::cast_precision_loss)]
    pub fn per_second(self) -> f64 {
        self.count as f64 * 1e9 / self.unit.nanos() as f64
    }

    /// When the `index`-th one (from 0) is due: nanoseconds after the start, rounded down.
    ///
    /// Exact for every index, so that a rate like 3/s does not drift as a rounded interval would.
    pub fn due_nanos(self, index: u64) -> u64 {
        let nanos = u128::from(index) * u128::from(self.unit.nanos()) / u128::from(self.count);
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    /// How many are due (from the start, the first one included) after `elapsed_nanos`.
    pub fn due_count(self, elapsed_nanos: u64) -> u64 {
        // due_nanos(i) <= e, that is floor(i * unit / count) <= e, that is i * unit < (e + 1) * count.
        let scaled = (u128::from(elapsed_nanos) + 1) * u128::from(self.count);
        u64::try_from(scaled.div_ceil(u128::from(self.unit.nanos()))).unwrap_or(u64::MAX)
    }
}

impl FromStr for Rate {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let hint = "say 1000/s, 10/m, 5/h or 1/d";
        let (digits, rest) = split_digits(text);
        if !digits.is_empty() && rest.is_empty() {
            let message = format!("rate {text:?} has no unit");
            return Err(QuantityError::new(message, format!("say {text}/s")));
        }
        let unit = rest
            .strip_prefix('/')
            .and_then(RateUnit::from_name)
            .ok_or_else(|| QuantityError::new(format!("{text:?} is not a rate"), hint))?;
        let count = digits.parse::<u64>().map_err(|_| QuantityError::new(format!("{text:?} is not a rate"), hint))?;
        Self::new(count, unit).ok_or_else(|| QuantityError::new(format!("rate {text:?} is zero"), hint))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.unit.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    #[test]
    fn rates_are_read_and_printed() {
        for (text, per_second) in [("1000/s", 1000.0), ("30/m", 0.5), ("36/h", 0.01)] {
            assert!((rate(text).per_second() - per_second).abs() < 1e-12);
            assert_eq!(rate(text).to_string(), text);
        }
    }

    #[test]
    fn the_third_of_three_a_second_is_due_after_exactly_a_second() {
        assert_eq!(rate("3/s").due_nanos(1), 333_333_333);
        assert_eq!(rate("3/s").due_nanos(3), 1_000_000_000);
        assert_eq!(rate("10/m").due_nanos(10), 60_000_000_000);
    }

    #[test]
    fn a_wrong_rate_is_quoted_with_what_to_write() {
        for (text, message) in [
            ("1000", "rate \"1000\" has no unit: say 1000/s"),
            ("0/s", "rate \"0/s\" is zero: say 1000/s, 10/m, 5/h or 1/d"),
            ("fast", "\"fast\" is not a rate: say 1000/s, 10/m, 5/h or 1/d"),
            ("5/w", "\"5/w\" is not a rate: say 1000/s, 10/m, 5/h or 1/d"),
        ] {
            assert_eq!(text.parse::<Rate>().unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn the_due_count_agrees_with_the_due_times(
            count in 1u64..5_000_000,
            elapsed in 0u64..100_000_000_000,
        ) {
            let rate = Rate::new(count, RateUnit::Second).unwrap();
            let due = rate.due_count(elapsed);
            prop_assert!(rate.due_nanos(due - 1) <= elapsed);
            prop_assert!(rate.due_nanos(due) > elapsed);
        }
    }
}
