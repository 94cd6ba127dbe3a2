//! Shows a run to people and to monitoring: the `-v` line, the progress line, the metrics file.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::{Counts, Waits};
use stream::{Error, Fault};

use crate::running::accounting::{Report, Role};
use crate::running::args::RunArgs;

/// How often progress and metrics are renewed.
pub const TICK: Duration = Duration::from_secs(1);

pub struct Monitor {
    name: String,
    role: Role,
    verbose: bool,
    progress: bool,
    metrics: Option<PathBuf>,
    started: Instant,
    next_tick: Option<Instant>,
    waits: Waits,
    /// It was said that the metrics cannot be written.
    has_warned: bool,
}

impl Monitor {
    /// Shows a run that waits as `waits` says.
    pub fn new(name: &str, role: Role, args: &RunArgs, waits: Waits) -> Self {
        let started = Instant::now();
        let progress = args.progress && io::stderr().is_terminal();
        let metrics = args.metrics.as_ref().map(|dir| dir.join(format!("{name}.{}.json", std::process::id())));
        let ticks = progress || metrics.is_some();
        let mut monitor = Self {
            name: name.to_owned(),
            role,
            verbose: args.verbose,
            progress,
            metrics,
            started,
            next_tick: ticks.then_some(started + TICK),
            waits,
            has_warned: false,
        };
        if let Some(dir) = &args.metrics
            && let Err(error) = std::fs::create_dir_all(dir)
        {
            monitor.warn_of_metrics(dir, &error);
        }
        monitor
    }

    /// How long a wait may take before the next tick is due.
    pub fn tick_in(&self) -> Option<Duration> {
        self.next_tick.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Renews progress and metrics when a second has gone.
    pub fn tick(&mut self, counts: impl FnOnce() -> (Counts, u64)) {
        let Some(at) = self.next_tick else { return };
        let now = Instant::now();
        if now < at {
            return;
        }
        self.next_tick = Some(now + TICK);
        let report = self.report(counts());
        if self.progress {
            let _ = write!(io::stderr(), "\r\x1b[K{}: {}", self.name, report.line());
        }
        self.publish(&report);
    }

    /// The last words of a run, which may have failed.
    pub fn finish(&mut self, counts: (Counts, u64), result: &Result<(), Fault>) {
        let report = Report { has_failed: result.is_err(), ..self.report(counts) };
        if self.progress {
            let _ = writeln!(io::stderr(), "\r\x1b[K{}: {}", self.name, report.line());
        } else if self.verbose {
            let _ = writeln!(io::stderr(), "{}: {}", self.name, report.line());
        }
        self.publish(&report);
    }

    fn report(&self, (counts, held): (Counts, u64)) -> Report {
        let (waits, elapsed) = (self.waits.so_far(), self.started.elapsed());
        Report { counts, held, waits, elapsed, role: self.role, has_failed: false }
    }

    fn publish(&mut self, report: &Report) {
        let Some(path) = &self.metrics else { return };
        if let Err(error) = write_whole(path, report.json(&self.name).to_string().as_bytes()) {
            let path = path.clone();
            self.warn_of_metrics(&path, &error);
        }
    }

    /// No job stops for its metrics: they are written again each second, and that they cannot be is said once.
    fn warn_of_metrics(&mut self, path: &Path, error: &io::Error) {
        if !std::mem::replace(&mut self.has_warned, true) {
            let why = Error::io(path.display(), error).message;
            let _ = writeln!(io::stderr(), "{}: no metrics (--metrics, MILLPIPE_METRICS): {why}", self.name);
        }
    }
}

/// A reader sees the old file or the new one, never half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("json.new");
    std::fs::write(&draft, [bytes, b"\n"].concat())?;
    std::fs::rename(&draft, path)
}
