//! Times as texts: RFC 3339 read and written, the other spellings that logs have, epoch numbers, and the order of texts that may be times.
//!
//! A time is an `i64` of milliseconds since the epoch (finer fractions are floored). Nothing here reads a clock.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod epoch_number;
mod order;
mod rfc3339;
mod spellings;

pub use epoch_number::EpochNumber;
pub use order::{compare_texts, may_be_time};
pub use rfc3339::{MinuteCache, civil_from_days, days_from_civil, format_rfc3339, parse_rfc3339, write_rfc3339};
pub use spellings::{Spelled, read_spelled};

/// The first time that RFC 3339 can write: 0000-01-01T00:00:00Z.
pub const TIME_MIN_MS: i64 = -62_167_219_200_000;
/// The last time that RFC 3339 can write: 9999-12-31T23:59:59.999Z.
pub const TIME_MAX_MS: i64 = 253_402_300_799_999;
