//! Finds the matches of one key.
//!
//! All partial matches go on side by side, row by row, in the order of preference: those that began earlier first, and of one
//! beginning the way that the pattern prefers. So the first that is left at the end is the match that trying one way after the
//! other would have found, and no row is looked at twice for the same step. When a partial match is complete, those after it
//! are dropped, and it is the match once none before it is left. Then the search begins anew at the row where
//! `--after-match` says, with the rows that are kept.

use millpipe::Error;

use crate::nodes::{Label, NodeId, Nodes};
use crate::program::Step;
use crate::row::{Row, Rows};
use crate::search::Search;
use crate::thread::Thread;

/// A match, as it is given to a [`Sink`].
pub struct Found<'f> {
    /// Among the matches of the key, from 1.
    pub number: u64,
    pub start: u64,
    /// Of its rows; an empty match has none.
    pub labels: &'f [Label],
}

/// Takes what a matcher finds.
pub trait Sink {
    /// A match is decided.
    fn matched(&mut self, rows: &mut Rows, found: &Found<'_>);
    /// A row is in no match.
    fn unmatched(&mut self, rows: &mut Rows, number: u64);
    /// A row is in no match that is still to come.
    fn settle(&mut self, row: &Row);
    /// A row is not kept any more.
    fn forget(&mut self, row: &Row);
}

/// What time it is.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// Rows before this time have come.
    pub watermark_ms: Option<i64>,
    /// All rows have come.
    pub is_over: bool,
}

/// Room for so many partial matches stays when a key has none.
const THREADS_KEPT: usize = 16;

/// The best complete match so far.
#[derive(Clone, Copy, Debug)]
struct Best {
    start: u64,
    rows: NodeId,
}

/// The rows of a key, and its partial matches.
#[derive(Debug, Default)]
pub struct Matcher {
    pub rows: Rows,
    /// Rows below this are in no match that is still to come.
    floor: u64,
    /// The row that is looked at next.
    next: u64,
    /// Rows below this are in a match.
    covered: u64,
    matches: u64,
    threads: Vec<Thread>,
    best: Option<Best>,
    nodes: Nodes,
}

/// What of a matcher goes into a checkpoint, beside its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub floor: u64,
    pub covered: u64,
    pub matches: u64,
}

impl Matcher {
    /// Goes on from a checkpoint: the partial matches are those that the rows from the floor on make.
    #[must_use]
    pub fn restored(rows: Rows, position: Position) -> Matcher {
        let Position { floor, covered, matches } = position;
        Matcher { rows, floor, next: floor, covered, matches, ..Matcher::default() }
    }

    #[must_use]
    pub fn position(&self) -> Position {
        Position { floor: self.floor, covered: self.covered, matches: self.matches }
    }

    /// Returns how many rows may still be in a match.
    #[must_use]
    pub fn open_rows(&self) -> u64 {
        self.rows.end() - self.floor
    }

    /// Returns true if nothing is begun and no row is kept.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.end() == self.rows.first()
    }

    /// Returns what partial matches take in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.nodes.bytes() + self.threads.len() * size_of::<Thread>()
    }

    /// Returns when the oldest partial match is too old, and the number of its first line.
    #[must_use]
    pub fn due(&self, search: &Search) -> Option<(i64, u64)> {
        let within_ms = search.within_ms.filter(|_| self.next == self.rows.end() && !search.program.has_end())?;
        let row = self.rows.get(self.threads.first()?.start)?;
        Some((row.time_ms.saturating_add(within_ms), row.sequence))
    }

    /// Looks at all rows that have come, and gives what is decided.
    ///
    /// # Errors
    /// When there are too many partial matches, or the next one cannot begin where it should.
    pub fn advance(&mut self, search: &mut Search, time: Time, sink: &mut dyn Sink) -> Result<(), Error> {
        while self.decide(search, sink)? || self.go_on(search, time)? {}
        self.settle(search, sink);
        Ok(())
    }

    /// Does one step; false if there is none to do.
    fn go_on(&mut self, search: &mut Search, time: Time) -> Result<bool, Error> {
        let come = self.rows.end();
        if self.next < come && (time.is_over || self.next + search.lookahead < come) {
            self.begin(search);
            let time_ms = self.rows.get(self.next).map_or(i64::MAX, |row| row.time_ms);
            self.expire(search, time_ms);
            // A match that is decided now ends before this row.
            if self.best.is_none() || !self.threads.is_empty() {
                self.step(search)?;
            }
            return Ok(true);
        }
        if time.is_over && !self.threads.is_empty() {
            self.finish(search);
            return Ok(true);
        }
        // Whether a row is the last one is not known before the next one or the end.
        let watermark_ms = time.watermark_ms.filter(|_| self.next == come && !search.program.has_end());
        Ok(watermark_ms.is_some_and(|watermark_ms| self.expire(search, watermark_ms)))
    }

    /// Drops the partial matches that no row of this time or later can be in; true if there were any.
    fn expire(&mut self, search: &Search, time_ms: i64) -> bool {
        let Some(within_ms) = search.within_ms else { return false };
        let rows = &self.rows;
        let is_over =
            |thread: &Thread| rows.get(thread.start).is_none_or(|row| row.time_ms.saturating_add(within_ms) <= time_ms);
        let over = self.threads.iter().take_while(|thread| is_over(thread)).count();
        self.threads.drain(..over);
        over > 0
    }

    /// Takes the next row.
    fn step(&mut self, search: &mut Search) -> Result<(), Error> {
        let number = self.next;
        search.seen.forget();
        let before = std::mem::take(&mut self.threads);
        self.threads = std::mem::take(&mut search.threads);
        for thread in &before {
            let Step::Row { variable, is_excluded } = search.program.step(thread.step) else { continue };
            if self.rows.get(number).is_none_or(|row| row.truths() >> variable & 1 == 0) {
                continue;
            }
            let registers = search.definitions.after(thread.registers.as_ref(), number, variable, &self.rows);
            let match_number = self.matches + 1;
            if !search.definitions.holds(variable, &mut self.rows, number, registers.as_ref(), match_number) {
                continue;
            }
            let rows = self.nodes.push(thread.rows, Label { variable, is_excluded });
            let thread = Thread { step: thread.step + 1, start: thread.start, rows, registers };
            if search.program.has_end() {
                self.wait(search, thread);
            } else if self.enter(search, &thread, number + 1, false) {
                break;
            }
        }
        self.next = number + 1;
        search.threads = before;
        search.threads.clear();
        self.tidy();
        if self.threads.len() > search.partial_max { Err(search.too_many()) } else { Ok(()) }
    }

    /// Makes the partial matches ready for the next row, which is there, and begins one at it.
    fn begin(&mut self, search: &mut Search) {
        search.seen.forget();
        if search.program.has_end() {
            let waiting = std::mem::take(&mut self.threads);
            for thread in &waiting {
                if self.enter(search, thread, self.next, false) {
                    return;
                }
            }
        } else if self.best.is_none() {
            for thread in &self.threads {
                search.seen.begin(thread.start, thread.registers.is_some());
                search.seen.reach(thread.step, u64::MAX);
                search.seen.reach_with(thread.step, thread.registers.as_ref());
            }
        }
        if self.best.is_none() {
            let registers = search.definitions.empty();
            let thread = Thread { step: 0, start: self.next, rows: NodeId::NONE, registers };
            self.enter(search, &thread, self.next, false);
        }
    }

    /// Keeps a partial match until it is known whether a row follows.
    fn wait(&mut self, search: &mut Search, thread: Thread) {
        search.seen.begin(thread.start, thread.registers.is_some());
        if search.seen.reach(thread.step, u64::MAX) && search.seen.reach_with(thread.step, thread.registers.as_ref()) {
            self.threads.push(thread);
        }
    }

    /// Goes from a step to all that take a row, in the order of preference; true if the match is complete.
    fn enter(&mut self, search: &mut Search, thread: &Thread, place: u64, is_last: bool) -> bool {
        let Search { program, seen, steps, .. } = search;
        seen.begin(thread.start, thread.registers.is_some());
        steps.clear();
        steps.push((thread.step, u64::MAX));
        while let Some((step, moved)) = steps.pop() {
            let next = program.step(step);
            // A row makes all repetitions around it move.
            let seen_as = if matches!(next, Step::Row { .. }) { u64::MAX } else { moved };
            if !seen.reach(step, seen_as) {
                continue;
            }
            match next {
                Step::Row { .. } => {
                    if seen.reach_with(step, thread.registers.as_ref()) {
                        self.threads.push(Thread { step, ..thread.clone() });
                    }
                }
                Step::Fork(first, second) => steps.extend([(second, moved), (first, moved)]),
                Step::Jump(to) => steps.push((to, moved)),
                Step::Enter(number) => steps.push((step + 1, moved & !(1 << number))),
                Step::Check(number) if moved >> number & 1 == 1 => steps.push((step + 1, moved)),
                Step::Start if place == 0 => steps.push((step + 1, moved)),
                Step::End if is_last => steps.push((step + 1, moved)),
                Step::Start | Step::End | Step::Check(_) => {}
                Step::Match => {
                    self.best = Some(Best { start: thread.start, rows: thread.rows });
                    return true;
                }
            }
        }
        false
    }

    /// No row follows.
    fn finish(&mut self, search: &mut Search) {
        let waiting = std::mem::take(&mut self.threads);
        if search.program.has_end() {
            search.seen.forget();
            for thread in &waiting {
                if self.enter(search, thread, self.next, true) {
                    break;
                }
            }
        }
        self.threads.clear();
    }

    /// Gives the match, if there is one and nothing is preferred to it any more.
    fn decide(&mut self, search: &Search, sink: &mut dyn Sink) -> Result<bool, Error> {
        let Some(Best { start, rows }) = self.best.filter(|_| self.threads.is_empty()) else { return Ok(false) };
        self.settle(search, sink);
        let labels = self.nodes.labels(rows);
        let next = search.after.next(start, &labels)?;
        self.matches += 1;
        sink.matched(&mut self.rows, &Found { number: self.matches, start, labels: &labels });
        self.covered = self.covered.max(start + labels.len().max(1) as u64);
        self.best = None;
        self.nodes.clear();
        self.next = next;
        Ok(true)
    }

    /// Lets go of the rows before the first of all partial matches.
    fn settle(&mut self, search: &Search, sink: &mut dyn Sink) {
        let first = self.threads.first().map(|thread| thread.start).or(self.best.map(|best| best.start));
        let floor = first.unwrap_or(self.next);
        while self.floor < floor {
            if self.floor >= self.covered {
                sink.unmatched(&mut self.rows, self.floor);
            }
            if let Some(row) = self.rows.get(self.floor) {
                sink.settle(row);
            }
            self.floor += 1;
        }
        while self.rows.first() + search.history < self.floor
            && let Some(row) = self.rows.pop()
        {
            sink.forget(&row);
        }
        if self.threads.is_empty() && self.best.is_none() {
            self.nodes.clear();
            self.threads.shrink_to(THREADS_KEPT);
            self.rows.shrink();
        }
    }

    fn tidy(&mut self) {
        if self.nodes.is_large() {
            let best = self.best.as_mut().map(|best| &mut best.rows);
            self.nodes.keep(self.threads.iter_mut().map(|thread| &mut thread.rows).chain(best).collect());
        }
    }
}
