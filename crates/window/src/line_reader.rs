//! Finding in a line what `window` needs of it.

use crate::annotation::{Annotated, Target};
use event_time::{ANNOTATION, Fronts, annotation_paths, no_time};
use json_fields::{Field, FieldPath, Kind, Scanner, Unseen};
use line_values::{Expression, LineValues};
use millpipe::Fault;
use values::write_canonical;

/// Scans lines for their time and the fields of their key.
pub(crate) struct LineReader {
    scanner: Scanner,
    /// For lines that begin with an annotation of `fronts`, which they lose.
    behind_annotation: Option<Scanner>,
    fronts: Fronts<()>,
    time: Option<Expression>,
    /// What works out the time, where it is no field. A field of time is the first that is scanned for.
    filter: Option<Box<LineValues>>,
    /// Fields of the key that no line has had.
    unseen: Unseen,
}

/// What was found in one line.
#[derive(Clone, Copy)]
pub(crate) struct Found<'s> {
    pub target: Target,
    time: Option<&'s [u8]>,
    key: &'s [Option<Field>],
    /// What the spans of the key's fields count in.
    text: &'s [u8],
    /// Where the time should be.
    wanted: Option<&'s Expression>,
}

impl LineReader {
    pub(crate) fn new(time: Option<&Expression>, key: &[FieldPath]) -> Self {
        let time_path = time.and_then(Expression::path);
        let paths: Vec<FieldPath> = annotation_paths().chain(time_path.cloned()).chain(key.iter().cloned()).collect();
        let scanner = Scanner::new(&paths);
        let filter = time.filter(|_| time_path.is_none());
        Self {
            behind_annotation: scanner.inside_object(),
            scanner,
            fronts: Fronts::default(),
            filter: filter.map(|time| Box::new(LineValues::new([time]))),
            time: time.cloned(),
            unseen: Unseen::new(key.iter().map(FieldPath::name).enumerate()),
        }
    }

    /// What is to be said, at the end, of fields of the key that no line had.
    pub(crate) fn remark(&self) -> Option<String> {
        self.unseen.remark("lines")
    }

    #[inline(always)]
    pub(crate) fn read<'s>(&'s mut self, line: &'s [u8]) -> Result<Found<'s>, Fault> {
        let base = if self.fronts.is_empty() { None } else { self.fronts.find(line).map(|(_, base)| base) };
        let is_field = self.time.is_some() && self.filter.is_none();
        let computed = match &mut self.filter {
            None => None,
            Some(filter) => compute(filter, line)?,
        };
        let wanted = self.time.as_ref();
        // The answer is the same as that of a scan of the whole line, which it costs a part of.
        if let (Some(base), Some(scanner)) = (base, &mut self.behind_annotation)
            && let Ok(fields) = scanner.scan(&line[base..])
            && let (&[None, None, None, None], fields) = fields.as_slice().split_at(ANNOTATION.len())
            && fields.iter().all(Option::is_some)
        {
            if self.unseen.is_watching() {
                look(&mut self.unseen, line, fields, is_field);
            }
            let target = Target { object: 1, annotated: Annotated::InFront(base) };
            return Ok(Found::new(target, &line[base..], fields, is_field, computed, wanted));
        }
        let fields = self.scanner.scan(line).map_err(Fault::bad)?;
        let Some(object) = fields.object() else { return Err(Fault::bad("not an object")) };
        let (annotations, fields) = fields.as_slice().split_at(ANNOTATION.len());
        let mut annotated = Annotated::No;
        if annotations.iter().any(Option::is_some) {
            annotated = Annotated::Somewhere;
            self.fronts.remember(line, annotations, ());
        }
        if self.unseen.is_watching() {
            look(&mut self.unseen, line, fields, is_field);
        }
        Ok(Found::new(Target { object, annotated }, line, fields, is_field, computed, wanted))
    }
}

#[inline(never)]
fn compute<'s>(filter: &'s mut LineValues, line: &'s [u8]) -> Result<Option<&'s [u8]>, Fault> {
    let found = filter.read(line).map_err(Fault::bad)?;
    Ok(found.get(0).filter(|value| !value.is_null()).map(|value| value.text()))
}

impl<'s> Found<'s> {
    /// `fields` are those of the time, if it is a field, and of the key.
    #[inline(always)]
    fn new(
        target: Target,
        text: &'s [u8],
        fields: &'s [Option<Field>],
        is_field: bool,
        computed: Option<&'s [u8]>,
        wanted: Option<&'s Expression>,
    ) -> Self {
        let (time, key) = match fields {
            [time, key @ ..] if is_field => (time.as_ref().map(|time| time.text(text)), key),
            _ => (computed, fields),
        };
        Self { target, time, key, text, wanted }
    }

    /// The text of the time.
    #[inline]
    pub(crate) fn time(&self, line: &[u8]) -> Result<&'s [u8], Fault> {
        self.time.ok_or_else(|| missing(self.wanted, line))
    }

    /// The fields of the key (see [`values::key`]); a missing one is null, as everywhere.
    pub(crate) fn key(&self, key: &mut Vec<u8>) {
        key.clear();
        for (number, field) in self.key.iter().enumerate() {
            if number > 0 {
                key.push(b'\n');
            }
            write_canonical(field.as_ref(), self.text, key);
        }
    }
}

/// Looks for fields of the key that no line has had, behind that of the time.
#[cold]
fn look(unseen: &mut Unseen, line: &[u8], fields: &[Option<Field>], is_field: bool) {
    let key = &fields[usize::from(is_field)..];
    unseen.look(line, |number| key[number].is_some_and(|field| field.kind != Kind::Null));
}

/// What is found stays in registers: this takes no reference to it.
#[cold]
fn missing(wanted: Option<&Expression>, line: &[u8]) -> Fault {
    wanted.map_or_else(|| Fault::bad("no time"), |time| Fault::bad(no_time(time, line)))
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
            reader.read(line.as_bytes()).unwrap().key(key);
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
                    found.key(&mut key);
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
        found.key(&mut key);
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
