//! The conditions of `--define`.
//!
//! A condition is taken apart at `and`. What looks at the line alone is worked out once when the line comes, for all variables
//! in one pass. What looks at lines nearby (PREV, NEXT) is worked out once for a row at most. What looks at the match so far
//! is worked out for each partial match.

use std::sync::Arc;

use line_values::{Condition, Expression};

use crate::navigation::{Collector, Place, Value, fields};
use crate::registers::{Register, Spec};
use crate::row::Rows;
use crate::template::{Side, Template, View, why_wrong};
use crate::tokens::{conjuncts, split, tokens};
use crate::variables::Variables;

/// The conditions, by the number of the variable.
pub struct Definitions {
    conditions: Vec<Option<Dependent>>,
    specs: Vec<Spec>,
    /// Before the first row of a match; none if nothing is kept.
    empty: Option<Arc<[Register]>>,
    names: Vec<Vec<u8>>,
    failed: Failed,
}

/// A condition that looks at other rows.
struct Dependent {
    template: Template,
    /// It depends on the row and those nearby, not on the match.
    is_local: bool,
}

/// What `--define` says, read.
pub struct Defined {
    pub definitions: Definitions,
    /// Conditions on a line alone, each with its variable.
    pub on_lines: Vec<(u8, Condition)>,
    pub cells: Vec<Expression>,
    /// Fields that these look at on the line, to tell when no line has one.
    pub fields: Vec<Expression>,
}

#[derive(Default)]
struct Failed {
    times: u64,
    first: String,
}

impl Definitions {
    /// Reads `NAME: CONDITION, …`; a variable without a condition is true of each row.
    ///
    /// # Errors
    /// What is wrong, and in which condition.
    pub fn read(texts: &[String], variables: &Variables) -> Result<Defined, String> {
        let mut collector = Collector::new(variables, Vec::new());
        let mut conditions: Vec<Option<Dependent>> = (0..variables.len()).map(|_| None).collect();
        let (mut on_lines, mut of_lines, mut seen) = (Vec::new(), Vec::new(), 0u64);
        for piece in texts.iter().flat_map(|text| split(text, ",")) {
            let (name, text) = named(piece)?;
            let variable = variables.find(name).ok_or_else(|| variables.unknown(name))?;
            if seen >> variable & 1 == 1 {
                return Err(format!("{name} has two conditions"));
            }
            seen |= 1 << variable;
            let of = |why: String| format!("{name}: {why}");
            check_equals(text.trim()).map_err(of)?;
            let (line, others) = parts(text, variable, &mut collector, &mut of_lines).map_err(of)?;
            if let Some(line) = line {
                on_lines.push((variable, condition(&line, text, variable, &collector).map_err(of)?));
            }
            if let Some(others) = others {
                let parsed = collector.parse(&others, Some(variable)).and_then(|parsed| collector.bind_fields(parsed));
                let template = Template::new(&parsed.map_err(of)?).map_err(of)?;
                let is_local = template.values().iter().all(is_nearby);
                conditions[usize::from(variable)] = Some(Dependent { template, is_local });
            }
        }
        let Collector { cells, registers: specs, .. } = collector;
        let empty = (!specs.is_empty()).then(|| specs.iter().map(Spec::empty).collect());
        let names = json_names(variables);
        let definitions = Definitions { conditions, specs, empty, names, failed: Failed::default() };
        Ok(Defined { definitions, on_lines, cells, fields: of_lines })
    }

    /// Returns all values of other rows that conditions ask for.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.conditions.iter().flatten().flat_map(|condition| condition.template.values())
    }

    /// Returns what is kept of a match before its first row; none if no condition asks for anything.
    #[must_use]
    pub fn empty(&self) -> Option<Arc<[Register]>> {
        self.empty.clone()
    }

    /// Returns what is kept of a match after one more row.
    #[must_use]
    pub fn after(
        &self,
        before: Option<&Arc<[Register]>>,
        number: u64,
        variable: u8,
        rows: &Rows,
    ) -> Option<Arc<[Register]>> {
        let before = before?;
        if !self.specs.iter().any(|spec| spec.is_of(variable)) {
            return Some(Arc::clone(before));
        }
        let mut registers = before.to_vec();
        for (spec, register) in self.specs.iter().zip(&mut registers).filter(|(spec, _)| spec.is_of(variable)) {
            spec.take(register, number, variable, rows);
        }
        Some(registers.into())
    }

    /// Returns true if a row whose line allows it can have a variable, with what is kept of the match and this row.
    #[inline]
    pub fn holds(
        &mut self,
        variable: u8,
        rows: &mut Rows,
        number: u64,
        registers: Option<&Arc<[Register]>>,
        match_number: u64,
    ) -> bool {
        let Some(condition) = &mut self.conditions[usize::from(variable)] else { return true };
        if let Some(holds) = rows.get(number).and_then(|row| row.known(variable)) {
            return holds;
        }
        let side = Side { current: Some((number, variable)), registers: registers.map_or(&[], |all| all) };
        let (specs, names) = (self.specs.as_slice(), self.names.as_slice());
        let view = View { rows, specs, names, running: side, last: side, match_number };
        let holds = condition.template.holds(&view).unwrap_or_else(|why| {
            self.failed.note(&names[usize::from(variable)], why);
            false
        });
        if condition.is_local
            && let Some(row) = rows.get_mut(number)
        {
            row.note(variable, holds);
        }
        holds
    }

    /// Returns what people should know at the end: a condition that fails on a row does not hold there.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        let Failed { times, first } = &self.failed;
        (*times > 0)
            .then(|| format!("a condition failed on a row {times} times, and did not hold there; first {first}"))
    }
}

impl Failed {
    #[cold]
    fn note(&mut self, name: &[u8], why: String) {
        if self.times == 0 {
            self.first = format!("{}: {why}", String::from_utf8_lossy(name));
        }
        self.times += 1;
    }
}

/// The names of the variables as JSON.
#[must_use]
pub fn json_names(variables: &Variables) -> Vec<Vec<u8>> {
    let name = |number: usize| format!("{:?}", variables.name(number as u8)).into_bytes();
    (0..variables.len()).map(name).collect()
}

/// `NAME: CONDITION`, taken apart.
fn named(piece: &str) -> Result<(&str, &str), String> {
    let found = tokens(piece);
    match found.as_slice() {
        [name, colon, _, ..] if colon.is(":") => Ok((name.text, &piece[colon.end()..])),
        _ => {
            Err(format!("{:?} is not NAME: CONDITION; a comma inside of a condition goes in parentheses", piece.trim()))
        }
    }
}

/// Refuses a condition that sets a member: it would hold on any row.
fn check_equals(text: &str) -> Result<(), String> {
    let all = tokens(text);
    let has_pipe = all.iter().any(|token| token.is("|"));
    match all.iter().find(|token| token.is("=") && !has_pipe) {
        None => Ok(()),
        Some(equals) => Err(format!(
            "= sets a member, and would hold on any row; == compares: {}=={}",
            &text[..equals.start],
            &text[equals.end()..]
        )),
    }
}

/// What of a condition looks at the line alone, as a jq filter, and what looks at other rows. Adds the fields of the former.
fn parts(
    text: &str,
    own: u8,
    collector: &mut Collector<'_>,
    of_lines: &mut Vec<Expression>,
) -> Result<(Option<String>, Option<String>), String> {
    let (mut line, mut others) = (Vec::new(), Vec::new());
    for part in conjuncts(text) {
        let mut trial = collector.clone();
        let parsed = trial.parse(part, Some(own))?;
        let cells: Option<Vec<&Expression>> = parsed
            .values
            .iter()
            .map(|value| match value {
                Value::Cell { place: Place::Current, offset: 0, cell, .. } => Some(&trial.cells[*cell]),
                _ => None,
            })
            .collect();
        match cells {
            Some(cells) => {
                of_lines.extend(cells.iter().copied().cloned().chain(fields(&parsed.text)));
                line.push(bound(&cells, &parsed.text));
            }
            None => others.push(format!("({part}\n)")),
        }
    }
    let joined = |parts: Vec<String>| (!parts.is_empty()).then(|| parts.join(" and "));
    Ok((joined(line), joined(others)))
}

/// Compiles what looks at the line alone; `text` is the whole condition.
fn condition(line: &str, text: &str, own: u8, collector: &Collector<'_>) -> Result<Condition, String> {
    line.parse().or_else(|wrong| {
        let parsed = collector.clone().parse(text.trim(), Some(own))?;
        Err(why_wrong(&parsed, format!("{wrong}")))
    })
}

/// The text with cells of the line itself bound to its names.
fn bound(cells: &[&Expression], text: &str) -> String {
    let bind = |(number, cell): (usize, &&Expression)| match cell.path() {
        Some(_) => format!("{cell} as $__{number} | "),
        None => format!("[{cell}\n][0] as $__{number} | "),
    };
    let bindings: String = cells.iter().enumerate().map(bind).collect();
    format!("({bindings}{text}\n)")
}

fn is_nearby(value: &Value) -> bool {
    matches!(value, Value::Cell { place: Place::Current, .. })
}

/// How many rows before and after the rows of a match these values look at, at most.
pub fn reach<'v>(values: impl Iterator<Item = &'v Value>) -> (u64, u64) {
    let (mut before, mut after) = (0, 0);
    for value in values {
        if let Value::Cell { offset, .. } = value {
            before = before.max(-*offset);
            after = after.max(*offset);
        }
    }
    (before.unsigned_abs(), after.unsigned_abs())
}
