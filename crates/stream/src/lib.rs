//! What every crate that sees the stream agrees on: marks, errors and exit codes.
//!
//! `docs/contract.md` has the meaning of each mark. [`Mark`] has its members, typed, and [`MarkKind`] the names: no other crate
//! spells one.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod fault;
mod kind;
mod mark;

pub use fault::{Error, Exit, Fault};
pub use kind::MarkKind;
pub use mark::{Mark, PREFIX, is_mark, push_as_data};
