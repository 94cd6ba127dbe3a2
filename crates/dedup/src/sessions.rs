//! The lines of one key as sessions: in one, each line comes less than `--within` after the one before.
//!
//! What is kept of a session is when it begins and its last line, for no other one can come out. A line that joins
//! two sessions makes them one, so that the order of arrival makes no difference.

use json_fields::write_string;
use smallvec::SmallVec;
use values::state_text::{StateReader, write_number, write_signed};

use crate::taken::Taken;

/// A session, by its last line.
#[derive(Debug)]
pub struct Session {
    start_ms: i64,
    time_ms: i64,
    sequence: u64,
    line: Box<[u8]>,
}

impl Session {
    /// By time, and of equal times by arrival.
    pub fn order(&self) -> (i64, u64) {
        (self.time_ms, self.sequence)
    }

    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.line.len()
    }
}

/// The sessions of one key, by time. Nearly every key has one: it stands with the key.
#[derive(Debug, Default)]
pub struct Sessions(SmallVec<[Session; 1]>);

/// How many sessions a line belongs to: it has made one of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    None,
    One,
    Two,
}

impl Sessions {
    /// Takes a line in, of which no session was written yet that it could belong to.
    pub fn take(&mut self, taken: &Taken<'_>, within_ms: i64) -> Joined {
        let Taken { line, time_ms, sequence, .. } = *taken;
        let at = self.0.partition_point(|session| session.time_ms <= time_ms);
        let earlier = at.checked_sub(1).filter(|i| time_ms < self.0[*i].time_ms.saturating_add(within_ms));
        let is_before_later = self.0.get(at).is_some_and(|later| later.start_ms < time_ms.saturating_add(within_ms));
        match (earlier, is_before_later) {
            (None, false) => {
                self.0.insert(at, Session { start_ms: time_ms, time_ms, sequence, line: line.into() });
                Joined::None
            }
            (Some(i), false) => {
                let start_ms = self.0[i].start_ms;
                self.0[i] = Session { start_ms, time_ms, sequence, line: line.into() };
                Joined::One
            }
            (None, true) => {
                self.0[at].start_ms = self.0[at].start_ms.min(time_ms);
                Joined::One
            }
            (Some(i), true) => {
                self.0[at].start_ms = self.0[i].start_ms;
                self.0.remove(i);
                Joined::Two
            }
        }
    }

    pub fn first(&self) -> Option<(i64, u64)> {
        self.0.first().map(Session::order)
    }

    pub fn take_first(&mut self) -> Session {
        self.0.remove(0)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn bytes(&self) -> usize {
        self.0.iter().map(Session::bytes).sum()
    }

    pub fn into_inner(self) -> impl Iterator<Item = Session> {
        self.0.into_iter()
    }

    pub fn save(&self, to: &mut Vec<u8>) {
        for (i, session) in self.0.iter().enumerate() {
            to.extend_from_slice(if i == 0 { b"[[" } else { b",[" });
            write_signed(session.start_ms, to);
            to.push(b',');
            write_signed(session.time_ms, to);
            to.push(b',');
            write_number(session.sequence, to);
            to.push(b',');
            // Lines were scanned: they are UTF-8.
            write_string(&String::from_utf8_lossy(&session.line), to);
            to.push(b']');
        }
        to.push(b']');
    }

    pub fn load(from: &mut StateReader<'_>) -> Option<Sessions> {
        let mut sessions = SmallVec::<[Session; 1]>::new();
        from.items(|from| {
            from.literal(b"[")?;
            let start_ms = from.signed()?;
            from.literal(b",")?;
            let time_ms = from.signed()?;
            from.literal(b",")?;
            let sequence = from.number()?;
            from.literal(b",")?;
            let line = from.string()?.into_owned().into_boxed_slice();
            sessions.push(Session { start_ms, time_ms, sequence, line });
            from.literal(b"]")
        })?;
        let in_order = !sessions.is_empty()
            && sessions.is_sorted_by(|a, b| a.time_ms < b.start_ms)
            && sessions.iter().all(|session| session.start_ms <= session.time_ms);
        in_order.then_some(Sessions(sessions))
    }
}
