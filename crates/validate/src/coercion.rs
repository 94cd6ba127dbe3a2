//! `--coerce`: values that are what the schema wants, written as something else.
//!
//! | the schema wants | the line has | becomes |
//! |---|---|---|
//! | number, integer | a string that is one: `"17"`, `"1.50"` | its text as it is: `17`, `1.50` |
//! | boolean | `"true"`, `"false"` | `true`, `false` |
//! | string with format date-time | an epoch number, also in a string (with `--formats`) | RFC 3339 in UTC |
//!
//! What is to be changed is found by validating: a value of the wrong type is replaced, and the line validated again. A
//! value that fits is never touched, nor one inside a failing `anyOf`, `oneOf` or `not`, where more than one type may be meant.

use crate::place;
use crate::schema::Schema;
use event_time::{TimeParser, TimeUnit, format_rfc3339};
use json_fields::{FieldPath, Scanner};
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use millpipe::{Error, Fault};
use serde_json::Value;

/// A value that was replaced by another lies as deep as a line at most, so this is never reached.
const ROUNDS_MAX: usize = 1_000;

/// A replaced value.
pub(crate) struct Edit {
    path: String,
    text: String,
}

/// Finds the bytes of replaced values. Lines in a row mostly need the same ones.
pub(crate) struct Coercion {
    times: TimeParser,
    paths: Vec<String>,
    scanner: Scanner,
}

impl Default for Coercion {
    fn default() -> Coercion {
        Coercion { times: TimeParser::new(TimeUnit::Auto), paths: Vec::new(), scanner: Scanner::new(&[]) }
    }
}

impl Coercion {
    /// Replaces what can be replaced.
    pub fn apply(&mut self, schema: &Schema, value: &mut Value) -> Vec<Edit> {
        let mut edits: Vec<Edit> = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let mut found: Vec<(String, Edit)> = Vec::new();
            for error in schema.validator().iter_errors(value) {
                let path = place::of(error.instance_path());
                let is_done = |edit: &Edit| edit.path == path;
                if edits.iter().any(is_done) || found.iter().any(|(_, edit)| is_done(edit)) {
                    continue;
                }
                if let Some(text) = self.replacement(schema, &error) {
                    found.push((error.instance_path().as_str().to_owned(), Edit { path, text }));
                }
            }
            if found.is_empty() {
                break;
            }
            for (pointer, edit) in found {
                if let (Some(place), Ok(new)) = (value.pointer_mut(&pointer), serde_json::from_str(&edit.text)) {
                    *place = new;
                }
                edits.push(edit);
            }
        }
        edits
    }

    /// The JSON text that fits where a value does not.
    fn replacement(&mut self, schema: &Schema, error: &ValidationError<'_>) -> Option<String> {
        let keyword = error.schema_path().as_str();
        let is_time = || {
            let (parent, _) = keyword.rsplit_once('/')?;
            (schema.at(parent)?.get("format")?.as_str()? == "date-time").then_some(())
        };
        match (error.kind(), error.instance().as_ref()) {
            (Kind::Type { .. }, Value::String(text)) => {
                let wanted = schema.at(keyword)?;
                let wants = |name: &str| match wanted {
                    Value::Array(names) => names.iter().any(|wanted| wanted == name),
                    one => one == name,
                };
                as_number(text, wants("number"), wants("integer")).or_else(|| as_boolean(text, wants("boolean")))
            }
            (Kind::Type { .. }, Value::Number(number)) => {
                is_time()?;
                self.as_time(number.to_string().as_bytes())
            }
            (Kind::Format { format }, Value::String(text)) if format == "date-time" => {
                as_number(text, true, true)?;
                self.as_time(text.as_bytes())
            }
            _ => None,
        }
    }

    fn as_time(&mut self, number: &[u8]) -> Option<String> {
        let time_ms = self.times.parse_field(number).ok()?;
        Some(format!("\"{}\"", format_rfc3339(time_ms)))
    }

    /// Writes the line with the replaced values, all else as it is.
    ///
    /// # Errors
    /// `Stop` when a value is not found again, which cannot be.
    pub fn write(&mut self, line: &[u8], edits: &[Edit], out: &mut Vec<u8>) -> Result<(), Fault> {
        self.look_for(edits)?;
        let fields = self.scanner.scan(line).map_err(Fault::bad)?;
        let mut pieces = Vec::new();
        for (index, edit) in edits.iter().enumerate() {
            let field = fields.get(index).ok_or_else(|| lost(&edit.path))?;
            pieces.push((field.start, field.end, edit.text.as_bytes()));
        }
        pieces.sort_unstable();
        let mut copied = 0;
        for (start, end, text) in pieces {
            out.extend_from_slice(&line[copied..start]);
            out.extend_from_slice(text);
            copied = end;
        }
        out.extend_from_slice(&line[copied..]);
        Ok(())
    }

    fn look_for(&mut self, edits: &[Edit]) -> Result<(), Fault> {
        if self.paths.iter().eq(edits.iter().map(|edit| &edit.path)) {
            return Ok(());
        }
        let path = |edit: &Edit| edit.path.parse::<FieldPath>().map_err(|_| lost(&edit.path));
        self.scanner = Scanner::new(&edits.iter().map(path).collect::<Result<Vec<_>, _>>()?);
        self.paths = edits.iter().map(|edit| edit.path.clone()).collect();
        Ok(())
    }
}

#[cold]
fn lost(path: &str) -> Error {
    Error::data(format_args!("the value at {path} is not found in its line"))
}

/// A JSON number, as text, if it is one of the wanted kind.
fn as_number(text: &str, wants_number: bool, wants_integer: bool) -> Option<String> {
    let number: serde_json::Number = serde_json::from_str(text).ok().filter(|_| wants_number || wants_integer)?;
    let is_bare = text.bytes().all(|byte| !byte.is_ascii_whitespace());
    let is_whole = !number.is_f64() || number.as_f64().is_some_and(|number| number.fract() == 0.0);
    (is_bare && (wants_number || is_whole)).then(|| text.to_owned())
}

fn as_boolean(text: &str, is_wanted: bool) -> Option<String> {
    (is_wanted && matches!(text, "true" | "false")).then(|| text.to_owned())
}
