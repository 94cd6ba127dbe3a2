//! `validate` lets lines through that fit a JSON Schema.
//!
//! **What comes out when.** Each good line at once, in order, unchanged; with `--coerce` with those values replaced that the
//! schema wants otherwise ([`coercion`]), and no other byte touched.
//!
//! **Bad lines.** What is not JSON, is nested deeper than 127 levels, has a number beyond a double's range, or does not fit. The
//! reason is the first thing that is wrong: where, what, and by which keyword of the schema.
//!
//! **State.** None: a map, which many threads share. Lines that `--where` leaves pass unread.
//!
//! **Memory.** The schema, compiled once, and one line for each thread.

pub mod cli;
mod coercion;
mod place;
mod references;
mod schema;

pub use schema::Schema;

use coercion::Coercion;
use millpipe::{Fault, Map, Out};
use serde_json::Value;
use std::cell::RefCell;

/// The longest reason that is given in full.
const REASON_CHARS: usize = 400;

/// A thread's own part of the work.
pub struct Validate {
    schema: Schema,
    coercion: Option<RefCell<Coercion>>,
}

impl Validate {
    pub fn new(schema: &Schema) -> Validate {
        let coercion = schema.coerces().then(RefCell::default);
        Validate { schema: schema.clone(), coercion }
    }

    fn check(&self, value: &Value) -> Result<(), Fault> {
        let Err(error) = self.schema.validator().validate(value) else { return Ok(()) };
        let place = place::of(error.instance_path());
        let keyword = error.schema_path();
        let reason: String = error.to_string().chars().take(REASON_CHARS).collect();
        Err(Fault::bad(format_args!("{place}: {reason} (schema: {keyword})")))
    }
}

impl Map for Validate {
    fn map(&self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        json_fields::validate(line).map_err(Fault::bad)?;
        let mut value: Value = serde_json::from_slice(line).map_err(|error| Fault::bad(without_place(&error)))?;
        let Some(coercion) = self.coercion.as_ref().filter(|_| !self.schema.validator().is_valid(&value)) else {
            self.check(&value)?;
            out.line(line);
            return Ok(());
        };
        let mut coercion = coercion.borrow_mut();
        let edits = coercion.apply(&self.schema, &mut value);
        self.check(&value)?;
        coercion.write(line, &edits, out.buffer())?;
        out.end_line();
        Ok(())
    }
}

/// Each line is "line 1" to serde.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}
