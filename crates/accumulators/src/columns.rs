//! The states of many groups: a column for each kind of state.
//!
//! As text, for snapshots, a group is
//!
//! ```text
//! "counts":[2],"stats":[[3,60.93,13.07,30.00]],"quantiles":[[13.07,17.86,30]]
//! ```
//!
//! For each kind of state that the plan has there is an array with the state of each field that needs it: `counts`;
//! `stats`: count, sum, min, max; `moments`: mean and sum of squares; `quantiles`: values, or a sketch; `ends`: number
//! and text of the first and of the last value; `lists`; `frequencies`; `distinct`; `strings`: count, least and largest;
//! `best`: the largest or least value, the number of its line, what is given of it; `pairs`, `shapes`, `logs`, `weighted`,
//! `histograms`, `held`: see the type of each.

use values::state_text::StateReader;

use crate::column::Column;
use crate::column_set::columns;
use crate::distinct::Distinct;
use crate::ends::{Ends, List};
use crate::extremes::{Best, Strings};
use crate::frequencies::Frequencies;
use crate::quantiles::Quantiles;
use crate::settings::Settings;
use crate::snapshot_error::SnapshotError;
use crate::statistics::{StatisticWidths, Statistics};
use crate::stats::{Count, Moments, Stats};

// In the order that saved groups have.
columns! {
    Columns, Widths,
    counts: Column<Count>, usize;
    stats: Column<Stats>, usize;
    moments: Column<Moments>, usize;
    quantiles: Column<Quantiles>, usize;
    ends: Column<Ends>, usize;
    lists: Column<List>, usize;
    frequencies: Column<Frequencies>, usize;
    distinct: Column<Distinct>, usize;
    strings: Column<Strings>, usize;
    best: Column<Best>, usize;
    statistics: Statistics, StatisticWidths;
}

impl Columns {
    /// Adds a group of others to a group, as far as it takes nothing but both of their states: not moments, nor values
    /// of percentiles, nor lists and best lines. Most plans need but counts, sums, extremes and percentiles: then `needs_more` is
    /// false.
    #[inline]
    pub fn merge(&mut self, group: usize, other: &Columns, from: usize, needs_more: bool) {
        self.counts.merge(group, &other.counts, from, Count::merge);
        self.stats.merge(group, &other.stats, from, Stats::merge);
        self.strings.merge(group, &other.strings, from, Strings::merge);
        if needs_more {
            self.ends.merge(group, &other.ends, from, Ends::merge);
            self.frequencies.merge(group, &other.frequencies, from, Frequencies::merge);
            self.distinct.merge(group, &other.distinct, from, Distinct::merge);
            self.statistics.merge(group, &other.statistics, from);
        }
    }
}
