//! Lines without windows: one group a key, for the whole input.

use millpipe::{Fault, Out};

use crate::groups::{Groups, Taken};
use crate::job::{Emit, Overflow};
use crate::keys;
use crate::recency::Recency;
use crate::work::Work;

/// The running groups.
#[derive(Debug, Default)]
pub struct Running {
    pub groups: Groups,
    pub recency: Recency,
    /// Of each group: the clock at its last line, and its lines since its results were written.
    pub touched_ms: Vec<i64>,
    pub pending: Vec<u64>,
    /// Groups with pending lines, and some that had.
    pub changed: Vec<u32>,
    /// Event time (a watermark or the latest `--time`), else processing time.
    pub clock_ms: Option<i64>,
    /// When results are written next.
    pub tick_ms: Option<i64>,
}

impl Running {
    /// # Errors
    /// `Stop` at a limit.
    pub fn line(&mut self, taken: &Taken<'_>, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        let id = self.group(taken, work, out)?;
        self.groups.store.update(&work.job, id, taken)?;
        self.touched_ms[id as usize] = self.clock_ms.unwrap_or(i64::MIN);
        self.recency.touch(id);
        if work.job.emit == Emit::Update {
            self.write(id, work, out);
            out.settle(1);
            return Ok(());
        }
        work.held += 1;
        if self.pending[id as usize] == 0 {
            self.changed.push(id);
        }
        self.pending[id as usize] += 1;
        Ok(())
    }

    fn group(&mut self, taken: &Taken<'_>, work: &mut Work, out: &mut Out) -> Result<u32, Fault> {
        if let Some(id) = self.groups.find(taken.key) {
            return Ok(id);
        }
        if work.budget.is_spent()
            && work.job.overflow == Overflow::EvictOldest
            && let Some(oldest) = self.recency.oldest()
        {
            self.forget(oldest, work, out);
        }
        let id = self.groups.find_or_insert(&work.job, taken.key, &mut work.budget)?;
        self.adopt(id);
        Ok(id)
    }

    /// Prepares the columns of a new group.
    pub fn adopt(&mut self, id: u32) {
        let len = self.pending.len().max(id as usize + 1);
        self.pending.resize(len, 0);
        self.touched_ms.resize(len, i64::MIN);
        self.recency.push(id);
    }

    /// A group out of a snapshot has lines whose results are still to be written.
    pub fn restore_pending(&mut self, id: u32, pending: u64) {
        self.pending[id as usize] = pending;
        if pending > 0 {
            self.changed.push(id);
        }
    }

    /// The clock has come to `now_ms`: writes what is due and forgets keys beyond their time. It never goes back.
    pub fn advance(&mut self, now_ms: i64, work: &mut Work, out: &mut Out) {
        let now_ms = self.clock_ms.map_or(now_ms, |clock| clock.max(now_ms));
        self.clock_ms = Some(now_ms);
        if let Emit::Every(every_ms) = work.job.emit {
            let next = (now_ms.div_euclid(every_ms) + 1) * every_ms;
            match self.tick_ms {
                Some(tick) if tick <= now_ms => {
                    self.write_changed(work, out);
                    self.tick_ms = Some(next);
                }
                Some(_) => {}
                None => self.tick_ms = Some(next),
            }
        }
        while let Some(ttl_ms) = work.job.ttl_ms
            && let Some(oldest) = self.recency.oldest()
            && self.touched_ms[oldest as usize].saturating_add(ttl_ms) <= now_ms
        {
            self.forget(oldest, work, out);
        }
    }

    /// When the clock is wanted next, if it is the processing time.
    pub fn wake_at(&self, work: &Work) -> Option<i64> {
        let oldest = self.recency.oldest();
        let expiry = oldest.zip(work.job.ttl_ms).map(|(id, ttl)| self.touched_ms[id as usize].saturating_add(ttl));
        [self.tick_ms, expiry].into_iter().flatten().min()
    }

    /// Writes the groups that changed since they were written last, keys in order.
    pub fn write_changed(&mut self, work: &mut Work, out: &mut Out) {
        let mut changed = std::mem::take(&mut self.changed);
        changed.retain(|id| self.pending[*id as usize] > 0);
        let store = &self.groups.store;
        changed.sort_unstable_by(|a, b| keys::compare(store.key(*a), store.key(*b)));
        for id in changed.drain(..) {
            self.write_pending(id, work, out);
        }
        self.changed = changed;
    }

    /// Writes a group whose results are not written yet.
    fn write_pending(&mut self, id: u32, work: &mut Work, out: &mut Out) {
        let lines = std::mem::take(&mut self.pending[id as usize]);
        if lines > 0 {
            self.write(id, work, out);
            work.settle(lines, out);
        }
    }

    fn write(&mut self, id: u32, work: &mut Work, out: &mut Out) {
        let store = &self.groups.store;
        work.results.write(&work.job, None, store.key(id), &store.table, id, out.buffer());
        out.end_result();
    }

    fn forget(&mut self, id: u32, work: &mut Work, out: &mut Out) {
        self.write_pending(id, work, out);
        self.recency.remove(id);
        self.groups.remove(&work.job, id, &mut work.budget);
    }
}
