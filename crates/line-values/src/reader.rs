//! Reads the values of line after line.

use std::ops::Range;

use jq_filters::{Failure, Filter};
use json_fields::{Field, Kind, Scanner, Unseen};
use values::{is_canonical, write_canonical};

use crate::expression::{Expression, Source};

/// Why a line's values cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadLine(String);

impl BadLine {
    #[must_use]
    pub fn new(why: String) -> BadLine {
        BadLine(why)
    }
}

/// Reads what a list of expressions wants. What it gives depends on the line alone.
pub struct LineValues {
    /// For the paths, in their order among the expressions.
    scanner: Scanner,
    filters: Vec<Filter>,
    /// For each expression, which path or filter it is.
    places: Vec<Place>,
    texts: Vec<String>,
    /// Results of the filters, one behind the other.
    computed: Vec<u8>,
    /// Those of the expressions that are filters.
    results: Vec<Option<Field>>,
    unseen: Unseen,
}

#[derive(Clone, Copy)]
enum Place {
    Path(usize),
    Filter(usize),
}

/// One result may be as long as a line.
const RESULT_BYTES_MAX: usize = 64 << 20;

impl LineValues {
    #[must_use]
    pub fn new<'e>(expressions: impl IntoIterator<Item = &'e Expression>) -> LineValues {
        let (mut paths, mut filters, mut places, mut texts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for expression in expressions {
            texts.push(expression.to_string());
            places.push(match &expression.source {
                Source::Path(path) => {
                    paths.push(path.clone());
                    Place::Path(paths.len() - 1)
                }
                Source::Filter(program) => {
                    filters.push(program.filter(RESULT_BYTES_MAX));
                    Place::Filter(filters.len() - 1)
                }
            });
        }
        let scanner = Scanner::new(&paths);
        let results = vec![None; filters.len()];
        LineValues { scanner, filters, places, texts, computed: Vec::new(), results, unseen: Unseen::default() }
    }

    /// Watches whether any line has the fields among the first so many expressions: see [`LineValues::remark`].
    #[must_use]
    pub fn watching(mut self, first: usize) -> LineValues {
        let is_path = |number: &usize| matches!(self.places.get(*number), Some(Place::Path(_)));
        let name = |number: usize| (number, self.texts[number].trim_start_matches('.').to_owned());
        self.unseen = Unseen::new((0..first).filter(is_path).map(name));
        self
    }

    /// Returns true while there are fields watched for that no line had.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        self.unseen.is_watching()
    }

    /// Which of the fields watched for no line had, if so: for people, at the end. `lines` is what the lines are called.
    #[must_use]
    pub fn remark(&self, lines: &str) -> Option<String> {
        self.unseen.remark(lines)
    }

    /// Reads a line, given without its newline, and checks that it is JSON.
    ///
    /// # Errors
    /// When it is not, or a filter fails on it or gives more than one value.
    #[inline(always)]
    pub fn read<'a>(&'a mut self, line: &'a [u8]) -> Result<Found<'a>, BadLine> {
        if !self.filters.is_empty() {
            self.compute(line)?;
        }
        let fields = self.scanner.scan(line).map_err(|why| BadLine(why.to_string()))?;
        if self.unseen.is_watching() {
            look(&mut self.unseen, line, fields.as_slice(), &self.places);
        }
        Ok(Found {
            line,
            computed: &self.computed,
            fields: fields.as_slice(),
            results: &self.results,
            places: &self.places,
            object: fields.object(),
            is_empty_object: fields.is_empty_object(),
        })
    }

    fn compute(&mut self, line: &[u8]) -> Result<(), BadLine> {
        self.computed.clear();
        for (expression, place) in self.places.iter().enumerate() {
            let Place::Filter(number) = *place else { continue };
            let results = self.filters[number].run(line).map_err(|failure| match failure {
                Failure::Line(why) => BadLine(why),
                halt @ Failure::Halt(_) => BadLine(halt.to_string()),
            })?;
            if results.len() > 1 {
                let text = &self.texts[expression];
                return Err(BadLine(format!("{text} gives {} values, not one", results.len())));
            }
            self.results[number] = results.iter().next().map(|result| {
                let start = self.computed.len();
                self.computed.extend_from_slice(result);
                field(&self.computed, start)
            });
        }
        Ok(())
    }
}

/// Looks for fields that no line has had; only paths are watched for.
#[cold]
fn look(unseen: &mut Unseen, line: &[u8], fields: &[Option<Field>], places: &[Place]) {
    unseen.look(line, |number| match places[number] {
        Place::Path(slot) => fields[slot].is_some_and(|field| field.kind != Kind::Null),
        Place::Filter(_) => false,
    });
}

/// The value that begins there and ends with the text.
pub(crate) fn field(text: &[u8], start: usize) -> Field {
    let value = &text[start..];
    let kind = match value.first() {
        Some(b'"') => Kind::String,
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b't') => Kind::True,
        Some(b'f') => Kind::False,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    };
    Field { start, end: text.len(), kind, escaped: kind == Kind::String && value.contains(&b'\\') }
}

/// What was found in one line, by the number of the expression.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    line: &'a [u8],
    computed: &'a [u8],
    fields: &'a [Option<Field>],
    results: &'a [Option<Field>],
    places: &'a [Place],
    object: Option<usize>,
    is_empty_object: bool,
}

/// A value as it is written in the line, or as a filter gave it.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    text: &'a [u8],
    field: Field,
}

impl<'a> Found<'a> {
    /// The value; none where the field is missing or the filter gave nothing.
    #[inline]
    #[must_use]
    pub fn get(&self, expression: usize) -> Option<Value<'a>> {
        let (text, field) = match self.places.get(expression)? {
            Place::Path(number) => (self.line, self.fields[*number]),
            Place::Filter(number) => (self.computed, self.results[*number]),
        };
        field.map(|field| Value { text, field })
    }

    /// What [`Found::write_key`] writes: where it stands, if that is possible, or in the buffer.
    #[inline(always)]
    pub fn key<'k>(&self, expressions: Range<usize>, buffer: &'k mut Vec<u8>) -> &'k [u8]
    where
        'a: 'k,
    {
        if expressions.len() == 1
            && let Some(value) = self.get(expressions.start)
            && is_canonical(&value.field, value.text)
        {
            return value.text();
        }
        buffer.clear();
        self.write_key(expressions, buffer);
        buffer
    }

    /// Appends the canonical texts of these values, with newlines between them; what is missing is null.
    #[inline]
    pub fn write_key(&self, expressions: Range<usize>, key: &mut Vec<u8>) {
        for (number, expression) in expressions.enumerate() {
            if number > 0 {
                key.push(b'\n');
            }
            match self.get(expression) {
                Some(value) => value.write_canonical(key),
                None => key.extend_from_slice(b"null"),
            }
        }
    }

    /// Offset just behind the line's opening brace; none when the line is no object.
    #[inline]
    #[must_use]
    pub fn object(&self) -> Option<usize> {
        self.object
    }

    /// The line is an object without members.
    #[inline]
    #[must_use]
    pub fn is_empty_object(&self) -> bool {
        self.is_empty_object
    }
}

impl<'a> Value<'a> {
    /// The value as JSON text, a string with its quotes.
    #[inline]
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        self.field.text(self.text)
    }

    #[inline]
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.field.kind
    }

    /// Null is as good as missing, as in SQL.
    #[inline]
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.field.kind == Kind::Null
    }

    /// Appends the spelling that equal values share.
    #[inline]
    pub fn write_canonical(&self, out: &mut Vec<u8>) {
        write_canonical(Some(&self.field), self.text, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(expressions: &str, line: &str) -> Result<String, BadLine> {
        let expressions = Expression::parse_list(expressions).unwrap();
        let mut values = LineValues::new(&expressions);
        let found = values.read(line.as_bytes())?;
        let mut key = Vec::new();
        found.write_key(0..expressions.len(), &mut key);
        assert_eq!(found.key(0..expressions.len(), &mut b"another".to_vec()), key);
        Ok(String::from_utf8(key).unwrap().replace('\n', " "))
    }

    #[test]
    fn paths_and_filters_may_be_mixed_in_any_order() {
        let line = r#"{"a":1.0,"t":"2026-01-01T10:00:00Z","n":{"x":[1, 2]}}"#;
        assert_eq!(read("a,.t[:10],n.x,.a * 2", line).unwrap(), r#"1 "2026-01-01" [1,2] 2"#);
        for (field, key) in
            [("a", "1"), (".a * 2", "2"), ("t", r#""2026-01-01T10:00:00Z""#), ("n", r#"{"x":[1,2]}"#), ("gone", "null")]
        {
            assert_eq!(read(field, line).unwrap(), key);
        }
        assert_eq!(read(".t[11:13] | tonumber,gone,.gone,.gone?,empty", line).unwrap(), "10 null null null null");
    }

    #[test]
    fn a_key_of_one_value_stands_where_it_was_read_if_it_can() {
        for (text, is_in_place) in [("t", true), (".t + \"y\"", true), ("a", false), ("t,t", false), ("gone", false)] {
            let expressions = Expression::parse_list(text).unwrap();
            let mut values = LineValues::new(&expressions);
            let mut buffer = b"another".to_vec();
            values.read(br#"{"a":1.0,"t":"x"}"#).unwrap().key(0..expressions.len(), &mut buffer);
            assert_eq!(buffer == b"another", is_in_place, "{text}");
        }
    }

    #[test]
    fn a_line_that_is_not_json_is_bad_for_paths_and_filters() {
        assert!(read("a", "{\"a\":1").is_err());
        assert!(read(".a + 1", "{\"a\":1").is_err());
        let error = read("a,.[]", r#"{"a":1,"b":2}"#).unwrap_err();
        assert_eq!(error.to_string(), ".[] gives 2 values, not one");
    }

    #[test]
    fn values_keep_their_spelling() {
        let expressions = Expression::parse_list("a,b").unwrap();
        let mut values = LineValues::new(&expressions);
        let found = values.read(br#"{"a":1.50,"b":"\u0061"}"#).unwrap();
        assert_eq!(found.get(0).unwrap().text(), b"1.50");
        assert_eq!(found.get(1).unwrap().text(), br#""\u0061""#);
        assert_eq!((found.get(0).unwrap().kind(), found.object()), (Kind::Number, Some(1)));
        assert!(found.get(2).is_none());
    }
}
