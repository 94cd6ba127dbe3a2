//! The last lines of a key, or those of a time, and what is worked out of them.

use std::collections::VecDeque;

use accumulators::Sum;
use values::state_text::{StateReader, write_number, write_signed};

use crate::digests::{Digest, Entry, Least, Line, Moments, Most, Rise, load_entry, save_entry};
use crate::folds::Folds;
use crate::ranked::Ranked;
use crate::room::{ENTRY_BYTES, Room, TooManyLines};
use crate::span::Span;

/// What a window has to give, each kind once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Needs {
    pub sum: bool,
    pub least: bool,
    pub most: bool,
    pub moments: bool,
    pub line: bool,
    pub rise: bool,
    pub ranks: bool,
}

impl Needs {
    /// Adds what something else needs.
    pub fn add(&mut self, others: Needs) {
        self.sum |= others.sum;
        self.least |= others.least;
        self.most |= others.most;
        self.moments |= others.moments;
        self.line |= others.line;
        self.rise |= others.rise;
        self.ranks |= others.ranks;
    }
}

/// The digests of one kind, if they are needed.
type Maybe<D> = Option<Box<Folds<D>>>;

/// The entries and their digests.
#[derive(Clone, Debug, Default)]
pub struct Window {
    entries: VecDeque<Entry>,
    /// So many of the entries are the front of the digests.
    front: usize,
    /// What times are counted from.
    origin_ms: i64,
    sum: Maybe<Sum>,
    least: Maybe<Least>,
    most: Maybe<Most>,
    moments: Maybe<Moments>,
    line: Maybe<Line>,
    rise: Maybe<Rise>,
    ranks: Option<Box<Ranked>>,
}

/// Makes folds where they are needed.
fn maybe<T: Default>(is_needed: bool) -> Option<Box<T>> {
    is_needed.then(Box::default)
}

/// Does the same with all kinds of digests that there are.
macro_rules! for_each_kind {
    ($window:expr, $folds:ident => $do:expr) => {{
        if let Some($folds) = &mut $window.sum {
            $do;
        }
        if let Some($folds) = &mut $window.least {
            $do;
        }
        if let Some($folds) = &mut $window.most {
            $do;
        }
        if let Some($folds) = &mut $window.moments {
            $do;
        }
        if let Some($folds) = &mut $window.line {
            $do;
        }
        if let Some($folds) = &mut $window.rise {
            $do;
        }
    }};
}

impl Window {
    #[must_use]
    pub fn new(needs: Needs) -> Window {
        Window {
            sum: maybe(needs.sum),
            least: maybe(needs.least),
            most: maybe(needs.most),
            moments: maybe(needs.moments),
            line: maybe(needs.line),
            rise: maybe(needs.rise),
            ranks: maybe(needs.ranks),
            ..Window::default()
        }
    }

    /// Takes a line, and lets those go that are not of the span any more.
    ///
    /// # Errors
    /// When more lines would be kept than may be.
    pub fn push(&mut self, entry: Entry, span: Span, room: &mut Room) -> Result<(), TooManyLines> {
        let before = self.entries.len();
        match span {
            Span::All => {}
            Span::Lines(lines) => (0..(self.entries.len() + 1).saturating_sub(lines)).for_each(|_| self.pop()),
            Span::Time(within_ms) => {
                let until_ms = entry.time_ms.saturating_sub(within_ms);
                while self.entries.front().is_some_and(|oldest| oldest.time_ms <= until_ms) {
                    self.pop();
                }
            }
        }
        if self.entries.len() >= room.lines_max {
            return Err(TooManyLines);
        }
        room.bytes = room.bytes + ENTRY_BYTES - (before - self.entries.len()) * ENTRY_BYTES;
        if self.entries.is_empty() {
            (self.front, self.origin_ms) = (0, entry.time_ms);
            self.turn();
        }
        self.entries.push_back(entry);
        for_each_kind!(self, folds => folds.push(&entry, self.origin_ms));
        if let Some(ranks) = &mut self.ranks {
            ranks.insert(entry.number.to_f64());
        }
        Ok(())
    }

    fn pop(&mut self) {
        if self.front == 0
            && let Some(oldest) = self.entries.front()
        {
            (self.front, self.origin_ms) = (self.entries.len(), oldest.time_ms);
            self.turn();
        }
        let Some(oldest) = self.entries.pop_front() else { return };
        self.front -= 1;
        if let Some(ranks) = &mut self.ranks {
            ranks.remove(oldest.number.to_f64());
        }
    }

    fn turn(&mut self) {
        for_each_kind!(self, folds => folds.turn(&self.entries, self.front, self.origin_ms));
    }

    fn total<D: Digest>(&self, folds: &Maybe<D>) -> Option<D> {
        folds.as_ref()?.total(&self.entries, self.front, self.origin_ms)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    #[must_use]
    pub fn sum(&self) -> Option<Sum> {
        self.total(&self.sum)
    }

    #[must_use]
    pub fn least(&self) -> Option<Least> {
        self.total(&self.least)
    }

    #[must_use]
    pub fn most(&self) -> Option<Most> {
        self.total(&self.most)
    }

    #[must_use]
    pub fn moments(&self) -> Option<Moments> {
        self.total(&self.moments)
    }

    #[must_use]
    pub fn line(&self) -> Option<Line> {
        self.total(&self.line)
    }

    #[must_use]
    pub fn rise(&self) -> Option<Rise> {
        self.total(&self.rise)
    }

    #[must_use]
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        self.ranks.as_ref()?.percentile(percent)
    }

    /// Appends `[front,origin,time,number,time,number,…]`.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.front as u64, out);
        out.push(b',');
        write_signed(self.origin_ms, out);
        for entry in &self.entries {
            out.push(b',');
            save_entry(entry, out);
        }
        out.push(b']');
    }

    pub fn load(from: &mut StateReader<'_>, needs: Needs) -> Option<Window> {
        let mut window = Window::new(needs);
        from.literal(b"[")?;
        window.front = usize::try_from(from.count()?).ok()?;
        from.literal(b",")?;
        window.origin_ms = from.signed()?;
        while from.literal(b"]").is_none() {
            from.literal(b",")?;
            window.entries.push_back(load_entry(from)?);
        }
        if window.front > window.entries.len() {
            return None;
        }
        window.turn();
        if let Some(ranks) = &mut window.ranks {
            window.entries.iter().for_each(|entry| ranks.insert(entry.number.to_f64()));
        }
        Some(window)
    }
}
