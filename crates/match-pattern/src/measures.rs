//! The expressions of `--measures`.

use line_values::Expression;

use crate::navigation::{Collector, Value};
use crate::registers::{Register, Spec};
use crate::row::Rows;
use crate::template::{Template, View};
use crate::tokens::{split, tokens};
use crate::variables::Variables;

/// What is written of a match.
pub struct Measures {
    list: Vec<Measure>,
    pub specs: Vec<Spec>,
    failed: Option<String>,
}

struct Measure {
    name: String,
    /// `"name":`
    member: Vec<u8>,
    template: Template,
}

impl Measures {
    /// Reads `NAME=EXPRESSION, …`; adds what they want of a row to the cells.
    ///
    /// # Errors
    /// What is wrong, and in which measure.
    pub fn read(
        texts: &[String],
        variables: &Variables,
        cells: Vec<Expression>,
    ) -> Result<(Measures, Vec<Expression>), String> {
        let mut collector = Collector::new(variables, cells);
        let mut list: Vec<Measure> = Vec::new();
        for piece in texts.iter().flat_map(|text| split(text, ",")) {
            let (name, text) = named(piece);
            if name.is_empty() || name == "$" {
                return Err(format!("a measure cannot be called {name:?}"));
            }
            if list.iter().any(|measure| measure.name == name) {
                return Err(format!("{name} is there twice"));
            }
            let of = |why: String| format!("{name}: {why}");
            let parsed = collector.parse(text, None).and_then(|parsed| collector.bind_fields(parsed));
            let template = Template::new(&parsed.map_err(of)?).map_err(of)?;
            let mut member = Vec::new();
            json_fields::write_string(name, &mut member);
            member.push(b':');
            list.push(Measure { name: name.to_owned(), member, template });
        }
        let Collector { cells, registers: specs, .. } = collector;
        Ok((Measures { list, specs, failed: None }, cells))
    }

    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.list.iter().map(|measure| measure.name.as_str()).collect()
    }

    /// Returns all values of rows that they ask for.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.list.iter().flat_map(|measure| measure.template.values())
    }

    /// Returns what is kept before the first row.
    #[must_use]
    pub fn empty(&self) -> Vec<Register> {
        self.specs.iter().map(Spec::empty).collect()
    }

    /// Takes a row of a match.
    pub fn take(&self, registers: &mut [Register], number: u64, variable: u8, rows: &Rows) {
        for (spec, register) in self.specs.iter().zip(registers).filter(|(spec, _)| spec.is_of(variable)) {
            spec.take(register, number, variable, rows);
        }
    }

    /// Appends the members with commas between them. Without a view all are null, and so is what fails.
    pub fn write(&mut self, view: Option<&View<'_>>, out: &mut Vec<u8>) {
        for (number, Measure { name, member, template }) in self.list.iter_mut().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            out.extend_from_slice(member);
            let written = view.map_or(Err(None), |view| template.write(view, out).map_err(Some));
            if let Err(why) = written {
                out.extend_from_slice(b"null");
                if let Some(why) = why {
                    self.failed.get_or_insert_with(|| format!("a measure is null where it fails: {name}: {why}"));
                }
            }
        }
    }

    /// Returns why a measure has failed.
    #[must_use]
    pub fn remark(&self) -> Option<String> {
        self.failed.clone()
    }
}

/// `NAME=EXPRESSION`; without a name the text is it.
fn named(piece: &str) -> (&str, &str) {
    let piece = piece.trim();
    match tokens(piece).as_slice() {
        [name, equals, ..] if equals.is("=") && name.start == 0 => (name.text, &piece[equals.end()..]),
        _ => (piece, piece),
    }
}
