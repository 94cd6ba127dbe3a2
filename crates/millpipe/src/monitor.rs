//! Shows a run to people and to monitoring: the `-v` line, the progress line, the metrics file.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::accounting::{Counts, Report, Role, Waits};
use crate::args::RunArgs;
use crate::fault::{Error, Fault};
use crate::out::Out;

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
    pub waits: Waits,
}

impl Monitor {
    /// # Errors
    /// When the metrics folder cannot be written.
    pub fn new(name: &str, role: Role, args: &RunArgs) -> Result<Self, Error> {
        let started = Instant::now();
        let progress = args.progress && io::stderr().is_terminal();
        let metrics = args.metrics.as_ref().map(|dir| dir.join(format!("{name}.{}.json", std::process::id())));
        let ticks = progress || metrics.is_some();
        let monitor = Self {
            name: name.to_owned(),
            role,
            verbose: args.verbose,
            progress,
            metrics,
            started,
            next_tick: ticks.then_some(started + TICK),
            waits: Waits::default(),
        };
        if let Some(dir) = &args.metrics {
            std::fs::create_dir_all(dir).map_err(|e| Error::io(dir.display(), &e))?;
        }
        Ok(monitor)
    }

    /// Writes all of the output, and counts how long its reader was waited for.
    ///
    /// # Errors
    /// As [`Out::flush_all`].
    pub fn flush(&mut self, out: &mut Out) -> Result<(), Fault> {
        let result = out.flush_all();
        self.waits.output += out.take_waited();
        result
    }

    /// How long a wait may take before the next tick is due.
    pub fn tick_in(&self) -> Option<Duration> {
        self.next_tick.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Renews progress and metrics when a second has gone.
    ///
    /// # Errors
    /// When the metrics file cannot be written.
    pub fn tick(&mut self, counts: impl FnOnce() -> (Counts, u64)) -> Result<(), Error> {
        let Some(at) = self.next_tick else { return Ok(()) };
        let now = Instant::now();
        if now < at {
            return Ok(());
        }
        self.next_tick = Some(now + TICK);
        let report = self.report(counts());
        if self.progress {
            let _ = write!(io::stderr(), "\r\x1b[K{}: {}", self.name, report.line());
        }
        self.publish(&report)
    }

    /// The last words of a run.
    ///
    /// # Errors
    /// When the metrics file cannot be written.
    pub fn finish(&mut self, counts: (Counts, u64)) -> Result<(), Error> {
        let report = self.report(counts);
        if self.progress {
            let _ = writeln!(io::stderr(), "\r\x1b[K{}: {}", self.name, report.line());
        } else if self.verbose {
            let _ = writeln!(io::stderr(), "{}: {}", self.name, report.line());
        }
        self.publish(&report)
    }

    fn report(&self, (counts, held): (Counts, u64)) -> Report {
        Report { counts, held, waits: self.waits, elapsed: self.started.elapsed(), role: self.role }
    }

    fn publish(&self, report: &Report) -> Result<(), Error> {
        let Some(path) = &self.metrics else { return Ok(()) };
        write_whole(path, report.json(&self.name).to_string().as_bytes()).map_err(|e| Error::io(path.display(), &e))
    }
}

/// A reader sees the old file or the new one, never half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("json.new");
    std::fs::write(&draft, [bytes, b"\n"].concat())?;
    std::fs::rename(&draft, path)
}
