//! The one spelling of a key in a field path.

use std::fmt;

use crate::text::write_string;

/// A key as a step of a path, written as jq takes it: `.name`, `."odd key"`.
pub(crate) struct KeySpelling<'k>(pub(crate) &'k str);

impl fmt::Display for KeySpelling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KeySpelling(key) = self;
        if is_identifier(key) {
            return write!(f, ".{key}");
        }
        let mut quoted = Vec::new();
        write_string(key, &mut quoted);
        write!(f, ".{}", String::from_utf8_lossy(&quoted))
    }
}

/// Tells whether jq takes the key without quotes.
fn is_identifier(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
