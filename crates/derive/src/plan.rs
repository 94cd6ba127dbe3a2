//! Which parts the members need, and how they are made from them.

use json_fields::write_string;

use crate::function::{Function, Statistic};
use crate::inputs::Field;
use crate::part::Kind;
use crate::smoothing::savgol_weights;
use crate::span::Span;
use crate::spec::Spec;
use crate::window::Needs;

/// All that the operator does.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub fields: Vec<Field>,
    pub parts: Vec<PartPlan>,
    pub members: Vec<Member>,
}

/// A part that is kept of each key.
#[derive(Clone, Debug, PartialEq)]
pub struct PartPlan {
    /// None: it is of lines.
    pub field: Option<usize>,
    pub kind: Kind,
}

/// A member that is written.
#[derive(Clone, Debug)]
pub struct Member {
    /// The name as JSON with what stands around it: `,"name":`.
    pub prefix: Vec<u8>,
    pub field: Option<usize>,
    pub part: usize,
    pub rule: Rule,
}

/// How a member follows from its part and the value of its line.
#[derive(Clone, Debug)]
pub enum Rule {
    /// The value so many before.
    Shift(usize),
    Delta(usize),
    Ratio(usize),
    PercentChange(usize),
    FromFirst,
    Increase,
    Rate,
    /// What the part itself is.
    Value,
    /// A sum by a count, which another part has.
    Mean {
        count: usize,
    },
    HoltTrend,
    /// The weighted sum of the points.
    Weighted(Vec<f64>),
    /// Of a part with moments, a line or the growth of a counter, or of a window.
    Of(Statistic),
}

impl Plan {
    #[must_use]
    pub fn new(specs: &[Spec]) -> Plan {
        let mut plan = Plan::default();
        specs.iter().for_each(|spec| plan.add(spec));
        for part in &plan.parts {
            if let Some(field) = part.field.and_then(|field| plan.fields.get_mut(field)) {
                field.is_number |= part.kind.needs_number();
            }
        }
        plan
    }

    fn add(&mut self, spec: &Spec) {
        let field = spec.field.as_ref().map(|expression| {
            let flag = format!("'{}", spec.before_field);
            self.field(Field { expression: expression.clone(), is_number: false, flag })
        });
        let (part, rule) = self.of(field, spec.function);
        let mut prefix = if self.members.is_empty() { Vec::new() } else { vec![b','] };
        write_string(&spec.name, &mut prefix);
        prefix.push(b':');
        self.members.push(Member { prefix, field, part, rule });
    }

    fn field(&mut self, field: Field) -> usize {
        let known = self.fields.iter().position(|other| other.expression.to_string() == field.expression.to_string());
        known.unwrap_or_else(|| {
            self.fields.push(field);
            self.fields.len() - 1
        })
    }

    fn of(&mut self, field: Option<usize>, function: Function) -> (usize, Rule) {
        match function {
            Function::Shift(lag) => (self.part(field, Kind::Texts(lag)), Rule::Shift(lag)),
            Function::Delta(lag) => (self.lags(field, lag), Rule::Delta(lag)),
            Function::Ratio(lag) => (self.lags(field, lag), Rule::Ratio(lag)),
            Function::PercentChange(lag) => (self.lags(field, lag), Rule::PercentChange(lag)),
            Function::Increase => (self.part(field, Kind::Last), Rule::Increase),
            Function::Rate => (self.part(field, Kind::Last), Rule::Rate),
            Function::FromFirst => (self.part(field, Kind::First), Rule::FromFirst),
            Function::Product => (self.part(field, Kind::Product), Rule::Value),
            Function::Ewma(alpha) => (self.part(field, Kind::Ewma(alpha)), Rule::Value),
            Function::HalfLife(half_life_ms) => (self.part(field, Kind::Decaying(half_life_ms)), Rule::Value),
            Function::HoltLevel(level, trend) => (self.part(field, Kind::Holt(level, trend)), Rule::Value),
            Function::HoltTrend(level, trend) => (self.part(field, Kind::Holt(level, trend)), Rule::HoltTrend),
            Function::Kalman(step, noise) => (self.part(field, Kind::Kalman(step, noise)), Rule::Value),
            Function::Savgol(points, degree) => {
                (self.part(field, Kind::Points(points)), Rule::Weighted(savgol_weights(points, degree)))
            }
            Function::Over(statistic, Span::All) => self.of_all(field, statistic),
            Function::Over(statistic, span) => (self.window(field, span, needs(statistic)), Rule::Of(statistic)),
        }
    }

    fn lags(&mut self, field: Option<usize>, lag: usize) -> usize {
        self.part(field, if lag == 1 { Kind::Last } else { Kind::Lags(lag) })
    }

    fn of_all(&mut self, field: Option<usize>, statistic: Statistic) -> (usize, Rule) {
        let (kind, rule) = match statistic {
            Statistic::Mean => {
                let count = self.part(field, Kind::Count);
                (Kind::Sum, Rule::Mean { count })
            }
            Statistic::Sum => (Kind::Sum, Rule::Value),
            Statistic::Min => (Kind::Least, Rule::Value),
            Statistic::Max => (Kind::Most, Rule::Value),
            Statistic::Var | Statistic::Stddev | Statistic::Zscore => (Kind::Moments, Rule::Of(statistic)),
            Statistic::Slope => (Kind::Line, Rule::Of(statistic)),
            Statistic::Increase | Statistic::Rate => (Kind::Rise, Rule::Of(statistic)),
            // No percentile is of all: the grammar refuses it.
            Statistic::Count | Statistic::Percentile(_) => (Kind::Count, Rule::Value),
        };
        (self.part(field, kind), rule)
    }

    /// A part that is there already serves again.
    fn part(&mut self, field: Option<usize>, kind: Kind) -> usize {
        let part = PartPlan { field, kind };
        let known = self.parts.iter().position(|other| *other == part);
        known.unwrap_or_else(|| {
            self.parts.push(part);
            self.parts.len() - 1
        })
    }

    /// A window of the same field and span gives more.
    fn window(&mut self, field: Option<usize>, span: Span, needs: Needs) -> usize {
        for (place, part) in self.parts.iter_mut().enumerate() {
            if let Kind::Window(other, others) = &mut part.kind
                && (part.field, *other) == (field, span)
            {
                others.add(needs);
                return place;
            }
        }
        self.part(field, Kind::Window(span, needs))
    }
}

fn needs(statistic: Statistic) -> Needs {
    let none = Needs::default();
    match statistic {
        Statistic::Count => none,
        Statistic::Sum | Statistic::Mean => Needs { sum: true, ..none },
        Statistic::Min => Needs { least: true, ..none },
        Statistic::Max => Needs { most: true, ..none },
        Statistic::Var | Statistic::Stddev | Statistic::Zscore => Needs { moments: true, ..none },
        Statistic::Slope => Needs { line: true, ..none },
        Statistic::Increase | Statistic::Rate => Needs { rise: true, ..none },
        Statistic::Percentile(_) => Needs { ranks: true, ..none },
    }
}
