//! One run: prepared, started, fed, waited for, looked at.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use millpipe::Error;

use crate::broker::Broker;
use crate::job::{Job, Program};
use crate::model::End;
use crate::running::feeding;
use crate::running::process::{self, Ended, Interrupt, Over, Stop};
use crate::running::scene::{Fed, Scene, in_test};
use crate::script_lines::{self, Step};
use crate::stages::{self, Stage};
use crate::stand_in::{self, Taken};

/// The broker's name for scripts that say none.
const BROKERS: &str = "MILLPIPE_KAFKA_BOOTSTRAP_SERVERS";
const ADDRESS: &str = "pipetest:9092";

/// How a run differs from the plain one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// The seed that input is cut by.
    pub cut: Option<u64>,
    /// The output of each stage is kept.
    pub keeps: bool,
    /// How many shards there are.
    pub shards: Option<u16>,
    /// By how many milliseconds lines are out of order, and the seed.
    pub shuffle: Option<(i64, u64)>,
}

impl Manner {
    fn taken(self) -> Option<Taken> {
        let is_wrapped = self.cut.is_some() || self.shards.is_some();
        if self.keeps { Some(Taken::Kept) } else { is_wrapped.then_some(Taken::Cut) }
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Observed {
    pub scene: Scene,
    pub over: Over,
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub left_behind: bool,
    pub stages: Vec<Stage>,
}

/// Runs the pipeline of a test once, in this folder.
///
/// # Errors
/// Usage: an input that is none, a script that is not there. The system's.
pub fn run_once(job: &Job, manner: Manner, root: &Path, all: &Interrupt) -> Result<Observed, Error> {
    let scene = Scene::new(root)?;
    scene.link(job, manner.taken())?;
    scene.put_files(job)?;
    let fed = scene.fill(job, manner.shuffle)?;
    let stdin = stdin(job)?;
    let stdout = root.join("stdout");
    let mut command = command(job, &scene, manner, !fed.is_empty())?;
    command.stdout(File::create(&stdout).map_err(|error| Error::io(stdout.display(), &error))?);
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() }).stderr(Stdio::piped());
    let Ended { over, stderr, left_behind } = follow(&mut command, &scene, &fed, stdin, job.limit, all)?;
    let stdout = fs::read(&stdout).map_err(|error| Error::io(stdout.display(), &error))?;
    let stages = stages::read(&scene.metrics());
    Ok(Observed { scene, over, stdout, stderr, left_behind, stages })
}

fn stdin(job: &Job) -> Result<Option<Vec<Step>>, Error> {
    let path = job.path_with(&[])?.to_string_lossy().into_owned();
    let steps = |input| script_lines::steps(input, job.source.folder(), &path).map_err(|error| in_test(job, error));
    job.test.stdin.as_ref().map(steps).transpose()
}

/// Starts the command, gives it its input while it runs, and waits for it.
fn follow(
    command: &mut Command,
    scene: &Scene,
    fed: &[Fed],
    stdin: Option<Vec<Step>>,
    limit: Duration,
    all: &Interrupt,
) -> Result<Ended, Error> {
    let broker = Broker::at(&scene.broker_folder())?;
    let run = all.of_a_run();
    let mut child = process::spawn(command)?;
    let pipe = child.stdin.take();
    thread::scope(|scope| {
        for partition in fed {
            let (broker, run) = (broker.clone(), run.clone());
            // What could not be written is missed by the pipeline, and so told.
            scope.spawn(move || feeding::feed(broker, partition, &run).is_ok());
        }
        if let (Some(mut pipe), Some(steps)) = (pipe, stdin) {
            let run = run.clone();
            scope.spawn(move || feeding::write(&steps, &mut pipe, &run));
        }
        let ended = process::wait(child, limit, &run, Stop::AtOnce);
        run.set();
        ended
    })
}

/// Returns the script's command, as it is shipped; what differs is in its environment.
fn command(job: &Job, scene: &Scene, manner: Manner, tells_read: bool) -> Result<Command, Error> {
    let mut command = bare_command(job);
    environment(&mut command, job, scene)?;
    command.current_dir(scene.work());
    if manner.taken().is_some() {
        command.env(stand_in::WRAPPED, scene.bin());
    }
    if let Some(seed) = manner.cut {
        command.env(stand_in::CUT, seed.to_string());
    }
    if let Some(shards) = manner.shards {
        command.env(stand_in::SHARDS, shards.to_string());
    }
    if manner.keeps {
        command.env(stand_in::KEEP, scene.stages());
    }
    if tells_read {
        command.env(stand_in::TELL_READ, "1");
    }
    Ok(command)
}

/// Returns bash with the script, or with the pipeline.
#[must_use]
pub fn bare_command(job: &Job) -> Command {
    let mut command = Command::new("bash");
    match &job.program {
        Program::Script(path) => command.arg(path),
        Program::Pipeline(text) => command.args(["-o", "pipefail", "-c", text, "pipetest"]),
    };
    command.args(&job.test.args);
    command
}

/// Sets what every run of a test finds in its environment.
///
/// # Errors
/// As [`Job::path_with`].
pub fn environment(command: &mut Command, job: &Job, scene: &Scene) -> Result<(), Error> {
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MILLPIPE_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command
        .env(BROKERS, ADDRESS)
        .env("PATH", job.path_with(&[scene.bin()])?)
        .env("MILLPIPE_METRICS", scene.metrics())
        .env(stand_in::BROKER, scene.broker_folder());
    if job.test.end == End::Stop {
        command.env(stand_in::STOP, "1");
    }
    command.envs(&job.env);
    Ok(())
}
