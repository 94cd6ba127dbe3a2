//! Writes annotations in front of lines.

use event_time::ANNOTATION;
use json_fields::{splice_behind, without_members};

/// What is known of a line that is to be annotated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Just behind the line's opening brace.
    pub object: usize,
    pub annotated: Annotated,
}

/// Whether a line has members of [`ANNOTATION`].
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
                without_members(line, &ANNOTATION, &mut self.stripped);
                splice_behind(&self.stripped, target.object, members, out);
            }
        }
    }
}
