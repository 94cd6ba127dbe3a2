//! A line's values on their own: so results can be those of the last few lines.

use std::borrow::Cow;

use json_fields::{Field, Kind};
use values::Number;
use values::state_text::{StateReader, write_number, write_text};

use crate::field_plan::{FieldPlan, Source};
use crate::plan::Plan;
use crate::values::Values;

/// A line's values on their own.
#[derive(Clone, Debug)]
pub struct Row {
    /// The number of the line.
    pub sequence: u64,
    fields: Box<[Option<Field>]>,
    text: Box<[u8]>,
}

impl Row {
    /// What was read of a line.
    #[must_use]
    pub fn new(plan: &Plan, values: &Values, line: &[u8], sequence: u64) -> Row {
        let mut text = Vec::new();
        let mut place = |field: Option<&Field>, source: Source| {
            let field = *field?;
            if source == Source::Line {
                return Some(field);
            }
            let start = text.len();
            text.extend_from_slice(field.text(values.text(source, line)));
            Some(Field { start, end: text.len(), ..field })
        };
        let firsts = values.fields.iter().zip(&plan.fields);
        let mut fields: Vec<_> = firsts.map(|(field, wanted)| place(field.as_ref(), wanted.source)).collect();
        for number in plan.of_two_numbers() {
            let source = plan.fields[number].given.as_ref().map_or(Source::Line, |given| given.source);
            fields.push(place(values.given(number), source));
        }
        let fields = fields.into();
        Row { sequence, fields, text: text.into() }
    }

    /// Gives the values, and the text that they count from.
    pub fn read<'a>(&'a self, plan: &Plan, values: &mut Values) -> &'a [u8] {
        values.read_again(plan, &self.fields, &self.text);
        &self.text
    }

    /// Whether the line has a value of a field.
    #[inline]
    pub(crate) fn has(&self, field: usize) -> bool {
        self.fields[field].is_some()
    }

    /// The JSON text of a field's value, if the line has one.
    pub(crate) fn text(&self, field: usize) -> Option<&[u8]> {
        self.fields[field].map(|field| field.text(&self.text))
    }

    /// What it takes in memory, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Row>() + size_of_val(&*self.fields) + self.text.len() + 32
    }

    /// Appends it: the number of its line, and each value as text.
    pub fn save(&self, out: &mut Vec<u8>) {
        write_number(self.sequence, out);
        for field in &self.fields {
            out.push(b',');
            save_text_or_null(field.map(|field| field.text(&self.text)), out);
        }
    }

    /// Reads what `save` wrote; none if it is something else.
    #[must_use]
    pub fn load(plan: &Plan, from: &mut StateReader<'_>) -> Option<Row> {
        let sequence = from.number()?;
        let (mut fields, mut text) = (Vec::with_capacity(plan.fields.len()), Vec::new());
        for wanted in &plan.fields {
            from.literal(b",")?;
            fields.push(load_field(from, &mut text, wanted)?);
        }
        for number in plan.of_two_numbers() {
            from.literal(b",")?;
            fields.push(load_field(from, &mut text, &plan.fields[number])?);
        }
        Some(Row { sequence, fields: fields.into(), text: text.into() })
    }
}

/// Reads a value, whose text it appends; none if it cannot be one of the field, or of the second one beside it.
fn load_field(from: &mut StateReader<'_>, text: &mut Vec<u8>, wanted: &FieldPlan) -> Option<Option<Field>> {
    let Some(value) = load_text_or_null(from)? else { return Some(None) };
    let (start, escaped) = (text.len(), value.contains(&b'\\'));
    text.extend_from_slice(&value);
    let kind = match value.first() {
        None if wanted.source == Source::Line => Kind::True,
        Some(b'"') if value.len() > 1 && value.ends_with(b"\"") => Kind::String,
        Some(b'-' | b'0'..=b'9') => Number::parse(&value).ok().map(|_| Kind::Number)?,
        Some(_) if !wanted.needs_number => Kind::Object,
        _ => return None,
    };
    Some(Some(Field { start, end: text.len(), kind, escaped: escaped && kind == Kind::String }))
}

/// A value's JSON text as a string, or null.
fn save_text_or_null(text: Option<&[u8]>, out: &mut Vec<u8>) {
    match text {
        Some(text) => write_text(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn load_text_or_null<'a>(from: &mut StateReader<'a>) -> Option<Option<Cow<'a, [u8]>>> {
    match from.literal(b"null") {
        Some(()) => Some(None),
        None => from.string().map(Some),
    }
}
