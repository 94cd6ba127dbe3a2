//! Sessions: per key, spans of time that grow together where they touch.

use crate::Window;
use foldhash::fast::RandomState;
use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::Hash;

/// One more session was to be opened than may be open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("more than {max} sessions are open")]
pub struct TooManySessions {
    pub max: usize,
}

/// A session that a watermark closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedSession<K, T> {
    pub window: Window,
    pub key: K,
    pub payload: T,
}

/// The open sessions of all keys, each with what was gathered in it.
///
/// Two spans of a key that overlap or lie end to start are one session. Joining takes constant
/// time, closing the logarithm of the number of open sessions.
#[derive(Debug, Clone)]
pub struct Sessions<K, T> {
    sessions_max: usize,
    open_count: usize,
    /// By id; ids of closed sessions are used again.
    slots: Vec<Option<ClosedSession<K, T>>>,
    vacant: Vec<usize>,
    /// The open sessions of a key, in time order. Looked up only, never walked.
    by_key: HashMap<K, Vec<usize>, RandomState>,
    /// One entry a session, with an end that it had once: it is brought up to date when it comes up.
    ends: BinaryHeap<Reverse<(i64, usize)>>,
}

impl<K: Clone + Eq + Hash + Ord, T> Sessions<K, T> {
    /// At most `sessions_max` may be open at once.
    pub fn new(sessions_max: usize) -> Self {
        Self {
            sessions_max,
            open_count: 0,
            slots: Vec::new(),
            vacant: Vec::new(),
            by_key: HashMap::default(),
            ends: BinaryHeap::new(),
        }
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open_count
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `span` would join an open session of `key`.
    pub fn touches<Q>(&self, key: &Q, span: Window) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let ids = self.by_key.get(key);
        ids.is_some_and(|ids| ids.iter().any(|id| self.span(*id).touches(span)))
    }

    /// Adds `span` to the sessions of `key` and returns the session that it is part of now, for
    /// the caller to add to its payload.
    ///
    /// A session of its own starts with `open()`. When it ties sessions together, `merge(earlier,
    /// later)` is called in time order.
    pub fn join<Q>(
        &mut self,
        key: &Q,
        span: Window,
        open: impl FnOnce() -> T,
        merge: impl FnMut(&mut T, T),
    ) -> Result<(Window, &mut T), TooManySessions>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let found = self.by_key.get(key).and_then(|ids| self.touching(ids, span));
        let id = match found {
            Some((first, count)) => self.extend(key, first, count, span, merge),
            None => self.open(key, span, open())?,
        };
        match &mut self.slots[id] {
            Some(session) => Ok((session.window, &mut session.payload)),
            None => unreachable!("a key names open sessions only"),
        }
    }

    /// The earliest end of an open session.
    pub fn next_end_ms(&mut self) -> Option<i64> {
        loop {
            let Reverse((end_ms, id)) = *self.ends.peek()?;
            match &self.slots[id] {
                Some(session) if session.window.end_ms == end_ms => return Some(end_ms),
                Some(session) => {
                    let end_ms = session.window.end_ms;
                    self.ends.pop();
                    self.ends.push(Reverse((end_ms, id)));
                }
                None => {
                    self.ends.pop();
                    self.vacant.push(id);
                }
            }
        }
    }

    /// Takes out the sessions that `watermark_ms` closes, by (end, start, key).
    pub fn close(&mut self, watermark_ms: i64) -> Vec<ClosedSession<K, T>> {
        let mut closed = Vec::new();
        while self.next_end_ms().is_some_and(|end_ms| watermark_ms >= end_ms - 1) {
            let Some(Reverse((_, id))) = self.ends.pop() else { break };
            if let Some(session) = self.slots[id].take() {
                self.vacant.push(id);
                self.open_count -= 1;
                self.forget(&session.key, id);
                closed.push(session);
            }
        }
        closed.sort_by(|a, b| (a.window, &a.key).cmp(&(b.window, &b.key)));
        closed
    }

    /// All open sessions, in no order that means something. Their windows and keys must stay.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut ClosedSession<K, T>> {
        self.slots.iter_mut().flatten()
    }

    /// The open session of `key` that `is_it` knows by its payload.
    pub fn find_mut<Q>(&mut self, key: &Q, is_it: impl Fn(&T) -> bool) -> Option<&mut ClosedSession<K, T>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Self { slots, by_key, .. } = self;
        let fits = |id: &&usize| slots[**id].as_ref().is_some_and(|session| is_it(&session.payload));
        let id = *by_key.get(key)?.iter().find(fits)?;
        slots[id].as_mut()
    }

    fn span(&self, id: usize) -> Window {
        self.slots[id].as_ref().map_or(Window::new(0, 0), |session| session.window)
    }

    /// Where in `ids` the sessions are that `span` touches: they lie side by side.
    fn touching(&self, ids: &[usize], span: Window) -> Option<(usize, usize)> {
        let first = ids.iter().position(|id| self.span(*id).touches(span))?;
        let rest = ids[first..].iter();
        Some((first, rest.take_while(|id| self.span(**id).touches(span)).count()))
    }

    fn extend<Q>(
        &mut self,
        key: &Q,
        first: usize,
        count: usize,
        span: Window,
        mut merge: impl FnMut(&mut T, T),
    ) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Some(ids) = self.by_key.get_mut(key) else { unreachable!("the caller found it there") };
        let into = ids[first];
        let later: Vec<usize> = ids.drain(first + 1..first + count).collect();
        for id in later {
            // The slot stays empty until its entry in `ends` comes up, so that none has two.
            let from = self.slots[id].take();
            if let (Some(into), Some(from)) = (&mut self.slots[into], from) {
                into.window = into.window.union(from.window);
                merge(&mut into.payload, from.payload);
                self.open_count -= 1;
            }
        }
        if let Some(session) = &mut self.slots[into] {
            session.window = session.window.union(span);
        }
        into
    }

    fn open<Q>(&mut self, key: &Q, window: Window, payload: T) -> Result<usize, TooManySessions>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        if self.len() >= self.sessions_max {
            return Err(TooManySessions { max: self.sessions_max });
        }
        let session = Some(ClosedSession { window, key: key.to_owned(), payload });
        let id = match self.vacant.pop() {
            Some(id) => {
                self.slots[id] = session;
                id
            }
            None => {
                self.slots.push(session);
                self.slots.len() - 1
            }
        };
        self.open_count += 1;
        self.ends.push(Reverse((window.end_ms, id)));
        let mut ids = self.by_key.remove(key).unwrap_or_default();
        let place = ids.partition_point(|other| self.span(*other).start_ms < window.start_ms);
        ids.insert(place, id);
        self.by_key.insert(key.to_owned(), ids);
        Ok(id)
    }

    fn forget(&mut self, key: &K, id: usize) {
        if let Some(ids) = self.by_key.get_mut(key) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_key.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
