//! The members that `window` writes in front of a line.

use event_time::{Window, write_rfc3339};
use json_fields::{splice_behind, without_members};
use std::io::Write;

/// All names of annotations; a line that has some loses them.
pub(crate) const NAMES: [&str; 4] = ["window_start", "window_end", "slice_start", "slice_end"];

/// What a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Window,
    Slice,
}

impl Span {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Window => ("window_start", "window_end"),
            Self::Slice => ("slice_start", "slice_end"),
        }
    }
}

/// `"window_start":"…","window_end":"…"`
pub(crate) fn write_times(span: Span, window: Window, members: &mut Vec<u8>) {
    let (start, end) = span.names();
    for (before, name, time_ms) in [("\"", start, window.start_ms), (",\"", end, window.end_ms)] {
        members.extend_from_slice(before.as_bytes());
        members.extend_from_slice(name.as_bytes());
        members.extend_from_slice(b"\":\"");
        write_rfc3339(time_ms, members);
        members.push(b'"');
    }
}

/// `"window_start":0,"window_end":10`
pub(crate) fn write_ordinals(span: Span, start: u64, end: u64, members: &mut Vec<u8>) {
    let names = span.names();
    // Writing to memory cannot fail.
    let _ = write!(members, "\"{}\":{start},\"{}\":{end}", names.0, names.1);
}

/// What is known of a line that is to be annotated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Just behind the line's opening brace.
    pub object: usize,
    pub annotated: Annotated,
}

/// Whether a line has members of [`NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Annotated {
    No,
    /// They, and nothing else, stand before this offset.
    InFront(usize),
    Somewhere,
}

/// Writes lines with members in front; keeps a buffer for those that lose some.
#[derive(Clone, Debug, Default)]
pub(crate) struct Annotator {
    stripped: Vec<u8>,
}

impl Annotator {
    /// Appends `line` with `members` in front to `out`, without a newline.
    #[inline]
    pub(crate) fn write(&mut self, line: &[u8], target: Target, members: &[u8], out: &mut Vec<u8>) {
        match target.annotated {
            Annotated::No => splice_behind(line, target.object, members, out),
            Annotated::InFront(end) => {
                out.push(b'{');
                out.extend_from_slice(members);
                out.push(b',');
                out.extend_from_slice(&line[end..]);
            }
            Annotated::Somewhere => {
                self.stripped.clear();
                without_members(line, &NAMES, &mut self.stripped);
                splice_behind(&self.stripped, target.object, members, out);
            }
        }
    }
}
