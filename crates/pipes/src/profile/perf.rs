//! perf, the sampling profiler of Linux: what it is told, and what it means when it refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use inferno::collapse::Collapse;
use inferno::collapse::perf::{Folder, Options};
use millpipe::Error;
use signal_hook::consts::SIGINT;
use tempfile::TempDir;

use crate::profile::samples::Samples;
use crate::words::plain;

/// Samples for each second of work of a processor. Not 100: what happens every ten milliseconds would be seen always or never.
const RATE: &str = "99";

/// The event by which samples are taken: the clock of the kernel is there on every machine, virtual ones too.
const EVENT: &str = "cpu-clock";

/// How the callers are found: by the tables for unwinding that every binary has, from a copy of so many bytes of the stack.
const CALL_GRAPH: &str = "dwarf,8192";

/// Up to this level everybody may look at the own processes.
const PARANOID_MAX: i32 = 2;

const PARANOID_FILE: &str = "/proc/sys/kernel/perf_event_paranoid";

/// What perf has sampled. The file is removed with it.
pub struct Recording {
    folder: TempDir,
}

impl Recording {
    /// Samples processes, and those that they start, for some seconds or until Ctrl-C. Nothing when one of them was gone before.
    ///
    /// # Errors
    /// When perf is missing, or may not look at these processes.
    pub fn make(pipeline: &str, pids: &BTreeSet<u32>, seconds: u32) -> Result<Option<Self>, Error> {
        let folder = tempfile::tempdir().map_err(|error| Error::io("a folder for what perf samples", &error))?;
        let recording = Self { folder };
        let is_over = Arc::new(AtomicBool::new(false));
        // perf gets the Ctrl-C too, and ends; what it has is drawn.
        let registered = signal_hook::flag::register(SIGINT, Arc::clone(&is_over));
        registered.map_err(|error| Error::io("Ctrl-C", &error))?;
        let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
        let mut perf = perf("record");
        perf.args(["-q", "-F", RATE, "-e", EVENT, "--call-graph", CALL_GRAPH, "-p", &pids.join(","), "-o"]);
        perf.arg(recording.data()).args(["--", "sleep", &seconds.to_string()]).stdout(Stdio::null());
        let Output { status, stderr, .. } = perf.output().map_err(|error| not_started(&error))?;
        let has_data = || fs::metadata(recording.data()).is_ok_and(|data| data.len() > 0);
        if status.success() || (is_over.load(Ordering::Relaxed) && has_data()) {
            return Ok(Some(recording));
        }
        let said = String::from_utf8_lossy(&stderr);
        if said.contains("No such process") {
            return Ok(None);
        }
        Err(failed("record", pipeline, status, &said))
    }

    /// Returns the stacks: lines like `jq-4711;main;parse 12`; and of processes that began meanwhile which one has started them.
    ///
    /// # Errors
    /// When perf cannot read its own file.
    pub fn stacks(&self) -> Result<(String, BTreeMap<u32, u32>), Error> {
        let io = |error: io::Error| Error::io("perf script", &error);
        let said = self.folder.path().join("said");
        let mut perf = perf("script");
        perf.args(["--no-inline", "--show-task-events", "-F", "comm,pid,tid,time,event,ip,sym,dso", "-i"])
            .arg(self.data());
        perf.stdout(Stdio::piped()).stderr(File::create(&said).map_err(io)?);
        let mut child = perf.spawn().map_err(|error| not_started(&error))?;
        let mut parents = BTreeMap::new();
        let mut collapsed = Vec::new();
        let out = child.stdout.take().map(BufReader::new);
        let read = out.map(|out| folder().collapse(Samples::new(out, &mut parents), &mut collapsed));
        let status = child.wait().map_err(io)?;
        if !status.success() {
            return Err(failed("script", "it", status, &fs::read_to_string(&said).unwrap_or_default()));
        }
        read.transpose().map_err(io)?;
        Ok((String::from_utf8_lossy(&collapsed).into_owned(), parents))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

fn folder() -> Folder {
    let mut options = Options::default();
    options.include_pid = true;
    options.event_filter = Some(EVENT.to_owned());
    options.nthreads = 1;
    options.into()
}

/// perf with messages in English, and without a server that it would ask for debug information.
fn perf(command: &str) -> Command {
    let mut perf = Command::new("perf");
    perf.arg(command).env("LC_ALL", "C").env_remove("DEBUGINFOD_URLS").stdin(Stdio::null());
    perf
}

fn not_started(error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => missing(),
        _ => Error::io("perf", error),
    }
}

fn missing() -> Error {
    Error::data("perf is not installed")
        .hint("it is in the package linux-perf (Debian), linux-tools-$(uname -r) (Ubuntu), perf (others)")
}

fn failed(command: &str, pipeline: &str, status: ExitStatus, said: &str) -> Error {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    // The perf of Ubuntu looks for one of the kernel's own version.
    if has(&["perf not found for kernel"]) {
        return missing();
    }
    if has(&["perf_event_paranoid", "ermission", "not permitted"]) {
        let level = fs::read_to_string(PARANOID_FILE).ok().and_then(|text| text.trim().parse().ok());
        return refused(pipeline, level);
    }
    let first = said.lines().find(|line| !line.trim().is_empty()).map(|line| plain(line.trim()));
    Error::data(format_args!("perf {command}: {}", first.unwrap_or_else(|| status.to_string())))
}

fn refused(pipeline: &str, level: Option<i32>) -> Error {
    match level.filter(|level| *level > PARANOID_MAX) {
        Some(level) => Error::data(format_args!(
            "perf may not look at {pipeline}: kernel.perf_event_paranoid is {level}, so that only root may"
        ))
        .hint(format_args!("sudo sysctl kernel.perf_event_paranoid={PARANOID_MAX}, or run pipes profile as root")),
        None => Error::data(format_args!(
            "perf may not look at {pipeline}: its processes are of another user, or this is a container that forbids it"
        ))
        .hint("run pipes profile as the user of the pipeline, or as root; a container needs the capability PERFMON"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn told(error: &Error) -> String {
        format!("{}; {}", error.message, error.hint.clone().unwrap_or_default())
    }

    #[test]
    fn a_refusal_names_the_setting_only_where_it_is_the_cause() {
        let strict = told(&refused("job", Some(3)));
        assert!(strict.contains("kernel.perf_event_paranoid is 3"), "{strict}");
        assert!(strict.ends_with("sudo sysctl kernel.perf_event_paranoid=2, or run pipes profile as root"), "{strict}");
        for level in [Some(2), Some(-1), None] {
            assert!(told(&refused("job", level)).contains("of another user"));
        }
    }

    #[test]
    fn what_perf_says_becomes_one_line() {
        let say = |said: &str| told(&failed("record", "job", ExitStatus::from_raw(255 << 8), said));
        assert!(say("WARNING: perf not found for kernel 6.8.0-45\n").starts_with("perf is not installed"));
        assert!(say("Error:\nNo permission to enable cpu-clock event.\n").starts_with("perf may not look at job"));
        let other = say("\n failed to mmap with 12 (Cannot allocate memory)\n more\n");
        assert_eq!(other, "perf record: failed to mmap with 12 (Cannot allocate memory); ");
        assert_eq!(say(" \n"), "perf record: exit status: 255; ");
    }
}
