//! Sessions: each line brings a span, spans of a key that touch are one session.

use std::sync::Arc;

use accumulators::Plan;
use event_time::{ClosedSession, Scale, Window};
use millpipe::{Changes, Error, Fault, Out};
use values::state_text::{StateReader, write_signed};

use crate::entry_name;
use crate::groups::{Taken, stop};
use crate::keys;
use crate::span_groups::SpanGroups;
use crate::windows::late;
use crate::work::Work;

/// The groups of a session, sorted by key. Most often there is one.
type Members = Vec<u32>;

/// Open sessions. A session is of the fields that `window --by` named, which may be fewer than the keys here: then it
/// holds several groups.
#[derive(Debug)]
pub struct Sessions {
    /// The numbers of the session's fields among the key fields.
    pub cells: Vec<usize>,
    /// Named by the span that the session had when the group was made: sessions of a key never share a time.
    groups: SpanGroups,
    /// Of each group: what the session was with the group's last line. A session is all that its groups say.
    spans: Vec<Window>,
    open: event_time::Sessions<Vec<u8>, Members>,
    key: Vec<u8>,
}

impl Sessions {
    pub fn new(plan: &Arc<Plan>, cells: Vec<usize>, sessions_max: usize) -> Sessions {
        let open = event_time::Sessions::new(sessions_max);
        Sessions { cells, groups: SpanGroups::new(plan), spans: Vec::new(), open, key: Vec::new() }
    }

    /// # Errors
    /// `Stop` at a limit.
    pub fn line(
        &mut self,
        span: Window,
        taken: &Taken<'_>,
        watermark_ms: Option<i64>,
        work: &mut Work,
        out: &mut Out,
    ) -> Result<(), Fault> {
        keys::part(taken.key, &self.cells, &mut self.key);
        let closed = watermark_ms.is_some_and(|watermark| span.is_closed_by(watermark));
        if closed && !self.open.touches(self.key.as_slice(), span) {
            late(span, taken, out);
            return Ok(());
        }
        work.take(taken.line, out);
        let id = self.join(span, taken.key, work)?;
        self.groups.store.update(id, taken)
    }

    /// The group of a line in the session that its span joins; sessions that it ties together are merged.
    fn join(&mut self, span: Window, key: &[u8], work: &mut Work) -> Result<u32, Fault> {
        let Sessions { groups, open, key: session_key, .. } = self;
        let mut failed = None;
        let merge = |earlier: &mut Members, later: Members| {
            if let Err(fault) = merge(groups, earlier, later, work) {
                failed.get_or_insert(fault);
            }
        };
        let joined = open.join(session_key.as_slice(), span, Vec::new, merge);
        let (session, members) = joined.map_err(|error| {
            Error::data(error).hint("--max-keys N allows more; a smaller gap closes sessions sooner")
        })?;
        if let Some(fault) = failed {
            return Err(fault);
        }
        let id = groups.member(members, key, session, &mut work.budget)?;
        self.set_span(id, session);
        Ok(id)
    }

    fn set_span(&mut self, id: u32, span: Window) {
        let len = self.spans.len().max(id as usize + 1);
        self.spans.resize(len, span);
        self.spans[id as usize] = span;
    }

    /// Writes and forgets the sessions that the watermark closes; without one, all.
    pub fn close(&mut self, watermark_ms: Option<i64>, work: &mut Work, out: &mut Out) {
        let closed = self.open.close(watermark_ms.unwrap_or(i64::MAX));
        let mut results: Vec<(Window, u32)> = closed
            .iter()
            .flat_map(|ClosedSession { window, payload, .. }| payload.iter().map(|id| (*window, *id)))
            .collect();
        let store = &self.groups.store;
        results.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| keys::compare(store.key(a.1), store.key(b.1))));
        for (window, id) in results {
            let scaled = Some((window, Scale::Time));
            let store = &self.groups.store;
            work.results.write(scaled, store.key(id), &store.table, id, out.buffer());
            out.end_result();
            work.settle(store.table.lines(id as usize), out);
            self.groups.remove(id, &mut work.budget);
        }
    }

    /// Gives the entries that changed: of each group, what it knows of its session, and its state.
    pub fn save(&mut self, to: &mut Changes) {
        let Sessions { groups, spans, open, .. } = self;
        let all = open.iter_mut().flat_map(|session| session.payload.iter().copied());
        groups.save(Scale::Time, all, to, |store, id, out| {
            let span = spans[id as usize];
            for (before, time_ms) in [(b'[', span.start_ms), (b',', span.end_ms)] {
                out.push(before);
                write_signed(time_ms, out);
            }
            out.push(b',');
            store.save(id, out);
            out.push(b']');
        });
    }

    /// Takes one entry.
    ///
    /// # Errors
    /// `Stop` at the limit of groups, or when the entry is damaged.
    pub fn load(&mut self, name: &str, value: &[u8], work: &mut Work) -> Result<(), Fault> {
        let (named, key) = entry_name::split(name).ok_or_else(|| Error::damaged_entry(name))?;
        let named = entry_name::parse_span(named, Scale::Time).ok_or_else(|| Error::damaged_entry(name))?;
        let from = &mut StateReader::new(value);
        let span = read_span(from).ok_or_else(|| Error::damaged_entry(name))?;
        let id = self.groups.insert(key.as_bytes(), named, &mut work.budget)?;
        work.hold(self.groups.store.load(id, from)?);
        from.literal(b"]").and_then(|()| from.end()).ok_or_else(|| Error::damaged_entry(name))?;
        self.set_span(id, span);
        keys::part(key.as_bytes(), &self.cells, &mut self.key);
        let joined = self.open.join(self.key.as_slice(), span, Vec::new, |into, from| into.extend(from));
        joined.map_err(Error::data)?.1.push(id);
        Ok(())
    }

    /// All is loaded: sessions are whole now, and their groups can be sorted.
    ///
    /// # Errors
    /// Two groups of one key in a session.
    pub fn loaded(&mut self) -> Result<(), Error> {
        let store = &self.groups.store;
        for session in self.open.iter_mut() {
            let members = &mut session.payload;
            members.sort_unstable_by(|a, b| store.key(*a).cmp(store.key(*b)));
            if let Some(pair) = members.windows(2).find(|pair| store.key(pair[0]) == store.key(pair[1])) {
                return Err(Error::damaged_entry(&keys::text(store.key(pair[0]))));
            }
        }
        Ok(())
    }
}

/// `[start,end,`
fn read_span(from: &mut StateReader<'_>) -> Option<Window> {
    from.literal(b"[")?;
    let start_ms = from.signed()?;
    from.literal(b",")?;
    let end_ms = from.signed()?;
    from.literal(b",")?;
    let length_ms = end_ms.checked_sub(start_ms)?;
    (length_ms > 0).then_some(Window::new(start_ms, end_ms))
}

/// Moves the groups of a later session into an earlier one.
fn merge(groups: &mut SpanGroups, earlier: &mut Members, later: Members, work: &mut Work) -> Result<(), Fault> {
    for id in later {
        match groups.find(earlier, groups.store.key(id)) {
            Ok(at) => {
                let into = earlier[at];
                groups.store.table.merge_within(into as usize, id as usize).map_err(stop)?;
                groups.store.tracking.touch(into);
                groups.remove(id, &mut work.budget);
            }
            Err(at) => earlier.insert(at, id),
        }
    }
    Ok(())
}
