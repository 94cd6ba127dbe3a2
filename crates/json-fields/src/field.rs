//! Where a wanted value stands in its line.

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `false`
    False,
    /// `true`
    True,
    /// A number, as text of any length and size: `1e999` is one.
    Number,
    /// A string.
    String,
    /// An object.
    Object,
    /// An array.
    Array,
}

/// The span of a value in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Offset of the value's first byte, of a string its opening quote.
    pub start: usize,
    /// Offset just behind the value's last byte.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
    /// The value is a string with a backslash in it: its text is not its bytes, see [`crate::decode_string`].
    pub escaped: bool,
}

impl Field {
    /// The value's bytes, a string with its quotes. `line` is the line that was scanned.
    ///
    /// # Panics
    /// When `line` is shorter than the line that was scanned.
    #[inline]
    #[must_use]
    pub fn text<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        &line[self.start..self.end]
    }

    /// A string's bytes between its quotes, escapes as they are; any other value's bytes in full.
    ///
    /// # Panics
    /// When `line` is shorter than the line that was scanned.
    #[inline]
    #[must_use]
    pub fn string_body<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        match self.kind {
            Kind::String => &line[self.start + 1..self.end - 1],
            _ => self.text(line),
        }
    }
}

/// What [`crate::Scanner::scan`] found in a line: one entry per wanted path, in the order of the paths.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'s> {
    pub(crate) slots: &'s [Option<Field>],
    pub(crate) object: Option<usize>,
    pub(crate) empty: bool,
}

impl<'s> Fields<'s> {
    /// The value of path number `index`, or none where the line has no such field (or there is no such path).
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Field> {
        self.slots.get(index).copied().flatten()
    }

    /// All values in the order of the paths.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &'s [Option<Field>] {
        self.slots
    }

    /// Offset just behind the line's opening brace; none when the line is no object.
    #[inline]
    #[must_use]
    pub fn object(&self) -> Option<usize> {
        self.object
    }

    /// The line is an object without members.
    #[inline]
    #[must_use]
    pub fn is_empty_object(&self) -> bool {
        self.empty
    }
}
