//! Which states a field has.

use crate::spec::Function;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// By number among the plan's paths.
    Path(usize),
    /// By number among its expressions.
    Expression(usize),
    /// There is none: lines are counted.
    Line,
}

/// How many states of each kind a group has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Columns {
    pub counts: usize,
    pub stats: usize,
    pub moments: usize,
    pub quantiles: usize,
    pub ends: usize,
    pub lists: usize,
    pub frequencies: usize,
    pub distinct: usize,
    pub strings: usize,
    pub best: usize,
}

/// The states of one field: their numbers among the group's states of that kind.
#[derive(Clone, Debug)]
pub(crate) struct FieldPlan {
    pub source: Source,
    /// What `min_by` and `max_by` give.
    pub given: Option<Source>,
    /// The number of the condition.
    pub condition: Option<usize>,
    /// How messages call it.
    pub label: String,
    /// A value that is no number is bad, unless it is a string and `takes_strings`.
    pub needs_number: bool,
    pub takes_strings: bool,
    /// The least or the largest value is a result.
    pub wants_extremes: bool,
    /// Some state is of the value's text.
    pub needs_text: bool,
    /// Only where `stats`, which counts too, is not there.
    pub counts: Option<usize>,
    pub stats: Option<usize>,
    pub moments: Option<usize>,
    pub quantiles: Option<usize>,
    pub ends: Option<usize>,
    pub lists: Option<usize>,
    pub frequencies: Option<usize>,
    pub distinct: Option<usize>,
    /// Beside `stats`, where values may be strings.
    pub strings: Option<usize>,
    pub min_by: Option<usize>,
    pub max_by: Option<usize>,
    /// The largest bound of the field's lists.
    pub list_max: usize,
    /// The field's percentiles in percent, each once.
    pub percents: Vec<f64>,
}

impl FieldPlan {
    pub(crate) fn new(source: Source, given: Option<Source>, condition: Option<usize>, label: String) -> FieldPlan {
        FieldPlan {
            source,
            given,
            condition,
            label,
            needs_number: false,
            takes_strings: true,
            wants_extremes: false,
            needs_text: false,
            counts: None,
            stats: None,
            moments: None,
            quantiles: None,
            ends: None,
            lists: None,
            frequencies: None,
            distinct: None,
            strings: None,
            min_by: None,
            max_by: None,
            list_max: 0,
            percents: Vec::new(),
        }
    }

    /// Notes what a function needs (numbers come later); returns the number of a percentile.
    pub(crate) fn require(&mut self, function: Function) -> usize {
        self.needs_number |= function.needs_numbers() || function.needs_order();
        self.takes_strings &= !function.needs_numbers();
        let needed = Some(0);
        match function {
            // Lines per second are counted.
            Function::Rate if self.source == Source::Line => {
                (self.counts, self.needs_number, self.takes_strings) = (needed, false, true);
            }
            Function::Count => self.counts = needed,
            Function::Min | Function::Max => {
                (self.stats, self.strings, self.wants_extremes) = (needed, needed, true);
            }
            Function::MinBy => self.min_by = needed,
            Function::MaxBy => self.max_by = needed,
            Function::Sum | Function::Avg | Function::Rate => self.stats = needed,
            Function::Var | Function::StdDev => (self.stats, self.moments) = (needed, needed),
            Function::First | Function::Last | Function::Delta => self.ends = needed,
            Function::Distinct => self.distinct = needed,
            Function::Top(_) | Function::Mode => self.frequencies = needed,
            Function::List(bound) => (self.lists, self.list_max) = (needed, self.list_max.max(bound)),
            Function::Percentile(percent) => {
                self.quantiles = needed;
                return self.percents.iter().position(|known| *known == percent).unwrap_or_else(|| {
                    self.percents.push(percent);
                    self.percents.len() - 1
                });
            }
        }
        0
    }

    /// Gives the states that are needed their numbers, from `columns`, which counts them.
    pub(crate) fn number(&mut self, columns: &mut Columns) {
        if self.stats.is_some() {
            self.counts = None;
        }
        if !self.takes_strings {
            self.strings = None;
        }
        for (state, count) in [
            (&mut self.counts, &mut columns.counts),
            (&mut self.stats, &mut columns.stats),
            (&mut self.moments, &mut columns.moments),
            (&mut self.quantiles, &mut columns.quantiles),
            (&mut self.ends, &mut columns.ends),
            (&mut self.lists, &mut columns.lists),
            (&mut self.frequencies, &mut columns.frequencies),
            (&mut self.distinct, &mut columns.distinct),
            (&mut self.strings, &mut columns.strings),
        ] {
            if let Some(number) = state {
                *number = *count;
                *count += 1;
            }
        }
        for number in [&mut self.min_by, &mut self.max_by].into_iter().flatten() {
            *number = columns.best;
            columns.best += 1;
        }
        self.needs_text = [self.ends, self.lists, self.frequencies, self.distinct, self.min_by, self.max_by]
            .iter()
            .any(Option::is_some);
    }
}
