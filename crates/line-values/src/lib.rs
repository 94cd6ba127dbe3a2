//! Values of a line, by field path or by jq expression, and keys made of them.
//!
//! An [`Expression`] is what flags like `--by` take: a field path (`user`, `.meta.site`), or any jq filter that gives one
//! value (`.date_time[:10]`, `.auction % 10000`), either with a name before it (`day=.date_time[:10]`). [`LineValues`]
//! reads a list of them from line after line: all paths in one scan, each filter for itself.
//! [`Computed`] is for filters alone, and for conditions: what one pass over the line can do for several of them, it does.
//!
//! A [`key`](values::key) is the canonical text of several values: equal values make equal keys, however they are written.
//!
//! ```
//! use line_values::{Expression, LineValues};
//!
//! let by = Expression::parse_list("user,day=.at[:10]")?;
//! let mut values = LineValues::new(&by);
//! let line = br#"{"at":"2026-01-01T10:00:00Z","user":1.0}"#;
//! let found = values.read(line)?;
//! assert_eq!(found.get(0).map(|user| user.text()), Some(&b"1.0"[..]));
//! let mut key = Vec::new();
//! found.write_key(0..2, &mut key);
//! assert_eq!(key, b"1\n\"2026-01-01\"");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod computed;
mod expression;
mod expressions;
mod reader;
mod shard_by;

pub use computed::{Computed, Condition};
pub use expression::{Expression, WrongExpression};
pub use expressions::Expressions;
pub use reader::{BadLine, Found, LineValues, Value};
pub use shard_by::{expressions, texts_of_either};
