//! Shows a run to people and to monitoring: the `-v` line, the lines of progress, the figures of the metrics file.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use protocol::{Counts, Facts, Figures, Goal, Out, Waits};
use stream::Fault;

use crate::messages;
use crate::running::accounting::{Report, Role};
use crate::running::args::RunArgs;
use crate::running::progress::Progress;
use crate::running::publisher;
use crate::running::sheet::Sheet;

/// How often progress is renewed, and a tool asked for the facts of its state.
pub const TICK: Duration = Duration::from_secs(1);

pub struct Monitor {
    name: String,
    role: Role,
    verbose: bool,
    /// Of `--progress`.
    shows_counts: bool,
    progress: Progress,
    started: Instant,
    next_tick: Option<Instant>,
    has_facts: bool,
    waits: Waits,
    figures: Figures,
}

/// A run that is shown.
pub trait Shown {
    /// The counts so far, and how many lines are held.
    fn counts(&self) -> (Counts, u64);

    /// What the tool says of its state.
    fn facts(&mut self) -> Facts;

    /// How far it is, if it knows its end.
    fn goal(&mut self) -> Option<Goal> {
        None
    }
}

impl Monitor {
    /// Shows a run that writes to `out`, where its waits are counted.
    pub fn new(name: &str, role: Role, args: &RunArgs, out: &mut Out) -> Self {
        let shows_counts = args.progress && io::stderr().is_terminal();
        let progress = Progress::new(role);
        let is_watched = args.metrics_dir().is_some() || messages::name_the_run();
        let figures = if is_watched { Figures::watched() } else { Figures::default() };
        messages::of_run(&figures);
        out.set_figures(figures.clone());
        let waits = out.waits().clone();
        if let Some(dir) = args.metrics_dir() {
            publisher::begin(dir, name, Sheet::new(name, Some(role), figures.clone(), waits.clone()));
        }
        let started = Instant::now();
        let ticks = shows_counts || progress.is_wanted() || args.metrics_dir().is_some();
        let next_tick = ticks.then_some(started + TICK);
        Self {
            name: name.to_owned(),
            role,
            verbose: args.verbose,
            shows_counts,
            progress,
            started,
            next_tick,
            has_facts: false,
            waits,
            figures,
        }
    }

    /// How long a wait may take before the next tick is due.
    pub fn tick_in(&self) -> Option<Duration> {
        self.next_tick.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Notes the figures of a run whose loop may wait next; renews progress when a second has gone.
    pub fn tick(&mut self, run: &mut impl Shown) {
        let Some(at) = self.next_tick else { return };
        let (counts, held) = run.counts();
        self.figures.note(&counts, held);
        let now = Instant::now();
        if now < at && self.has_facts {
            return;
        }
        self.has_facts = true;
        self.figures.note_facts(run.facts());
        if now < at {
            return;
        }
        self.next_tick = Some(now + TICK);
        if self.progress.is_wanted()
            && !self.shows_counts
            && let Some(goal) = run.goal()
        {
            self.progress.show(&self.name, &goal, self.started.elapsed());
        }
        if self.shows_counts {
            let _ = write!(io::stderr(), "\r\x1b[K{}: {}", self.name, self.report((counts, held)).line());
        }
    }

    /// The last words of a run, which may have failed.
    pub fn finish(&mut self, run: &mut impl Shown, result: &Result<(), Fault>) {
        let (counts, held) = run.counts();
        let report = Report { has_failed: result.is_err(), ..self.report((counts, held)) };
        self.progress.clear();
        if self.shows_counts {
            let _ = writeln!(io::stderr(), "\r\x1b[K{}: {}", self.name, report.line());
        } else if self.verbose {
            let _ = writeln!(io::stderr(), "{}: {}", self.name, report.line());
        }
        self.figures.note(&counts, held);
        self.figures.note_facts(run.facts());
    }

    fn report(&self, (counts, held): (Counts, u64)) -> Report {
        let (waits, elapsed) = (self.waits.so_far(), self.started.elapsed());
        Report { counts, held, waits, elapsed, role: self.role, has_failed: false }
    }
}
