//! One test, tried in its ways until one fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use millpipe::Error;
use tempfile::TempDir;

use crate::also::kills;
use crate::check::{Problem, Strictness, check};
use crate::job::Job;
use crate::kept;
use crate::outcome::{Failure, Outcome, Way};
use crate::running::{Interrupt, Manner, Observed, run_once};

/// What fails once need not fail the next time: it is run again up to so many times, to see which stage it is.
const AGAIN_MAX: u32 = 5;

/// What is the same for all tests.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// Where what the stages write is kept.
    pub keep: Option<PathBuf>,
    /// Only as it is: expectations are to be renewed.
    pub is_plain: bool,
}

/// Runs a test in all its ways, until one fails.
///
/// # Errors
/// Usage: what the test says makes no sense. The system's.
pub fn run(job: &Job, plan: &Plan, all: &Interrupt) -> Result<Outcome, Error> {
    let began = Instant::now();
    let mut tried = Tried::new(job, plan, all)?;
    let failure = tried.all_ways()?;
    Ok(Outcome {
        file: job.source.path.clone(),
        line: job.line,
        name: job.test.name.clone(),
        index: job.index,
        failure,
        took: began.elapsed(),
        runs: tried.runs,
        kept: tried.kept.clone(),
    })
}

struct Tried<'a> {
    job: &'a Job,
    plan: &'a Plan,
    all: &'a Interrupt,
    folder: TempDir,
    kept: Option<PathBuf>,
    runs: u32,
}

impl<'a> Tried<'a> {
    fn new(job: &'a Job, plan: &'a Plan, all: &'a Interrupt) -> Result<Self, Error> {
        let folder = tempfile::Builder::new().prefix("pipetest-").tempdir();
        let folder = folder.map_err(|error| Error::io("a folder for the test", &error))?;
        let kept = plan.keep.as_ref().map(|keep| keep.join(folder_name(job)));
        Ok(Self { job, plan, all, folder, kept, runs: 0 })
    }

    fn all_ways(&mut self) -> Result<Option<Failure>, Error> {
        if let Some(failure) = self.plain()? {
            return Ok(Some(failure));
        }
        if self.plan.is_plain {
            return Ok(None);
        }
        for number in 1..=self.job.test.also.cuts {
            // A failure is replayed by its own seed, as the first cutting.
            let seed = self.plan.seed.wrapping_add(u64::from(number) - 1);
            let manner = Manner { cut: Some(seed), ..Manner::default() };
            if let Some(failure) = self.other(Way::Cut(number, seed), manner, Strictness::Whole)? {
                return Ok(Some(failure));
            }
        }
        if let Some(ms) = self.job.test.also.shuffle_ms {
            let manner = Manner { shuffle: Some((ms, self.plan.seed)), ..Manner::default() };
            if let Some(failure) = self.other(Way::Shuffled(self.plan.seed), manner, Strictness::AnyOrder)? {
                return Ok(Some(failure));
            }
        }
        for shards in self.job.test.also.shards.clone() {
            if let Some(failure) = self.sharded(shards)? {
                return Ok(Some(failure));
            }
        }
        if self.job.test.also.kills > 0 { self.killed() } else { Ok(None) }
    }

    /// Runs it as it is. What the stages write is kept if that is wanted, and compared with the last run that passed.
    fn plain(&mut self) -> Result<Option<Failure>, Error> {
        let Some(kept) = self.kept.clone() else {
            let observed = self.once(Manner::default(), "plain")?;
            return self.judged(Way::Plain, &observed, Strictness::Whole);
        };
        let (run, passed, failed) = (kept.join("run"), kept.join("passed"), kept.join("failed"));
        remove(&run)?;
        self.runs += 1;
        let observed = run_once(self.job, Manner { keeps: true, ..Manner::default() }, &run, self.all)?;
        let mut failure = self.judged(Way::Plain, &observed, Strictness::Whole)?;
        let place = if failure.is_some() { &failed } else { &passed };
        remove(place)?;
        fs::rename(&run, place).map_err(|error| Error::io(place.display(), &error))?;
        if let Some(failure) = &mut failure {
            let first = kept::first_difference(&passed.join("stages"), &failed.join("stages"));
            failure.first_stage = first.map(|first| first.words("in the last run that passed")).unwrap_or_default();
            failure.first_stage.extend(kept::first_failure(&failed.join("stages")));
        }
        Ok(failure)
    }

    /// Runs it in another way. When it fails, both ways are run again, and what the stages write is compared.
    fn other(&mut self, way: Way, manner: Manner, strictness: Strictness) -> Result<Option<Failure>, Error> {
        let observed = self.once(manner, "other")?;
        let Some(mut failure) = self.judged(way, &observed, strictness)? else { return Ok(None) };
        // Out of order every stage writes something else.
        if strictness == Strictness::Whole && !self.all.is_set() {
            let right = self.once(Manner { keeps: true, ..Manner::default() }, "right")?;
            for _ in 0..AGAIN_MAX {
                let wrong = self.once(Manner { keeps: true, ..manner }, "wrong")?;
                if let Some(first) = kept::first_difference(&right.scene.stages(), &wrong.scene.stages()) {
                    failure.first_stage = first.words("when it is run as it is");
                    break;
                }
            }
        }
        Ok(Some(failure))
    }

    /// Shards write as they come: the lines are the same, in any order.
    fn sharded(&mut self, shards: u16) -> Result<Option<Failure>, Error> {
        let way = Way::Sharded(shards);
        let manner = Manner { shards: Some(shards), ..Manner::default() };
        let observed = self.once(manner, "other")?;
        let mut failure = self.judged(way, &observed, Strictness::LinesOnly)?;
        if !observed.stages.iter().any(|stage| stage.tool == "shard") {
            let problems = vec![Problem::new("also.shards, and the script runs no shard")];
            failure = Some(Failure { way, problems, first_stage: Vec::new(), stages: observed.stages });
        }
        Ok(failure)
    }

    fn killed(&mut self) -> Result<Option<Failure>, Error> {
        let root = self.folder.path().join("kills");
        let problems = kills::run(self.job, self.plan.seed, &root, self.all)?;
        self.runs += u32::try_from(self.job.test.also.kills).unwrap_or(u32::MAX);
        let way = Way::Killed(self.plan.seed);
        let failure = Failure { way, problems, first_stage: Vec::new(), stages: Vec::new() };
        Ok((!failure.problems.is_empty()).then_some(failure))
    }

    fn once(&mut self, manner: Manner, name: &str) -> Result<Observed, Error> {
        let root = self.folder.path().join(name);
        remove(&root)?;
        self.runs += 1;
        run_once(self.job, manner, &root, self.all)
    }

    fn judged(&self, way: Way, observed: &Observed, strictness: Strictness) -> Result<Option<Failure>, Error> {
        let problems = check(self.job, observed, strictness)?;
        let failure = Failure { way, problems, first_stage: Vec::new(), stages: observed.stages.clone() };
        Ok((!failure.problems.is_empty()).then_some(failure))
    }
}

/// A folder of its own for each test of each file.
fn folder_name(job: &Job) -> PathBuf {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).take(80).collect()
    };
    let file = job.source.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let file = file.strip_suffix(".pipetest.toml").unwrap_or(&file).to_owned();
    Path::new(&plain(&file)).join(plain(&job.test.name))
}

fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(folder.display(), &error)),
        _ => Ok(()),
    }
}
