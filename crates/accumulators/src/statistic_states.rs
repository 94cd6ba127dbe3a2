//! Which of the [`Statistics`](crate::statistics::Statistics) a field has, what goes into them, and what they give.

use values::Number;

use crate::bounds::Bounds;
use crate::column::Column;
use crate::columns::Columns;
use crate::function::Function;
use crate::state::State;
use crate::statistics::StatisticWidths;

/// A value, and that of the second field, for functions of two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured<'a> {
    pub value: &'a Number,
    /// A number, or a time in milliseconds.
    pub second: &'a Number,
    /// The number of the line.
    pub at: u64,
}

impl Measured<'_> {
    fn time_ms(&self) -> i64 {
        self.second.as_decimal().and_then(|(time_ms, _)| time_ms.try_into().ok()).unwrap_or_default()
    }
}

/// Which of these states a field has: of each kind the number among the group's states of that kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatisticStates {
    pub pairs: Option<usize>,
    pub shapes: Option<usize>,
    pub logs: Option<usize>,
    pub weighted: Option<usize>,
    pub histograms: Option<usize>,
    pub held: Option<usize>,
    /// Of the histogram.
    pub bounds: Option<Bounds>,
}

impl StatisticStates {
    /// Notes what a function needs; numbers come later.
    pub fn require(&mut self, function: Function) {
        use Function::{Corr, Covar, CovarPop, GeoMean, Intercept, Kurtosis, R2, Skewness, Slope};
        let needed = Some(0);
        match function {
            Corr | Covar | CovarPop | Slope | Intercept | R2 => self.pairs = needed,
            Skewness | Kurtosis => self.shapes = needed,
            GeoMean => self.logs = needed,
            Function::WeightedAvg => self.weighted = needed,
            Function::Histogram => self.histograms = needed,
            Function::TimeWeightedAvg => self.held = needed,
            _ => {}
        }
    }

    /// Gives the states that are needed their numbers, from `widths`, which counts them.
    pub fn number(&mut self, widths: &mut StatisticWidths) {
        for (state, width) in [
            (&mut self.pairs, &mut widths.pairs),
            (&mut self.shapes, &mut widths.shapes),
            (&mut self.logs, &mut widths.logs),
            (&mut self.weighted, &mut widths.weighted),
            (&mut self.histograms, &mut widths.histograms),
            (&mut self.held, &mut widths.held),
        ] {
            if let Some(number) = state {
                *number = *width;
                *width += 1;
            }
        }
    }

    pub fn is_any(&self) -> bool {
        let all = [self.pairs, self.shapes, self.logs, self.weighted, self.histograms, self.held];
        all.iter().any(Option::is_some)
    }

    /// The functions that need each state, as in [`crate::Plan::states`].
    pub fn names(&self) -> impl Iterator<Item = String> {
        let bounds = self.bounds.as_ref().map(ToString::to_string).unwrap_or_default();
        let kinds = [
            (self.pairs, "corr|covar|slope".to_owned()),
            (self.shapes, "skewness|kurtosis".to_owned()),
            (self.logs, "geomean".to_owned()),
            (self.weighted, "wavg".to_owned()),
            (self.histograms, format!("histogram:{bounds}")),
            (self.held, "twa".to_owned()),
        ];
        kinds.into_iter().filter(|(state, _)| state.is_some()).map(|(_, name)| name)
    }

    fn bucket_of(&self, value: &Number) -> i32 {
        self.bounds.as_ref().map_or(0, |bounds| bounds.bucket_of(value))
    }

    /// Takes in a value.
    pub fn add(&self, columns: &mut Columns, group: usize, measured: &Measured<'_>) {
        let Some(columns) = columns.statistics.columns_mut() else { return };
        let value = measured.value;
        if let Some(pairs) = self.pairs {
            columns.pairs.at_mut(group, pairs).add(value.to_f64(), measured.second.to_f64());
        }
        if let Some(shapes) = self.shapes {
            columns.shapes.at_mut(group, shapes).add(value.to_f64());
        }
        if let Some(logs) = self.logs {
            columns.logs.at_mut(group, logs).add(value.to_f64());
        }
        if let Some(weighted) = self.weighted {
            columns.weighted.at_mut(group, weighted).add(value, measured.second);
        }
        if let Some(histograms) = self.histograms {
            columns.histograms.at_mut(group, histograms).add(self.bucket_of(value), 1);
        }
        if let Some(held) = self.held {
            columns.held.at_mut(group, held).add(measured.time_ms(), measured.at, *value);
        }
    }

    /// Whether a group can have had a value, to be taken back.
    pub fn may_have_had(&self, columns: &Columns, group: usize, value: &Number) -> bool {
        let Some(columns) = columns.statistics.columns() else { return true };
        let count = |counts: Option<u64>| counts.is_none_or(|count| count > 0);
        count(self.logs.map(|logs| columns.logs.at(group, logs).count()))
            && count(self.weighted.map(|weighted| columns.weighted.at(group, weighted).count()))
            && count(self.histograms.map(|at| columns.histograms.at(group, at).count(self.bucket_of(value))))
    }

    /// Takes back a value, as far as that can be.
    pub fn take_back(&self, columns: &mut Columns, group: usize, value: &Number, second: &Number) {
        let Some(columns) = columns.statistics.columns_mut() else { return };
        if let Some(logs) = self.logs {
            columns.logs.at_mut(group, logs).take_back(value.to_f64());
        }
        if let Some(weighted) = self.weighted {
            columns.weighted.at_mut(group, weighted).take_back(value, second);
        }
        if let Some(histograms) = self.histograms {
            columns.histograms.at_mut(group, histograms).take_back(self.bucket_of(value));
        }
    }

    /// Whether a value that was taken back is still seen, in a sum that is not exact.
    pub fn leave_a_trace(&self, columns: &Columns, group: usize) -> bool {
        let weighted = self.weighted.zip(columns.statistics.columns());
        weighted.is_some_and(|(weighted, columns)| !columns.weighted.at(group, weighted).is_exact())
    }

    /// The state of a kind, if the field has it.
    fn state<S: State>(column: &Column<S>, group: usize, number: Option<usize>) -> Option<&S> {
        number.map(|number| column.at(group, number))
    }

    /// The result of a function that is one number; none where it has none.
    pub fn number_of(&self, columns: &Columns, group: usize, function: Function) -> Option<f64> {
        let columns = columns.statistics.columns()?;
        let pairs = || Self::state(&columns.pairs, group, self.pairs);
        let shape = || Self::state(&columns.shapes, group, self.shapes);
        match function {
            Function::Corr => pairs()?.correlation(),
            Function::Covar => pairs()?.covariance(true),
            Function::CovarPop => pairs()?.covariance(false),
            Function::Slope => pairs()?.slope(),
            Function::Intercept => pairs()?.intercept(),
            Function::R2 => pairs()?.determination(),
            Function::Skewness => shape()?.skewness(),
            Function::Kurtosis => shape()?.kurtosis(),
            Function::GeoMean => Self::state(&columns.logs, group, self.logs)?.mean(),
            Function::WeightedAvg => Self::state(&columns.weighted, group, self.weighted)?.average(),
            Function::TimeWeightedAvg => Self::state(&columns.held, group, self.held)?.average(),
            _ => None,
        }
    }

    /// The buckets of the histogram, each with its upper bound and its count.
    pub fn buckets(&self, columns: &Columns, group: usize) -> Vec<(Option<Number>, u64)> {
        let (Some(bounds), Some(columns)) = (&self.bounds, columns.statistics.columns()) else { return Vec::new() };
        let Some(histogram) = Self::state(&columns.histograms, group, self.histograms) else { return Vec::new() };
        match bounds.buckets() {
            Some(all) => (0..all as i32).map(|bucket| (bounds.upper(bucket), histogram.count(bucket))).collect(),
            None => histogram.counts().iter().map(|(bucket, count)| (bounds.upper(*bucket), *count)).collect(),
        }
    }
}
