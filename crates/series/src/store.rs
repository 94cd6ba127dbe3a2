//! Keeps a state for each series.

use event_time::format_rfc3339;
use keyed_state::{Expiry, Footprint, KeyLimit, SpillingKeyed, hash};
use millpipe::{Changes, Error, Facts, Out};
use sorted_runs::Scratch;
use units::ByteSize;
use values::state_text::{StateReader, write_signed};

const IN_ORDER: &str = "reorder --lateness puts lines into order, --late reject keeps such lines aside";

/// A state `V` for each key with the time of its last line; with `--ttl` keys are forgotten, with `--memory` the states of those
/// without a line for the longest time go to disk.
#[derive(Debug)]
pub struct SeriesStore<V> {
    series: SpillingKeyed<i64, V>,
    expiry: Option<Expiry<()>>,
}

/// What a line meets.
#[derive(Debug)]
pub enum Taken<'a, V> {
    /// The state of its key, to be changed, and the time of the line before it: its own time where the state is new.
    State {
        state: &'a mut V,
        before_ms: i64,
    },
    Late(Late),
}

/// Why a line is late.
#[derive(Clone, Copy, Debug)]
pub enum Late {
    /// The last line of its key has this time.
    BehindLast(i64),
    /// The lines of its key of this time have gone out.
    BehindPeers(i64),
    /// The last line of its key is in the same step.
    InLastStep,
    /// Lines as old as it are forgotten.
    MayBeForgotten,
}

impl Late {
    /// Does with the line what `--late` says.
    #[cold]
    pub fn tell(self, line: &[u8], time_ms: i64, out: &mut Out) {
        let time = format_rfc3339(time_ms);
        match self {
            Self::BehindLast(last_ms) => out.late_or_pass(
                line,
                format_args!("time {time} is late: the line before it of its key has {}", format_rfc3339(last_ms)),
                IN_ORDER,
            ),
            Self::BehindPeers(last_ms) => out.late_or_pass(
                line,
                format_args!("time {time} is late: its key has gone on from {}", format_rfc3339(last_ms)),
                IN_ORDER,
            ),
            Self::InLastStep => out.late_or_pass(
                line,
                format_args!("time {time} is in the same step as the line before it of its key"),
                "resample --every makes one line of each step; a shorter --every has more steps",
            ),
            Self::MayBeForgotten => out.late_or_pass(
                line,
                format_args!("time {time} is late: its key may be forgotten (--ttl)"),
                "a longer --ttl or --lateness remembers keys, --late reject keeps such lines aside",
            ),
        }
    }
}

impl<V: Default> SeriesStore<V> {
    #[must_use]
    pub fn new(keys: KeyLimit, ttl_ms: Option<i64>) -> Self {
        Self { series: SpillingKeyed::new(keys), expiry: ttl_ms.map(Expiry::new) }
    }

    /// Keeps about so much in memory, and the rest in the scratch: see [`SeriesStore::relieve`].
    ///
    /// # Errors
    /// When the scratch does not work.
    pub fn spill_to(&mut self, memory: ByteSize, scratch: Box<dyn Scratch>) -> Result<(), Error> {
        self.series.spill_to(memory, scratch)
    }

    /// Returns the state of a line's key, which `begin` makes for a key that is new, or whose last line is `--ttl` older: then
    /// it gets the state before, which is gone, if that was in memory. `read` reads a state that is on disk. The watermark is that
    /// of the lines before it.
    ///
    /// # Errors
    /// At the limit of keys; the disk's.
    #[inline]
    pub fn take(
        &mut self,
        key: &[u8],
        time_ms: i64,
        watermark_ms: Option<i64>,
        mut begin: impl FnMut(Option<&V>) -> V,
        read: impl FnOnce(&mut StateReader<'_>) -> Option<V>,
    ) -> Result<Taken<'_, V>, Error> {
        let over_ms = self.expiry.as_ref().map(|expiry| time_ms.saturating_add(expiry.within_ms()));
        if over_ms.zip(watermark_ms).is_some_and(|(over_ms, watermark_ms)| over_ms <= watermark_ms) {
            return Ok(Taken::Late(Late::MayBeForgotten));
        }
        let hash = hash(key);
        let id = match self.series.find(key, hash) {
            Some(id) => id,
            None => self.add(key, hash, time_ms, begin(None))?,
        };
        let last_ms = *self.series.head(id);
        if time_ms < last_ms {
            return Ok(Taken::Late(Late::BehindLast(last_ms)));
        }
        *self.series.change_head(id) = time_ms;
        let mut before_ms = last_ms;
        if self.expiry.as_ref().is_some_and(|expiry| time_ms >= last_ms.saturating_add(expiry.within_ms())) {
            let state = begin(self.series.value_in_memory(id));
            self.series.replace(id, state);
            before_ms = time_ms;
        }
        Ok(Taken::State { state: self.series.change(id, read)?, before_ms })
    }

    fn add(&mut self, key: &[u8], hash: u64, last_ms: i64, state: V) -> Result<u32, Error> {
        let id = self.series.insert(key, hash, last_ms, state)?;
        if let Some(expiry) = &mut self.expiry {
            expiry.push(last_ms, (), id);
        }
        Ok(id)
    }

    /// Sends states to disk if memory is short, after each line: `write` is that of [`SeriesStore::save`]; `left` gets each state
    /// before it goes.
    ///
    /// # Errors
    /// The disk's; when what finds the states takes all of the memory.
    #[inline]
    pub fn relieve(&mut self, write: impl FnMut(&V, &mut Vec<u8>), left: impl FnMut(&V)) -> Result<(), Error>
    where
        V: Footprint,
    {
        self.series.relieve(write, left)
    }

    /// Says, for those who watch a run, how many keys there are, and how much went to disk.
    pub fn facts(&self, to: &mut Facts) {
        to.insert("keys".to_owned(), self.series.len().into());
        if self.series.written().0 > 0 {
            to.insert("spilled_bytes".to_owned(), self.series.written().0.into());
        }
    }

    /// Tells people, at the end, what went to disk.
    pub fn report(&self, out: &mut Out) {
        let written = self.series.written();
        if written.0 > 0 {
            out.warn(format_args!("{written} of states went to disk"));
        }
    }

    /// Forgets the keys that are over at this watermark; `gone` gets the states that were in memory.
    pub fn forget(&mut self, watermark_ms: i64, mut gone: impl FnMut(V)) {
        let Some(expiry) = &mut self.expiry else { return };
        while let Some((time_ms, (), id)) = expiry.pop(watermark_ms) {
            let last_ms = *self.series.head(id);
            if last_ms == time_ms {
                self.series.remove(id).into_iter().for_each(&mut gone);
            } else {
                expiry.push(last_ms, (), id);
            }
        }
    }

    /// Gives what changed since the last call; `write` writes a state as JSON, or several
    /// values with commas between them.
    ///
    /// # Errors
    /// When a state cannot be read from disk.
    pub fn save(&mut self, to: &mut Changes, write: impl FnMut(&V, &mut Vec<u8>)) -> Result<(), Error> {
        self.series.save(to, write, |last_ms, out, state| {
            out.push(b'[');
            write_signed(*last_ms, out);
            out.push(b',');
            state(out);
            out.push(b']');
        })
    }

    /// Takes an entry of a checkpoint; `read` reads a state. [`SeriesStore::relieve`] has to be called after it.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn load(
        &mut self,
        name: &str,
        value: &[u8],
        read: impl FnOnce(&mut StateReader<'_>) -> Option<V>,
    ) -> Result<(), Error> {
        let id = self.series.load(name, value, |from| {
            from.literal(b"[")?;
            let last_ms = from.signed()?;
            from.literal(b",")?;
            let state = read(from)?;
            from.literal(b"]")?;
            Some((last_ms, state))
        })?;
        let last_ms = *self.series.head(id);
        if let Some(expiry) = &mut self.expiry {
            expiry.push(last_ms, (), id);
        }
        Ok(())
    }
}
