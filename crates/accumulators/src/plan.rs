//! Which fields are needed, and which states each of them has.

use json_fields::{FieldPath, write_string};

use crate::percentiles::Percentiles;
use crate::spec::{Function, Spec, SpecError};

/// What holds for all functions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    pub percentiles: Percentiles,
    /// Of the samples of `reservoir`.
    pub seed: u64,
}

/// Specs put in order: every field once, with the states that its functions need.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) settings: Settings,
    pub(crate) fields: Vec<FieldPlan>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) columns: Columns,
    paths: Vec<FieldPath>,
    names: Vec<String>,
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
}

/// The states of one field: their numbers among the group's states of that kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldPlan {
    pub needs_number: bool,
    /// Only where `stats`, which counts too, is not there.
    pub counts: Option<usize>,
    pub stats: Option<usize>,
    pub moments: Option<usize>,
    pub quantiles: Option<usize>,
    pub ends: Option<usize>,
    pub lists: Option<usize>,
    pub frequencies: Option<usize>,
    pub distinct: Option<usize>,
    /// The largest bound of the field's lists.
    pub list_max: usize,
    /// The field's percentiles in percent, each once.
    pub percents: Vec<f64>,
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
            columns: Columns::default(),
            paths: Vec::new(),
            names: Vec::new(),
        };
        for spec in specs {
            if plan.names.contains(&spec.name) {
                return Err(SpecError::SameName(spec.name));
            }
            let field = spec.field.map(|path| plan.field(path));
            let percent = field.map_or(0, |field| plan.require(field, spec.function));
            let mut member = Vec::new();
            write_string(&spec.name, &mut member);
            member.push(b':');
            plan.outputs.push(Output { member, function: spec.function, field, percent });
            plan.names.push(spec.name);
        }
        plan.number_columns();
        Ok(plan)
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
        let mut states = Vec::new();
        for (field, path) in self.fields.iter().zip(&self.paths) {
            let kinds = [
                (field.counts, "count".to_owned()),
                (field.stats, "sum|avg|min|max".to_owned()),
                (field.moments, "var|stddev".to_owned()),
                (field.quantiles, "percentiles".to_owned()),
                (field.ends, "first|last|delta".to_owned()),
                (field.lists, format!("list:{}", field.list_max)),
                (field.frequencies, "top|mode".to_owned()),
                (field.distinct, "distinct".to_owned()),
            ];
            states.extend(kinds.iter().filter(|kind| kind.0.is_some()).map(|(_, name)| format!("{name}:{path}")));
        }
        if self.columns.quantiles > 0 {
            states.push(format!("--percentiles {}", self.settings.percentiles));
            if matches!(self.settings.percentiles, Percentiles::Reservoir(_)) {
                states.push(format!("--seed {}", self.settings.seed));
            }
        }
        states.join(" ")
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

    fn field(&mut self, path: FieldPath) -> usize {
        self.paths.iter().position(|known| *known == path).unwrap_or_else(|| {
            self.paths.push(path);
            self.fields.push(FieldPlan::default());
            self.fields.len() - 1
        })
    }

    /// Notes what a function needs (numbers come later); returns the number of a percentile.
    fn require(&mut self, field: usize, function: Function) -> usize {
        let plan = &mut self.fields[field];
        plan.needs_number |= function.needs_numbers();
        let needed = Some(0);
        match function {
            Function::Count => plan.counts = needed,
            Function::Sum | Function::Avg | Function::Min | Function::Max | Function::Rate => plan.stats = needed,
            Function::Var | Function::StdDev => (plan.stats, plan.moments) = (needed, needed),
            Function::First | Function::Last | Function::Delta => plan.ends = needed,
            Function::Distinct => plan.distinct = needed,
            Function::Top(_) | Function::Mode => plan.frequencies = needed,
            Function::List(bound) => (plan.lists, plan.list_max) = (needed, plan.list_max.max(bound)),
            Function::Percentile(percent) => {
                plan.quantiles = needed;
                return plan.percents.iter().position(|known| *known == percent).unwrap_or_else(|| {
                    plan.percents.push(percent);
                    plan.percents.len() - 1
                });
            }
        }
        0
    }

    fn number_columns(&mut self) {
        let columns = &mut self.columns;
        for field in &mut self.fields {
            if field.stats.is_some() {
                field.counts = None;
            }
            for (state, count) in [
                (&mut field.counts, &mut columns.counts),
                (&mut field.stats, &mut columns.stats),
                (&mut field.moments, &mut columns.moments),
                (&mut field.quantiles, &mut columns.quantiles),
                (&mut field.ends, &mut columns.ends),
                (&mut field.lists, &mut columns.lists),
                (&mut field.frequencies, &mut columns.frequencies),
                (&mut field.distinct, &mut columns.distinct),
            ] {
                if let Some(number) = state {
                    *number = *count;
                    *count += 1;
                }
            }
        }
    }
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
        assert_eq!(plan.columns, Columns { stats: 1, quantiles: 1, ..Columns::default() });
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
    fn two_results_of_one_name_are_refused_with_a_way_out() {
        let error = plan(&["sum:a", "sum:b"]).unwrap_err();
        assert_eq!(error, SpecError::SameName("sum".into()));
        assert_eq!(error.hint().unwrap(), "name one of them: NAME=sum:FIELD");
        assert!(plan(&["sum:a", "b=sum:b"]).is_ok());
    }
}
