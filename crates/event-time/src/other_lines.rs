//! Lines that `--where` leaves to other stages: their time counts, as the time of a pipe is that of all its lines.

use line_values::Expression;

use crate::{StreamTime, TimeField};

/// Takes the time of lines that pass.
pub struct OtherLines {
    time: TimeField,
}

impl OtherLines {
    #[must_use]
    pub fn new(time: &Expression) -> Self {
        Self { time: TimeField::new(time) }
    }

    /// Returns the watermark if the line moved it. A line without a time that can be believed moves nothing.
    #[inline]
    pub fn observe(&mut self, line: &[u8], time: &mut StreamTime, now_ms: i64) -> Option<i64> {
        let text = self.time.find(line).ok()?.text?;
        let time_ms = time.read(text, now_ms).ok()?;
        time.observe(time_ms)
    }
}
