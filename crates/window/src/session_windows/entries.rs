//! What a checkpoint has of sessions: an entry for each open one, `START|KEY` with its span; where lines are kept, an
//! entry for each line instead, `NUMBER|KEY` with itself. A session's span is that of its lines.

use super::SessionWindows;
use event_time::{ClosedSession, Window, format_rfc3339};
use json_fields::write_string;
use millpipe::{Changes, Error, Fault};

/// A line that waits for its session to end, with its place in the input.
pub(super) type Kept = (u64, Box<[u8]>);

/// What is known of an open session beside its span.
pub(super) struct Open {
    pub lines: Vec<Kept>,
    /// Where it started first. No other session of its key has this time in it.
    named_ms: i64,
    is_saved: bool,
    is_touched: bool,
}

impl Open {
    pub fn new(span: Window) -> Self {
        Self { lines: Vec::new(), named_ms: span.start_ms, is_saved: false, is_touched: false }
    }
}

/// What differs from the last checkpoint. Nothing is noted before the first one.
#[derive(Default)]
pub(super) struct Tracking {
    is_on: bool,
    touched: Vec<(Vec<u8>, i64)>,
    /// The names of entries that are gone.
    removed: Vec<String>,
    /// Lines below this number are saved.
    saved_lines: u64,
}

impl Tracking {
    /// The state is that of a checkpoint with lines below this number.
    pub fn restored(next_line: u64) -> Self {
        Self { is_on: true, saved_lines: next_line, ..Self::default() }
    }

    #[inline]
    pub fn touch(&mut self, key: &[u8], open: &mut Open) {
        if self.is_on && !open.is_touched {
            open.is_touched = true;
            self.touched.push((key.to_vec(), open.named_ms));
        }
    }

    /// A line ties two sessions together.
    pub fn merge(&mut self, key: &[u8], into: &mut Open, from: Open) {
        if from.is_saved {
            self.removed.push(name(key, from.named_ms));
        }
        into.lines.extend(from.lines);
    }

    /// A session is over, and its lines are written.
    pub fn close(&mut self, session: &ClosedSession<Vec<u8>, Open>) {
        let Open { lines, named_ms, is_saved, .. } = &session.payload;
        if *is_saved {
            self.removed.push(name(&session.key, *named_ms));
        }
        let saved = lines.iter().filter(|(number, _)| *number < self.saved_lines);
        self.removed.extend(saved.map(|(number, _)| line_name(&session.key, *number)));
    }
}

/// Keys were scanned: they are UTF-8.
fn name(key: &[u8], named_ms: i64) -> String {
    format!("{}|{}", format_rfc3339(named_ms), String::from_utf8_lossy(key))
}

fn line_name(key: &[u8], number: u64) -> String {
    format!("{number}|{}", String::from_utf8_lossy(key))
}

impl SessionWindows {
    pub(super) fn save(&mut self, to: &mut Changes) {
        let Self { sessions, tracking, next_line, .. } = self;
        tracking.removed.drain(..).for_each(|name| to.remove(&name));
        let keeps_lines = self.settings.form.keeps_lines();
        let mut put = |session: &mut ClosedSession<Vec<u8>, Open>| {
            session.payload.is_touched = false;
            if keeps_lines {
                put_lines(session, tracking.saved_lines, to);
            } else {
                put_span(session, to);
            }
        };
        if tracking.is_on {
            for (key, named_ms) in tracking.touched.drain(..) {
                let session = sessions.find_mut(&key, |open| open.named_ms == named_ms && open.is_touched);
                session.into_iter().for_each(&mut put);
            }
        } else {
            sessions.iter_mut().for_each(&mut put);
        }
        tracking.is_on = true;
        tracking.saved_lines = *next_line;
    }

    pub(super) fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let damaged = || Error::damaged_entry(name);
        let open = self.sessions.len();
        if self.settings.form.keeps_lines() {
            let line: String = serde_json::from_slice(value).map_err(|_| damaged())?;
            let number = name.split_once('|').and_then(|(number, _)| number.parse().ok()).ok_or_else(damaged)?;
            return self.load_line(number, line.as_bytes()).map_err(|fault| match fault {
                Fault::Stop(error) => error,
                _ => damaged(),
            });
        }
        let (start_ms, end_ms) = serde_json::from_slice(value).map_err(|_| damaged())?;
        let (named, key) = name.split_once('|').ok_or_else(damaged)?;
        let named_ms = event_time::parse_rfc3339(named.as_bytes()).filter(|_| start_ms < end_ms).ok_or_else(damaged)?;
        self.key.clear();
        self.key.extend_from_slice(key.as_bytes());
        let session = self.join(Window::new(start_ms, end_ms))?;
        (session.named_ms, session.is_saved, session.is_touched) = (named_ms, true, false);
        // Open sessions of a key never touch.
        (self.sessions.len() > open).then_some(()).ok_or_else(damaged)
    }

    fn load_line(&mut self, number: u64, line: &[u8]) -> Result<(), Fault> {
        // It was taken once, whatever the clock says now.
        let (_, span) = self.read(line, i64::MAX)?;
        Ok(self.keep(number, line, span)?)
    }
}

fn put_span(session: &mut ClosedSession<Vec<u8>, Open>, to: &mut Changes) {
    session.payload.is_saved = true;
    let span = [session.window.start_ms, session.window.end_ms];
    // Writing to memory cannot fail.
    to.put(&name(&session.key, session.payload.named_ms), |out| drop(serde_json::to_writer(out, &span)));
}

fn put_lines(session: &ClosedSession<Vec<u8>, Open>, saved_lines: u64, to: &mut Changes) {
    for (number, line) in session.payload.lines.iter().filter(|(number, _)| *number >= saved_lines) {
        to.put(&line_name(&session.key, *number), |out| write_string(&String::from_utf8_lossy(line), out));
    }
}
