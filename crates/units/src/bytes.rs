//! Sizes in bytes: `512B`, `64KiB`, `1MiB`, `10MB`.

use crate::QuantityError;
use crate::number::split_digits;
use std::fmt;
use std::str::FromStr;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// A number of bytes. KiB, MiB, GiB, TiB are powers of 1,024; kB (KB), MB, GB, TB of 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// So many KiB.
    pub const fn kib(count: u64) -> Self {
        Self(count * KIB)
    }

    /// So many MiB.
    pub const fn mib(count: u64) -> Self {
        Self(count * MIB)
    }

    /// The size that a text says, where less than `min` makes no sense.
    ///
    /// # Errors
    /// A text that is no size, or one below it.
    pub fn parse_at_least(text: &str, min: Self) -> Result<Self, QuantityError> {
        let size: Self = text.parse()?;
        if size < min {
            return Err(QuantityError::new(format!("{size} is too little"), format!("at least {min}")));
        }
        Ok(size)
    }

    /// The size as a `usize`, or the largest one there is.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

fn unit_bytes(unit: &str) -> Option<u64> {
    Some(match unit {
        "B" => 1,
        "KiB" => KIB,
        "MiB" => MIB,
        "GiB" => GIB,
        "TiB" => TIB,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    })
}

impl FromStr for ByteSize {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        if text == "0" {
            return Ok(Self(0));
        }
        let (digits, unit) = split_digits(text);
        if digits.is_empty() || unit.starts_with(['.', ',']) {
            let message = format!("{text:?} is not a size");
            return Err(QuantityError::new(message, "say 512B, 64KiB, 1MiB or 10MB"));
        }
        if unit.is_empty() {
            let message = format!("size {text:?} has no unit");
            let hint = format!("say {digits}B, {digits}KiB or {digits}MiB");
            return Err(QuantityError::new(message, hint));
        }
        let bytes = unit_bytes(unit).ok_or_else(|| {
            let message = format!("size {text:?} has the unknown unit {unit:?}");
            QuantityError::new(message, "the units are B, KiB, MiB, GiB and kB, MB, GB")
        })?;
        digits.parse::<u64>().ok().and_then(|n| n.checked_mul(bytes)).map(Self).ok_or_else(|| {
            let message = format!("size {text:?} is too large");
            QuantityError::new(message, "it must fit in 64 bits of bytes")
        })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0B");
        }
        for unit in ["TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "kB", "B"] {
            let bytes = unit_bytes(unit).unwrap_or(1);
            if self.0.is_multiple_of(bytes) {
                return write!(f, "{}{unit}", self.0 / bytes);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_in_bytes() {
        for (text, bytes) in [
            ("512B", 512),
            ("64KiB", 65_536),
            ("1MiB", 1_048_576),
            ("2GiB", 2_147_483_648),
            ("10MB", 10_000_000),
            ("1kB", 1_000),
            ("1KB", 1_000),
            ("0", 0),
            ("0B", 0),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
    }

    #[test]
    fn a_wrong_size_is_quoted_with_what_to_write() {
        for (text, message) in [
            ("512", "size \"512\" has no unit: say 512B, 512KiB or 512MiB"),
            ("64k", "size \"64k\" has the unknown unit \"k\": the units are B, KiB, MiB, GiB and kB, MB, GB"),
            ("big", "\"big\" is not a size: say 512B, 64KiB, 1MiB or 10MB"),
            ("1.5MiB", "\"1.5MiB\" is not a size: say 512B, 64KiB, 1MiB or 10MB"),
            ("99999999999TiB", "size \"99999999999TiB\" is too large: it must fit in 64 bits of bytes"),
        ] {
            assert_eq!(text.parse::<ByteSize>().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_size_below_the_least_one_is_refused() {
        let parse = |text| ByteSize::parse_at_least(text, ByteSize::mib(16)).map_err(|error| error.to_string());
        assert_eq!(parse("16MiB"), Ok(ByteSize::mib(16)));
        assert_eq!(parse("1MiB"), Err("1MiB is too little: at least 16MiB".to_owned()));
        assert_eq!(parse("x"), Err("\"x\" is not a size: say 512B, 64KiB, 1MiB or 10MB".to_owned()));
    }

    #[test]
    fn sizes_print_as_they_are_written() {
        for text in ["512B", "64KiB", "1MiB", "10MB", "256MiB", "1kB", "0B"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(bytes: u64) {
            prop_assert_eq!(ByteSize(bytes).to_string().parse(), Ok(ByteSize(bytes)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}") {
            let _ = text.parse::<ByteSize>();
        }
    }
}
