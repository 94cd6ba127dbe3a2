//! A field, and which states it has.

use crate::bounds::Bounds;
use crate::columns::Widths;
use crate::field_states::FieldStates;
use crate::function::{Function, Second};
use crate::statistic_states::StatisticStates;

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

/// The second field of functions of two.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Given {
    pub source: Source,
    pub must_be: Second,
    /// How messages call it.
    pub label: String,
}

/// A field of some functions that have the same condition.
#[derive(Clone, Debug)]
pub(crate) struct FieldPlan {
    pub source: Source,
    pub given: Option<Given>,
    /// The number of the condition.
    pub condition: Option<usize>,
    /// How messages call it.
    pub label: String,
    /// A value that is no number is bad, unless it is a string and `takes_strings`.
    pub needs_number: bool,
    pub takes_strings: bool,
    /// Some state is of more than the value as a number: of its text, or it is one of the statistics.
    pub needs_text: bool,
    pub states: FieldStates,
    pub statistics: StatisticStates,
    /// The field's percentiles in percent, each once.
    pub percents: Vec<f64>,
    /// After them comes how far values lie apart.
    pub wants_spread: bool,
}

impl FieldPlan {
    pub(crate) fn new(
        source: Source,
        given: Option<Given>,
        bounds: Option<Bounds>,
        condition: Option<usize>,
        label: String,
    ) -> FieldPlan {
        FieldPlan {
            source,
            given,
            condition,
            label,
            needs_number: false,
            takes_strings: true,
            needs_text: false,
            states: FieldStates::default(),
            statistics: StatisticStates { bounds, ..StatisticStates::default() },
            percents: Vec::new(),
            wants_spread: false,
        }
    }

    /// Notes what a function needs (numbers come later); returns the number of a percentile.
    pub(crate) fn require(&mut self, function: Function) -> usize {
        self.needs_number |= function.needs_numbers() || function.needs_order();
        self.takes_strings &= !function.needs_numbers();
        self.statistics.require(function);
        let (states, needed) = (&mut self.states, Some(0));
        match function {
            // Lines per second are counted.
            Function::Rate if self.source == Source::Line => {
                (states.counts, self.needs_number, self.takes_strings) = (needed, false, true);
            }
            Function::Count => states.counts = needed,
            Function::Min | Function::Max => {
                (states.stats, states.strings, states.wants_extremes) = (needed, needed, true);
            }
            Function::MinBy => states.min_by = needed,
            Function::MaxBy => states.max_by = needed,
            Function::Sum | Function::Avg | Function::Rate => states.stats = needed,
            Function::Var | Function::StdDev => (states.stats, states.moments) = (needed, needed),
            Function::First | Function::Last | Function::Delta => states.ends = needed,
            Function::Distinct => states.distinct = needed,
            Function::Top(_) | Function::Mode => states.frequencies = needed,
            Function::List(bound) => (states.lists, states.list_max) = (needed, states.list_max.max(bound)),
            Function::Entropy => (states.frequencies, states.distinct, states.counts) = (needed, needed, needed),
            Function::Ohlc => (states.stats, states.ends, states.wants_extremes) = (needed, needed, true),
            Function::Percentile(percent) => return self.require_percentile(percent),
            Function::Mad | Function::Iqr => (states.quantiles, self.wants_spread) = (needed, true),
            _ => {}
        }
        0
    }

    fn require_percentile(&mut self, percent: f64) -> usize {
        self.states.quantiles = Some(0);
        self.percents.iter().position(|known| *known == percent).unwrap_or_else(|| {
            self.percents.push(percent);
            self.percents.len() - 1
        })
    }

    /// All functions are known: gives the states that are needed their numbers, from `widths`, which counts them.
    pub(crate) fn number(&mut self, widths: &mut Widths) {
        if self.states.stats.is_some() {
            self.states.counts = None;
        }
        if !self.takes_strings {
            self.states.strings = None;
        }
        self.states.number(widths);
        self.statistics.number(&mut widths.statistics);
        self.needs_text = self.states.are_of_text() || self.statistics.is_any();
    }
}
