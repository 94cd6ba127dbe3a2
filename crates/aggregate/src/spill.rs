//! Groups beyond `--memory`: sorted runs on disk, merged when their window is written.
//!
//! When the groups take what they may, all go to disk as one run, and every key begins anew with an empty state. So a
//! key can have a state in each run; those are merged, oldest first, into the very state that it would have had. When
//! that happens depends on the lines alone, so the same input gives the same bytes.

use std::sync::Arc;

use accumulators::{Plan, Table};
use event_time::{Scale, Window};
use keyed_state::hash;
use millpipe::{Error, Fault, Out};
use sorted_runs::{Combine, Fold, RunWriter, Runs, Scratch};
use values::state_text::StateReader;

use crate::broken::{Broken, cannot_spill};
use crate::groups::{Budget, Groups, stop};
use crate::key_order;
use crate::keys;
use crate::parts::{self, Loading, Part, Parts, Removal};
use crate::results::Results;

/// Of `--memory`, the part that groups may take. The rest is for sorting, merging and all else in the process.
const GROUPS_SHARE: f64 = 0.75;

/// Groups are counted again after lines that could have brought this part of the limit, or what is left of it.
const LOOK_SHARE: i64 = 32;

/// What a line can add to a list, sketch or set, beside its own length, more often than not.
const GROWTH_BYTES: usize = 64;

/// The groups that had to leave.
#[derive(Debug)]
pub struct Spill {
    plan: Arc<Plan>,
    runs: Runs<Window>,
    limit_bytes: usize,
    /// What a line may add, beside what is as long as it.
    line_bytes: usize,
    /// What lines may still add before the groups are counted.
    left: i64,
    /// Two groups: one that is merged, and what is merged into it.
    table: Table,
    value: Vec<u8>,
    /// In a stream with checkpoints.
    pub parts: Option<Parts>,
}

impl Spill {
    /// # Errors
    /// When the scratch does not work: better now than in an hour.
    pub fn new(scratch: Box<dyn Scratch>, plan: &Arc<Plan>, memory_bytes: usize) -> Result<Spill, Error> {
        scratch.create().map_err(|source| cannot_spill(&scratch.place(), &source))?;
        let mut table = Table::new(plan);
        for _ in 0..2 {
            table.push();
        }
        let line_bytes = table.bytes_per_group() + GROWTH_BYTES * (1 + plan.labels().count());
        let limit_bytes = (memory_bytes as f64 * GROUPS_SHARE) as usize;
        let runs = Runs::new(scratch, keys::compare);
        Ok(Spill {
            plan: Arc::clone(plan),
            runs,
            limit_bytes,
            line_bytes,
            left: 0,
            table,
            value: Vec::new(),
            parts: None,
        })
    }

    /// One line more; true when it is time to count the groups.
    #[inline]
    pub fn is_due(&mut self, line: &[u8]) -> bool {
        self.left -= (self.line_bytes + 2 * line.len()) as i64;
        self.left < 0
    }

    /// The groups take so much: whether they have to leave.
    pub fn is_over(&mut self, bytes: usize) -> bool {
        let left = self.limit_bytes as i64 - bytes as i64;
        self.left = left.max(self.limit_bytes as i64 / LOOK_SHARE);
        left <= 0
    }

    /// Whether what takes so much may be there twice for a moment.
    pub fn fits_twice(&self, bytes: usize) -> bool {
        2 * bytes <= self.limit_bytes
    }

    /// Whether groups of a window are in runs.
    pub fn has(&self, window: Window) -> bool {
        self.runs.has(window)
    }

    /// Begins a run, for `put` and `finish`.
    ///
    /// # Errors
    /// `Stop` when the disk is full, and its like, here and below.
    pub fn begin(&self) -> Result<RunWriter<Window>, Fault> {
        Ok(self.runs.begin().map_err(Broken::from)?)
    }

    /// All groups of a window, which is not in the run yet; they have been in memory since this era. Those of a window
    /// that closes now will be in no checkpoint any more.
    ///
    /// # Errors
    /// As `begin`.
    pub fn put(
        &mut self,
        (window, era): (Window, u64),
        groups: &Groups,
        run: &mut RunWriter<Window>,
        closes: bool,
    ) -> Result<(), Fault> {
        let ids: Vec<u32> = groups.ids().collect();
        let in_order = key_order::sorted(ids.len() as u32, |at| groups.store.key(ids[at as usize]));
        run.begin(window).map_err(Broken::from)?;
        for id in in_order.map(|at| ids[at as usize]) {
            self.value.clear();
            if let Some(parts) = &mut self.parts {
                if !closes {
                    parts.leave(window, era, groups, id);
                }
                let part = Part { era, is_saved: groups.store.tracking.is_saved(id) };
                parts::write(&[part], &mut self.value);
            }
            groups.store.save(id, &mut self.value);
            run.push(groups.store.key(id), &self.value).map_err(Broken::from)?;
        }
        Ok(())
    }

    /// # Errors
    /// As `begin`, or when too many runs are to be merged and a limit is met.
    pub fn finish(&mut self, run: RunWriter<Window>) -> Result<(), Fault> {
        let (runs, mut states) = self.runs();
        Ok(runs.add(run, &mut states)?)
    }

    fn runs(&mut self) -> (&mut Runs<Window>, States<'_>) {
        let parts = self.parts.is_some().then(Vec::new);
        (&mut self.runs, States { table: &mut self.table, parts })
    }

    /// The results of a window out of these spans, as far as they are in runs, keys in order.
    ///
    /// # Errors
    /// `Stop` at a limit, or when the runs cannot be read.
    pub fn write_results(
        &mut self,
        spans: &[Window],
        scaled: Option<(Window, Scale)>,
        results: &mut Results,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let (runs, mut states) = self.runs();
        let merge = runs.merge(spans, &mut states)?;
        Ok(merge.fold(&mut ResultLines { states, scaled, results, out })?)
    }

    /// A window or slice is not needed any more, nor what checkpoints have of it.
    ///
    /// # Errors
    /// `Stop` when the runs cannot be read.
    pub fn forget(&mut self, window: Window) -> Result<(), Fault> {
        if let Some(mut parts) = self.parts.take() {
            parts.forget(window);
            let removed = self.remove_parts(window, &mut parts);
            self.parts = Some(parts);
            removed?;
        }
        self.runs.forget(window);
        Ok(())
    }

    fn remove_parts(&mut self, window: Window, parts: &mut Parts) -> Result<(), Fault> {
        let mut states = States { table: &mut self.table, parts: Some(Vec::new()) };
        let merge = self.runs.merge(&[window], &mut states)?;
        Ok(merge.fold(&mut Removal::new(window, parts))?)
    }

    /// Takes a part out of a checkpoint; returns its lines.
    ///
    /// # Errors
    /// `Stop` when it is damaged, or the disk is full.
    pub fn load(&mut self, (window, era): (Window, u64), key: &[u8], from: &mut StateReader<'_>) -> Result<u64, Fault> {
        let is_other = |loading: &Loading| (loading.window, loading.era) != (window, era);
        let is_large = |loading: &Loading| {
            let len = loading.groups.len();
            len.is_power_of_two() && len > 64 && !self.fits_twice(2 * loading.groups.bytes())
        };
        let loading = self.parts.as_ref().and_then(|parts| parts.loading.as_ref());
        if loading.is_some_and(|loading| is_other(loading) || is_large(loading)) {
            self.end_loading()?;
        }
        let Some(parts) = &mut self.parts else { return Ok(0) };
        let begin = || Loading { window, era, groups: Groups::new(&self.plan) };
        let loading = parts.loading.get_or_insert_with(begin);
        let id = loading.groups.find_or_insert(key, hash(key), &mut Budget::unlimited())?;
        Ok(loading.groups.store.load(id, from)?)
    }

    /// All parts that there are were loaded.
    ///
    /// # Errors
    /// `Stop` when the disk is full.
    pub fn end_loading(&mut self) -> Result<(), Fault> {
        let Some(loading) = self.parts.as_mut().and_then(|parts| parts.loading.take()) else { return Ok(()) };
        let mut run = self.begin()?;
        self.put((loading.window, loading.era), &loading.groups, &mut run, false)?;
        self.finish(run)
    }

    /// Bytes that went to disk so far.
    pub fn written_bytes(&self) -> u64 {
        self.runs.written().bytes
    }

    /// What went to disk, for people.
    pub fn report(&self, out: &mut Out) {
        let written = self.runs.written();
        if written.runs > 0 {
            out.warn(format_args!(
                "spilled {} groups in {} runs, {} bytes; {} were merged on disk for having too many runs",
                written.entries, written.runs, written.bytes, written.rewritten
            ));
        }
    }
}

/// Merges states of one key.
struct States<'a> {
    table: &'a mut Table,
    /// In a stream with checkpoints, the parts that were merged.
    parts: Option<Vec<Part>>,
}

/// The group that others are merged into, and the one that is merged.
const WHOLE: usize = 0;
const PART: usize = 1;

impl States<'_> {
    fn load(&mut self, group: usize, value: &[u8]) -> Result<(), Broken> {
        let value = match &mut self.parts {
            Some(parts) => parts::read(value, parts).ok_or_else(Broken::unreadable)?,
            None => value,
        };
        let loaded = self.table.load(group, &mut StateReader::new(value));
        // Its checksum was right.
        loaded.map_err(|error| Broken(Error::data(error).into()))
    }
}

impl Combine for States<'_> {
    type Error = Broken;

    fn start(&mut self, value: &[u8]) -> Result<(), Broken> {
        self.parts.iter_mut().for_each(Vec::clear);
        self.load(WHOLE, value)
    }

    fn take(&mut self, value: &[u8]) -> Result<(), Broken> {
        self.load(PART, value)?;
        self.table.merge_within(WHOLE, PART).map_err(|error| Broken(stop(error)))
    }

    fn save(&self, out: &mut Vec<u8>) {
        self.parts.iter().for_each(|parts| parts::write(parts, out));
        self.table.save(WHOLE, out);
    }
}

/// Writes a result line for each key.
struct ResultLines<'a> {
    states: States<'a>,
    scaled: Option<(Window, Scale)>,
    results: &'a mut Results,
    out: &'a mut Out,
}

impl Fold for ResultLines<'_> {
    type Error = Broken;

    fn begin(&mut self, value: &[u8]) -> Result<(), Broken> {
        self.states.start(value)
    }

    fn add(&mut self, value: &[u8]) -> Result<(), Broken> {
        self.states.take(value)
    }

    fn end(&mut self, key: &[u8]) -> Result<(), Broken> {
        self.results.write(self.scaled, key, self.states.table, WHOLE as u32, self.out.buffer());
        self.out.end_result();
        Ok(())
    }
}
