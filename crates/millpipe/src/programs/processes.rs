//! The processes that this one has started: none of them outlives it, however it ends.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use stream::Error;

use crate::signals::{stdin_is_a_file, stream_is_checked};

/// Each process leads a process group of its own, so that a Ctrl-C at the terminal does not reach it (the source
/// ends the stream, and what is open comes out), and so that it is ended with all that it has started.
#[derive(Clone, Default)]
pub(crate) struct Processes(Arc<Mutex<Live>>);

#[derive(Default)]
struct Live {
    leaders: BTreeSet<i32>,
    /// No new ones: the run is over.
    over: bool,
}

impl Processes {
    /// Also catches the signals that end this process, to end the others first. As in every stage behind a pipe,
    /// the first Ctrl-C passes.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn new() -> Result<Self, Error> {
        let processes = Self::default();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|e| Error::io("signal handler", &e))?;
        let for_thread = processes.clone();
        let mut passes = !stdin_is_a_file();
        let mut term_passes = true;
        thread::spawn(move || {
            for signal in &mut signals {
                if signal == SIGINT && std::mem::take(&mut passes) {
                    continue;
                }
                if signal == SIGTERM && stream_is_checked() && std::mem::take(&mut term_passes) {
                    continue;
                }
                for_thread.end_all();
                let _ = emulate_default_handler(signal);
            }
        });
        Ok(processes)
    }

    /// # Errors
    /// When the program cannot be started, or the run is over.
    pub fn start(&self, command: &mut Command) -> io::Result<Child> {
        let mut live = self.live();
        if live.over {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        let child = command.process_group(0).spawn()?;
        live.leaders.insert(leader(&child));
        Ok(child)
    }

    /// The status of a process that has ended. Its id may be given to another one from then on.
    pub fn ended(&self, child: &mut Child) -> io::Result<Option<ExitStatus>> {
        let mut live = self.live();
        let status = child.try_wait()?;
        if status.is_some() {
            live.leaders.remove(&leader(child));
        }
        Ok(status)
    }

    /// Ends a process and all that it has started, if it has not ended itself.
    pub fn end(&self, child: &mut Child) {
        let mut live = self.live();
        if live.leaders.remove(&leader(child)) {
            kill_group(leader(child));
            let _ = child.wait();
        }
    }

    /// Ends them all, for good. Whoever waits for one sees it end.
    pub fn end_all(&self) {
        let mut live = self.live();
        live.over = true;
        live.leaders.iter().copied().for_each(kill_group);
    }

    /// True once `end_all` was called.
    pub fn are_over(&self) -> bool {
        self.live().over
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn leader(child: &Child) -> i32 {
    i32::try_from(child.id()).unwrap_or(0)
}

fn kill_group(leader: i32) {
    if let Some(leader) = Pid::from_raw(leader) {
        let _ = kill_process_group(leader, Signal::KILL);
    }
}
