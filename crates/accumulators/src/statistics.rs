//! States of functions that few plans have: those of two fields, and of one field beside count, sum and extremes.

use values::state_text::StateReader;

use crate::column::Column;
use crate::column_set::columns;
use crate::held_values::HeldValues;
use crate::histogram::Histogram;
use crate::log_sum::LogSum;
use crate::pairs::Pairs;
use crate::settings::Settings;
use crate::shape::Shape;
use crate::snapshot_error::SnapshotError;
use crate::weighted::Weighted;

columns! {
    StatisticColumns, StatisticWidths,
    pairs: Column<Pairs>, usize;
    shapes: Column<Shape>, usize;
    logs: Column<LogSum>, usize;
    weighted: Column<Weighted>, usize;
    histograms: Column<Histogram>, usize;
    held: Column<HeldValues>, usize;
}

/// The columns of these states. A group of a plan that has none costs one look.
#[derive(Clone, Debug)]
pub(crate) struct Statistics(Option<Box<StatisticColumns>>);

impl Statistics {
    pub fn new(widths: StatisticWidths) -> Statistics {
        Statistics((widths != StatisticWidths::default()).then(|| Box::new(StatisticColumns::new(&widths))))
    }

    #[inline]
    pub fn push(&mut self) {
        if let Some(columns) = &mut self.0 {
            columns.push();
        }
    }

    pub fn reserve(&mut self, groups: usize) {
        if let Some(columns) = &mut self.0 {
            columns.reserve(groups);
        }
    }

    pub fn reset(&mut self, group: usize) {
        if let Some(columns) = &mut self.0 {
            columns.reset(group);
        }
    }

    pub fn exchange(&mut self, group: usize, other: &mut Statistics) {
        if let (Some(columns), Some(other)) = (&mut self.0, &mut other.0) {
            columns.exchange(group, other);
        }
    }

    pub fn bytes_per_group(&self) -> usize {
        self.0.as_ref().map_or(0, |columns| columns.bytes_per_group())
    }

    pub fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |columns| columns.heap_bytes())
    }

    pub fn save(&self, group: usize, out: &mut Vec<u8>) {
        if let Some(columns) = &self.0 {
            columns.save(group, out);
        }
    }

    pub fn load(&mut self, group: usize, from: &mut StateReader<'_>, settings: &Settings) -> Result<(), SnapshotError> {
        self.0.as_mut().map_or(Ok(()), |columns| columns.load(group, from, settings))
    }

    /// The columns, if the plan has any.
    #[inline]
    pub fn columns(&self) -> Option<&StatisticColumns> {
        self.0.as_deref()
    }

    #[inline]
    pub fn columns_mut(&mut self) -> Option<&mut StatisticColumns> {
        self.0.as_deref_mut()
    }

    /// Adds the states of another group, whatever of both came first.
    #[inline]
    pub fn merge(&mut self, group: usize, other: &Statistics, from: usize) {
        if let Some(columns) = &mut self.0 {
            columns.merge(group, other, from);
        }
    }
}

impl StatisticColumns {
    #[inline(never)]
    fn merge(&mut self, group: usize, other: &Statistics, from: usize) {
        let Some(other) = &other.0 else { return };
        self.pairs.merge(group, &other.pairs, from, Pairs::merge);
        self.shapes.merge(group, &other.shapes, from, Shape::merge);
        self.logs.merge(group, &other.logs, from, LogSum::merge);
        self.weighted.merge(group, &other.weighted, from, Weighted::merge);
        self.histograms.merge(group, &other.histograms, from, Histogram::merge);
        self.held.merge(group, &other.held, from, HeldValues::merge);
    }
}
