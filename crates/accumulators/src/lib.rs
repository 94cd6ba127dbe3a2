//! Aggregate functions over the fields of JSON lines.
//!
//! A [`Plan`] is made of [`Spec`]s (`sum:value`, `p99=p99:latency`). It says which fields to find; functions of the
//! same field share one state. [`Values`] checks a line's fields before anything changes; a [`Table`] holds the
//! states of many groups in columns, takes values in, merges groups (slices into windows, sessions into longer ones),
//! writes results and saves and loads groups as text.
//!
//! ```
//! use std::sync::Arc;
//!
//! use accumulators::{Plan, Settings, Spec, Table, Values, WriteScratch};
//! use json_fields::Scanner;
//!
//! let specs: Vec<Spec> = ["count", "sum:v", "p50:v"].iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
//! let plan = Arc::new(Plan::new(specs, Settings::default())?);
//! let mut scanner = Scanner::new(plan.paths());
//! let (mut values, mut table) = (Values::default(), Table::new(&plan));
//! let group = table.push();
//! for (sequence, line) in [br#"{"v":1.50}"#, br#"{"v":2.25}"#].iter().enumerate() {
//!     let fields = scanner.scan(*line)?;
//!     values.read(&plan, fields.as_slice(), *line)?;
//!     table.update(group, &values, *line, sequence as u64)?;
//! }
//! let mut out = Vec::new();
//! table.write_results(group, None, &mut WriteScratch::default(), &mut out);
//! assert_eq!(out, br#""count":2,"sum":3.75,"p50":1.875"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Memory of a group: 8 bytes, and for each field 80 for count, sum, min and max together, 16 for a variance, 24 and
//! the values (at most 512, then a sketch of 2 to 5 KB) for percentiles, 64 and both values for first, last and delta,
//! at most 4,096 values and their counts for top and mode, at most 1,024 hashes and then 16 KiB for distinct, or with
//! [`DistinctBy::Exact`] a bit for each of ids that lie close together, else about 20 to 40 bytes a value; 8 for a min or max that may be a string, and for `min_by` and `max_by`,
//! each with the texts that they keep; 64 for correlation, covariance and slope, 48 for skewness and kurtosis, 48 for a geometric
//! mean, 56 for a weighted average, 24 and 16 for each bucket that has values for a histogram, 48 and mostly 3 KB, at most 40 KB where values come far out of order, for an average over
//! time; for an entropy what top and distinct take.
//!
//! All is deterministic: no clock, no unseeded randomness, nothing in the order of a hash map.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod argument;
mod batch;
mod bins;
mod bounds;
mod bytes;
mod column;
mod column_set;
mod columns;
mod ddsketch;
mod digest;
mod digits;
mod distinct;
mod ends;
mod entropy;
mod exact_set;
mod extremes;
mod field_plan;
mod field_states;
mod frequencies;
mod function;
mod held_values;
mod histogram;
mod interpolation;
mod limit_error;
mod log_sum;
mod mean;
mod merged;
mod pairs;
mod percentiles;
mod plan;
mod quantiles;
mod random;
mod ranks;
mod reservoir;
mod results;
mod room;
mod row;
mod scratch;
mod settings;
mod shape;
mod snapshot_error;
mod spec;
mod spread;
mod state;
mod statistic_states;
mod statistics;
mod stats;
mod sum;
mod table;
mod value;
mod value_text;
mod values;
mod weighted;

pub use crate::values::{Inputs, ValueError, ValueList, Values};
pub use argument::Argument;
pub use batch::NumberBatch;
pub use bounds::{BOUNDS_MAX, Bounds};
pub use function::Function;
pub use limit_error::LimitError;
pub use merged::MergedResults;
pub use percentiles::{DistinctBy, EXACT_VALUES, Percentiles};
pub use plan::Plan;
pub use row::Row;
pub use scratch::WriteScratch;
pub use settings::Settings;
pub use snapshot_error::SnapshotError;
pub use spec::{LIST_MAX, Spec, SpecError, TOP_MAX};
pub use sum::Sum;
pub use table::Table;
