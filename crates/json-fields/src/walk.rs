//! One walk over a JSON text, without recursion: the only place that knows the grammar of objects and arrays.

use crate::error::{Expected, Fault, ScanError};
use crate::field::{Field, Kind};
use crate::specials::Specials;
use crate::token;

/// What a walk tells about the text, in the order of the text.
///
/// A walk that fails has told about everything before the fault; whoever listens throws that away.
pub(crate) trait Events {
    /// A member's key with its quotes, just before its value.
    #[inline(always)]
    fn key(&mut self, _line: &[u8], _key: Field) {}
    /// A value that is neither object nor array.
    #[inline(always)]
    fn scalar(&mut self, _value: Field) {}
    /// An object or array starts at `at`.
    #[inline(always)]
    fn open(&mut self, _at: usize, _kind: Kind) {}
    /// The innermost open object or array ends with the byte at `at`.
    #[inline(always)]
    fn close(&mut self, _at: usize, _kind: Kind) {}
    /// A comma between members or elements.
    #[inline(always)]
    fn comma(&mut self, _at: usize) {}
    /// Space outside strings.
    #[inline(always)]
    fn space(&mut self, _from: usize, _to: usize) {}
}

/// Checks that `line` is one JSON value and nothing more, and tells `events` what is in it.
#[inline(always)]
pub(crate) fn walk<E: Events>(line: &[u8], depth_limit: usize, events: &mut E) -> Result<(), ScanError> {
    let mut walk = Walk::new(line, depth_limit);
    walk.space(events);
    walk.until_the_end(events)
}

/// The same for the rest of an object, from a member's name to the closing brace. The object itself is not told.
#[inline(always)]
pub(crate) fn walk_inside_object<E: Events>(line: &[u8], depth_limit: usize, events: &mut E) -> Result<(), ScanError> {
    let mut walk = Walk::new(line, depth_limit);
    walk.push(true)?;
    walk.space(events);
    walk.key(events, Expected::Key)?;
    walk.until_the_end(events)
}

/// The line is UTF-8.
#[inline(never)]
pub(crate) fn check_utf8(line: &[u8]) -> Result<(), ScanError> {
    if simdutf8::basic::from_utf8(line).is_ok() {
        return Ok(());
    }
    let at = std::str::from_utf8(line).err().map_or(0, |error| error.valid_up_to());
    Err(ScanError::new(at, Fault::InvalidUtf8))
}

struct Walk<'l> {
    line: &'l [u8],
    at: usize,
    depth: usize,
    depth_limit: usize,
    /// One bit for each of the innermost open levels, the lowest for the innermost: it is an object.
    objects: u64,
    /// The same for the levels outside of those, 64 to a word.
    outer_objects: Vec<u64>,
    specials: Specials,
    non_ascii: bool,
}

impl<'l> Walk<'l> {
    #[inline(always)]
    fn new(line: &'l [u8], depth_limit: usize) -> Walk<'l> {
        Walk {
            line,
            at: 0,
            depth: 0,
            depth_limit,
            objects: 0,
            outer_objects: Vec::new(),
            specials: Specials::new(line),
            non_ascii: false,
        }
    }

    /// Takes a value, all that it is inside of, and space; then the line has to end.
    #[inline(always)]
    fn until_the_end<E: Events>(&mut self, events: &mut E) -> Result<(), ScanError> {
        loop {
            if !self.value(events)? && self.after_value(events)? {
                break;
            }
        }
        self.space(events);
        if self.at < self.line.len() {
            return Err(ScanError::expected(self.line, self.at, Expected::End));
        }
        match self.non_ascii {
            true => check_utf8(self.line),
            false => Ok(()),
        }
    }

    /// Takes a scalar, an empty object or array, or the beginning of another; true: a value must follow.
    #[inline(always)]
    fn value<E: Events>(&mut self, events: &mut E) -> Result<bool, ScanError> {
        let start = self.at;
        let (end, kind, escaped) = match self.line.get(start) {
            Some(b'"') => {
                let (end, escaped) = self.string_rest(start + 1)?;
                (end, Kind::String, escaped)
            }
            Some(b'-' | b'0'..=b'9') => (token::number(self.line, start)?, Kind::Number, false),
            Some(b'{') => return self.open_object(events),
            Some(b'[') => return self.open_array(events),
            _ => match token::keyword(self.line, start) {
                Some((end, kind)) => (end, kind, false),
                None => return Err(ScanError::expected(self.line, start, Expected::Value)),
            },
        };
        self.at = end;
        events.scalar(Field { start, end, kind, escaped });
        Ok(false)
    }

    #[inline(always)]
    fn open_object<E: Events>(&mut self, events: &mut E) -> Result<bool, ScanError> {
        self.push(true)?;
        events.open(self.at, Kind::Object);
        self.at += 1;
        self.space(events);
        if self.line.get(self.at) == Some(&b'}') {
            self.close(events, Kind::Object);
            return Ok(false);
        }
        self.key(events, Expected::KeyOrBrace)?;
        Ok(true)
    }

    #[inline(always)]
    fn open_array<E: Events>(&mut self, events: &mut E) -> Result<bool, ScanError> {
        self.push(false)?;
        events.open(self.at, Kind::Array);
        self.at += 1;
        self.space(events);
        if self.line.get(self.at) == Some(&b']') {
            self.close(events, Kind::Array);
            return Ok(false);
        }
        Ok(true)
    }

    /// Takes what may follow a value up to the next value; true: the outermost value has ended.
    #[inline(always)]
    fn after_value<E: Events>(&mut self, events: &mut E) -> Result<bool, ScanError> {
        while self.depth > 0 {
            self.space(events);
            let in_object = self.objects & 1 == 1;
            match (self.line.get(self.at), in_object) {
                (Some(b','), true) => {
                    events.comma(self.at);
                    self.at += 1;
                    self.space(events);
                    self.key(events, Expected::Key)?;
                    return Ok(false);
                }
                (Some(b','), false) => {
                    events.comma(self.at);
                    self.at += 1;
                    self.space(events);
                    return Ok(false);
                }
                (Some(b'}'), true) => self.close(events, Kind::Object),
                (Some(b']'), false) => self.close(events, Kind::Array),
                (_, in_object) => {
                    let expected = match in_object {
                        true => Expected::CommaOrBrace,
                        false => Expected::CommaOrBracket,
                    };
                    return Err(ScanError::expected(self.line, self.at, expected));
                }
            }
        }
        Ok(true)
    }

    #[inline(always)]
    fn key<E: Events>(&mut self, events: &mut E, expected: Expected) -> Result<(), ScanError> {
        let start = self.at;
        if self.line.get(start) != Some(&b'"') {
            return Err(ScanError::expected(self.line, start, expected));
        }
        let (end, escaped) = self.string_rest(start + 1)?;
        let kind = Kind::String;
        let key = Field { start, end, kind, escaped };
        events.key(self.line, key);
        self.at = end;
        self.space(events);
        if self.line.get(self.at) != Some(&b':') {
            return Err(ScanError::expected(self.line, self.at, Expected::Colon));
        }
        self.at += 1;
        self.space(events);
        Ok(())
    }

    #[inline(always)]
    fn string_rest(&mut self, from: usize) -> Result<(usize, bool), ScanError> {
        token::string_rest(self.line, from, &mut self.specials, &mut self.non_ascii)
    }

    #[inline(always)]
    fn space<E: Events>(&mut self, events: &mut E) {
        let from = self.at;
        self.at = token::skip_space(self.line, from);
        if self.at > from {
            events.space(from, self.at);
        }
    }

    #[inline(always)]
    fn push(&mut self, object: bool) -> Result<(), ScanError> {
        if self.depth == self.depth_limit {
            let fault = Fault::TooDeep(self.depth_limit);
            return Err(ScanError::new(self.at, fault));
        }
        if self.depth.is_multiple_of(64) && self.depth > 0 {
            self.outer_objects.push(self.objects);
        }
        self.objects = self.objects << 1 | u64::from(object);
        self.depth += 1;
        Ok(())
    }

    #[inline(always)]
    fn close<E: Events>(&mut self, events: &mut E, kind: Kind) {
        events.close(self.at, kind);
        self.at += 1;
        self.depth -= 1;
        self.objects >>= 1;
        if self.depth.is_multiple_of(64) && self.depth > 0 {
            self.objects = self.outer_objects.pop().unwrap_or_default();
        }
    }
}
