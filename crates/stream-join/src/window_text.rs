//! The window of a result, as text; the last one is remembered.

use event_time::{AnnotationKind, Scale, Window};

use crate::span::Span;

#[derive(Debug, Default)]
pub struct WindowText {
    of: Option<Span>,
    text: Vec<u8>,
}

impl WindowText {
    /// Returns the annotation of a span of `--window`.
    pub fn of(&mut self, span: Span) -> &[u8] {
        if self.of != Some(span) {
            self.text.clear();
            let window = Window::new(span.time, span.until + 2);
            AnnotationKind::Window.write(window, Scale::Time, &mut self.text);
            self.of = Some(span);
        }
        &self.text
    }
}
