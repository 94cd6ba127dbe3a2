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
//! `best`: the largest or least value, the number of its line, what is given of it.

use values::state_text::StateReader;

use crate::column::Column;
use crate::distinct::Distinct;
use crate::ends::{Ends, List};
use crate::extremes::{Best, Strings};
use crate::frequencies::Frequencies;
use crate::quantiles::Quantiles;
use crate::settings::Settings;
use crate::snapshot_error::SnapshotError;
use crate::stats::{Count, Moments, Stats};

/// Makes [`Columns`] of the list of all columns, and what is done with each of them in the same way.
macro_rules! columns {
    ($($name:ident: $state:ty,)*) => {
        /// How many states of each kind a group has.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub(crate) struct Widths {
            $(pub $name: usize,)*
        }

        /// The states of many groups, numbered from zero.
        #[derive(Clone, Debug)]
        pub(crate) struct Columns {
            $(pub $name: Column<$state>,)*
        }

        impl Columns {
            pub fn new(widths: &Widths) -> Columns {
                Columns { $($name: Column::new(widths.$name),)* }
            }

            /// Adds an empty group.
            pub fn push(&mut self) {
                $(self.$name.push();)*
            }

            /// Makes room for so many more groups at once.
            pub fn reserve(&mut self, groups: usize) {
                $(self.$name.reserve(groups);)*
            }

            /// Makes a group empty again.
            pub fn reset(&mut self, group: usize) {
                $(self.$name.reset(group);)*
            }

            /// Swaps a group with the one of columns that have no other.
            pub fn exchange(&mut self, group: usize, other: &mut Columns) {
                $(self.$name.exchange(group, &mut other.$name);)*
            }

            /// Returns what a group takes in the columns, in bytes.
            pub fn bytes_per_group(&self) -> usize {
                0 $(+ self.$name.bytes_per_group())*
            }

            /// Returns what all states take beside the columns, in bytes, about.
            pub fn heap_bytes(&self) -> usize {
                0 $(+ self.$name.heap_bytes())*
            }

            /// Appends the states of a group, each kind as a member with a comma before it.
            pub fn save(&self, group: usize, out: &mut Vec<u8>) {
                $(self.$name.save(group, out);)*
            }

            /// Reads what `save` wrote.
            ///
            /// # Errors
            /// States of other results, or damaged ones. The group is then of no use.
            pub fn load(
                &mut self,
                group: usize,
                from: &mut StateReader<'_>,
                settings: &Settings,
            ) -> Result<(), SnapshotError> {
                $(self.$name.load(group, from, settings)?;)*
                Ok(())
            }
        }
    };
}

// In the order that saved groups have.
columns! {
    counts: Count,
    stats: Stats,
    moments: Moments,
    quantiles: Quantiles,
    ends: Ends,
    lists: List,
    frequencies: Frequencies,
    distinct: Distinct,
    strings: Strings,
    best: Best,
}

impl Columns {
    /// Adds a group of others to a group, as far as it takes nothing but both of their states: not moments, nor values
    /// of percentiles, nor lists and best lines.
    #[inline]
    pub fn merge(&mut self, group: usize, other: &Columns, from: usize) {
        self.counts.merge(group, &other.counts, from, Count::merge);
        self.stats.merge(group, &other.stats, from, Stats::merge);
        self.ends.merge(group, &other.ends, from, Ends::merge);
        self.frequencies.merge(group, &other.frequencies, from, Frequencies::merge);
        self.distinct.merge(group, &other.distinct, from, Distinct::merge);
        self.strings.merge(group, &other.strings, from, Strings::merge);
    }
}
