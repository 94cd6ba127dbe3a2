//! Finds fields by path in one line of JSON, checks the whole line, and leaves its bytes untouched.
//!
//! [`Scanner::scan`] returns the spans of the wanted values. The line is checked in full against RFC 8259 (and
//! for UTF-8, lone surrogates and depth), also where no wanted field is. Of duplicate keys the last one wins.
//! Numbers are never parsed: a field's bytes are the bytes that the writer wrote.
//!
//! Memory: a scanner keeps a few kilobytes (four remembered shapes of at most 4 KiB each) and nothing of the
//! lines that it has seen. Nothing recurses; nesting is limited (512 levels unless told otherwise).
//!
//! ```
//! use json_fields::{FieldPath, Scanner, splice_front};
//!
//! let path: FieldPath = ".user.id".parse()?;
//! let mut scanner = Scanner::new(&[path]);
//! let line = br#"{"user":{"id":17},"n":1.50}"#;
//! let fields = scanner.scan(line)?;
//! assert_eq!(fields.get(0).map(|field| field.text(line)), Some(&b"17"[..]));
//!
//! let mut out = Vec::new();
//! splice_front(line, &fields, br#""seen":true"#, &mut out);
//! assert_eq!(out, br#"{"seen":true,"user":{"id":17},"n":1.50}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod advice;
mod compact;
mod error;
mod field;
mod finder;
mod key_spelling;
mod members;
mod outline;
mod outside;
mod path;
mod paths;
mod scanner;
mod shapes;
mod simd;
mod specials;
mod text;
mod token;
mod tree;
mod unseen;
mod walk;

pub use advice::with_quotes;
pub use compact::{compact, validate};
pub use error::{Expected, Fault, ScanError};
pub use field::{Field, Fields, Kind};
pub use members::{front, splice_behind, splice_front, without_members};
pub use outline::{Outline, Token};
pub use outside::{split_once_outside, split_outside};
pub use path::{FieldPath, PathError, may_be_difference};
pub use paths::FieldPaths;
pub use scanner::Scanner;
pub use text::{canonical_string, decode_string, write_string};
pub use unseen::{Unseen, is_like};

/// How deep objects and arrays may be nested unless [`Scanner::with_depth_limit`] says otherwise.
pub const DEPTH_LIMIT: usize = 512;
