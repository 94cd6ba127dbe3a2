//! An expression with values of other rows, worked out.

use jq_filters::{Arguments, Failure, Filter, Program};
use values::state_text::write_number;
use values::write_f64;

use crate::navigation::{Function, Parsed, Place, Value};
use crate::registers::{Register, Spec};
use crate::row::Rows;

/// One result may be as long as a line.
const RESULT_BYTES_MAX: usize = 64 << 20;

/// The rows of a match up to one of them.
#[derive(Clone, Copy)]
pub struct Side<'v> {
    /// The row that the expression is about, with its variable.
    pub current: Option<(u64, u8)>,
    pub registers: &'v [Register],
}

/// What an expression may look at.
#[derive(Clone, Copy)]
pub struct View<'v> {
    pub rows: &'v Rows,
    pub specs: &'v [Spec],
    /// The names of the variables as JSON.
    pub names: &'v [Vec<u8>],
    pub running: Side<'v>,
    /// For FINAL: all of the match.
    pub last: Side<'v>,
    pub match_number: u64,
}

impl View<'_> {
    /// Appends a value as JSON; null where there is none.
    pub fn write(&self, value: &Value, out: &mut Vec<u8>) {
        match *value {
            Value::MatchNumber => write_number(self.match_number, out),
            Value::Cell { place, offset, cell, is_final } => {
                let number = self.row(place, is_final).and_then(|(number, _)| number.checked_add_signed(offset));
                let row = number.and_then(|number| self.rows.get(number));
                out.extend_from_slice(row.and_then(|row| row.cell(cell)).unwrap_or(b"null"));
            }
            Value::Classifier { place, is_final } => {
                let name = self.row(place, is_final).map(|(_, variable)| &self.names[usize::from(variable)]);
                out.extend_from_slice(name.map_or(b"null", Vec::as_slice));
            }
            Value::Aggregate { register, function, is_final } => {
                let registers = self.side(is_final).registers;
                self.write_aggregate(function, &registers[register], out);
            }
        }
    }

    fn write_aggregate(&self, function: Function, register: &Register, out: &mut Vec<u8>) {
        match (function, register) {
            (Function::Count, Register::Count(count)) => write_number(*count, out),
            (Function::Sum, Register::Sum(sum, count)) if *count > 0 => sum.write(out),
            (Function::Avg, Register::Sum(sum, count)) if *count > 0 => write_f64(sum.divided_by(*count), out),
            (Function::Best(cell), Register::Row(Some(number))) => {
                let text = self.rows.get(*number).and_then(|row| row.cell(cell));
                out.extend_from_slice(text.unwrap_or(b"null"));
            }
            _ => out.extend_from_slice(b"null"),
        }
    }

    fn side(&self, is_final: bool) -> &Side<'_> {
        if is_final { &self.last } else { &self.running }
    }

    fn row(&self, place: Place, is_final: bool) -> Option<(u64, u8)> {
        let side = self.side(is_final);
        match place {
            Place::Current => side.current,
            Place::Register(register) => self.specs[register].row(&side.registers[register]),
        }
    }
}

/// A compiled expression.
pub struct Template {
    values: Vec<Value>,
    /// None if the expression is no more than one value.
    filter: Option<Filter>,
    needs_row: bool,
    input: Vec<u8>,
}

impl Template {
    /// Compiles an expression: a filter on `{"v0":VALUE,…,"row":LINE}`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(parsed: &Parsed) -> Result<Template, String> {
        let bindings: String = (0..parsed.values.len()).map(|number| format!(".v{number} as $__{number} | ")).collect();
        let row = if parsed.needs_row { ".row | " } else { "" };
        let code = format!("{bindings}{row}({}\n)", parsed.text);
        let is_one = parsed.text.trim() == "$__0";
        let program = Program::new(&code, Arguments::default()).map_err(|wrong| why_wrong(parsed, wrong.message))?;
        let filter = (!is_one).then(|| program.filter(RESULT_BYTES_MAX));
        Ok(Template { values: parsed.values.clone(), filter, needs_row: parsed.needs_row, input: Vec::new() })
    }

    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Appends the expression's value as JSON, null if it gives none.
    ///
    /// # Errors
    /// Why it has failed, or that it gives more than one value. Nothing was written then.
    pub fn write(&mut self, view: &View<'_>, out: &mut Vec<u8>) -> Result<(), String> {
        let Some(filter) = &mut self.filter else {
            view.write(&self.values[0], out);
            return Ok(());
        };
        write_input(&self.values, self.needs_row, view, &mut self.input);
        let results = filter.run(&self.input).map_err(why)?;
        let mut results = results.iter();
        let result = results.next().unwrap_or(b"null");
        if results.next().is_some() {
            return Err("more than one value".into());
        }
        out.extend_from_slice(result);
        Ok(())
    }

    /// Returns true if one of its results is neither false nor null.
    ///
    /// # Errors
    /// Why it has failed.
    pub fn holds(&mut self, view: &View<'_>) -> Result<bool, String> {
        write_input(&self.values, self.needs_row, view, &mut self.input);
        match &mut self.filter {
            Some(filter) => filter.passes(&self.input).map_err(why),
            None => {
                self.input.clear();
                view.write(&self.values[0], &mut self.input);
                Ok(!matches!(self.input.as_slice(), b"false" | b"null"))
            }
        }
    }
}

fn write_input(values: &[Value], needs_row: bool, view: &View<'_>, input: &mut Vec<u8>) {
    input.clear();
    input.push(b'{');
    for (number, value) in values.iter().enumerate() {
        input.extend_from_slice(if number > 0 { b",\"v" } else { b"\"v" });
        write_number(number as u64, input);
        input.extend_from_slice(b"\":");
        view.write(value, input);
    }
    if needs_row {
        let row = view.running.current.and_then(|(number, _)| view.rows.get(number));
        input.extend_from_slice(if values.is_empty() { b"\"row\":" } else { b",\"row\":" });
        input.extend_from_slice(row.map_or(b"null", |row| row.line()));
    }
    input.push(b'}');
}

fn why(failure: Failure) -> String {
    match failure {
        Failure::Line(why) => why,
        halt @ Failure::Halt(_) => halt.to_string(),
    }
}

/// Compiles the text alone, so that what is wrong is told of it as it was written, but for the functions.
#[must_use]
pub fn why_wrong(parsed: &Parsed, otherwise: String) -> String {
    let mut arguments = Arguments::default();
    for number in 0..parsed.values.len() {
        if let Err(wrong) = arguments.push_json(&format!("__{number}"), "null") {
            return wrong.message;
        }
    }
    match Program::new(&parsed.text, arguments) {
        Ok(_) => otherwise,
        Err(wrong) => {
            let place = wrong.hint.map(|hint| format!("\n{hint}")).unwrap_or_default();
            format!("{}; fields begin with a dot: .user, fail.user{place}", wrong.message)
        }
    }
}
