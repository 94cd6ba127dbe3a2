//! Finding in a line what `window` needs of it.

use crate::annotation::{Annotated, NAMES, Target};
use accumulators::write_canonical;
use json_fields::{Field, FieldPath, Fields, Scanner, front};
use millpipe::Fault;

/// How many annotations are remembered: disorder makes lines alternate between a few windows.
const FRONTS_MAX: usize = 4;
/// The longest of them.
const FRONT_BYTES_MAX: usize = 128;

/// Scans lines for fields that they must have.
#[derive(Clone, Debug)]
pub(crate) struct LineReader {
    scanner: Scanner,
    /// For lines that begin with an annotation of `fronts`, which they lose.
    behind_annotation: Option<Scanner>,
    /// The last one used first.
    fronts: Vec<Vec<u8>>,
    /// The names of the required fields, for messages.
    names: Vec<String>,
}

/// What was found in one line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'s> {
    pub target: Target,
    /// Where in the line the fields' spans count from.
    base: usize,
    fields: Fields<'s>,
    names: &'s [String],
}

impl LineReader {
    pub(crate) fn new(required: &[FieldPath]) -> Self {
        let annotations = NAMES.iter().map(|name| FieldPath::key(name));
        let paths: Vec<FieldPath> = annotations.chain(required.iter().cloned()).collect();
        let scanner = Scanner::new(&paths);
        Self {
            behind_annotation: scanner.inside_object(),
            scanner,
            fronts: Vec::new(),
            names: required.iter().map(FieldPath::name).collect(),
        }
    }

    #[inline]
    pub(crate) fn read(&mut self, line: &[u8]) -> Result<Found<'_>, Fault> {
        let base = if self.fronts.is_empty() { None } else { self.front(line) };
        // The answer is the same as that of a scan of the whole line, which it costs a part of.
        if let (Some(base), Some(scanner)) = (base, &mut self.behind_annotation)
            && let Ok(fields) = scanner.scan(&line[base..])
            && let (&[None, None, None, None], required) = fields.as_slice().split_at(NAMES.len())
            && required.iter().all(Option::is_some)
        {
            let target = Target { object: 1, annotated: Annotated::InFront(base) };
            return Ok(Found { target, base, fields, names: &self.names });
        }
        let fields = self.scanner.scan(line).map_err(Fault::bad)?;
        let Some(object) = fields.object() else { return Err(Fault::bad("not an object")) };
        let annotations = &fields.as_slice()[..NAMES.len()];
        let mut annotated = Annotated::No;
        if annotations.iter().any(Option::is_some) {
            annotated = Annotated::Somewhere;
            remember_front(&mut self.fronts, line, annotations);
        }
        Ok(Found { target: Target { object, annotated }, base: 0, fields, names: &self.names })
    }

    /// Where the other members begin of a line that begins with a known annotation.
    fn front(&mut self, line: &[u8]) -> Option<usize> {
        let at = self.fronts.iter().position(|front| line.starts_with(front))?;
        self.fronts[..=at].rotate_right(1);
        Some(self.fronts[0].len())
    }
}

fn remember_front(fronts: &mut Vec<Vec<u8>>, line: &[u8], annotations: &[Option<Field>]) {
    let (names, values) = match annotations {
        [Some(start), Some(end), None, None] => (&NAMES[..2], [*start, *end]),
        [None, None, Some(start), Some(end)] => (&NAMES[2..], [*start, *end]),
        _ => return,
    };
    let Some(len) = front(line, &[(names[0], values[0]), (names[1], values[1])]) else { return };
    if len <= FRONT_BYTES_MAX {
        fronts.truncate(FRONTS_MAX - 1);
        fronts.insert(0, line[..len].to_vec());
    }
}

impl Found<'_> {
    /// The required field with this index.
    #[inline]
    pub(crate) fn field(&self, index: usize) -> Result<Field, Fault> {
        match self.fields.get(NAMES.len() + index) {
            Some(field) => Ok(Field { start: field.start + self.base, end: field.end + self.base, ..field }),
            None => Err(Fault::bad(format_args!("no field \"{}\"", self.names[index]))),
        }
    }

    /// The required fields from `first` on as one key (see [`line_values::key`]).
    pub(crate) fn key(&self, line: &[u8], first: usize, key: &mut Vec<u8>) -> Result<(), Fault> {
        key.clear();
        for index in first..self.names.len() {
            let field = self.field(index)?;
            if index > first {
                key.push(b'\n');
            }
            write_canonical(Some(&field), line, key);
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
    use crate::annotation::Annotator;

    #[test]
    fn a_key_does_not_depend_on_how_its_values_are_written() {
        let paths = FieldPath::parse_list("a,.b.c").unwrap();
        let mut reader = LineReader::new(&paths);
        let mut keys = [Vec::new(), Vec::new()];
        for (line, key) in [r#"{"a":"xA","b":{"c":1}}"#, r#"{"b":{"c":1.0},"a":"x\u0041"}"#].iter().zip(&mut keys) {
            reader.read(line.as_bytes()).unwrap().key(line.as_bytes(), 0, key).unwrap();
        }
        assert_eq!(keys[0], b"\"xA\"\n1");
        assert_eq!(keys[0], keys[1]);
    }

    #[test]
    fn a_line_with_a_known_annotation_is_read_like_any_other() {
        let front = r#"{"window_start":"a","window_end":"b","#;
        let rests = [
            r#""t":1,"k":"x"}"#,
            r#" "k":"x" , "t":2 }"#,
            r#""t":1,"k":"x","slice_start":1}"#,
            r#""t":1,"k":"x","window_end":"c"}"#,
            r#""k":"x"}"#,
            r#""t":1,"k":"x""#,
            r#""t":1,"t":3,"k":"x"}"#,
            "}",
        ];
        for required in ["t,k", "window_end,k"] {
            let paths = FieldPath::parse_list(required).unwrap();
            let mut reader = LineReader::new(&paths);
            for rest in rests.repeat(2) {
                let line = format!("{front}{rest}");
                let read = |reader: &mut LineReader| {
                    let found = reader.read(line.as_bytes())?;
                    let fields = [found.field(0)?, found.field(1)?];
                    let mut out = Vec::new();
                    Annotator::default().write(line.as_bytes(), found.target, b"\"n\":0", &mut out);
                    Ok::<_, Fault>((fields, String::from_utf8(out).unwrap()))
                };
                assert_eq!(read(&mut reader), read(&mut LineReader::new(&paths)), "{line}");
            }
            assert!(!reader.fronts.is_empty());
        }
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
