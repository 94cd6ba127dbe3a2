//! Sessions: each line brings a span, spans of a key that touch are one session.

use event_time::{ClosedSession, Window};
use millpipe::{Error, Fault, Out};

use crate::groups::{Store, Taken, stop};
use crate::keys;
use crate::results::Scale;
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
    pub store: Store,
    pub open: event_time::Sessions<Vec<u8>, Members>,
    key: Vec<u8>,
}

impl Sessions {
    pub fn new(cells: Vec<usize>, sessions_max: usize) -> Sessions {
        let open = event_time::Sessions::new(sessions_max);
        Sessions { cells, store: Store::default(), open, key: Vec::new() }
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
        let id = self.join(span, taken.key, work)?;
        self.store.update(&work.job, id, taken)?;
        work.held += 1;
        Ok(())
    }

    /// The group of a line in the session that its span joins; sessions that it ties together are merged.
    fn join(&mut self, span: Window, key: &[u8], work: &mut Work) -> Result<u32, Fault> {
        let Sessions { store, open, key: session_key, .. } = self;
        let mut failed = None;
        let merge = |earlier: &mut Members, later: Members| {
            if let Err(fault) = merge(store, earlier, later, work) {
                failed.get_or_insert(fault);
            }
        };
        let joined = open.join(session_key.as_slice(), span, Vec::new, merge);
        let (_, members) = joined.map_err(|error| {
            Error::data(error).hint("--max-keys N allows more; a smaller gap closes sessions sooner")
        })?;
        if let Some(fault) = failed {
            return Err(fault);
        }
        match find(store, members, key) {
            Ok(at) => Ok(members[at]),
            Err(at) => {
                let id = store.insert(&work.job, key, &mut work.budget)?;
                members.insert(at, id);
                Ok(id)
            }
        }
    }

    /// Writes and forgets the sessions that the watermark closes; without one, all.
    pub fn close(&mut self, watermark_ms: Option<i64>, work: &mut Work, out: &mut Out) {
        let closed = self.open.close(watermark_ms.unwrap_or(i64::MAX));
        let mut results: Vec<(Window, u32)> = closed
            .iter()
            .flat_map(|ClosedSession { window, payload, .. }| payload.iter().map(|id| (*window, *id)))
            .collect();
        let store = &mut self.store;
        results.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| keys::compare(store.key(a.1), store.key(b.1))));
        for (window, id) in results {
            let scaled = Some((window, Scale::Time));
            work.results.write(&work.job, scaled, store.key(id), &store.table, id, out.buffer());
            out.end_result();
            work.settle(store.table.lines(id as usize), out);
            store.remove(&work.job, id, &mut work.budget);
        }
    }
}

fn find(store: &Store, members: &[u32], key: &[u8]) -> Result<usize, usize> {
    members.binary_search_by(|id| store.key(*id).cmp(key))
}

/// Moves the groups of a later session into an earlier one.
fn merge(store: &mut Store, earlier: &mut Members, later: Members, work: &mut Work) -> Result<(), Fault> {
    for id in later {
        let at = find(store, earlier, store.key(id));
        match at {
            Ok(at) => {
                store.table.merge_within(&work.job.plan, earlier[at] as usize, id as usize).map_err(stop)?;
                store.remove(&work.job, id, &mut work.budget);
            }
            Err(at) => earlier.insert(at, id),
        }
    }
    Ok(())
}
