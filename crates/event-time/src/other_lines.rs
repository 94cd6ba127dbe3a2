//! Lines that `--where` leaves to other stages: their time counts, as the time of a pipe is that of all its lines.

use json_fields::{FieldPath, Scanner};

use crate::StreamTime;

/// Takes the time of lines that pass.
#[derive(Clone, Debug)]
pub struct OtherLines {
    scanner: Scanner,
}

impl OtherLines {
    #[must_use]
    pub fn new(field: &FieldPath) -> Self {
        Self { scanner: Scanner::new(std::slice::from_ref(field)) }
    }

    /// Returns the watermark if the line moved it. A line without a time that can be believed moves nothing.
    #[inline]
    pub fn observe(&mut self, line: &[u8], time: &mut StreamTime, now_ms: i64) -> Option<i64> {
        let field = self.scanner.scan(line).ok()?.get(0)?;
        let time_ms = time.read(field.text(line), now_ms).ok()?;
        time.observe(time_ms)
    }
}
