//! Annotations: the members in front of a line that say which window or slice it belongs to. `window` writes them, and whoever
//! groups by windows reads them.

use std::io::Write;

use json_fields::{Field, FieldPath, Kind, front};
use stream::Fault;

use crate::{Window, parse_rfc3339, write_rfc3339};

/// The members of a line in one window.
pub const WINDOW: [&str; 2] = ["window_start", "window_end"];
/// The members of a line in a slice, which is a part of several windows.
pub const SLICE: [&str; 2] = ["slice_start", "slice_end"];
/// All of them, in the order that [`Annotations::read`] expects.
pub const ANNOTATION: [&str; 4] = [WINDOW[0], WINDOW[1], SLICE[0], SLICE[1]];

/// Annotations of the last lines that are remembered: disorder makes lines alternate between a few windows.
const RECENT: usize = 4;
/// The longest text that is remembered: two times with their names, and room for spaces.
const BYTES_MAX: usize = 128;

/// What an annotation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnotationKind {
    Window,
    Slice,
}

/// What a window's numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Milliseconds since the epoch, written as RFC 3339.
    Time,
    /// Lines of a key.
    Lines,
}

impl AnnotationKind {
    /// Returns the names of start and end.
    #[must_use]
    pub fn names(self) -> [&'static str; 2] {
        match self {
            Self::Window => WINDOW,
            Self::Slice => SLICE,
        }
    }

    /// Appends `"window_start":…,"window_end":…`.
    pub fn write(self, window: Window, scale: Scale, out: &mut Vec<u8>) {
        let [start, end] = self.names();
        for (before, name, value) in [("\"", start, window.start_ms), (",\"", end, window.end_ms)] {
            out.extend_from_slice(before.as_bytes());
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            scale.write(value, out);
        }
    }
}

impl Scale {
    /// Appends a bound of a window, as JSON.
    pub fn write(self, value: i64, out: &mut Vec<u8>) {
        match self {
            Self::Time => {
                out.push(b'"');
                write_rfc3339(value, out);
                out.push(b'"');
            }
            // Writing to memory cannot fail.
            Self::Lines => drop(write!(out, "{value}")),
        }
    }
}

/// Where a line belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Annotation {
    pub window: Window,
    pub scale: Scale,
    /// A part of several windows rather than one window.
    pub is_slice: bool,
}

/// Returns the paths of the annotation fields.
pub fn annotation_paths() -> impl Iterator<Item = FieldPath> {
    ANNOTATION.into_iter().map(FieldPath::key)
}

/// The fronts of the last few lines, each with a value: a line that begins with a known one need not be scanned there.
///
/// A front is a line up to the comma after its annotation, if that is all that stands there, as `window` writes it.
#[derive(Clone, Debug)]
pub struct Fronts<T> {
    /// The last one used first.
    recent: Vec<(Vec<u8>, T)>,
}

impl<T> Default for Fronts<T> {
    fn default() -> Self {
        Self { recent: Vec::new() }
    }
}

impl<T: Copy> Fronts<T> {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.recent.is_empty()
    }

    /// Returns the value of the front that the line begins with, and where the line's other members begin; none if it begins
    /// with no known one. The line may have another annotation after it, which is the one that counts then.
    #[inline]
    pub fn find(&mut self, line: &[u8]) -> Option<(T, usize)> {
        let at = self.recent.iter().position(|(front, _)| line.starts_with(front))?;
        if at > 0 {
            self.recent.swap(0, at);
        }
        let (front, value) = self.recent.first()?;
        Some((*value, front.len()))
    }

    /// Remembers the front of a line with these fields of [`ANNOTATION`], if it has one.
    pub fn remember(&mut self, line: &[u8], fields: &[Option<Field>], value: T) {
        let ([start, end], values) = match fields {
            [Some(start), Some(end), None, None] => (WINDOW, [*start, *end]),
            [None, None, Some(start), Some(end)] => (SLICE, [*start, *end]),
            _ => return,
        };
        let Some(len) = front(line, &[(start, values[0]), (end, values[1])]) else { return };
        let front = &line[..len];
        if len <= BYTES_MAX && !self.recent.iter().any(|(known, _)| known == front) {
            self.recent.truncate(RECENT - 1);
            self.recent.insert(0, (front.to_vec(), value));
        }
    }
}

/// Reads annotations; it remembers the last few texts.
#[derive(Debug, Default)]
pub struct Annotations {
    /// The last one used first: from the start's value to the end's, and what that says.
    recent: Vec<(Vec<u8>, Annotation)>,
    fronts: Fronts<Annotation>,
}

impl Annotations {
    /// Returns what the line is annotated with, if it is, by its fields of [`ANNOTATION`]. A slice goes before a window: the
    /// window then is one of an earlier aggregation, whose results were windowed again.
    ///
    /// # Errors
    /// An annotation that is half there or no time.
    #[inline]
    pub fn read(&mut self, fields: &[Option<Field>], line: &[u8]) -> Result<Option<Annotation>, Fault> {
        let (pair, is_slice) = match fields {
            [_, _, Some(start), Some(end)] => ((start, end), true),
            [Some(start), Some(end), None, None] => ((start, end), false),
            [None, None, None, None] => return Ok(None),
            _ => return Err(half(fields)),
        };
        let text = line.get(pair.0.start..pair.1.end).unwrap_or_default();
        let same = |(recent, annotation): &(Vec<u8>, Annotation)| recent == text && annotation.is_slice == is_slice;
        let known = self.recent.iter().position(same);
        if let Some(at) = known {
            self.recent.swap(0, at);
        } else {
            let annotation = parse(pair, line, is_slice)?;
            if text.is_empty() || text.len() > BYTES_MAX {
                return Ok(Some(annotation));
            }
            self.recent.truncate(RECENT - 1);
            self.recent.insert(0, (text.to_vec(), annotation));
        }
        let Some((_, annotation)) = self.recent.first() else { return Ok(None) };
        self.fronts.remember(line, fields, *annotation);
        Ok(Some(*annotation))
    }

    /// As [`Fronts::find`].
    #[inline]
    pub fn front(&mut self, line: &[u8]) -> Option<(Annotation, usize)> {
        self.fronts.find(line)
    }
}

fn parse((start, end): (&Field, &Field), line: &[u8], is_slice: bool) -> Result<Annotation, Fault> {
    let names = if is_slice { SLICE } else { WINDOW };
    let (start_value, scale) = bound(names[0], start, line)?;
    let (end_value, end_scale) = bound(names[1], end, line)?;
    if scale != end_scale || start_value >= end_value {
        return Err(Fault::bad(format_args!("{:?} is not before {:?}", names[0], names[1])));
    }
    Ok(Annotation { window: Window::new(start_value, end_value), scale, is_slice })
}

#[cold]
fn half(fields: &[Option<Field>]) -> Fault {
    let pair = if fields[2].is_some() || fields[3].is_some() { 2 } else { 0 };
    let missing = if fields[pair].is_some() { pair + 1 } else { pair };
    Fault::bad(format_args!("no field {:?} beside {:?}", ANNOTATION[missing], ANNOTATION[2 * pair + 1 - missing]))
}

fn bound(name: &str, field: &Field, line: &[u8]) -> Result<(i64, Scale), Fault> {
    let text = field.string_body(line);
    let value = match field.kind {
        Kind::String => parse_rfc3339(text).map(|time| (time, Scale::Time)),
        Kind::Number => str::from_utf8(text).ok().and_then(|text| text.parse().ok()).map(|n| (n, Scale::Lines)),
        _ => None,
    };
    value.ok_or_else(|| {
        let shown = String::from_utf8_lossy(&field.text(line)[..field.text(line).len().min(60)]).into_owned();
        Fault::bad(format_args!("field {name:?} is neither an RFC 3339 time nor a line number: {shown}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use json_fields::Scanner;

    fn read(annotations: &mut Annotations, line: &str) -> Result<Option<Annotation>, Fault> {
        let paths: Vec<FieldPath> = annotation_paths().collect();
        let mut scanner = Scanner::new(&paths);
        annotations.read(scanner.scan(line.as_bytes()).unwrap().as_slice(), line.as_bytes())
    }

    fn annotated(span: AnnotationKind, window: Window, scale: Scale) -> String {
        let mut line = b"{".to_vec();
        span.write(window, scale, &mut line);
        line.extend_from_slice(b",\"k\":1}");
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_known_in_front() {
        let mut annotations = Annotations::default();
        let windows = [0, 10_000, 20_000].map(|start_ms| Window::new(start_ms, start_ms + 10_000));
        for window in windows.repeat(2) {
            for (span, scale) in [(AnnotationKind::Window, Scale::Time), (AnnotationKind::Slice, Scale::Lines)] {
                let line = annotated(span, window, scale);
                let annotation = Annotation { window, scale, is_slice: span == AnnotationKind::Slice };
                assert_eq!(read(&mut annotations, &line), Ok(Some(annotation)), "{line}");
                let front = line.find("\"k\"").unwrap();
                assert_eq!(annotations.front(line.as_bytes()), Some((annotation, front)), "{line}");
            }
        }
        assert_eq!(annotations.recent.len(), RECENT);
        assert_eq!(annotations.front(b"{\"k\":1}"), None);
    }

    #[test]
    fn a_slice_counts_more_than_a_window() {
        let line = r#"{"slice_start":0,"slice_end":5,"window_start":0,"window_end":10}"#;
        let annotation = read(&mut Annotations::default(), line).unwrap().unwrap();
        assert_eq!((annotation.window, annotation.is_slice), (Window::new(0, 5), true));
    }

    #[test]
    fn half_an_annotation_and_one_that_is_no_time_are_bad() {
        let said = |line: &str| match read(&mut Annotations::default(), line) {
            Err(Fault::Bad(why)) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(said(r#"{"window_start":0}"#), r#"no field "window_end" beside "window_start""#);
        assert_eq!(said(r#"{"slice_end":0}"#), r#"no field "slice_start" beside "slice_end""#);
        assert_eq!(said(r#"{"window_start":5,"window_end":5}"#), r#""window_start" is not before "window_end""#);
        let neither = "field \"window_start\" is neither an RFC 3339 time nor a line number: ";
        assert_eq!(said(r#"{"window_start":true,"window_end":5}"#), format!("{neither}true"));
        assert_eq!(said(r#"{"window_start":"x","window_end":"y"}"#), format!("{neither}\"x\""));
    }
}
