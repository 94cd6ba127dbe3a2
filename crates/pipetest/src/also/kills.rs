//! The pipeline killed at random and started again, by `crash-test`: what it wrote must be as if nothing had happened.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use millpipe::Error;

use crate::check::{Problem, Strictness, check};
use crate::job::Job;
use crate::running::{self, Interrupt, Observed, Over, Scene, Stop};
use crate::stand_in;

/// How long a pipeline flows before the next kill.
const BETWEEN: &str = "10ms..120ms";
/// A whole test with kills takes longer than one run: this much for each.
const LIMIT_OF_A_KILL: Duration = Duration::from_secs(10);

/// Runs the pipeline with so many kills, in this folder.
///
/// # Errors
/// The system's.
pub fn run(job: &Job, seed: u64, root: &Path, all: &Interrupt) -> Result<Vec<Problem>, Error> {
    if job.test.out.is_empty() && job.test.file.is_empty() {
        return Ok(vec![Problem::new(
            "kills need an output that lasts: a topic in [test.out], or a file in [test.file]",
        )]);
    }
    let given = Scene::new(&root.join("given"))?;
    given.link(job, None)?;
    stand_in::link(&given.bin(), "crash-test")?;
    given.put_files(job)?;
    given.fill_at_once(job)?;
    let runs = root.join("runs");
    let mut command = command(job, seed, &given, &runs, &script(job, &given, root)?)?;
    let limit = job.limit + LIMIT_OF_A_KILL * u32::try_from(job.test.also.kills).unwrap_or(u32::MAX);
    let child = running::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()))?;
    let ended = running::wait(child, limit, all, Stop::Gently)?;
    if ended.over != Over::Code(0) {
        return Ok(vec![complaint(ended.over, limit, &ended.stderr, &runs)]);
    }
    let disturbed = Observed {
        scene: Scene::new(&runs.join("disturbed"))?,
        over: Over::Code(0),
        stdout: Vec::new(),
        stderr: String::new(),
        left_behind: false,
        stages: Vec::new(),
    };
    check(job, &disturbed, Strictness::LinesOnly)
}

/// What crash-test said, and what the pipeline said last.
fn complaint(over: Over, limit: Duration, stderr: &str, runs: &Path) -> Problem {
    let what = match over {
        Over::Interrupted => return Problem::new("interrupted"),
        Over::OutOfTime => format!("with kills it was not over after {limit:?}"),
        Over::Code(_) | Over::Signal(_) => "with kills its output is another one".to_owned(),
    };
    let lines = stderr.lines().filter(|line| !line.contains("what both runs left is in"));
    let shown: Vec<String> =
        lines.map(|line| format!("     {}", line.strip_prefix("crash-test: ").unwrap_or(line))).collect();
    let log = fs::read_to_string(runs.join("disturbed.log")).unwrap_or_default();
    let words: Vec<&str> = log.lines().collect();
    let last = words[words.len().saturating_sub(5)..].iter().map(|line| format!("     | {line}"));
    Problem::new(what).with_shown(shown.into_iter().chain(last).collect())
}

fn command(job: &Job, seed: u64, given: &Scene, runs: &Path, script: &Path) -> Result<Command, Error> {
    fs::create_dir_all(runs).map_err(|error| Error::io(runs.display(), &error))?;
    let mut command = Command::new(given.bin().join("crash-test"));
    running::environment(&mut command, job, given)?;
    // A pipeline that is started again and again keeps no books of one run.
    command.env_remove("MILLPIPE_METRICS");
    let stuck_after = format!("{}ms", job.limit.as_millis());
    command.arg("--kills").arg(job.test.also.kills.to_string()).arg("--seed").arg(seed.to_string());
    command.args(["--between", BETWEEN, "--what", "any=3,all=1", "--stuck-after", &stuck_after, "--dir"]).arg(runs);
    command.arg("--output-command").arg(output_command(job)).arg("--").arg("bash").arg(script);
    Ok(command)
}

/// Writes all that the test speaks of.
fn output_command(job: &Job) -> String {
    let topics = job.test.out.keys().map(|topic| {
        format!(
            "PIPETEST_BROKER=\"$CRASH_TEST_DIR/broker\" kafka-cat-in -b pipetest:9092 -t {} -e --text",
            quoted(topic)
        )
    });
    let files = job.test.file.keys().map(|path| {
        let path = quoted(path);
        format!("find \"$CRASH_TEST_DIR/work\"/{path} -type f -not -name '.*' -print0 | sort -z | xargs -0 -r cat")
    });
    topics.chain(files).collect::<Vec<_>>().join(" && ")
}

/// The script that is started each time: the first time it takes the files and topics of the test.
fn script(job: &Job, given: &Scene, root: &Path) -> Result<PathBuf, Error> {
    let command = running::bare_command(job);
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(|word| quoted(&word.to_string_lossy())).collect();
    let from = quoted(&given.root().to_string_lossy());
    let text = format!(
        "cd \"$CRASH_TEST_DIR\" || exit 1\n\
         if [ ! -e work ]; then\n  rm -rf broker work.new\n  cp -a {from}/broker broker && cp -a {from}/work work.new || exit 75\n  \
         mv work.new work || exit 75\nfi\n\
         export PIPETEST_BROKER=\"$CRASH_TEST_DIR/broker\"\ncd work && exec {}\n",
        words.join(" ")
    );
    let path = root.join("start.sh");
    fs::write(&path, text).map_err(|error| Error::io(path.display(), &error))?;
    Ok(path)
}

/// As a word of the shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
