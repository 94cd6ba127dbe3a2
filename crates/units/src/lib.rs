//! The quantities that flags take: durations (`1h30m`), sizes (`64KiB`), rates (`1000/s`, `10MiB/s`), counts
//! (`100`), and addresses to listen at (`127.0.0.1:8080`).
//!
//! Each is a newtype with `FromStr` and `Display`, so that clap takes it as it is, and what is
//! printed can be given back as a flag. Numbers never go without a unit: `10` could be seconds or
//! milliseconds, and the error says what to write instead.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod byte_rate;
mod bytes;
mod count;
mod duration;
mod number;
mod rate;

pub use address::ListenAddress;
pub use byte_rate::ByteRate;
pub use bytes::ByteSize;
pub use count::parse_count;
pub use duration::{DurationMs, SignedDurationMs, format_duration, parse_duration, parse_signed_duration};
pub use rate::{Rate, RateUnit};

/// A quantity that could not be read: what is wrong with which value, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {hint}")]
pub struct QuantityError {
    message: String,
    hint: String,
}

impl QuantityError {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }

    /// What is wrong, with the value in quotes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to write instead.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}
