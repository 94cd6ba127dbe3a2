//! Keys with their latest lines, which wait to be final.

use keyed_state::{BufferLimit, Expiry, KeyLimit, Keyed, hash};
use millpipe::{Changes, Error, Fault, Out};

use crate::sessions::{Joined, Session, Sessions};
use crate::taken::Taken;

/// The latest line of each key, or of each of its sessions.
pub struct Latest {
    keys: Keyed<Sessions>,
    /// A key has its place at its first session.
    expiry: Option<Expiry<u64>>,
    buffer: BufferLimit,
    bytes: usize,
    lines: u64,
}

impl Latest {
    pub fn new(within_ms: Option<i64>, keys: KeyLimit, buffer: BufferLimit) -> Latest {
        Latest { keys: Keyed::new(keys), expiry: within_ms.map(Expiry::new), buffer, bytes: 0, lines: 0 }
    }

    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Takes a line in, and says how many are left out for it: this one or others of its key.
    ///
    /// # Errors
    /// `Stop` at a limit.
    pub fn take(&mut self, taken: &Taken<'_>) -> Result<u64, Fault> {
        let hash = hash(taken.key);
        let id = match self.keys.find(taken.key, hash) {
            Some(id) => id,
            None => self.keys.insert(taken.key, hash, Sessions::default())?,
        };
        let within_ms = self.expiry.as_ref().map_or(i64::MAX, Expiry::within_ms);
        let sessions = self.keys.change(id);
        let bytes_before = sessions.bytes();
        let joined = sessions.take(taken, within_ms);
        self.bytes = self.bytes - bytes_before + sessions.bytes();
        self.buffer.check(self.bytes)?;
        let left_out = match joined {
            Joined::None => 0,
            Joined::One => 1,
            Joined::Two => 2,
        };
        if joined == Joined::None && sessions.first() == Some((taken.time_ms, taken.sequence)) {
            self.place(id);
        }
        self.lines = self.lines + 1 - left_out;
        Ok(left_out)
    }

    fn place(&mut self, id: u32) {
        if let Some(expiry) = &mut self.expiry
            && let Some((time_ms, sequence)) = self.keys.get(id).first()
        {
            expiry.push(time_ms, sequence, id);
        }
    }

    /// Writes the lines that are final, in the order of their times.
    pub fn advance(&mut self, watermark_ms: i64, out: &mut Out) {
        while let Some((time_ms, sequence, id)) = self.expiry.as_mut().and_then(|expiry| expiry.pop(watermark_ms)) {
            let sessions = self.keys.get(id);
            if sessions.first() == Some((time_ms, sequence)) {
                let is_last = sessions.len() == 1;
                let sessions = if is_last { &mut self.keys.remove(id) } else { self.keys.change(id) };
                let session = sessions.take_first();
                self.bytes -= session.bytes();
                self.lines -= 1;
                out.line(session.line());
            }
            self.place(id);
        }
    }

    /// The input is finished: all are final.
    pub fn end(&mut self, out: &mut Out) {
        let ids: Vec<u32> = self.keys.ids().collect();
        let mut sessions: Vec<Session> = ids.into_iter().flat_map(|id| self.keys.remove(id).into_inner()).collect();
        sessions.sort_unstable_by_key(Session::order);
        sessions.iter().for_each(|session| out.line(session.line()));
        (self.bytes, self.lines) = (0, 0);
        if let Some(expiry) = &mut self.expiry {
            expiry.clear();
        }
    }

    pub fn lines(&self) -> u64 {
        self.lines
    }

    pub fn save(&mut self, to: &mut Changes) {
        self.keys.save(to, Sessions::save);
    }

    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let id = self.keys.load(name, value, Sessions::load)?;
        let sessions = self.keys.get(id);
        self.bytes += sessions.bytes();
        self.lines += sessions.len() as u64;
        self.place(id);
        Ok(())
    }
}
