//! One look at the pipelines of this machine.

mod descendants;
mod drawing;
mod folder;
mod foreign;
mod naming;
pub mod pipeline;
mod processes;
pub mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use millpipe::Error;

use crate::facts::{Facts, Pipe};
use crate::words::{count, plain};
use descendants::{Descendant, descendants};
use drawing::draw;
use folder::{Folder, Known, MetricsFile, PassedOver};
use foreign::around;
use naming::name_all;
use pipeline::Pipeline;
use processes::{Process, Processes};
use stage::{KEPT_MS, Life, Stage};

/// Where other processes are hidden, a stage whose file is younger than this is taken for alive.
const ALIVE_BY_FILE_MS: i64 = 5_000;

/// At most this many names are listed when the name that was asked for is unknown.
const NAMES_MAX: usize = 20;

/// The folder of metrics files and the processes.
pub struct Machine {
    dir: PathBuf,
    processes: Processes,
    /// What need not be read again.
    known: Mutex<Known>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Look {
    pub at_ms: i64,
    /// Those that run, then those that have ended within ten minutes; each in the order in which they began.
    pub pipelines: Vec<Pipeline>,
    /// Files that are not of a stage, or not whole.
    pub passed_over: PassedOver,
}

impl Look {
    /// The pipelines that are asked for by name, run or process; without a name all, but those that were started again since.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn chosen(&self, asked: Option<&str>) -> Result<Vec<&Pipeline>, Error> {
        let Some(asked) = asked else { return Ok(self.current()) };
        let chosen: Vec<&Pipeline> = self.pipelines.iter().filter(|pipeline| pipeline.is_called(asked)).collect();
        if chosen.is_empty() {
            let error = Error::usage(format_args!("no pipeline {asked:?}"));
            return Err(error.hint(format_args!("there {}", self.names())));
        }
        Ok(chosen)
    }

    /// All pipelines, but those that have ended and were started again since.
    pub fn current(&self) -> Vec<&Pipeline> {
        let running = self.pipelines.iter().filter(|pipeline| pipeline.is_running());
        let again: Vec<(String, Option<i64>)> =
            running.map(|pipeline| (format!("{}-", pipeline.name), pipeline.started_ms())).collect();
        // One that failed beside the one that runs is no earlier run of it.
        let is_before = |pipeline: &Pipeline| {
            let ended = |began: &Option<i64>| began.is_none_or(|began| pipeline.ended_ms() <= Some(began));
            again.iter().any(|(name, began)| pipeline.name.starts_with(name) && ended(began))
        };
        self.pipelines.iter().filter(|pipeline| pipeline.is_running() || !is_before(pipeline)).collect()
    }

    /// What was seen of a process.
    pub fn stage(&self, pid: u32) -> Option<&Stage> {
        self.pipelines.iter().flat_map(|pipeline| &pipeline.stages).find(|stage| stage.pid == pid)
    }

    /// `is none`, or `are: a, b`.
    fn names(&self) -> String {
        let names: Vec<String> = self.pipelines.iter().take(NAMES_MAX).map(|pipeline| plain(&pipeline.name)).collect();
        match self.pipelines.len().checked_sub(names.len()) {
            _ if names.is_empty() => "is none".to_owned(),
            Some(0) | None => format!("are: {}", names.join(", ")),
            Some(more) => format!("are: {}, and {} more", names.join(", "), count(more as u64)),
        }
    }
}

impl Machine {
    /// Looks into `dir` and /proc.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), processes: Processes::new("/proc"), known: Mutex::default() }
    }

    /// Looks once.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn look(&self, now_ms: i64) -> Result<Look, Error> {
        let before = self.processes.pids();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::read(&self.dir, now_ms, |pid| before.contains(&pid), &mut known)?;
        // One that has begun meanwhile may have a file already.
        let there = self.processes.pids();
        let ours = folder.files.into_iter().map(|file| self.stage(file, &there, now_ms));
        let mut stages: Vec<Stage> = ours.filter(|stage| is_shown(stage.life, now_ms)).collect();
        if stages.iter().any(Stage::is_running) {
            self.add_foreign(&mut stages);
            self.fill_pipes(&mut stages);
        }
        let drawn = draw(stages).into_iter().map(|stages| Pipeline { name: String::new(), stages });
        let (mut pipelines, dead): (Vec<Pipeline>, Vec<Pipeline>) = drawn.partition(Pipeline::is_running);
        pipelines.extend(dead);
        name_all(&mut pipelines);
        Ok(Look { at_ms: now_ms, pipelines, passed_over: folder.passed_over })
    }

    /// Returns the processes that stages have started, and that are no stages.
    pub fn descendants(&self, stages: &BTreeSet<u32>) -> BTreeMap<u32, Descendant> {
        descendants(stages, &self.processes.all())
    }

    fn stage(&self, file: MetricsFile, there: &BTreeSet<u32>, now_ms: i64) -> Stage {
        let MetricsFile { facts, written_ms } = file;
        let process = Some(facts.pid).filter(|pid| there.contains(pid)).and_then(|pid| self.processes.get(pid));
        let life = life(&facts, written_ms, process.as_ref(), self.processes.shows_all(), now_ms);
        let process = process.filter(|_| life == Life::Running);
        let now_open = |of: fn(&Process) -> Option<u64>| process.as_ref().and_then(of);
        let pipe = |told: Option<Pipe>, open: Option<u64>| match open {
            Some(pipe) if told.is_none_or(|told| told.pipe != pipe) => Some(Pipe { pipe, ..Pipe::default() }),
            _ => told,
        };
        let stage = Stage {
            name: plain(&facts.stage),
            pid: facts.pid,
            life,
            kernel: process.as_ref().map(|process| self.processes.kernel(process)),
            input: pipe(facts.input, now_open(|process| process.input)),
            output: pipe(facts.output, now_open(|process| process.output)),
            held: process.as_ref().map_or_else(Vec::new, |process| self.processes.held(process.pid)),
            written_ms,
            facts: Some(facts),
            ..Stage::default()
        };
        // A source does not read the pipe that its stdin may be, nor does a sink write into its stdout.
        let input = stage.input.filter(|_| !stage.is_source());
        let output = stage.output.filter(|_| !stage.is_sink());
        Stage { input, output, ..stage }
    }

    fn add_foreign(&self, stages: &mut Vec<Stage>) {
        let all = self.processes.all();
        let found: Vec<Stage> = around(stages, &all).into_values().map(|process| self.foreign(process)).collect();
        stages.extend(found);
    }

    fn foreign(&self, process: &Process) -> Stage {
        let pipe = |pipe: Option<u64>| pipe.map(|pipe| Pipe { pipe, ..Pipe::default() });
        Stage {
            name: process.name.clone(),
            pid: process.pid,
            words: self.processes.words(process.pid),
            kernel: Some(self.processes.kernel(process)),
            input: pipe(process.input),
            output: pipe(process.output),
            ..Stage::default()
        }
    }

    /// Asks the kernel how full the pipes are, at the reader's end where there is one.
    fn fill_pipes(&self, stages: &mut [Stage]) {
        let mut known: BTreeMap<u64, Pipe> = BTreeMap::new();
        for fd in [0, 1] {
            for stage in stages.iter_mut().filter(|stage| stage.is_running()) {
                let end = if fd == 0 { &mut stage.input } else { &mut stage.output };
                let Some(pipe) = end.as_mut() else { continue };
                let asked = || self.processes.fill(stage.pid, fd, pipe.pipe);
                if let Some(fill) = known.get(&pipe.pipe).copied().or_else(asked) {
                    known.insert(pipe.pipe, fill);
                    *pipe = fill;
                }
            }
        }
    }
}

/// Whether the stage of a file runs, and how it has ended.
fn life(facts: &Facts, written_ms: i64, process: Option<&Process>, shows_all: bool, now_ms: i64) -> Life {
    if let Some(ended) = facts.ended {
        return Life::Ended { at_ms: ended.at.unwrap_or(written_ms), code: ended.code };
    }
    let is_it = |process: &Process| match facts.start_ticks {
        Some(ticks) => process.start_ticks == ticks,
        None => facts.stage.starts_with(&process.name) && !process.name.is_empty(),
    };
    let may_be_hidden = process.is_none() && !shows_all && now_ms.saturating_sub(written_ms) < ALIVE_BY_FILE_MS;
    match process {
        Some(process) if is_it(process) => Life::Running,
        _ if may_be_hidden => Life::Running,
        _ if facts.start_ticks.is_some() => Life::Killed { seen_ms: written_ms },
        _ => Life::Gone { seen_ms: written_ms },
    }
}

fn is_shown(life: Life, now_ms: i64) -> bool {
    life.dead_since_ms().is_none_or(|since_ms| now_ms.saturating_sub(since_ms) <= KEPT_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Ended;

    #[test]
    fn a_process_with_other_start_ticks_is_another_one() {
        let facts = Facts { stage: "parallel-map-long".to_owned(), start_ticks: Some(5), ..Facts::default() };
        let process = |start_ticks, name: &str| Process { start_ticks, name: name.to_owned(), ..Process::default() };
        let of = |facts: &Facts, process: Option<&Process>| life(facts, 100, process, true, 200);
        assert_eq!(of(&facts, Some(&process(5, "x"))), Life::Running);
        assert_eq!(of(&facts, Some(&process(6, "x"))), Life::Killed { seen_ms: 100 });
        assert_eq!(of(&facts, None), Life::Killed { seen_ms: 100 });
        let ended = Facts { ended: Some(Ended { at: Some(150), code: 75 }), ..facts.clone() };
        assert_eq!(of(&ended, Some(&process(5, "x"))), Life::Ended { at_ms: 150, code: 75 });
        let simple = Facts { start_ticks: None, ..facts.clone() };
        assert_eq!(of(&simple, Some(&process(6, "parallel-map-lo"))), Life::Running);
        assert_eq!(of(&simple, Some(&process(6, "bash"))), Life::Gone { seen_ms: 100 });
        assert_eq!(life(&facts, 100, None, false, 200), Life::Running);
        assert_eq!(life(&facts, 100, None, false, 9_000), Life::Killed { seen_ms: 100 });
    }

    #[test]
    fn dead_stages_are_shown_for_ten_minutes() {
        let dead = Life::Killed { seen_ms: 1_000 };
        assert_eq!((is_shown(dead, 601_000), is_shown(dead, 601_001)), (true, false));
        assert!(is_shown(Life::Running, i64::MAX));
    }
}
