//! A field's value in a line.

use std::borrow::Cow;

use json_fields::{Field, Kind, decode_string};
use values::Number;

/// A field's value in a line, for states that want more than its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    pub field: &'a Field,
    /// What the field counts from.
    pub line: &'a [u8],
    /// Zero if it is none.
    pub number: &'a Number,
}

impl<'a> Value<'a> {
    /// The value as JSON text.
    #[inline]
    pub fn text(&self) -> &'a [u8] {
        self.field.text(self.line)
    }

    /// A string without quotes and escapes; none for other values.
    #[inline]
    pub fn string(&self) -> Option<Cow<'a, [u8]>> {
        (self.field.kind == Kind::String).then(|| self.decoded())
    }

    /// The same of a value that is a string.
    pub fn decoded(&self) -> Cow<'a, [u8]> {
        match self.field.escaped {
            true => Cow::Owned(decode_string(self.text()).into_owned().into_bytes()),
            false => Cow::Borrowed(self.field.string_body(self.line)),
        }
    }
}
