//! Which fields are needed, and which results come of them.

use std::borrow::Cow;

use json_fields::{FieldPath, write_string};

use crate::argument::Argument;
use crate::columns::Widths;
use crate::field_plan::{FieldPlan, Given, Source};
use crate::function::{Function, Second};
use crate::percentiles::{DistinctBy, Percentiles};
use crate::settings::Settings;
use crate::spec::{Spec, SpecError};

/// Specs put in order: every field once, with the states that its functions need.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) settings: Settings,
    pub(crate) fields: Vec<FieldPlan>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) widths: Widths,
    /// A value may be one too many.
    pub(crate) has_limits: bool,
    /// Some state is of more than a value as a number.
    pub(crate) needs_texts: bool,
    /// A line's values are those of `paths`, one for one.
    is_plain: bool,
    paths: Vec<FieldPath>,
    expressions: Vec<String>,
    conditions: Vec<String>,
    names: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// `"name":`
    pub member: Vec<u8>,
    pub function: Function,
    /// Number of the field.
    pub field: Option<usize>,
    /// Number of a percentile among its field's `percents`.
    pub percent: usize,
}

impl Plan {
    /// # Errors
    /// When two results have the same name.
    pub fn new(specs: Vec<Spec>, settings: Settings) -> Result<Plan, SpecError> {
        let mut plan = Plan {
            settings,
            fields: Vec::new(),
            outputs: Vec::new(),
            widths: Widths::default(),
            has_limits: false,
            needs_texts: false,
            is_plain: false,
            paths: Vec::new(),
            expressions: Vec::new(),
            conditions: Vec::new(),
            names: Vec::new(),
        };
        for spec in specs {
            if plan.names.contains(&spec.name) {
                return Err(SpecError::SameName(spec.name));
            }
            let field = plan.field(&spec);
            let percent = field.map_or(0, |field| plan.fields[field].require(spec.function));
            let mut member = Vec::new();
            write_string(&spec.name, &mut member);
            member.push(b':');
            plan.outputs.push(Output { member, function: spec.function, field, percent });
            plan.names.push(spec.name);
        }
        plan.fields.iter_mut().for_each(|field| field.number(&mut plan.widths));
        let in_order = (0..).zip(&plan.fields).all(|(number, field)| field.source == Source::Path(number));
        plan.is_plain = in_order && plan.fields.iter().all(|field| field.given.is_none() && field.condition.is_none());
        plan.has_limits = matches!(settings.percentiles, Percentiles::Exact(_)) && plan.widths.quantiles > 0
            || matches!(settings.distinct, DistinctBy::Exact(_)) && plan.widths.distinct > 0;
        plan.needs_texts = plan.fields.iter().any(|field| field.needs_text);
        Ok(plan)
    }

    /// Whether all that is wanted of a line are its [`Plan::paths`].
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether all results are of numbers alone, and no limit can be reached by a value.
    #[must_use]
    pub fn takes_batches(&self) -> bool {
        !matches!(self.settings.percentiles, Percentiles::Exact(_)) && !self.needs_texts
    }

    /// The first result that cannot do without a line that it has seen; `keeps_lines` if the lines that are left are known.
    #[must_use]
    pub fn cannot_take_back(&self, keeps_lines: bool) -> Option<&str> {
        self.outputs
            .iter()
            .position(|output| !output.function.can_take_back(keeps_lines))
            .map(|number| self.names[number].as_str())
    }

    /// The expressions whose values the caller has to compute for each line.
    #[must_use]
    pub fn expressions(&self) -> &[String] {
        &self.expressions
    }

    /// The filters that the caller has to ask about each line.
    #[must_use]
    pub fn conditions(&self) -> &[String] {
        &self.conditions
    }

    /// How messages call what is counted by [`crate::Values::skipped`].
    pub fn labels(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.fields.iter().map(|field| match &field.given {
            Some(given) if given.must_be != Second::Any => Cow::Owned(format!("{} or {}", field.label, given.label)),
            _ => Cow::Borrowed(field.label.as_str()),
        })
    }

    /// The fields that have a second number.
    pub(crate) fn of_two_numbers(&self) -> impl Iterator<Item = usize> {
        let has_two = |field: &FieldPlan| field.given.as_ref().is_some_and(|given| given.must_be == Second::Number);
        self.fields.iter().enumerate().filter(move |(_, field)| has_two(field)).map(|(number, _)| number)
    }

    /// The fields to find in each line.
    #[must_use]
    pub fn paths(&self) -> &[FieldPath] {
        &self.paths
    }

    /// The functions that need a state, by field: `sum|avg|min|max:.price percentiles:.ms`. Plans for which this is the
    /// same can take each other's groups; results of the same state may come and go, and have other names.
    #[must_use]
    pub fn states(&self) -> String {
        let mut texts = Vec::new();
        for field in &self.fields {
            let states = &field.states;
            let numbers = if states.strings.is_some() { "min|max" } else { "sum|avg|min|max" };
            let kinds = [
                (states.counts, "count".to_owned()),
                (states.stats, numbers.to_owned()),
                (states.moments, "var|stddev".to_owned()),
                (states.quantiles, "percentiles".to_owned()),
                (states.ends, "first|last|delta".to_owned()),
                (states.lists, format!("list:{}", states.list_max)),
                (states.frequencies, "top|mode".to_owned()),
                (states.distinct, "distinct".to_owned()),
                (states.min_by, "min_by".to_owned()),
                (states.max_by, "max_by".to_owned()),
            ];
            let text = self.field_text(field);
            texts.extend(kinds.iter().filter(|kind| kind.0.is_some()).map(|(_, name)| format!("{name}{text}")));
            texts.extend(field.statistics.names().map(|name| format!("{name}{text}")));
        }
        if self.widths.distinct > 0 && self.settings.distinct != DistinctBy::HyperLogLog {
            texts.push("--distinct exact".to_owned());
        }
        if self.widths.quantiles > 0 {
            texts.push(format!("--percentiles {}", self.settings.percentiles));
            if matches!(self.settings.percentiles, Percentiles::Reservoir(_)) {
                texts.push(format!("--seed {}", self.settings.seed));
            }
        }
        texts.join(" ")
    }

    /// The results' names, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether a result is per second of window.
    #[must_use]
    pub fn has_rate(&self) -> bool {
        self.outputs.iter().any(|output| output.function == Function::Rate)
    }

    /// `:.price:.bidder?.ok`
    fn field_text(&self, field: &FieldPlan) -> String {
        let text = |source| match source {
            Source::Path(number) => format!(":{}", self.paths[number]),
            Source::Expression(number) => format!(":{}", self.expressions[number]),
            Source::Line => String::new(),
        };
        let condition = field.condition.map(|number| format!("?{}", self.conditions[number]));
        format!(
            "{}{}{}",
            text(field.source),
            field.given.as_ref().map(|given| text(given.source)).unwrap_or_default(),
            condition.unwrap_or_default()
        )
    }

    /// The number of what a spec is of; none if it is of all lines. States are shared by specs of the same field and the
    /// same condition.
    fn field(&mut self, spec: &Spec) -> Option<usize> {
        let condition = spec.condition.as_ref().map(|filter| place(&mut self.conditions, filter));
        let source = spec.field.as_ref().map_or(Source::Line, |argument| self.source(argument));
        if source == Source::Line && condition.is_none() {
            return None;
        }
        let given = spec.given.as_ref().zip(spec.function.second()).map(|(argument, must_be)| {
            let (source, label) = (self.source(argument), argument.name());
            Given { source, must_be, label }
        });
        let same = |known: &FieldPlan| {
            (known.source, known.condition) == (source, condition)
                && known.given == given
                && known.statistics.bounds == spec.bounds
        };
        Some(self.fields.iter().position(same).unwrap_or_else(|| {
            let label = spec.field.as_ref().map(Argument::name).unwrap_or_default();
            self.fields.push(FieldPlan::new(source, given, spec.bounds.clone(), condition, label));
            self.fields.len() - 1
        }))
    }

    fn source(&mut self, argument: &Argument) -> Source {
        match argument {
            Argument::Path(path) => Source::Path(place(&mut self.paths, path)),
            Argument::Expression(text) => Source::Expression(place(&mut self.expressions, text)),
        }
    }
}

/// The place of an item in a list, at the end if it is new.
fn place<T: Clone + PartialEq>(list: &mut Vec<T>, item: &T) -> usize {
    list.iter().position(|known| known == item).unwrap_or_else(|| {
        list.push(item.clone());
        list.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(specs: &[&str]) -> Result<Plan, SpecError> {
        Plan::new(specs.iter().map(|spec| spec.parse().unwrap()).collect(), Settings::default())
    }

    #[test]
    fn functions_of_one_field_share_its_states() {
        let plan = plan(&["count", "sum:v", "min:.v", "max:v", "p50:v", "p99:v", "median:v", "n=count:v"]).unwrap();
        assert_eq!(plan.widths, Widths { stats: 1, quantiles: 1, ..Widths::default() });
        assert_eq!(plan.fields[0].percents, [50.0, 99.0]);
        assert_eq!(plan.paths().len(), 1);
    }

    #[test]
    fn plans_of_the_same_states_say_so() {
        let states = |specs: &[&str]| plan(specs).unwrap().states();
        let expected = "sum|avg|min|max:.v percentiles:.v list:5:.w --percentiles ddsketch:0.01";
        assert_eq!(states(&["count", "sum:v", "p50:v", "list:5:w"]), expected);
        assert_eq!(states(&["max:v", "n=count:v", "q=p99:v", "list:5:w", "two=list:2:w", "rate"]), expected);
        assert_ne!(states(&["sum:v", "p50:v", "list:6:w"]), expected);
        assert_eq!(states(&["count"]), "");
    }

    #[test]
    fn a_condition_makes_a_state_of_its_own_that_is_shared_by_the_same_one() {
        let plan = plan(&["a=sum:v", "b=sum:v?.x", "c=max:v?.x", "d=count?.x", "e=count?.y", "f=count?.x"]).unwrap();
        assert_eq!(plan.fields.len(), 4);
        assert_eq!((plan.conditions().len(), plan.paths().len()), (2, 1));
        assert_eq!(plan.states(), "sum|avg|min|max:.v sum|avg|min|max:.v?.x count?.x count?.y");
    }

    #[test]
    fn min_and_max_alone_take_strings() {
        let numbers = plan(&["min:v", "sum:v"]).unwrap();
        assert_eq!((numbers.widths.strings, numbers.states().as_str()), (0, "sum|avg|min|max:.v"));
        let both = plan(&["min:v", "max:v", "count:v", "x=first:v"]).unwrap();
        assert_eq!((both.widths.strings, both.widths.counts), (1, 0));
        assert_eq!(both.states(), "min|max:.v first|last|delta:.v");
    }

    #[test]
    fn two_results_of_one_name_are_refused_with_a_way_out() {
        let error = plan(&["sum:a", "sum:b"]).unwrap_err();
        assert_eq!(error, SpecError::SameName("sum".into()));
        assert_eq!(error.hint().unwrap(), "name one of them: NAME=sum:FIELD");
        assert!(plan(&["sum:a", "b=sum:b"]).is_ok());
    }
}
