//! New members in front of a line's own, and members taken out; every other byte stays.

use crate::DEPTH_LIMIT;
use crate::field::{Field, Fields, Kind};
use crate::text::{decode_string, write_string};
use crate::walk::{Events, walk};

/// Appends `line` to `out` with `members` (such as `"a":1,"b":2`, without braces) in front of its own members.
/// `fields` is what [`crate::Scanner::scan`] found in that very line.
///
/// A line that is no object has no members: nothing is appended and the answer is false.
///
/// # Panics
/// When `line` is shorter than the line that was scanned.
#[inline]
pub fn splice_front(line: &[u8], fields: &Fields<'_>, members: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(object) = fields.object() else {
        return false;
    };
    splice_behind(line, object, members, out);
    true
}

/// The same for a line whose object's opening brace ends at `object`; members behind it may have gone since the scan.
///
/// # Panics
/// When `line` is shorter than `object`.
#[inline]
pub fn splice_behind(line: &[u8], object: usize, members: &[u8], out: &mut Vec<u8>) {
    let (head, rest) = line.split_at(object);
    out.reserve(line.len() + members.len() + 2);
    match head {
        // As most lines begin; one byte is not worth a call.
        b"{" => out.push(b'{'),
        _ => out.extend_from_slice(head),
    }
    out.extend_from_slice(members);
    if !members.is_empty() && has_members(rest) {
        out.push(b',');
    }
    out.extend_from_slice(rest);
}

/// Where the line's other members begin, if it begins with these, written without space, and a comma: the text before
/// stands for them in any line that begins so.
#[must_use]
pub fn front(line: &[u8], members: &[(&str, Field)]) -> Option<usize> {
    let mut front = Vec::new();
    for (name, value) in members {
        front.push(if front.is_empty() { b'{' } else { b',' });
        write_string(name, &mut front);
        front.push(b':');
        front.extend_from_slice(value.text(line));
    }
    front.push(b',');
    line.starts_with(&front).then_some(front.len())
}

/// Whether there is a member behind an opening brace.
#[inline]
fn has_members(rest: &[u8]) -> bool {
    let first = match rest.first() {
        Some(b'"') => return true,
        _ => rest.iter().find(|byte| !byte.is_ascii_whitespace()),
    };
    first != Some(&b'}')
}

/// Appends `line` to `out` without its top-level members of these names, duplicates and escaped spellings of a
/// name included; answers whether there were any.
///
/// The line must be one that was scanned; one that is not JSON, or no object, is appended as it is. Depth is not
/// limited further than the scan did.
pub fn without_members(line: &[u8], names: &[impl AsRef<str>], out: &mut Vec<u8>) -> bool {
    let kept = out.len();
    let mut cut = Cut { line, names, out, depth: 0, segment: 0, dropping: false, first: true, dropped: false };
    let walked = walk(line, line.len().max(DEPTH_LIMIT), &mut cut);
    let (rest, dropped) = (cut.segment, cut.dropped);
    if walked.is_err() || !dropped {
        out.truncate(kept);
        out.extend_from_slice(line);
        return false;
    }
    out.extend_from_slice(&line[rest..]);
    true
}

/// Copies what stands between the commas of the outermost object, but for the members to drop.
struct Cut<'a, S> {
    line: &'a [u8],
    names: &'a [S],
    out: &'a mut Vec<u8>,
    depth: usize,
    /// Where the bytes begin that were neither copied nor dropped yet.
    segment: usize,
    dropping: bool,
    first: bool,
    dropped: bool,
}

impl<S> Cut<'_, S> {
    fn end_segment(&mut self, at: usize) {
        if !self.dropping {
            if !self.first {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&self.line[self.segment..at]);
            self.first = false;
        }
        self.dropped |= self.dropping;
    }
}

impl<S: AsRef<str>> Events for Cut<'_, S> {
    fn key(&mut self, line: &[u8], key: Field) {
        if self.depth == 1 {
            let key = decode_string(key.text(line));
            self.dropping = self.names.iter().any(|name| name.as_ref() == key);
        }
    }

    fn open(&mut self, at: usize, kind: Kind) {
        if self.depth == 0 && kind == Kind::Object {
            self.out.extend_from_slice(&self.line[..=at]);
            self.segment = at + 1;
        }
        self.depth += 1;
    }

    fn comma(&mut self, at: usize) {
        if self.depth == 1 {
            self.end_segment(at);
            self.segment = at + 1;
        }
    }

    fn close(&mut self, at: usize, kind: Kind) {
        self.depth -= 1;
        if self.depth == 0 && kind == Kind::Object {
            self.end_segment(at);
            self.segment = at;
        }
    }
}
