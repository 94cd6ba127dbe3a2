//! Keeps the series of all keys.

use keyed_state::{Expiry, KeyLimit, Keyed, hash};
use millpipe::{Changes, Error};
use series::{Late, Point};

use crate::series_state::{Finding, Judging, SeriesState};

/// All series, and with `--ttl` when they are forgotten.
pub struct Store {
    judging: Judging,
    series: Keyed<SeriesState>,
    expiry: Option<Expiry<()>>,
}

/// The outcome for a line.
#[derive(Debug)]
pub enum Taken {
    /// None for a line without a number.
    Found(Option<Finding>),
    Late(Late),
}

impl Store {
    pub fn new(judging: Judging, keys: KeyLimit, ttl_ms: Option<i64>) -> Self {
        Self { judging, series: Keyed::new(keys), expiry: ttl_ms.map(Expiry::new) }
    }

    /// Takes a line; the watermark is that of the lines before it. A key whose last line is `--ttl` older begins anew.
    ///
    /// # Errors
    /// At the limit of keys.
    #[inline]
    pub fn take(&mut self, point: &Point<'_>, watermark_ms: Option<i64>) -> Result<Taken, Error> {
        let time_ms = point.time_ms;
        let over_ms = self.expiry.as_ref().map(|expiry| time_ms.saturating_add(expiry.within_ms()));
        if over_ms.zip(watermark_ms).is_some_and(|(over_ms, watermark_ms)| over_ms <= watermark_ms) {
            return Ok(Taken::Late(Late::MayBeForgotten));
        }
        let hash = hash(point.key);
        let id = match self.series.find(point.key, hash) {
            Some(id) => id,
            None => self.begin(point, hash)?,
        };
        let last_ms = self.series.get(id).last_ms();
        if time_ms < last_ms {
            return Ok(Taken::Late(Late::BehindLast(last_ms)));
        }
        let series = self.series.change(id);
        if self.expiry.as_ref().is_some_and(|expiry| time_ms >= last_ms.saturating_add(expiry.within_ms())) {
            *series = SeriesState::new(time_ms, &self.judging);
        }
        Ok(Taken::Found(series.take(time_ms, point.numbers, &self.judging)))
    }

    fn begin(&mut self, point: &Point<'_>, hash: u64) -> Result<u32, Error> {
        let series = SeriesState::new(point.time_ms, &self.judging);
        let id = self.series.insert(point.key, hash, series)?;
        if let Some(expiry) = &mut self.expiry {
            expiry.push(point.time_ms, (), id);
        }
        Ok(id)
    }

    /// Forgets the keys that are over at this watermark.
    pub fn forget(&mut self, watermark_ms: i64) {
        let Some(expiry) = &mut self.expiry else { return };
        while let Some((time_ms, (), id)) = expiry.pop(watermark_ms) {
            let last_ms = self.series.get(id).last_ms();
            if last_ms == time_ms {
                self.series.remove(id);
            } else {
                expiry.push(last_ms, (), id);
            }
        }
    }

    /// Gives what changed since the last call.
    pub fn save(&mut self, to: &mut Changes) {
        self.series.save(to, SeriesState::save);
    }

    /// Takes an entry of a checkpoint.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let judging = self.judging;
        let id = self.series.load(name, value, |from| SeriesState::load(from, &judging))?;
        let last_ms = self.series.get(id).last_ms();
        if let Some(expiry) = &mut self.expiry {
            expiry.push(last_ms, (), id);
        }
        Ok(())
    }
}
