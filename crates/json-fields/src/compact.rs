//! JSON text that may span lines: check it, or put it on one line.

use crate::DEPTH_LIMIT;
use crate::error::ScanError;
use crate::walk::{Events, walk};

/// Checks that `json` is one JSON value, with any space around it.
///
/// # Errors
/// The first fault, with its offset in `json`. More than [`DEPTH_LIMIT`] levels are one.
pub fn validate(json: &[u8]) -> Result<(), ScanError> {
    struct Nothing;
    impl Events for Nothing {}
    walk(json, DEPTH_LIMIT, &mut Nothing)
}

/// Appends `json` to `out` without the space between its tokens, above all without its newlines; strings,
/// numbers and the order of members stay as they are. Appends nothing on an error.
///
/// # Errors
/// The first fault, with its offset in `json`. More than [`DEPTH_LIMIT`] levels are one.
///
/// ```
/// let mut line = Vec::new();
/// json_fields::compact(b"{\n  \"a\": [1.50,\n 2]\n}\n", &mut line)?;
/// assert_eq!(line, br#"{"a":[1.50,2]}"#);
/// # Ok::<(), json_fields::ScanError>(())
/// ```
pub fn compact(json: &[u8], out: &mut Vec<u8>) -> Result<(), ScanError> {
    let kept = out.len();
    let mut tight = Tight { json, copied: 0, out };
    let walked = walk(json, DEPTH_LIMIT, &mut tight);
    let copied = tight.copied;
    match walked {
        Ok(()) => out.extend_from_slice(&json[copied..]),
        Err(_) => out.truncate(kept),
    }
    walked
}

struct Tight<'a> {
    json: &'a [u8],
    copied: usize,
    out: &'a mut Vec<u8>,
}

impl Events for Tight<'_> {
    fn space(&mut self, from: usize, to: usize) {
        self.out.extend_from_slice(&self.json[self.copied..from]);
        self.copied = to;
    }
}
