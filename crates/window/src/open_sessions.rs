//! The open sessions, with their lines where those wait for the end of their session.
//!
//! A checkpoint has an entry for each session, `START|KEY` with its span; where lines are kept, an entry for each line
//! instead, `NUMBER|KEY` with itself. A session's span is that of its lines.

use event_time::{ClosedSession, Sessions, Window, format_rfc3339, parse_rfc3339};
use json_fields::write_string;
use keyed_state::ArrivalTracking;
use millpipe::{Changes, Error};

/// What a kept line takes beside its bytes.
const LINE_BYTES: usize = 48;

/// A line that waits for its session to end, with its place in the input.
type Kept = (u64, Box<[u8]>);

/// What is known of an open session beside its span.
pub(crate) struct Open {
    lines: Vec<Kept>,
    /// Where it started first. No other session of its key has this time in it.
    named_ms: i64,
    is_saved: bool,
    is_touched: bool,
}

impl Open {
    fn new(span: Window) -> Self {
        Self { lines: Vec::new(), named_ms: span.start_ms, is_saved: false, is_touched: false }
    }

    /// Returns the lines in order of arrival.
    pub(crate) fn into_lines(mut self) -> impl Iterator<Item = Box<[u8]>> {
        self.lines.sort_unstable_by_key(|(number, _)| *number);
        self.lines.into_iter().map(|(_, line)| line)
    }
}

/// Sessions by key, with what differs from the last checkpoint.
pub(crate) struct OpenSessions {
    sessions: Sessions<Vec<u8>, Open>,
    sessions_max: usize,
    keeps_lines: bool,
    lines_kept: u64,
    bytes_kept: usize,
    /// The number of the next line that is kept.
    next_line: u64,
    /// Of lines; it also says whether sessions are noted, which are not before the first checkpoint.
    tracking: ArrivalTracking<String>,
    /// The keys of sessions that lines came to, and where these started first.
    touched: Vec<(Vec<u8>, i64)>,
    /// The names of entries of sessions that are gone.
    gone: Vec<String>,
}

impl OpenSessions {
    pub(crate) fn new(sessions_max: usize, keeps_lines: bool) -> Self {
        Self {
            sessions: Sessions::new(sessions_max),
            sessions_max,
            keeps_lines,
            lines_kept: 0,
            bytes_kept: 0,
            next_line: 0,
            tracking: ArrivalTracking::default(),
            touched: Vec::new(),
            gone: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(crate) fn lines_kept(&self) -> u64 {
        self.lines_kept
    }

    pub(crate) fn bytes_kept(&self) -> usize {
        self.bytes_kept
    }

    pub(crate) fn next_line(&self) -> u64 {
        self.next_line
    }

    /// Returns true if a span would join an open session.
    #[inline]
    pub(crate) fn touches(&self, key: &[u8], span: Window) -> bool {
        self.sessions.touches(key, span)
    }

    /// Returns the earliest end of an open session.
    #[inline]
    pub(crate) fn next_end_ms(&mut self) -> Option<i64> {
        self.sessions.next_end_ms()
    }

    /// Adds a span to the sessions of the key; returns the one that has it now.
    ///
    /// # Errors
    /// When too many sessions are open.
    #[inline(always)]
    pub(crate) fn join(&mut self, key: &[u8], span: Window) -> Result<&mut Open, Error> {
        let Self { sessions, sessions_max, tracking, touched, gone, .. } = self;
        let merge = |into: &mut Open, from: Open| {
            if from.is_saved {
                gone.push(name(key, from.named_ms));
            }
            into.lines.extend(from.lines);
        };
        let joined = sessions.join(key, span, || Open::new(span), merge);
        let (_, open) = joined.map_err(|full| {
            Error::data(full).hint(format_args!(
                "--max-keys N allows more than {sessions_max} sessions, a shorter --session closes them sooner"
            ))
        })?;
        if tracking.is_on() && !open.is_touched {
            open.is_touched = true;
            touched.push((key.to_vec(), open.named_ms));
        }
        Ok(open)
    }

    /// Keeps a line until its session is over.
    ///
    /// # Errors
    /// As [`OpenSessions::join`].
    pub(crate) fn keep(&mut self, key: &[u8], line: &[u8], span: Window) -> Result<(), Error> {
        let number = self.next_line;
        self.next_line += 1;
        self.put(key, number, line, span)
    }

    fn put(&mut self, key: &[u8], number: u64, line: &[u8], span: Window) -> Result<(), Error> {
        self.join(key, span)?.lines.push((number, line.into()));
        self.lines_kept += 1;
        self.bytes_kept += line.len() + LINE_BYTES;
        Ok(())
    }

    /// Takes out the sessions that the watermark closes, by (end, start, key).
    pub(crate) fn close(&mut self, watermark_ms: i64) -> Vec<ClosedSession<Vec<u8>, Open>> {
        let closed = self.sessions.close(watermark_ms);
        for ClosedSession { key, payload, .. } in &closed {
            if payload.is_saved {
                self.gone.push(name(key, payload.named_ms));
            }
            for (number, line) in &payload.lines {
                self.tracking.forget(*number, || line_name(key, *number));
                self.lines_kept -= 1;
                self.bytes_kept -= line.len() + LINE_BYTES;
            }
        }
        closed
    }

    /// Gives the entries that changed since the last checkpoint.
    pub(crate) fn save(&mut self, to: &mut Changes) {
        let is_first = !self.tracking.is_on();
        let (gone_lines, first_new) = self.tracking.take(self.next_line);
        self.gone.drain(..).chain(gone_lines).for_each(|name| to.remove(&name));
        let keeps_lines = self.keeps_lines;
        let mut put = |session: &mut ClosedSession<Vec<u8>, Open>| {
            session.payload.is_touched = false;
            if keeps_lines {
                put_lines(session, first_new, to);
            } else {
                put_span(session, to);
            }
        };
        if is_first {
            self.sessions.iter_mut().for_each(&mut put);
        }
        for (key, named_ms) in self.touched.drain(..) {
            let is_it = |open: &Open| open.named_ms == named_ms && open.is_touched;
            self.sessions.find_mut(&key, is_it).into_iter().for_each(&mut put);
        }
    }

    /// The state is that of a checkpoint that has the lines below this number.
    pub(crate) fn restored(&mut self, next_line: u64) {
        self.next_line = next_line;
        self.tracking.restored(next_line);
    }

    /// Takes back the entry of a session.
    ///
    /// # Errors
    /// When the entry is damaged, or too many sessions are open.
    pub(crate) fn load_session(&mut self, entry: &str, value: &[u8]) -> Result<(), Error> {
        let damaged = || Error::damaged_entry(entry);
        let open_before = self.sessions.len();
        let (start_ms, end_ms) = serde_json::from_slice(value).map_err(|_| damaged())?;
        let (named, key) = entry.split_once('|').ok_or_else(damaged)?;
        let named_ms = parse_rfc3339(named.as_bytes()).filter(|_| start_ms < end_ms).ok_or_else(damaged)?;
        let session = self.join(key.as_bytes(), Window::new(start_ms, end_ms))?;
        (session.named_ms, session.is_saved, session.is_touched) = (named_ms, true, false);
        // Open sessions of a key never touch.
        (self.sessions.len() > open_before).then_some(()).ok_or_else(damaged)
    }

    /// Takes back the entry of a line; its key and span are those of the line.
    ///
    /// # Errors
    /// When the entry is damaged, or too many sessions are open.
    pub(crate) fn load_line(&mut self, entry: &str, key: &[u8], line: &[u8], span: Window) -> Result<(), Error> {
        let number = entry.split_once('|').and_then(|(number, _)| number.parse().ok());
        self.put(key, number.ok_or_else(|| Error::damaged_entry(entry))?, line, span)
    }
}

/// Keys were scanned: they are UTF-8.
fn name(key: &[u8], named_ms: i64) -> String {
    format!("{}|{}", format_rfc3339(named_ms), String::from_utf8_lossy(key))
}

fn line_name(key: &[u8], number: u64) -> String {
    format!("{number}|{}", String::from_utf8_lossy(key))
}

fn put_span(session: &mut ClosedSession<Vec<u8>, Open>, to: &mut Changes) {
    session.payload.is_saved = true;
    let span = [session.window.start_ms, session.window.end_ms];
    // Writing to memory cannot fail.
    to.put(&name(&session.key, session.payload.named_ms), |out| drop(serde_json::to_writer(out, &span)));
}

fn put_lines(session: &ClosedSession<Vec<u8>, Open>, first_new: u64, to: &mut Changes) {
    for (number, line) in session.payload.lines.iter().filter(|(number, _)| *number >= first_new) {
        to.put(&line_name(&session.key, *number), |out| write_string(&String::from_utf8_lossy(line), out));
    }
}
