//! jq filters on lines of JSON.
//!
//! A filter is written in jq's language, and run by [jaq](https://github.com/01mf02/jaq); where jaq means something else than jq, its
//! syntax tree is rewritten (`dialect`), and functions of ours stand in for its own. [`Program`] is one,
//! compiled once and shared by threads; [`Filter`] is what each thread runs. A line gives its results, or whether it
//! passes, or says why it cannot.
//!
//! There are two ways inside, with the same results to the byte:
//!
//! - **raw**: what simple filters are made of (fields, comparisons, arithmetic, new objects, `select`, …) is worked
//!   out on the bytes of the line: [`json_fields::Scanner`] finds the fields that are wanted, nothing else is looked
//!   at twice, and what is passed on is copied;
//! - **jaq**: everything else is run by jaq, on values made of the line, or of those members of it that the filter
//!   can ask for.
//!
//! Which one it is, is chosen for the filter as a whole. But the raw way gives up on any line on which it meets
//! something that it does not know for certain, above all an error; then jaq does that line too, so there is one
//! source of messages.
//!
//! Nothing is kept from line to line but buffers: at most the results of one line, up to a limit.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod args;
mod arguments;
mod base32;
mod data;
mod decimal;
mod delete;
mod demand;
mod destructure;
mod dialect;
mod exact;
mod failure;
mod filter;
mod function_names;
mod interpreter;
mod limits;
mod natives;
mod nesting;
mod numbers;
mod pattern_text;
mod products;
mod program;
mod raw;
mod read;
mod regexes;
mod results;
mod rewrite;
mod sides;
mod surrogates;
mod syntax;
mod times;
mod truth;
mod updates;
mod write;

pub use args::{FilterArgs, NoProgram};
pub use arguments::Arguments;
pub use failure::{Failure, Wrong};
pub use filter::Filter;
pub use numbers::Numbers;
pub use program::Program;
pub use results::Results;
pub use truth::Truth;
