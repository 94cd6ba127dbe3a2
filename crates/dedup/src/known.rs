//! Keys with the time of the line that they are known by; the lines are not kept.

use keyed_state::{Expiry, KeyLimit, Keyed, hash};
use millpipe::{Changes, Error, Fault};
use values::state_text::write_signed;

use crate::taken::Taken;

/// Says of each line whether it passes.
pub struct Known {
    times: Keyed<i64>,
    expiry: Option<Expiry<()>>,
    /// The latest line of a key passes, not the first.
    wants_latest: bool,
}

impl Known {
    pub fn first(within_ms: Option<i64>, keys: KeyLimit) -> Known {
        Known { times: Keyed::new(keys), expiry: within_ms.map(Expiry::new), wants_latest: false }
    }

    pub fn last(within_ms: Option<i64>, keys: KeyLimit) -> Known {
        Known { wants_latest: true, ..Known::first(within_ms, keys) }
    }

    pub fn keys(&self) -> usize {
        self.times.len()
    }

    /// Whether the line passes; its key is known by it then.
    ///
    /// # Errors
    /// `Stop` at the limit of keys.
    pub fn takes(&mut self, taken: &Taken<'_>) -> Result<bool, Fault> {
        let hash = hash(taken.key);
        let Some(id) = self.times.find(taken.key, hash) else {
            let id = self.times.insert(taken.key, hash, taken.time_ms)?;
            self.push(taken.time_ms, id);
            return Ok(true);
        };
        let known_ms = *self.times.get(id);
        let passes = match &self.expiry {
            _ if self.wants_latest => taken.time_ms >= known_ms,
            Some(expiry) => taken.time_ms >= known_ms.saturating_add(expiry.within_ms()),
            None => false,
        };
        if passes && taken.time_ms != known_ms {
            *self.times.change(id) = taken.time_ms;
        }
        Ok(passes)
    }

    fn push(&mut self, time_ms: i64, id: u32) {
        if let Some(expiry) = &mut self.expiry {
            expiry.push(time_ms, (), id);
        }
    }

    /// Forgets what is over.
    pub fn advance(&mut self, watermark_ms: i64) {
        while let Some((time_ms, (), id)) = self.expiry.as_mut().and_then(|expiry| expiry.pop(watermark_ms)) {
            let now_ms = *self.times.get(id);
            if now_ms == time_ms {
                self.times.remove(id);
            } else {
                self.push(now_ms, id);
            }
        }
    }

    pub fn save(&mut self, to: &mut Changes) {
        self.times.save(to, |time_ms, out| write_signed(*time_ms, out));
    }

    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let id = self.times.load(name, value, |from| from.signed())?;
        let time_ms = *self.times.get(id);
        self.push(time_ms, id);
        Ok(())
    }
}
