//! Finding in a line what `window` needs of it.

use crate::annotation::{NAMES, Target};
use json_fields::{Field, FieldPath, Fields, Kind, Scanner, canonical_string};
use millpipe::Fault;

/// Scans lines for fields that they must have.
#[derive(Clone, Debug)]
pub(crate) struct LineReader {
    scanner: Scanner,
    /// The names of the required fields, for messages.
    names: Vec<String>,
}

/// What was found in one line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'s> {
    pub target: Target,
    fields: Fields<'s>,
    names: &'s [String],
}

impl LineReader {
    pub(crate) fn new(required: &[FieldPath]) -> Self {
        let annotations = NAMES.iter().map(|name| FieldPath::key(name));
        let paths: Vec<FieldPath> = annotations.chain(required.iter().cloned()).collect();
        Self { scanner: Scanner::new(&paths), names: required.iter().map(FieldPath::name).collect() }
    }

    #[inline]
    pub(crate) fn read(&mut self, line: &[u8]) -> Result<Found<'_>, Fault> {
        let fields = self.scanner.scan(line).map_err(Fault::bad)?;
        let Some(object) = fields.object() else { return Err(Fault::bad("not an object")) };
        let annotated = fields.as_slice()[..NAMES.len()].iter().any(Option::is_some);
        Ok(Found { target: Target { object, annotated }, fields, names: &self.names })
    }
}

impl Found<'_> {
    /// The required field with this index.
    #[inline]
    pub(crate) fn field(&self, index: usize) -> Result<Field, Fault> {
        match self.fields.get(NAMES.len() + index) {
            Some(field) => Ok(field),
            None => Err(Fault::bad(format_args!("no field \"{}\"", self.names[index]))),
        }
    }

    /// The required fields from `first` on as one key: JSON texts with commas between them, equal strings in equal
    /// bytes.
    pub(crate) fn key(&self, line: &[u8], first: usize, key: &mut Vec<u8>) -> Result<(), Fault> {
        key.clear();
        for index in first..self.names.len() {
            let field = self.field(index)?;
            if index > first {
                key.push(b',');
            }
            match field.kind {
                Kind::String if field.escaped => key.extend_from_slice(&canonical_string(field.text(line))),
                _ => key.extend_from_slice(field.text(line)),
            }
        }
        Ok(())
    }
}

/// How a path is written in a mark: without the dot in front where that is the same path.
pub(crate) fn mark_path(path: &FieldPath) -> String {
    let text = path.to_string();
    match text.strip_prefix('.') {
        Some(bare) if bare.parse().as_ref() == Ok(path) => bare.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_depend_on_how_its_strings_are_escaped() {
        let paths = FieldPath::parse_list("a,.b.c").unwrap();
        let mut reader = LineReader::new(&paths);
        let mut keys = [Vec::new(), Vec::new()];
        for (line, key) in [r#"{"a":"xA","b":{"c":1.0}}"#, r#"{"b":{"c":1.0},"a":"x\u0041"}"#].iter().zip(&mut keys) {
            reader.read(line.as_bytes()).unwrap().key(line.as_bytes(), 0, key).unwrap();
        }
        assert_eq!(keys[0], br#""xA",1.0"#);
        assert_eq!(keys[0], keys[1]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut reader = LineReader::new(&FieldPath::parse_list("t,.b.c").unwrap());
        let missing = reader.read(b"{\"t\":1}").unwrap().field(1);
        assert_eq!(missing, Err(Fault::bad("no field \"b.c\"")));
        assert_eq!(reader.read(b"[1]").map(|_| ()), Err(Fault::bad("not an object")));
    }

    #[test]
    fn a_path_in_a_mark_can_be_read_back() {
        for (path, text) in [("user", "user"), (".user.id", "user.id"), (".\"a.b\"", "\"a.b\""), (".[0]", "[0]")] {
            let path: FieldPath = path.parse().unwrap();
            assert_eq!(mark_path(&path), text);
            assert_eq!(mark_path(&path).parse(), Ok(path));
        }
    }
}
