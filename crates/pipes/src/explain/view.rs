//! What the rules see of a pipeline, and what they say.

use crate::facts::{Doing, Facts};
use crate::machine::Look;
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::Stage;

/// A wait of this length, in milliseconds, is worth a sentence.
pub const WAIT_MS: i64 = 2_000;

/// This part of the time is nearly all of it.
const NEARLY_ALL: f64 = 0.95;

/// The shares that are asked are those of so many milliseconds.
const SHARES_MS: i64 = 10_000;

/// A pipeline at a time.
pub struct View<'p> {
    pub pipeline: &'p Pipeline,
    /// What was seen a moment before, if there was a look.
    pub before: Option<&'p Look>,
    pub now_ms: i64,
}

/// A sentence about a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the rule, for programs.
    pub rule: &'static str,
    /// The stage that it is about.
    pub stage: String,
    pub pid: u32,
    /// It does not go on by itself.
    pub is_stuck: bool,
    pub text: String,
    /// The command or the flag that mends it; empty when there is nothing to mend.
    pub mend: String,
}

impl<'p> View<'p> {
    /// The stages that run, with their places.
    pub fn running(&self) -> impl DoubleEndedIterator<Item = (usize, &'p Stage)> + use<'p> {
        self.pipeline.stages.iter().enumerate().filter(|(_, stage)| stage.is_running())
    }

    /// Stages that run and have a file.
    pub fn ours(&self) -> impl DoubleEndedIterator<Item = (usize, &'p Stage, &'p Facts)> + use<'p> {
        self.running().filter_map(|(at, stage)| Some((at, stage, stage.facts.as_deref()?)))
    }

    /// Sources of ours that run.
    pub fn sources(&self) -> impl Iterator<Item = (&'p Stage, &'p Facts)> + use<'p> {
        self.ours().filter(|(_, stage, _)| stage.is_source()).map(|(_, stage, facts)| (stage, facts))
    }

    /// What a stage is called in a sentence.
    pub fn label(&self, stage: &Stage) -> String {
        self.pipeline.label(stage)
    }

    /// For how long a stage has been waiting for this; nothing for a short wait.
    pub fn waits(&self, stage: &Stage, doing: Doing) -> Option<i64> {
        self.waits_at_least(stage, doing, WAIT_MS)
    }

    /// The same for a wait of `at_least_ms`. A wait that is broken for moments, to look at the clock or to ask a broker again, counts as one
    /// of ten seconds when it is nearly all of them.
    pub fn waits_at_least(&self, stage: &Stage, doing: Doing, at_least_ms: i64) -> Option<i64> {
        let now = stage.now(self.now_ms).filter(|now| now.doing == doing)?;
        let shares = stage.facts.as_ref()?.shares.s10;
        let share = match doing {
            Doing::Input => shares.input,
            Doing::Output => shares.output,
            // A wait for a commit ends with it: many of them are no long one.
            Doing::Commit => None,
            Doing::Pace => shares.pace,
            Doing::Work | Doing::Other => None,
        };
        let lived_ms = stage.started_ms().map_or(SHARES_MS, |ms| self.now_ms.saturating_sub(ms));
        let by_share = share.filter(|share| *share >= NEARLY_ALL).map(|_| SHARES_MS.min(lived_ms));
        now.for_ms.max(by_share).filter(|ms| *ms >= at_least_ms)
    }

    /// How far event time has come at a stage: by its own word, else by that of the nearest one before it.
    pub fn time_at(&self, stage: &Stage) -> Option<i64> {
        let up_to_here = self.ours().filter(|(at, ..)| {
            let here = self.pipeline.stages.iter().position(|other| other.pid == stage.pid);
            here.is_some_and(|here| *at <= here)
        });
        up_to_here.rev().find_map(|(_, _, facts)| facts.time_ms())
    }

    /// Lines come into a stage; false when they do not, or it is not known.
    pub fn flows_into(&self, stage: &Stage) -> bool {
        let rate = if stage.is_source() { stage.rate_out() } else { stage.rate_in() };
        match rate {
            Some(rate) => rate > 0.0,
            None => stage.count(|facts| facts.lines_in).is_some_and(|lines| lines > 0) && !self.is_starved(stage),
        }
    }

    /// No line comes into a stage now, and that is known.
    pub fn is_starved(&self, stage: &Stage) -> bool {
        let last_second = stage.facts.as_ref().and_then(|facts| facts.rates.s1.lines_in);
        let rate = last_second.or_else(|| stage.rate_in());
        self.waits(stage, Doing::Input).is_some() && rate.unwrap_or_default() == 0.0
    }

    /// Lines have come into a stage within ten seconds.
    pub fn rate_is_positive(&self, stage: &Stage) -> bool {
        stage.rate_in().is_some_and(|rate| rate > 0.0)
    }

    /// Whether what a stage has written is read, as two looks show; none after one look.
    pub fn is_read(&self, stage: &Stage) -> Option<bool> {
        let before = self.before?.stage(stage.pid)?;
        let in_pipe = |stage: &Stage| stage.output.and_then(|pipe| pipe.bytes);
        let written = |stage: &Stage| stage.count(|facts| facts.bytes_out);
        Some(in_pipe(before) != in_pipe(stage) || written(before) != written(stage))
    }

    /// The stage at `at` has a sub-pipe, and what it writes itself is read.
    pub fn waits_for_a_sub_pipe(&self, at: usize) -> bool {
        let stages = &self.pipeline.stages;
        let (Some(stage), Some(next)) = (stages.get(at), stages.get(at + 1)) else { return false };
        let is_full = stage.output.is_some_and(|pipe| pipe.bytes.zip(pipe.size).is_some_and(|(n, of)| 2 * n > of));
        next.depth > stage.depth && !is_full
    }

    /// A sentence about a stage.
    pub fn finding(&self, rule: &'static str, stage: &Stage, text: String) -> Finding {
        let (stage, pid) = (stage.name.clone(), stage.pid);
        Finding { rule, stage, pid, is_stuck: false, text, mend: String::new() }
    }
}

impl Finding {
    /// The same with what mends it.
    pub fn mend(self, how: impl Into<String>) -> Self {
        Self { mend: how.into(), ..self }
    }

    /// The same; it does not go on by itself.
    pub fn stuck(self) -> Self {
        Self { is_stuck: true, ..self }
    }

    /// The same, stuck or not.
    pub fn stuck_if(self, is_stuck: bool) -> Self {
        Self { is_stuck, ..self }
    }
}
