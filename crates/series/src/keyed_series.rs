//! The state of each series, by key, in the order of its times.

use event_time::format_rfc3339;
use keyed_state::{Expiry, KeyLimit, Keyed, hash};
use millpipe::{Changes, Error, Out};
use values::state_text::{StateReader, write_signed};

use crate::Point;

/// A state for each key. With `--ttl` a key is forgotten when no line of it came for that long.
#[derive(Debug)]
pub struct KeyedSeries<S> {
    keyed: Keyed<Kept<S>>,
    expiry: Option<Expiry<()>>,
}

#[derive(Debug, Default)]
struct Kept<S> {
    last_ms: i64,
    state: S,
}

/// Why a line is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateLine {
    /// The last line of its key has this time.
    BeforeLast(i64),
    /// The last line of its key has this time, which is in the same step.
    InLastStep(i64),
    /// Lines as old as it are forgotten.
    MayBeForgotten,
}

impl<S: Default> KeyedSeries<S> {
    #[must_use]
    pub fn new(keys: KeyLimit, ttl_ms: Option<i64>) -> Self {
        Self { keyed: Keyed::new(keys), expiry: ttl_ms.map(Expiry::new) }
    }

    /// Lets `take` work with the state of a line's key: a new one (`begin`) if there is none, or if the last line of the key is
    /// `--ttl` older. It gives none, and leaves no trace, where the line is in the step of the last one. The watermark is that
    /// of the lines before it.
    ///
    /// # Errors
    /// At the limit of keys.
    #[inline]
    pub fn take<R>(
        &mut self,
        point: &Point<'_>,
        watermark_ms: Option<i64>,
        begin: impl Fn() -> S,
        take: impl FnOnce(&mut S) -> Option<R>,
    ) -> Result<Result<R, LateLine>, Error> {
        let time_ms = point.time_ms;
        let within_ms = self.expiry.as_ref().map(Expiry::within_ms);
        let over_ms = within_ms.map(|within_ms| time_ms.saturating_add(within_ms));
        if over_ms.zip(watermark_ms).is_some_and(|(over_ms, watermark_ms)| over_ms <= watermark_ms) {
            return Ok(Err(LateLine::MayBeForgotten));
        }
        let hash = hash(point.key);
        let id = match self.keyed.find(point.key, hash) {
            Some(id) => id,
            None => self.begin(point, hash, begin())?,
        };
        let last_ms = self.keyed.get(id).last_ms;
        if time_ms < last_ms {
            return Ok(Err(LateLine::BeforeLast(last_ms)));
        }
        let kept = self.keyed.change(id);
        if within_ms.is_some_and(|within_ms| time_ms >= last_ms.saturating_add(within_ms)) {
            kept.state = begin();
        }
        let Some(done) = take(&mut kept.state) else { return Ok(Err(LateLine::InLastStep(last_ms))) };
        kept.last_ms = time_ms;
        Ok(Ok(done))
    }

    fn begin(&mut self, point: &Point<'_>, hash: u64, state: S) -> Result<u32, Error> {
        let id = self.keyed.insert(point.key, hash, Kept { last_ms: point.time_ms, state })?;
        if let Some(expiry) = &mut self.expiry {
            expiry.push(point.time_ms, (), id);
        }
        Ok(id)
    }

    /// Forgets the keys that are over at this watermark.
    pub fn forget(&mut self, watermark_ms: i64) {
        let Some(expiry) = &mut self.expiry else { return };
        while let Some((time_ms, (), id)) = expiry.pop(watermark_ms) {
            let last_ms = self.keyed.get(id).last_ms;
            if last_ms == time_ms {
                self.keyed.remove(id);
            } else {
                expiry.push(last_ms, (), id);
            }
        }
    }

    /// Gives what changed since the last call: `[time of the last line,state]`.
    pub fn save(&mut self, to: &mut Changes, write: impl Fn(&S, &mut Vec<u8>)) {
        self.keyed.save(to, |kept, out| {
            out.push(b'[');
            write_signed(kept.last_ms, out);
            out.push(b',');
            write(&kept.state, out);
            out.push(b']');
        });
    }

    /// Takes an entry of a checkpoint.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn load(
        &mut self,
        name: &str,
        value: &[u8],
        read: impl Fn(&mut StateReader<'_>) -> Option<S>,
    ) -> Result<(), Error> {
        let id = self.keyed.load(name, value, |from| {
            from.literal(b"[")?;
            let last_ms = from.signed()?;
            from.literal(b",")?;
            let state = read(from)?;
            from.literal(b"]")?;
            Some(Kept { last_ms, state })
        })?;
        let last_ms = self.keyed.get(id).last_ms;
        if let Some(expiry) = &mut self.expiry {
            expiry.push(last_ms, (), id);
        }
        Ok(())
    }
}

impl LateLine {
    /// Sends a late line the way of `--late`.
    #[cold]
    pub fn tell(self, line: &[u8], time_ms: i64, out: &mut Out) {
        let time = format_rfc3339(time_ms);
        match self {
            LateLine::BeforeLast(last_ms) => out.late_or_pass(
                line,
                format_args!("time {time} is late: the line before it of its key has {}", format_rfc3339(last_ms)),
                "reorder --lateness puts lines into order, --late reject keeps such lines aside",
            ),
            LateLine::InLastStep(last_ms) => out.late_or_pass(
                line,
                format_args!("time {time} is not a step after {}, the last one of its key", format_rfc3339(last_ms)),
                "resample --every makes one line of each step; a shorter --every has more steps",
            ),
            LateLine::MayBeForgotten => out.late_or_pass(
                line,
                format_args!("time {time} is late: its key may be forgotten (--ttl)"),
                "a longer --ttl or --lateness remembers keys, --late reject keeps such lines aside",
            ),
        }
    }
}
