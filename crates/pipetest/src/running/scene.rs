//! The folder of one run.
//!
//! ```text
//! bin/       the stand-ins, first on the PATH
//! work/      where the pipeline is started: the files of the test, and what it writes
//! broker/    the topics
//! metrics/   the books of the stages
//! stages/    what each stage wrote, when that is kept
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kafka_ends::{Headers, envelope};
use millpipe::Error;

use crate::broker::{Broker, Outgoing};
use crate::job::Job;
use crate::model::Input;
use crate::running::shuffling;
use crate::script_lines::{self, Step};
use crate::stand_in::{self, Taken};

/// The folders of a run, below one.
#[derive(Clone, Debug)]
pub struct Scene {
    root: PathBuf,
}

/// What somebody has yet to give a partition while the pipeline runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    pub topic: String,
    pub number: i32,
    pub is_envelope: bool,
    pub steps: Vec<Step>,
}

impl Scene {
    /// Makes the folders.
    ///
    /// # Errors
    /// The disk's.
    pub fn new(root: &Path) -> Result<Self, Error> {
        let scene = Self { root: root.to_owned() };
        for folder in [scene.bin(), scene.work(), scene.metrics(), scene.stages()] {
            fs::create_dir_all(&folder).map_err(|error| Error::io(folder.display(), &error))?;
        }
        Ok(scene)
    }

    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    #[must_use]
    pub fn metrics(&self) -> PathBuf {
        self.root.join("metrics")
    }

    #[must_use]
    pub fn stages(&self) -> PathBuf {
        self.root.join("stages")
    }

    #[must_use]
    pub fn broker_folder(&self) -> PathBuf {
        self.root.join("broker")
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Puts the stand-ins there, and wrappers for what is watched.
    ///
    /// # Errors
    /// The disk's.
    pub fn link(&self, job: &Job, taken: Option<Taken>) -> Result<(), Error> {
        for tool in stand_in::TOOLS.into_iter().chain(taken.into_iter().flat_map(Taken::programs)) {
            stand_in::link(&self.bin(), tool)?;
        }
        let own = job.path.iter().filter(|_| taken == Some(Taken::Kept)).filter_map(|folder| fs::read_dir(folder).ok());
        for program in own.flatten().flatten() {
            stand_in::link(&self.bin(), &program.file_name().to_string_lossy())?;
        }
        Ok(())
    }

    /// Puts the files of the test there.
    ///
    /// # Errors
    /// Usage: one is not there, or has a path that leads elsewhere.
    pub fn put_files(&self, job: &Job) -> Result<(), Error> {
        let path = job.path_with(&[])?.to_string_lossy().into_owned();
        for (name, input) in &job.files {
            self.put_file(job, name, input, &path).map_err(|error| in_test(job, error))?;
        }
        Ok(())
    }

    fn put_file(&self, job: &Job, name: &str, input: &Input, path: &str) -> Result<(), Error> {
        let leads_away =
            Path::new(name).is_absolute() || Path::new(name).components().any(|part| part.as_os_str() == "..");
        let target = self.work().join(name);
        let failed = |error: io::Error| Error::io(target.display(), &error);
        if leads_away {
            return Err(Error::usage(format_args!("file \"{name}\" would be outside the test's folder"))
                .hint("files = { \"name\" = { file = \"../path\" } } gives it a name of its own"));
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        if let crate::model::Origin::File(from) = &input.origin {
            return copy(&job.source.folder().join(from), &target);
        }
        fs::write(&target, script_lines::bytes(input, job.source.folder(), path)?).map_err(failed)
    }

    /// Makes the topics, and writes what is there from the start. Returns what is to be fed while the pipeline runs.
    ///
    /// # Errors
    /// Usage: what is no input. The disk's.
    pub fn fill(&self, job: &Job, shuffle: Option<(i64, u64)>) -> Result<Vec<Fed>, Error> {
        let mut broker = Broker::at(&self.broker_folder())?;
        let mut counts: BTreeMap<&str, i32> = BTreeMap::new();
        let outputs = job.test.out.iter().map(|(topic, output)| (topic, output.get_ref().count));
        for (topic, count) in job.test.inputs.iter().map(|(topic, input)| (topic, input.count)).chain(outputs) {
            let known = counts.entry(topic).or_insert(1);
            *known = count.max(*known);
        }
        counts.iter().try_for_each(|(topic, count)| broker.create(topic, *count))?;
        let mut fed = Vec::new();
        for partition in self.partitions(job)? {
            let steps = match shuffle {
                Some((ms, seed)) => shuffling::shuffled(partition.steps, ms, seed)?,
                None => partition.steps,
            };
            fed.extend(begin(&mut broker, Fed { steps, ..partition })?);
        }
        // A partition without an input has ended at once.
        for (topic, input) in &job.test.inputs {
            let empty = (0..input.count).filter(|number| !input.partitions.contains_key(number));
            empty.into_iter().try_for_each(|number| broker.end(topic, number))?;
        }
        Ok(fed)
    }

    /// As [`Scene::fill`], and nothing is left to be fed: a run that is disturbed waits for nobody.
    ///
    /// # Errors
    /// As [`Scene::fill`].
    pub fn fill_at_once(&self, job: &Job) -> Result<(), Error> {
        let fed = self.fill(job, None)?;
        let mut broker = Broker::at(&self.broker_folder())?;
        for partition in fed {
            let end = partition.steps.iter().position(|step| *step == Step::End);
            give(&mut broker, &partition, &partition.steps[..end.unwrap_or(partition.steps.len())])?;
            broker.end(&partition.topic, partition.number)?;
        }
        Ok(())
    }

    fn partitions(&self, job: &Job) -> Result<Vec<Fed>, Error> {
        let path = job.path_with(&[])?.to_string_lossy().into_owned();
        let mut all = Vec::new();
        for (topic, input) in &job.test.inputs {
            for (number, input) in &input.partitions {
                let steps = script_lines::steps(input, job.source.folder(), &path);
                let steps = steps.map_err(|error| in_test(job, error))?;
                all.push(Fed { topic: topic.clone(), number: *number, is_envelope: input.envelope, steps });
            }
        }
        Ok(all)
    }
}

/// Says which test an error is of.
pub fn in_test(job: &Job, error: Error) -> Error {
    Error { message: format!("{}: test \"{}\": {}", job.place(), job.test.name, error.message), ..error }
}

/// Copies a file, or a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |error: io::Error| Error::usage(Error::io(from.display(), &error).message);
    if !from.is_dir() {
        return fs::copy(from, to).map(drop).map_err(failed);
    }
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Writes what is there before the first word on time; the rest is left.
fn begin(broker: &mut Broker, mut partition: Fed) -> Result<Option<Fed>, Error> {
    let waits = partition.steps.iter().position(|step| !matches!(step, Step::Line(_)));
    let rest = partition.steps.split_off(waits.unwrap_or(partition.steps.len()));
    give(broker, &partition, &partition.steps)?;
    if rest.iter().all(|step| *step == Step::End) {
        broker.end(&partition.topic, partition.number)?;
        return Ok(None);
    }
    Ok(Some(Fed { steps: rest, ..partition }))
}

/// Writes lines to a partition; no other steps are among them.
///
/// # Errors
/// Usage: no envelope. The disk's.
pub fn give(broker: &mut Broker, to: &Fed, steps: &[Step]) -> Result<(), Error> {
    let lines = steps.iter().filter_map(|step| match step {
        Step::Line(line) => Some(line),
        _ => None,
    });
    let messages = lines.map(|line| message(to, line)).collect::<Result<Vec<_>, _>>()?;
    if messages.is_empty() { Ok(()) } else { broker.append(&messages, None) }
}

fn message(to: &Fed, line: &[u8]) -> Result<Outgoing, Error> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now_ms = i64::try_from(now.as_millis()).ok();
    let topic = to.topic.clone();
    let plain =
        Outgoing { topic, partition: to.number, time_ms: now_ms, key: None, headers: Headers::default(), value: None };
    if !to.is_envelope {
        return Ok(Outgoing { value: Some(line.to_vec()), ..plain });
    }
    let read = envelope::read(line)
        .map_err(|error| Error::usage(format_args!("topic {}, partition {}: {error}", to.topic, to.number)))?;
    let time_ms = read.timestamp_ms.unwrap_or(now_ms);
    Ok(Outgoing { time_ms, key: read.key, headers: read.headers, value: read.value, ..plain })
}
