//! Values of JSON as texts: numbers, one spelling for equal values, keys, and the text of states.
//!
//! A [`Number`] is exact where it fits into 128 bits. [`write_canonical`] gives equal values equal bytes, so a [`key`] is the
//! canonical texts of a line's key values, with newlines between them; [`shard_of`] names its shard. States are written and read
//! as text by [`state_text`].
//!
//! All is deterministic: no clock, no randomness, nothing in the order of a hash map.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod canonical;
mod computed;
pub mod key;
mod key_text;
mod number;
mod number_arithmetic;
mod number_order;
mod number_text;
mod powers;
mod shard;
mod short_decimal;
pub mod state_text;

pub use canonical::{is_canonical, write_canonical};
pub use computed::write_computed;
pub use key_text::KeyText;
pub use number::Number;
pub use number_order::{NumberText, write_canonical_number};
pub use number_text::{NumberError, write_decimal, write_f64};
pub use powers::{SCALE_MAX, power_of_ten};
pub use shard::{cells_of, shard_of};
