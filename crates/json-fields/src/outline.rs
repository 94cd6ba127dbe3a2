//! All values of a JSON text, in its order: for who needs more of a line than a few fields.

use crate::DEPTH_LIMIT;
use crate::error::ScanError;
use crate::field::{Field, Kind};
use crate::walk::{Events, walk};

/// A key or a value of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it stands, an object or array from bracket to bracket.
    pub field: Field,
    /// It is a member's key; the token behind it is its value.
    pub key: bool,
    /// Number of the first token behind the value; what is between is inside of it.
    pub next: usize,
}

/// The tokens of one text after the other, in buffers that are kept.
///
/// ```
/// let mut outline = json_fields::Outline::default();
/// outline.read(br#"{"a":[1,2],"b":3}"#)?;
/// let next: Vec<usize> = outline.tokens().iter().map(|token| token.next).collect();
/// assert_eq!(next, [7, 2, 5, 4, 5, 6, 7]);
/// # Ok::<(), json_fields::ScanError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Outline {
    tokens: Vec<Token>,
    open: Vec<usize>,
    depth: usize,
    spaced: bool,
    escaped: bool,
}

impl Outline {
    /// Checks that `json` is one JSON value and takes down its tokens.
    ///
    /// # Errors
    /// The first fault, with its offset in `json`; the tokens are not to be used then.
    pub fn read(&mut self, json: &[u8]) -> Result<(), ScanError> {
        self.tokens.clear();
        self.open.clear();
        (self.depth, self.spaced, self.escaped) = (0, false, false);
        walk(json, DEPTH_LIMIT, self)
    }

    /// Every value is in front of what it contains; the first is the whole text.
    #[inline]
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// How many objects and arrays are inside each other at the deepest place.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// There is space outside of strings.
    #[must_use]
    pub fn is_spaced(&self) -> bool {
        self.spaced
    }

    /// There is a string or key with a backslash.
    #[must_use]
    pub fn has_escapes(&self) -> bool {
        self.escaped
    }

    #[inline(always)]
    fn push(&mut self, field: Field, key: bool) {
        self.escaped |= field.escaped;
        let next = self.tokens.len() + 1;
        self.tokens.push(Token { field, key, next });
    }
}

impl Events for Outline {
    #[inline(always)]
    fn key(&mut self, _line: &[u8], key: Field) {
        self.push(key, true);
    }

    #[inline(always)]
    fn scalar(&mut self, value: Field) {
        self.push(value, false);
    }

    #[inline(always)]
    fn open(&mut self, at: usize, kind: Kind) {
        self.open.push(self.tokens.len());
        self.depth = self.depth.max(self.open.len());
        self.push(Field { start: at, end: at, kind, escaped: false }, false);
    }

    #[inline(always)]
    fn close(&mut self, at: usize, _kind: Kind) {
        let next = self.tokens.len();
        if let Some(token) = self.open.pop().and_then(|open| self.tokens.get_mut(open)) {
            token.field.end = at + 1;
            token.next = next;
        }
    }

    #[inline(always)]
    fn space(&mut self, _from: usize, _to: usize) {
        self.spaced = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_has_every_key_and_value_with_what_is_inside() {
        let json = br#" {"a":{"x":[1]},"b":"\n","a":null} "#;
        let mut outline = Outline::default();
        outline.read(json).unwrap();
        let seen: Vec<_> = outline.tokens().iter().map(|t| (t.field.text(json), t.key, t.next)).collect();
        let expected: [(&[u8], bool, usize); 10] = [
            (br#"{"a":{"x":[1]},"b":"\n","a":null}"#, false, 10),
            (br#""a""#, true, 2),
            (br#"{"x":[1]}"#, false, 6),
            (br#""x""#, true, 4),
            (b"[1]", false, 6),
            (b"1", false, 6),
            (br#""b""#, true, 7),
            (br#""\n""#, false, 8),
            (br#""a""#, true, 9),
            (b"null", false, 10),
        ];
        assert_eq!(seen, expected);
        assert_eq!((outline.depth(), outline.is_spaced(), outline.has_escapes()), (3, true, true));
        outline.read(b"7").unwrap();
        assert_eq!((outline.tokens().len(), outline.depth()), (1, 0));
        assert_eq!((outline.is_spaced(), outline.has_escapes()), (false, false));
        assert!(outline.read(b"{").is_err());
    }
}
