//! Groups beyond `--memory`: sorted runs on disk, merged when their window is written.
//!
//! When the groups take what they may, all go to disk as one run, and every key begins anew with an empty state. So a
//! key can have a state in each run; those are merged, oldest first, into the very state that it would have had. When
//! that happens depends on the lines alone, so the same input gives the same bytes.

use accumulators::{StateReader, Table};
use event_time::Window;
use millpipe::{Error, Fault, Out};
use sorted_runs::{Combine, Fold, RunWriter, Runs, Scratch};

use crate::groups::{Groups, stop};
use crate::job::Job;
use crate::keys;
use crate::results::{Results, Scale, sort_ids};

/// Of `--memory`, the part that groups may take. The rest is for sorting, merging and all else in the process.
const GROUPS_SHARE: f64 = 0.75;

/// Groups are counted again after lines that could have brought this part of the limit, or what is left of it.
const LOOK_SHARE: i64 = 32;

/// What a line can add to a list, sketch or set, beside its own length, more often than not.
const GROWTH_BYTES: usize = 64;

/// The groups that had to leave.
#[derive(Debug)]
pub struct Spill {
    runs: Runs<Window>,
    limit_bytes: usize,
    /// What a line may add, beside what is as long as it.
    line_bytes: usize,
    /// What lines may still add before the groups are counted.
    left: i64,
    /// Two groups: one that is merged, and what is merged into it.
    table: Table,
    value: Vec<u8>,
}

impl Spill {
    /// # Errors
    /// When the scratch does not work: better now than in an hour.
    pub fn new(scratch: Box<dyn Scratch>, job: &Job, memory_bytes: usize) -> Result<Spill, Error> {
        scratch.create().map_err(|source| cannot_spill(&scratch.place(), &source))?;
        let mut table = Table::default();
        for _ in 0..2 {
            table.push(&job.plan);
        }
        let line_bytes = Table::bytes_per_group(&job.plan) + GROWTH_BYTES * (1 + job.plan.paths().len());
        let limit_bytes = (memory_bytes as f64 * GROUPS_SHARE) as usize;
        let runs = Runs::new(scratch, keys::compare);
        Ok(Spill { runs, limit_bytes, line_bytes, left: 0, table, value: Vec::new() })
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

    /// All groups of a window, which is not in the run yet.
    ///
    /// # Errors
    /// As `begin`.
    pub fn put(
        &mut self,
        window: Window,
        groups: &Groups,
        job: &Job,
        run: &mut RunWriter<Window>,
    ) -> Result<(), Fault> {
        let mut ids: Vec<u32> = groups.ids().collect();
        sort_ids(&groups.store, &mut ids);
        run.begin(window).map_err(Broken::from)?;
        for id in ids {
            self.value.clear();
            groups.store.save(job, id, &mut self.value);
            run.push(groups.store.key(id), &self.value).map_err(Broken::from)?;
        }
        Ok(())
    }

    /// # Errors
    /// As `begin`, or when too many runs are to be merged and a limit is met.
    pub fn finish(&mut self, run: RunWriter<Window>, job: &Job) -> Result<(), Fault> {
        let Spill { runs, table, .. } = self;
        Ok(runs.add(run, &mut States { job, table })?)
    }

    /// The results of a window out of these spans, as far as they are in runs, keys in order.
    ///
    /// # Errors
    /// `Stop` at a limit, or when the runs cannot be read.
    pub fn write_results(
        &mut self,
        spans: &[Window],
        scaled: Option<(Window, Scale)>,
        job: &Job,
        results: &mut Results,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let Spill { runs, table, .. } = self;
        let mut states = States { job, table };
        let merge = runs.merge(spans, &mut states)?;
        Ok(merge.fold(&mut ResultLines { states, scaled, results, out })?)
    }

    /// A window or slice is not needed any more.
    pub fn forget(&mut self, window: Window) {
        self.runs.forget(window);
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
    job: &'a Job,
    table: &'a mut Table,
}

/// The group that others are merged into, and the one that is merged.
const WHOLE: usize = 0;
const PART: usize = 1;

impl States<'_> {
    fn load(&mut self, group: usize, value: &[u8]) -> Result<(), Broken> {
        let loaded = self.table.load(&self.job.plan, group, &mut StateReader::new(value));
        // Its checksum was right.
        loaded.map_err(|error| Broken(Error::data(error).into()))
    }
}

impl Combine for States<'_> {
    type Error = Broken;

    fn start(&mut self, value: &[u8]) -> Result<(), Broken> {
        self.load(WHOLE, value)
    }

    fn take(&mut self, value: &[u8]) -> Result<(), Broken> {
        self.load(PART, value)?;
        self.table.merge_within(&self.job.plan, WHOLE, PART).map_err(|error| Broken(stop(error)))
    }

    fn save(&self, out: &mut Vec<u8>) {
        self.table.save(&self.job.plan, WHOLE, out);
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
        let States { job, table } = &self.states;
        self.results.write(job, self.scaled, key, table, WHOLE as u32, self.out.buffer());
        self.out.end_result();
        Ok(())
    }
}

/// Ends a merge.
struct Broken(Fault);

impl From<sorted_runs::Error> for Broken {
    fn from(error: sorted_runs::Error) -> Broken {
        let error = match &error {
            sorted_runs::Error::Io { place, source } => cannot_spill(place, source),
            sorted_runs::Error::Damaged { .. } => Error::temporary(format_args!("spilled keys: {error}")),
        };
        Broken(error.into())
    }
}

impl From<Broken> for Fault {
    fn from(Broken(fault): Broken) -> Fault {
        fault
    }
}

fn cannot_spill(place: &str, source: &std::io::Error) -> Error {
    Error::io(format_args!("keys beyond --memory cannot go to {place}"), source)
        .hint("--spill-dir DIR takes another folder, a larger --memory needs less of it")
}
