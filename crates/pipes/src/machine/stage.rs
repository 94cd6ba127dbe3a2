//! A stage of a pipeline: a tool of ours with its file, or a foreign program that the kernel shows.

use std::sync::Arc;

use crate::facts::{Doing, Facts, Pipe, Role, Shares};

/// How long a dead stage is still shown, in milliseconds.
pub const KEPT_MS: i64 = 600_000;

/// A file of a running stage that is older than this is told as old: it is renewed each second.
pub const OLD_MS: i64 = 10_000;

/// The kernel counts the time of processes in hundredths of a second.
const TICK_MS: f64 = 10.0;

/// A stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    /// The tool, or the command's name.
    pub name: String,
    pub pid: u32,
    /// What its file says; nothing for a foreign program.
    pub facts: Option<Arc<Facts>>,
    /// The words of a foreign program's command line.
    pub words: Vec<String>,
    pub life: Life,
    /// What the kernel says of its first thread, while it runs.
    pub kernel: Option<Kernel>,
    pub input: Option<Pipe>,
    pub output: Option<Pipe>,
    /// The pipes that it has open beside these: those of its sub-pipes.
    pub held: Vec<u64>,
    /// 1 in a sub-pipe of another stage, 2 in one of that.
    pub depth: usize,
    /// When its file was written.
    pub written_ms: i64,
}

/// Whether it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    #[default]
    Running,
    /// It said so itself.
    Ended { at_ms: i64, code: i32 },
    /// Its process is gone, and it has said no word of it.
    Killed { seen_ms: i64 },
    /// Its process is gone, and its version does not say how it ends.
    Gone { seen_ms: i64 },
}

/// What the kernel says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// `R` runs, `S` sleeps, `D` waits for a disk, `T` is stopped.
    pub state: char,
    pub waits: Option<Wait>,
    pub cpu_ticks: u64,
    /// Bytes that it has read and written, of whatever file; nothing where this user may not know.
    pub moved: Option<Moved>,
}

/// What a process sleeps in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Reading from a pipe.
    PipeRead,
    /// Writing into a full pipe.
    PipeWrite,
}

/// Bytes that a process has read and written since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    pub read: u64,
    pub written: u64,
}

/// What a stage does, and for how long, in milliseconds, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub doing: Doing,
    pub for_ms: Option<i64>,
}

impl Life {
    /// When it was last known to be alive; nothing while it runs.
    pub fn dead_since_ms(self) -> Option<i64> {
        match self {
            Self::Running => None,
            Self::Ended { at_ms: seen_ms, .. } | Self::Killed { seen_ms } | Self::Gone { seen_ms } => Some(seen_ms),
        }
    }
}

impl Stage {
    pub fn is_running(&self) -> bool {
        self.life == Life::Running
    }

    pub fn is_ours(&self) -> bool {
        self.facts.is_some()
    }

    /// Stopped by a signal: it does nothing until it is told to go on.
    pub fn is_stopped(&self) -> bool {
        self.is_running() && self.kernel.is_some_and(|kernel| matches!(kernel.state, 'T' | 't'))
    }

    pub fn is_source(&self) -> bool {
        match self.facts.as_ref().and_then(|facts| facts.role) {
            Some(role) => role == Role::Source,
            None => self.is_ours() && (self.name.ends_with("-cat-in") || self.name == "generate"),
        }
    }

    pub fn is_sink(&self) -> bool {
        match self.facts.as_ref().and_then(|facts| facts.role) {
            Some(role) => role == Role::Sink,
            None => self.is_ours() && self.name.ends_with("-cat-out"),
        }
    }

    /// What it does now. The file of a running stage is up to a second old: its wait goes on since then.
    pub fn now(&self, now_ms: i64) -> Option<Now> {
        if !self.is_running() || self.is_stopped() {
            return None;
        }
        let told = self.facts.as_ref().and_then(|facts| facts.now.map(|doing| (doing, facts.now_ms)));
        match told {
            Some((doing, for_ms)) => {
                let since_written = now_ms.saturating_sub(self.written_ms).max(0);
                let for_ms = for_ms.and_then(|ms| i64::try_from(ms).ok());
                Some(Now { doing, for_ms: for_ms.map(|ms| ms.saturating_add(since_written)) })
            }
            None => self.kernel.and_then(Kernel::doing).map(|doing| Now { doing, for_ms: None }),
        }
    }

    /// For how long it has been doing just this; nothing when it does something else or it is not known.
    pub fn since(&self, doing: Doing, now_ms: i64) -> Option<i64> {
        self.now(now_ms).filter(|now| now.doing == doing)?.for_ms
    }

    /// The shares of its time over ten seconds, or of the last one where it is younger.
    pub fn shares(&self) -> Shares {
        let Some(facts) = &self.facts else { return Shares::default() };
        let [long, short] = [facts.shares.s10, facts.shares.s1];
        if long.busy.is_some() { long } else { short }
    }

    /// The shares of a foreign program between two looks; the time in which it did not work it is taken to have waited as it does now.
    pub fn shares_of_two_looks(&self, before: &Self, gone_ms: i64) -> Option<Shares> {
        let (now, then) = (self.kernel?, before.kernel?);
        if gone_ms <= 0 {
            return None;
        }
        let busy = (now.cpu_ticks.saturating_sub(then.cpu_ticks) as f64 * TICK_MS / gone_ms as f64).min(1.0);
        let rest = |doing: Doing| now.doing().filter(|now| *now == doing).map(|_| 1.0 - busy);
        Some(Shares { busy: Some(busy), input: rest(Doing::Input), output: rest(Doing::Output), ..Shares::default() })
    }

    /// Lines in for each second, over ten seconds.
    pub fn rate_in(&self) -> Option<f64> {
        let rates = self.facts.as_ref()?.rates;
        rates.s10.lines_in.or(rates.s1.lines_in)
    }

    /// Lines out for each second, over ten seconds.
    pub fn rate_out(&self) -> Option<f64> {
        let rates = self.facts.as_ref()?.rates;
        rates.s10.lines_out.or(rates.s1.lines_out)
    }

    /// A count of the file.
    pub fn count(&self, of: impl Fn(&Facts) -> Option<u64>) -> Option<u64> {
        self.facts.as_deref().and_then(of)
    }

    /// How old the file of a running stage is, when that is too old.
    pub fn stale_ms(&self, now_ms: i64) -> Option<i64> {
        let age_ms = now_ms.saturating_sub(self.written_ms);
        (self.is_running() && self.is_ours() && age_ms > OLD_MS).then_some(age_ms)
    }

    /// When its process began, as far as its file says.
    pub fn started_ms(&self) -> Option<i64> {
        let facts = self.facts.as_ref()?;
        let elapsed_ms = facts.elapsed_ms.and_then(|ms| i64::try_from(ms).ok());
        facts.started.or_else(|| elapsed_ms.map(|ms| self.written_ms.saturating_sub(ms)))
    }

    /// The last error that it has told, else the last message; and the first hint that follows.
    pub fn last_words(&self) -> Option<(String, Option<String>)> {
        let messages = self.facts.as_ref()?.messages.all();
        let last = |is_meant: fn(&str) -> bool| messages.iter().rposition(|message| is_meant(&message.level));
        let at = last(|level| level == "error").or_else(|| last(|level| level != "hint"))?;
        let hint = messages.get(at + 1).filter(|message| message.level == "hint");
        Some((messages.get(at)?.text.clone(), hint.map(|hint| hint.text.clone())))
    }

    /// What it has last told, without a hint.
    pub fn last_message(&self) -> Option<String> {
        self.last_words().map(|(message, _)| message)
    }
}

impl Kernel {
    /// Work, or a wait at a pipe; nothing for a sleep in something else, which may be either.
    fn doing(self) -> Option<Doing> {
        match (self.state, self.waits) {
            ('R' | 'D', _) => Some(Doing::Work),
            (_, Some(Wait::PipeRead)) => Some(Doing::Input),
            (_, Some(Wait::PipeWrite)) => Some(Doing::Output),
            _ => None,
        }
    }
}
