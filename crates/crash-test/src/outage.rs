//! The broker, killed and started again by the user's commands, while the pipeline runs on or does not.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use millpipe::Error;

use crate::children::{Children, End, hook};

/// The commands, and what has become of the last kill.
pub struct Broker {
    kill: OsString,
    restore: OsString,
    log: PathBuf,
    state: State,
}

enum State {
    Up,
    /// The command that kills it runs.
    Dying {
        pid: i32,
        down_for: Duration,
    },
    Down {
        until: Instant,
    },
    /// The command that starts it runs.
    Rising {
        pid: i32,
    },
}

impl Broker {
    /// With the kill and the restore command.
    pub fn new((kill, restore): (OsString, OsString), folder: &Path) -> Self {
        Self { kill, restore, log: folder.join("broker.log"), state: State::Up }
    }

    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up)
    }

    /// From here on a commit can be one that was begun after the outage.
    pub fn is_rising_or_up(&self) -> bool {
        matches!(self.state, State::Up | State::Rising { .. })
    }

    /// # Errors
    /// When the command cannot be started.
    pub fn kill(&mut self, children: &mut Children, down_for: Duration) -> Result<(), Error> {
        let pid = self.start(children, &self.kill)?;
        self.state = State::Dying { pid, down_for };
        Ok(())
    }

    /// Goes on with what is due; true when it has just come back.
    ///
    /// # Errors
    /// When a command fails.
    pub fn tend(&mut self, children: &mut Children) -> Result<bool, Error> {
        match self.state {
            State::Up => {}
            State::Dying { pid, down_for } => {
                if self.has_ended(children, pid, "--kill-command")? {
                    self.state = State::Down { until: Instant::now() + down_for };
                }
            }
            State::Down { until } => {
                if Instant::now() >= until {
                    let pid = self.start(children, &self.restore)?;
                    self.state = State::Rising { pid };
                }
            }
            State::Rising { pid } => {
                if self.has_ended(children, pid, "--restore-command")? {
                    self.state = State::Up;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Starts it again, as well as may be, when the test ends while it is down.
    pub fn leave_up(&mut self, children: &mut Children) {
        if matches!(self.state, State::Dying { .. } | State::Down { .. }) {
            let _ = self.start(children, &self.restore);
        }
        self.state = State::Up;
    }

    fn start(&self, children: &mut Children, command: &OsString) -> Result<i32, Error> {
        let open = || OpenOptions::new().create(true).append(true).open(&self.log);
        let failed = |e| Error::io(self.log.display(), &e);
        let mut command = hook(command);
        command.stdout(open().map_err(failed)?).stderr(open().map_err(failed)?);
        children.start(&mut command)
    }

    fn has_ended(&self, children: &mut Children, pid: i32, flag: &str) -> Result<bool, Error> {
        match children.end_of(pid) {
            None => Ok(false),
            Some(End::Code(0)) => Ok(true),
            Some(end) => {
                let message = format!("the broker's {flag} ended with {end}");
                Err(Error::data(message).hint(format_args!("what it said is in {}", self.log.display())))
            }
        }
    }
}
