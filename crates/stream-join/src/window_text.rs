//! The window of a result, as text; the last one is remembered.

use event_time::write_rfc3339;

use crate::span::Span;

#[derive(Debug, Default)]
pub struct WindowText {
    of: Option<Span>,
    text: Vec<u8>,
}

impl WindowText {
    /// `"window_start":"…","window_end":"…"` of a span of `--window`.
    pub fn of(&mut self, span: Span) -> &[u8] {
        if self.of != Some(span) {
            self.text.clear();
            for (before, time_ms) in [("\"window_start\":\"", span.time), ("\",\"window_end\":\"", span.until + 2)] {
                self.text.extend_from_slice(before.as_bytes());
                write_rfc3339(time_ms, &mut self.text);
            }
            self.text.push(b'"');
            self.of = Some(span);
        }
        &self.text
    }
}
