//! Lines without windows: one group a key, for the whole input.

use event_time::Window;
use keyed_state::hash;
use millpipe::{Changes, Error, Fault, Out};
use values::state_text::{StateReader, write_number, write_signed, write_text};

use crate::changes::Written;
use crate::groups::{Groups, Taken, was_not_there};
use crate::job::{Emit, Job, Overflow};
use crate::key_order;
use crate::keys;
use crate::recency::Recency;
use crate::results::BLOCK;
use crate::work::Work;
use values::KeyText;

/// The running groups.
#[derive(Debug)]
pub struct Running {
    pub groups: Groups,
    /// Kept only where keys are forgotten by it.
    recency: Recency,
    last: Vec<Last>,
    /// Groups with pending lines, and some that had.
    changed: Vec<u32>,
    /// The results of all lines before this number are written.
    pub written: u64,
    /// Event time (a watermark or the latest `--time`), else processing time.
    pub clock_ms: Option<i64>,
    /// When results are written next.
    pub tick_ms: Option<i64>,
    /// Keys that the last checkpoint has and that are forgotten.
    removed: Vec<KeyText>,
    /// The line that comes takes back an earlier one.
    pub is_taken_back: bool,
    /// With `--changes`.
    written_texts: Written,
}

/// What groups without windows are called in a run.
const EVERYTHING: Window = Window::new(i64::MIN, i64::MAX);

/// A group's last line.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    sequence: u64,
    /// Its clock, once there is one.
    clock_ms: Option<i64>,
    /// The group's lines, up to it, whose results were not written before it.
    pending: u64,
}

impl Running {
    pub fn new(job: &Job) -> Running {
        Running {
            groups: Groups::new(&job.plan),
            recency: Recency::default(),
            last: Vec::new(),
            changed: Vec::new(),
            written: 0,
            clock_ms: None,
            tick_ms: None,
            removed: Vec::new(),
            is_taken_back: false,
            written_texts: Written::new(job.members.clone()),
        }
    }

    /// Groups to be loaded, with what the head of a snapshot says of them. A tick of another `--emit` is of no use.
    pub fn resume(job: &Job, clock_ms: Option<i64>, tick_ms: Option<i64>, written: u64, groups: usize) -> Running {
        let tick_ms = tick_ms.filter(|tick| matches!(job.emit, Emit::Every(every_ms) if tick % every_ms == 0));
        let mut running = Running { clock_ms, tick_ms, written, ..Running::new(job) };
        running.groups.reserve(groups);
        running
    }

    /// # Errors
    /// `Stop` at a limit.
    pub fn line(&mut self, taken: &Taken<'_>, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        if self.is_taken_back {
            return self.take_back(taken, work, out);
        }
        let id = self.group(taken, work, out)?;
        self.groups.store.update(id, taken)?;
        self.changed(id, taken, work, out);
        Ok(())
    }

    /// A line takes back an earlier one; a key without lines is gone.
    #[inline(never)]
    fn take_back(&mut self, taken: &Taken<'_>, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        let id = self.groups.find(taken.key).ok_or_else(was_not_there)?;
        self.groups.store.take_back(id, taken)?;
        if self.groups.store.table.lines(id as usize) > 0 {
            self.changed(id, taken, work, out);
            return Ok(());
        }
        work.take(taken.line, out);
        work.settle(self.pending(id) + 1, out);
        if work.job.writes_changes {
            self.written_texts.delete((id, taken.key), out);
        }
        if work.job.forgets_oldest() {
            self.recency.remove(id);
        }
        self.last[id as usize] = Last::default();
        self.removed.extend(self.groups.remove(id, &mut work.budget));
        Ok(())
    }

    /// A line has changed a group: its results are written now or later.
    #[inline]
    fn changed(&mut self, id: u32, taken: &Taken<'_>, work: &mut Work, out: &mut Out) {
        if work.job.forgets_oldest() {
            self.recency.touch(id);
        }
        let pending = self.pending(id);
        let waits = work.job.emit != Emit::Update;
        let last = Last { sequence: taken.sequence, clock_ms: self.clock_ms, pending: pending + u64::from(waits) };
        self.last[id as usize] = last;
        work.take(taken.line, out);
        if !waits {
            work.settle(1, out);
            self.write(id, work, out);
        } else if pending == 0 {
            self.changed.push(id);
        }
    }

    /// A group's lines whose results are still to be written.
    fn pending(&self, id: u32) -> u64 {
        let last = self.last[id as usize];
        if last.sequence < self.written { 0 } else { last.pending }
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
        let id = self.groups.find_or_insert(taken.key, hash(taken.key), &mut work.budget)?;
        self.set_last(id, Last::default());
        if work.job.forgets_oldest() {
            self.recency.push(id);
        }
        Ok(id)
    }

    fn set_last(&mut self, id: u32, last: Last) {
        let len = self.last.len().max(id as usize + 1);
        self.last.resize(len, last);
        self.last[id as usize] = last;
    }

    /// The clock has come to `now_ms`: writes what is due and forgets keys beyond their time. It never goes back.
    pub fn advance(&mut self, now_ms: i64, work: &mut Work, out: &mut Out) {
        let now_ms = self.clock_ms.map_or(now_ms, |clock| clock.max(now_ms));
        if self.clock_ms.is_none() && work.job.ttl_ms.is_some() {
            self.start_clock(now_ms);
        }
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
            && self.expiry(oldest, ttl_ms).is_some_and(|expiry| expiry <= now_ms)
        {
            self.forget(oldest, work, out);
        }
    }

    /// Lines that came before the clock are as old as it.
    fn start_clock(&mut self, now_ms: i64) {
        for id in self.recency.iter() {
            self.last[id as usize].clock_ms = Some(now_ms);
            self.groups.store.tracking.touch(id);
        }
    }

    fn expiry(&self, id: u32, ttl_ms: i64) -> Option<i64> {
        self.last[id as usize].clock_ms.map(|clock_ms| clock_ms.saturating_add(ttl_ms))
    }

    /// When the clock is wanted next, if it is the processing time.
    pub fn wake_at(&self, work: &Work) -> Option<i64> {
        let oldest = self.recency.oldest();
        let expiry = oldest.zip(work.job.ttl_ms).and_then(|(id, ttl_ms)| self.expiry(id, ttl_ms));
        [self.tick_ms, expiry].into_iter().flatten().min()
    }

    /// Writes the groups that changed since they were written last, keys in order.
    pub fn write_changed(&mut self, work: &mut Work, out: &mut Out) {
        let mut changed = std::mem::take(&mut self.changed);
        changed.retain(|id| self.pending(*id) > 0);
        let mut in_order = self.in_order(&changed);
        // A number that was used again may stand there twice.
        in_order.dedup();
        for block in in_order.chunks(BLOCK) {
            self.groups.store.touch_all(block);
            for id in block {
                self.write(*id, work, out);
                work.settle(self.pending(*id), out);
            }
        }
        changed.clear();
        self.changed = changed;
        self.written = work.sequence;
    }

    /// The groups of these numbers in the order of their keys; those of one number stand side by side.
    fn in_order(&self, ids: &[u32]) -> Vec<u32> {
        let store = &self.groups.store;
        key_order::sorted(ids.len() as u32, |at| store.key(ids[at as usize])).map(|at| ids[at as usize]).collect()
    }

    fn write(&mut self, id: u32, work: &mut Work, out: &mut Out) {
        let store = &self.groups.store;
        if work.job.writes_changes {
            let write = |text: &mut Vec<u8>| work.results.write_results(&store.table, id, text);
            if self.written_texts.write((id, store.key(id)), write, out) {
                self.groups.store.tracking.touch(id);
            }
            return;
        }
        work.results.write(None, store.key(id), &store.table, id, out.buffer());
        out.end_result();
    }

    /// What all groups take in memory, about.
    pub fn bytes(&self) -> usize {
        self.groups.bytes() + self.groups.len() * (size_of::<Last>() + size_of::<u32>())
    }

    /// Sends all groups to disk: their keys begin anew. With `--emit end` only, where nobody asks for the last lines.
    ///
    /// # Errors
    /// `Stop` when that fails.
    pub fn spill(&mut self, work: &mut Work) -> Result<(), Fault> {
        let Some(spill) = &mut work.spill else { return Ok(()) };
        let groups = std::mem::replace(&mut self.groups, Groups::new(&work.job.plan));
        (self.last, self.changed) = (Vec::new(), Vec::new());
        let mut run = spill.begin()?;
        spill.put((EVERYTHING, 0), &groups, &mut run, false)?;
        work.budget.open -= groups.len();
        spill.finish(run)
    }

    /// The end of the input: writes what was not written.
    ///
    /// # Errors
    /// `Stop` when groups are on disk and cannot be read.
    pub fn end(&mut self, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        if !work.spill.as_ref().is_some_and(|spill| spill.has(EVERYTHING)) {
            self.write_changed(work, out);
            return Ok(());
        }
        self.spill(work)?;
        if let Some(spill) = &mut work.spill {
            spill.write_results(&[EVERYTHING], None, &mut work.results, out)?;
            spill.forget(EVERYTHING)?;
        }
        work.settle(work.held, out);
        Ok(())
    }

    fn forget(&mut self, id: u32, work: &mut Work, out: &mut Out) {
        let pending = self.pending(id);
        if pending > 0 {
            self.write(id, work, out);
            work.settle(pending, out);
        }
        self.last[id as usize] = Last::default();
        self.recency.remove(id);
        self.removed.extend(self.groups.remove(id, &mut work.budget));
    }

    /// Gives the entries that changed: the key with its last line and its state.
    pub fn save(&mut self, work: &Work, to: &mut Changes) {
        self.removed.drain(..).for_each(|key| to.remove(&keys::text(key.as_bytes())));
        for id in self.groups.take_changed() {
            let store = &self.groups.store;
            let last = self.last[id as usize];
            to.put(&keys::text(store.key(id)), |out| {
                write_last(last, out);
                if work.job.writes_changes {
                    match self.written_texts.get(id) {
                        Some(text) => write_text(text, out),
                        None => out.extend_from_slice(b"null"),
                    }
                    out.push(b',');
                }
                store.save(id, out);
                out.push(b']');
            });
        }
    }

    /// Takes one entry.
    ///
    /// # Errors
    /// `Stop` at the limit of groups, or when the entry is damaged.
    pub fn load(&mut self, key: &str, value: &[u8], work: &mut Work) -> Result<(), Fault> {
        let id = self.groups.add(key.as_bytes(), &mut work.budget)?.ok_or_else(|| Error::damaged_entry(key))?;
        let from = &mut StateReader::new(value);
        let mut last = read_last(from).ok_or_else(|| Error::damaged_entry(key))?;
        last.clock_ms = last.clock_ms.or(self.clock_ms);
        self.set_last(id, last);
        if work.job.writes_changes {
            self.written_texts.set(id, read_written(from).ok_or_else(|| Error::damaged_entry(key))?);
        }
        self.groups.store.load(id, from)?;
        from.literal(b"]").and_then(|()| from.end()).ok_or_else(|| Error::damaged_entry(key))?;
        let pending = self.pending(id);
        if pending > 0 {
            self.changed.push(id);
            work.hold(pending);
        }
        Ok(())
    }

    /// All is loaded. Entries come in the order of keys; keys are forgotten in the order of their last lines. In state that was
    /// put together from shards, each has numbered its lines for itself: the clock is that of all.
    pub fn loaded(&mut self, work: &Work) {
        self.recency = Recency::default();
        if work.job.forgets_oldest() {
            let mut ids: Vec<u32> = self.groups.ids().collect();
            ids.sort_unstable_by_key(|id| (self.last[*id as usize].clock_ms, self.last[*id as usize].sequence));
            ids.into_iter().for_each(|id| self.recency.push(id));
        }
    }
}

/// `[sequence,clock,pending,`
fn write_last(last: Last, out: &mut Vec<u8>) {
    out.push(b'[');
    write_number(last.sequence, out);
    out.push(b',');
    match last.clock_ms {
        Some(clock_ms) => write_signed(clock_ms, out),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b',');
    write_number(last.pending, out);
    out.push(b',');
}

/// `"members",` or `null,`
fn read_written(from: &mut StateReader<'_>) -> Option<Option<Box<[u8]>>> {
    let text = match from.literal(b"null") {
        Some(()) => None,
        None => Some(from.string()?.into_owned().into_boxed_slice()),
    };
    from.literal(b",")?;
    Some(text)
}

fn read_last(from: &mut StateReader<'_>) -> Option<Last> {
    from.literal(b"[")?;
    let sequence = from.number()?;
    from.literal(b",")?;
    let clock_ms = from.signed_or_null()?;
    from.literal(b",")?;
    let pending = from.count()?;
    from.literal(b",")?;
    Some(Last { sequence, clock_ms, pending })
}
