//! Rates of bytes: `10MiB/s`.

use crate::{ByteSize, QuantityError, RateUnit};
use std::fmt;
use std::str::FromStr;

/// So many bytes (one or more) per second, minute, hour or day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ByteRate {
    bytes: ByteSize,
    unit: RateUnit,
}

impl ByteRate {
    /// How many in each [`ByteRate::unit`].
    pub const fn bytes(self) -> ByteSize {
        self.bytes
    }

    pub const fn unit(self) -> RateUnit {
        self.unit
    }

    /// How many per second.
    #[allow(clippy::cast_precision_loss)]
    pub fn per_second(self) -> f64 {
        self.bytes.0 as f64 * 1e9 / self.unit.nanos() as f64
    }
}

impl FromStr for ByteRate {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let hint = "say 10MiB/s, 512KiB/s or 1GB/h";
        let Some((size, unit)) = text.split_once('/') else {
            return Err(QuantityError::new(format!("{text:?} is not a rate of bytes"), hint));
        };
        let unit = RateUnit::from_name(unit)
            .ok_or_else(|| QuantityError::new(format!("{text:?} has the unknown unit {unit:?} of time"), hint))?;
        let bytes: ByteSize = size.parse()?;
        if bytes.0 == 0 {
            return Err(QuantityError::new(format!("rate {text:?} is zero"), hint));
        }
        Ok(Self { bytes, unit })
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bytes, self.unit.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_bytes_are_read_and_printed() {
        for (text, per_second) in [("10MiB/s", 10_485_760.0), ("60kB/m", 1000.0), ("1B/d", 1.0 / 86_400.0)] {
            let rate: ByteRate = text.parse().unwrap();
            assert!((rate.per_second() - per_second).abs() < 1e-12);
            assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }

    #[test]
    fn a_wrong_rate_of_bytes_is_quoted_with_what_to_write() {
        for (text, message) in [
            ("10MiB", "\"10MiB\" is not a rate of bytes: say 10MiB/s, 512KiB/s or 1GB/h"),
            ("10/s", "size \"10\" has no unit: say 10B, 10KiB or 10MiB"),
            ("0B/s", "rate \"0B/s\" is zero: say 10MiB/s, 512KiB/s or 1GB/h"),
            ("1B/w", "\"1B/w\" has the unknown unit \"w\" of time: say 10MiB/s, 512KiB/s or 1GB/h"),
        ] {
            assert_eq!(text.parse::<ByteRate>().unwrap_err().to_string(), message);
        }
    }
}
