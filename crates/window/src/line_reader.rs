//! Finding in a line what `window` needs of it.

use crate::annotation::{Annotated, NAMES, Target};
use accumulators::write_canonical;
use event_time::no_time;
use json_fields::{Field, FieldPath, Scanner, front};
use line_values::{Expression, LineValues};
use millpipe::Fault;

/// How many annotations are remembered: disorder makes lines alternate between a few windows.
const FRONTS_MAX: usize = 4;
/// The longest of them.
const FRONT_BYTES_MAX: usize = 128;

/// Scans lines for their time and the fields of their key.
pub(crate) struct LineReader {
    scanner: Scanner,
    /// For lines that begin with an annotation of `fronts`, which they lose.
    behind_annotation: Option<Scanner>,
    /// The last one used first.
    fronts: Vec<Vec<u8>>,
    time: Option<Expression>,
    /// What works out the time, where it is no field. A field of time is the first that is scanned for.
    filter: Option<Box<LineValues>>,
    has_time_path: bool,
}

/// What was found in one line.
#[derive(Clone, Copy)]
pub(crate) struct Found<'s> {
    pub target: Target,
    /// Where in the line the fields' spans count from.
    base: usize,
    /// Those of the time, if it is a field, and of the key.
    fields: &'s [Option<Field>],
    has_time_path: bool,
    computed: Option<&'s [u8]>,
    time: Option<&'s Expression>,
}

impl LineReader {
    pub(crate) fn new(time: Option<&Expression>, key: &[FieldPath]) -> Self {
        let annotations = NAMES.iter().map(|name| FieldPath::key(name));
        let time_path = time.and_then(Expression::path);
        let paths: Vec<FieldPath> = annotations.chain(time_path.cloned()).chain(key.iter().cloned()).collect();
        let scanner = Scanner::new(&paths);
        let filter = time.filter(|_| time_path.is_none());
        Self {
            behind_annotation: scanner.inside_object(),
            scanner,
            fronts: Vec::new(),
            filter: filter.map(|time| Box::new(LineValues::new([time]))),
            has_time_path: time_path.is_some(),
            time: time.cloned(),
        }
    }

    #[inline]
    pub(crate) fn read<'s>(&'s mut self, line: &'s [u8]) -> Result<Found<'s>, Fault> {
        let base = if self.fronts.is_empty() { None } else { self.front(line) };
        let computed = match &mut self.filter {
            None => None,
            Some(filter) => compute(filter, line)?,
        };
        let (has_time_path, time) = (self.has_time_path, self.time.as_ref());
        // The answer is the same as that of a scan of the whole line, which it costs a part of.
        if let (Some(base), Some(scanner)) = (base, &mut self.behind_annotation)
            && let Ok(fields) = scanner.scan(&line[base..])
            && let (&[None, None, None, None], fields) = fields.as_slice().split_at(NAMES.len())
            && fields.iter().all(Option::is_some)
        {
            let target = Target { object: 1, annotated: Annotated::InFront(base) };
            return Ok(Found { target, base, fields, has_time_path, computed, time });
        }
        let fields = self.scanner.scan(line).map_err(Fault::bad)?;
        let Some(object) = fields.object() else { return Err(Fault::bad("not an object")) };
        let (annotations, fields) = fields.as_slice().split_at(NAMES.len());
        let mut annotated = Annotated::No;
        if annotations.iter().any(Option::is_some) {
            annotated = Annotated::Somewhere;
            remember_front(&mut self.fronts, line, annotations);
        }
        let target = Target { object, annotated };
        Ok(Found { target, base: 0, fields, has_time_path, computed, time })
    }

    /// Where the other members begin of a line that begins with a known annotation.
    fn front(&mut self, line: &[u8]) -> Option<usize> {
        let at = self.fronts.iter().position(|front| line.starts_with(front))?;
        self.fronts[..=at].rotate_right(1);
        Some(self.fronts[0].len())
    }
}

#[inline(never)]
fn compute<'s>(filter: &'s mut LineValues, line: &'s [u8]) -> Result<Option<&'s [u8]>, Fault> {
    let found = filter.read(line).map_err(Fault::bad)?;
    Ok(found.get(0).filter(|value| !value.is_null()).map(|value| value.text()))
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

impl<'s> Found<'s> {
    /// The text of the time.
    #[inline]
    pub(crate) fn time(&self, line: &'s [u8]) -> Result<&'s [u8], Fault> {
        match (self.has_time_path, self.fields.first(), self.computed) {
            (true, Some(Some(field)), _) => Ok(&line[field.start + self.base..field.end + self.base]),
            (false, _, Some(text)) => Ok(text),
            _ => Err(self.missing(line)),
        }
    }

    #[cold]
    fn missing(&self, line: &[u8]) -> Fault {
        self.time.map_or_else(|| Fault::bad("no time"), |time| Fault::bad(no_time(time, line)))
    }

    /// The fields of the key (see [`line_values::key`]); a missing one is null, as everywhere.
    pub(crate) fn key(&self, line: &[u8], key: &mut Vec<u8>) {
        key.clear();
        let first = usize::from(self.has_time_path);
        for (number, field) in self.fields[first..].iter().enumerate() {
            if number > 0 {
                key.push(b'\n');
            }
            write_canonical(field.as_ref(), &line[self.base..], key);
        }
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
        let mut reader = LineReader::new(None, &paths);
        let mut keys = [Vec::new(), Vec::new()];
        for (line, key) in [r#"{"a":"xA","b":{"c":1}}"#, r#"{"b":{"c":1.0},"a":"x\u0041"}"#].iter().zip(&mut keys) {
            reader.read(line.as_bytes()).unwrap().key(line.as_bytes(), key);
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
        for time in ["t", "window_end", ".t // .window_end"] {
            let time: Expression = time.parse().unwrap();
            let paths = [FieldPath::key("k")];
            let mut reader = LineReader::new(Some(&time), &paths);
            for rest in rests.repeat(2) {
                let line = format!("{front}{rest}");
                let read = |reader: &mut LineReader| {
                    let found = reader.read(line.as_bytes())?;
                    let (time, mut key) = (found.time(line.as_bytes())?.to_vec(), Vec::new());
                    found.key(line.as_bytes(), &mut key);
                    let mut out = Vec::new();
                    Annotator::default().write(line.as_bytes(), found.target, b"\"n\":0", &mut out);
                    Ok::<_, Fault>((time, key, String::from_utf8(out).unwrap()))
                };
                assert_eq!(read(&mut reader), read(&mut LineReader::new(Some(&time), &paths)), "{line}");
            }
            assert!(!reader.fronts.is_empty());
        }
    }

    #[test]
    fn a_missing_time_is_named_and_a_missing_key_is_null() {
        let time: Expression = ".b.c".parse().unwrap();
        let mut reader = LineReader::new(Some(&time), &FieldPath::parse_list("k,t").unwrap());
        let found = reader.read(b"{\"t\":1}").unwrap();
        let Err(Fault::Bad(missing)) = found.time(b"{\"t\":1}") else { panic!("it is there") };
        assert!(missing.starts_with("no field \"b.c\"; the line has \"t\"\nhint: --time"), "{missing}");
        let mut key = Vec::new();
        found.key(b"{\"t\":1}", &mut key);
        assert_eq!(key, b"null\n1");
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
