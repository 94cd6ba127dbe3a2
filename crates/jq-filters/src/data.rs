//! The kind of data that jaq runs our filters on.

use jaq_core::data::JustLut;
use jaq_json::Val;

/// A filter sees one line at a time and nothing else.
pub type Data = JustLut<Val>;
