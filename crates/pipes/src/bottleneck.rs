//! The stage that holds up a pipeline.

use crate::facts::{Doing, Shares};
use crate::machine::Look;
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::Stage;

/// A stage that works for this part of the time is busy.
const BUSY_SHARE: f64 = 0.8;

/// A stage that waits for its reader for this part of the time is held up by it.
const HELD_UP_SHARE: f64 = 0.2;

/// The stage that sets the pace: from the end the first that is busy while one before it waits for it. Of foreign programs the look
/// before tells what they have done since then.
pub fn bottleneck(pipeline: &Pipeline, before: Option<&Look>, now_ms: i64) -> Option<usize> {
    let is_busy = |stage: &Stage| match shares(stage, before, now_ms).busy {
        Some(share) => share > BUSY_SHARE,
        None => stage.now(now_ms).is_some_and(|now| now.doing == Doing::Work),
    };
    let waits_for_it = |stage: &Stage| match shares(stage, before, now_ms).output {
        Some(share) => share > HELD_UP_SHARE,
        None => stage.now(now_ms).is_some_and(|now| now.doing == Doing::Output),
    };
    let mut from_the_end = pipeline.stages.iter().enumerate().rev();
    let holds_up = |at: usize| feeders(pipeline, at).any(|feeder| feeder.is_running() && waits_for_it(feeder));
    let found = from_the_end.find(|(at, stage)| stage.is_running() && is_busy(stage) && holds_up(*at));
    found.map(|(at, _)| at)
}

/// The stages that write what the stage at `at` reads, also those whose sub-pipe begins with it.
fn feeders(pipeline: &Pipeline, at: usize) -> impl Iterator<Item = &Stage> {
    let pipe = pipeline.stages.get(at).and_then(|stage| stage.input).map(|pipe| pipe.pipe);
    let holds = move |stage: &&Stage| pipe.is_some_and(|pipe| stage.held.contains(&pipe));
    pipeline.writers(at).map(|(_, writer)| writer).chain(pipeline.stages.iter().filter(holds))
}

/// Over ten seconds; of a foreign program since the look before.
pub fn shares(stage: &Stage, before: Option<&Look>, now_ms: i64) -> Shares {
    let since = |look: &Look| stage.shares_of_two_looks(look.stage(stage.pid)?, now_ms.saturating_sub(look.at_ms));
    match before.filter(|_| !stage.is_ours()).and_then(since) {
        Some(shares) => shares,
        None => stage.shares(),
    }
}
