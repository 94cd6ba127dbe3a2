//! The window or slice that a line says it belongs to.

use event_time::{Window, parse_rfc3339};
use json_fields::{Field, FieldPath, Kind, front};
use millpipe::Fault;

use crate::results::Scale;

/// The fields, in the order that [`Annotations::read`] expects.
pub const NAMES: [&str; 4] = ["window_start", "window_end", "slice_start", "slice_end"];

/// Annotations of the last lines that are remembered: disorder makes lines alternate between a few windows.
const RECENT: usize = 4;

/// Longest text that is remembered: two times, and between them only the name of the second.
const TEXT_MAX: usize = 100;

/// Where a line belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Annotation {
    pub window: Window,
    pub scale: Scale,
    /// A part of several windows rather than one window.
    pub is_slice: bool,
}

/// Reads annotations; it remembers the last few texts.
#[derive(Debug, Default)]
pub struct Annotations {
    /// The last one used first.
    recent: Vec<Recent>,
}

#[derive(Debug)]
struct Recent {
    /// From the start's value to the end's.
    text: Vec<u8>,
    /// The line up to the comma behind the annotation, if that is all that stands there, as `window` writes it.
    front: Option<Vec<u8>>,
    annotation: Annotation,
}

/// The paths of the annotation fields.
pub fn paths() -> impl Iterator<Item = FieldPath> {
    NAMES.into_iter().map(FieldPath::key)
}

impl Annotations {
    /// What the line is annotated with, if it is. A slice goes before a window: the window then is one of an earlier
    /// aggregation, whose results were windowed again.
    ///
    /// # Errors
    /// An annotation that is half there or no time.
    #[inline]
    pub fn read(&mut self, fields: &[Option<Field>], line: &[u8]) -> Result<Option<Annotation>, Fault> {
        let (pair, is_slice) = match fields {
            [_, _, Some(start), Some(end), ..] => ((start, end), true),
            [Some(start), Some(end), None, None, ..] => ((start, end), false),
            [None, None, None, None, ..] => return Ok(None),
            _ => return Err(half(fields)),
        };
        let text = line.get(pair.0.start..pair.1.end).unwrap_or_default();
        let same = |recent: &Recent| recent.text == text && recent.annotation.is_slice == is_slice;
        match self.recent.iter().position(same) {
            Some(0) => {}
            Some(at) => self.recent.swap(0, at),
            None => return self.parse(pair, line, is_slice).map(Some),
        }
        Ok(self.recent.first().map(|recent| recent.annotation))
    }

    /// The annotation that the line begins with, and where its other members begin; none if it is not a known one in
    /// that place. The line may still have another one behind it, which is the one that counts then.
    #[inline]
    pub fn front(&mut self, line: &[u8]) -> Option<(Annotation, usize)> {
        let starts = |recent: &Recent| recent.front.as_ref().is_some_and(|front| line.starts_with(front));
        let at = self.recent.iter().position(starts)?;
        if at > 0 {
            self.recent.swap(0, at);
        }
        let recent = self.recent.first()?;
        Some((recent.annotation, recent.front.as_ref()?.len()))
    }

    fn parse(&mut self, (start, end): (&Field, &Field), line: &[u8], is_slice: bool) -> Result<Annotation, Fault> {
        let names = if is_slice { &NAMES[2..] } else { &NAMES[..2] };
        let (start_value, scale) = bound(names[0], start, line)?;
        let (end_value, end_scale) = bound(names[1], end, line)?;
        if scale != end_scale || start_value >= end_value {
            return Err(Fault::bad(format_args!("{:?} is not before {:?}", names[0], names[1])));
        }
        let annotation = Annotation { window: Window::new(start_value, end_value), scale, is_slice };
        if let Some(text) = line.get(start.start..end.end)
            && text.len() <= TEXT_MAX
        {
            self.recent.truncate(RECENT - 1);
            let front = front(line, &[(names[0], *start), (names[1], *end)]).map(|len| line[..len].to_vec());
            self.recent.insert(0, Recent { text: text.to_vec(), front, annotation });
        }
        Ok(annotation)
    }
}

#[cold]
fn half(fields: &[Option<Field>]) -> Fault {
    let pair = if fields[2].is_some() || fields[3].is_some() { 2 } else { 0 };
    let missing = if fields[pair].is_some() { pair + 1 } else { pair };
    Fault::bad(format_args!("no field {:?} beside {:?}", NAMES[missing], NAMES[2 * pair + 1 - missing]))
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
