//! The lines of one counted key.

use std::collections::VecDeque;

use event_time::Window;

/// Lines of one key whose numbers lie in [start, end).
#[derive(Clone, Debug)]
pub struct Slice {
    pub span: Window,
    pub lines: i64,
    /// Groups in this slice, sorted by key.
    pub members: Vec<u32>,
}

impl Slice {
    pub fn new(span: Window) -> Slice {
        Slice { span, lines: 0, members: Vec::new() }
    }

    /// All its lines have come.
    pub fn is_full(&self) -> bool {
        self.lines == self.span.end_ms - self.span.start_ms
    }
}

/// The slices of one key (of `window --by`) that open windows need, in order.
#[derive(Debug)]
pub struct Stream {
    pub slices: VecDeque<Slice>,
    /// Start of the next window to be written.
    pub next_start: i64,
    /// What the last checkpoint says of that.
    saved_start: Option<i64>,
    is_noted: bool,
}

impl Stream {
    pub fn new(next_start: i64) -> Stream {
        Stream { slices: VecDeque::new(), next_start, saved_start: None, is_noted: false }
    }

    /// The place of a slice, which is a new one if there is none.
    pub fn place(&mut self, span: Window) -> usize {
        let at = self.slices.partition_point(|slice| slice.span < span);
        if self.slices.get(at).is_none_or(|slice| slice.span != span) {
            self.slices.insert(at, Slice::new(span));
        }
        at
    }

    /// Notes that the next checkpoint has to save where the windows go on. False if that is noted, or saved.
    pub fn note(&mut self) -> bool {
        let is_new = !self.is_noted && self.saved_start != Some(self.next_start);
        self.is_noted |= is_new;
        is_new
    }

    /// A checkpoint has where the windows go on.
    pub fn saved(&mut self) {
        self.is_noted = false;
        self.saved_start = Some(self.next_start);
    }

    /// Goes on where the last checkpoint says.
    pub fn restore(&mut self, next_start: i64) {
        (self.next_start, self.saved_start) = (next_start, Some(next_start));
    }

    pub fn is_saved(&self) -> bool {
        self.saved_start.is_some()
    }
}
