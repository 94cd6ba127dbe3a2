//! One process in a run, as the scheduler has it: its work, and what it saves beside it.

use std::collections::VecDeque;
use std::sync::Arc;

use protocol::{Job, SaveJobs};
use stream::{Exit, Fault};

use crate::coroutine::{Task, Turn, Wait};
use crate::pipe::Pipe;
use crate::process::{Process, locked};

/// A process that the scheduler can let go on, stop and kill.
pub struct Slot {
    pub process: Arc<Process>,
    input: Option<Arc<Pipe>>,
    output: Option<Arc<Pipe>>,
    jobs: SaveJobs,
    main: Option<Task<Result<(), Fault>>>,
    waits: Wait,
    saves: VecDeque<Job>,
    /// One at a time, as the saving thread does them.
    save: Option<(Task<()>, Wait)>,
    merges: Vec<(Task<()>, Wait)>,
    /// By SIGSTOP, until this step.
    pub stopped_until: Option<u64>,
    pub result: Option<Result<(), Fault>>,
    has_ended: bool,
}

/// A piece of work of a process that can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Main,
    Save,
    Merge(usize),
}

impl Slot {
    pub fn new(
        process: Arc<Process>,
        (input, output): (Option<Arc<Pipe>>, Option<Arc<Pipe>>),
        jobs: SaveJobs,
        main: Box<dyn FnOnce() -> Result<(), Fault>>,
    ) -> Self {
        Self {
            process,
            input,
            output,
            jobs,
            main: Some(Task::new(main)),
            waits: Wait::default(),
            saves: VecDeque::new(),
            save: None,
            merges: Vec::new(),
            stopped_until: None,
            result: None,
            has_ended: false,
        }
    }

    pub fn is_alive(&self) -> bool {
        !self.has_ended
    }

    /// What could go on now.
    pub fn ready(&self, now_ms: i64, each: &mut dyn FnMut(Part)) {
        if self.has_ended || self.stopped_until.is_some() {
            return;
        }
        if self.main.is_some() && self.waits.is_over(now_ms) {
            each(Part::Main);
        }
        match &self.save {
            Some((_, wait)) if wait.is_over(now_ms) => each(Part::Save),
            // The save holds the folder's lock, which a merge needs at its end.
            Some(_) => {}
            None => {
                if !self.saves.is_empty() {
                    each(Part::Save);
                }
                let ready = self.merges.iter().enumerate().filter(|(_, (_, wait))| wait.is_over(now_ms));
                ready.for_each(|(at, _)| each(Part::Merge(at)));
            }
        }
    }

    /// When something could go on that only waits for the clock.
    pub fn wakes_at(&self) -> Option<i64> {
        let is_idle = self.has_ended || self.stopped_until.is_some();
        let beside = self.save.iter().chain(&self.merges).filter_map(|(_, wait)| wait.until_ms());
        let main = self.waits.until_ms().filter(|_| self.main.is_some());
        main.into_iter().chain(beside).min().filter(|_| !is_idle)
    }

    pub fn go_on(&mut self, part: Part) {
        match part {
            Part::Main => self.go_on_main(),
            Part::Save => self.go_on_saving(),
            Part::Merge(at) => self.go_on_merging(at),
        }
        if self.main.is_none() && self.save.is_none() && self.saves.is_empty() {
            self.end();
        }
    }

    fn go_on_main(&mut self) {
        let Some(mut task) = self.main.take() else { return };
        match task.resume() {
            Turn::Waits(wait) => (self.main, self.waits) = (Some(task), wait),
            Turn::Done(result) => {
                task.retire();
                self.process.tell(|| format!("ends: {}", shown(&result)));
                if result.is_err() {
                    // It ends at once; the threads beside it with it.
                    self.saves.clear();
                    self.lead_out();
                }
                self.result = Some(result);
            }
        }
        // The stream asks for saves, a save for merges.
        self.saves.extend(locked(&self.jobs).drain(..));
    }

    fn go_on_saving(&mut self) {
        let next = || self.saves.pop_front().map(|job| (Task::new(job), Wait::default()));
        let Some((mut task, _)) = self.save.take().or_else(next) else { return };
        match task.resume() {
            Turn::Waits(wait) => self.save = Some((task, wait)),
            Turn::Done(()) => task.retire(),
        }
        let merges = locked(&self.jobs).drain(..).map(|job| (Task::new(job), Wait::default())).collect::<Vec<_>>();
        self.merges.extend(merges);
    }

    fn go_on_merging(&mut self, at: usize) {
        let (mut task, _) = self.merges.swap_remove(at);
        match task.resume() {
            Turn::Waits(wait) => self.merges.push((task, wait)),
            Turn::Done(()) => task.retire(),
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if self.has_ended {
            return;
        }
        self.process.tell(|| "is killed".to_owned());
        self.end();
        if let Some(mut main) = self.main.take() {
            lead_to_end(&mut main);
            main.retire();
        }
    }

    /// The process is gone: its pipes are closed, and what it still does has no effect.
    fn end(&mut self) {
        self.has_ended = true;
        self.process.die();
        self.input.iter().for_each(|input| input.close_for_reading());
        self.output.iter().for_each(|output| output.close_for_writing());
        self.lead_out();
    }

    /// Ends what is done beside the stream, wherever it is.
    fn lead_out(&mut self) {
        self.process.die();
        self.saves.clear();
        for (mut task, _) in self.save.take().into_iter().chain(self.merges.drain(..)) {
            lead_to_end(&mut task);
            task.retire();
        }
        locked(&self.jobs).clear();
    }
}

/// Work of a dead process gives up at the next thing it does, and waits for nothing.
fn lead_to_end<T: 'static>(task: &mut Task<T>) {
    while let Turn::Waits(_) = task.resume() {}
}

/// How a process ended, for people.
pub fn shown(result: &Result<(), Fault>) -> String {
    match result {
        Ok(()) => "well".to_owned(),
        Err(Fault::ReaderGone) => "its reader has gone".to_owned(),
        Err(Fault::Bad(why)) => format!("bad line: {why}"),
        Err(Fault::Stop(error)) => format!("exit {}: {}", error.exit as i32, error.message),
    }
}

/// Whether a pipe may end like this at any time: what helps is to start it again.
pub fn is_temporary(result: &Result<(), Fault>) -> bool {
    match result {
        Ok(()) | Err(Fault::ReaderGone) => true,
        Err(Fault::Bad(_)) => false,
        Err(Fault::Stop(error)) => error.exit == Exit::Temporary,
    }
}
