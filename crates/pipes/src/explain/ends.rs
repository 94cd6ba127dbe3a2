//! Rules about stages that have ended, or that have been stopped, and about lines that are in no count.

use crate::explain::blocked::{is_at_its_rate, rate_flag};
use crate::explain::view::{Finding, View, WAIT_MS};
use crate::facts::{Doing, Facts};
use crate::machine::stage::{Life, Stage};
use crate::words::{age, lines, plain, short};

/// A pipeline without results yet is new for so long, in milliseconds.
const NEW_MS: i64 = 2_000;

/// A stage has failed or was killed. Of several it is the one that was not merely cut short.
pub fn died(view: &View) -> Option<Finding> {
    let dead = view.pipeline.stages.iter().filter(|stage| has_failed(stage.life));
    let first = dead.min_by_key(|stage| (is_consequence(stage), stage.life.dead_since_ms()))?;
    let label = view.label(first);
    let (text, mend) = match first.life {
        Life::Ended { at_ms, code } => {
            let (why, hint) = first.last_words().unzip();
            let is_full = why.as_ref().is_some_and(|message| message.contains("No space left"));
            let is_in_use = why.as_ref().is_some_and(|message| message.contains("in use by process"));
            let why = why.map(|message| format!(": {}", plain(&message))).unwrap_or_default();
            let text = format!("{label} failed {} ago with exit code {code}{why}", age(view.now_ms, at_ms));
            let room = match (is_full, is_in_use) {
                (true, _) => "make room on that disk, then ",
                (_, true) => "wait for the end of that process, or end it, then ",
                _ => "",
            };
            (text, format!("{room}{}", after_failure(code, hint.flatten(), view)))
        }
        _ => {
            let ago = age(view.now_ms, first.life.dead_since_ms()?);
            let text = format!("{label} (pid {}) was killed; it was last seen {ago} ago", first.pid);
            (text, format!("{}; dmesg tells whether the kernel has killed it for its memory", start_again(view)))
        }
    };
    Some(view.finding("died", first, text).mend(mend).stuck())
}

fn has_failed(life: Life) -> bool {
    match life {
        Life::Ended { code, .. } => !matches!(code, 0 | 130 | 141 | 143),
        Life::Killed { .. } => true,
        Life::Running | Life::Gone { .. } => false,
    }
}

/// 75 after a failure of another stage says only that the stream was cut short.
fn is_consequence(stage: &Stage) -> bool {
    let is_cut = stage.last_message().is_none_or(|message| message.contains("cut short"));
    matches!(stage.life, Life::Ended { code: 75, .. }) && is_cut
}

/// What the stage itself advises; after 1 and 2 a new start gives the same.
fn after_failure(code: i32, hint: Option<String>, view: &View) -> String {
    match (code, hint) {
        (1 | 2, Some(hint)) => plain(&hint),
        (1, None) => "mend what the message names: a new start gives the same".to_owned(),
        (2, None) => "mend the flag that the message names; --help shows examples".to_owned(),
        (_, Some(hint)) => format!("{}; {}", start_again(view), plain(&hint)),
        (_, None) => start_again(view),
    }
}

fn start_again(view: &View) -> String {
    let goes_on = if view.pipeline.run().is_some() { ": it goes on from its last commit" } else { "" };
    format!("start the pipeline again{goes_on}")
}

/// A stage is stopped by a signal.
pub fn stopped(view: &View) -> Option<Finding> {
    let (_, stage) = view.running().find(|(_, stage)| stage.is_stopped())?;
    let text = format!("{} is stopped: by Ctrl-Z, SIGSTOP, or a debugger", view.label(stage));
    Some(view.finding("stopped", stage, text).mend(format!("kill -CONT {}, or fg in its shell", stage.pid)).stuck())
}

/// Lines are in none of the counts. A stage that works has lines under way, so only one at rest is asked.
pub fn counts_broken(view: &View) -> Option<Finding> {
    let rests = |stage: &Stage| stage.since(Doing::Input, view.now_ms).is_some_and(|ms| ms >= WAIT_MS);
    let at_rest = |stage: &Stage| match stage.life {
        Life::Running => stage.stale_ms(view.now_ms).is_none() && rests(stage),
        Life::Ended { code, .. } => code == 0,
        _ => false,
    };
    let asked = view.pipeline.ours().filter(|(stage, _)| at_rest(stage) && !stage.is_source());
    let (stage, lost) = asked.filter_map(|(stage, facts)| Some((stage, unaccounted(facts)?))).next()?;
    let text = match lost {
        0.. => format!("{} has taken {} that are in none of its counts", view.label(stage), lines(lost.unsigned_abs())),
        _ => format!("{} accounts for {} more than it has taken", view.label(stage), lines(lost.unsigned_abs())),
    };
    let mend = "keep its input, and report it with the metrics file: it is a mistake in the tool";
    Some(view.finding("counts-broken", stage, text).mend(mend).stuck())
}

/// Lines in less all that is told of them; nothing when it adds up or is not known.
fn unaccounted(facts: &Facts) -> Option<i64> {
    let taken = facts.lines_in?.checked_add(facts.lines_restored.unwrap_or_default())?;
    let parts = [facts.lines_settled?, facts.lines_held?, facts.lines_late?, facts.lines_rejected?];
    let parts = parts.into_iter().chain(facts.lines_left_out);
    let told = parts.fold(0_u64, u64::saturating_add);
    let lost = i64::try_from(taken).ok()?.checked_sub(i64::try_from(told).ok()?)?;
    (lost != 0).then_some(lost)
}

/// All have ended.
pub fn ended(view: &View) -> Option<Finding> {
    let ended_ms = view.pipeline.ended_ms()?;
    let (last, _) = view.pipeline.ours().next_back()?;
    let ago = age(view.now_ms, ended_ms);
    let is_known = view.pipeline.ours().all(|(stage, _)| matches!(stage.life, Life::Ended { .. }));
    let text = if !is_known {
        format!("all stages are gone, {ago} ago; whether they ended well is not in their metrics files")
    } else if has_no_reader(last.life) {
        format!("all stages have ended {ago} ago, as what read the output of {} ended first", view.label(last))
    } else {
        format!("all stages have ended {ago} ago; none has failed")
    };
    let finding = view.finding("ended", last, text);
    Some(if has_no_reader(last.life) {
        finding.mend("nothing, if that was head or another program that reads only a part; else look at the messages of that program: it has failed")
    } else {
        finding
    })
}

/// It ended by the signal for a closed pipe.
fn has_no_reader(life: Life) -> bool {
    matches!(life, Life::Ended { code: 141, .. })
}

/// The numbers are old.
pub fn stale(view: &View) -> Option<Finding> {
    let (stage, age_ms) = view.running().find_map(|(_, stage)| Some((stage, stage.stale_ms(view.now_ms)?)))?;
    let text = format!(
        "the metrics of {} are {} old, so what is said of it may be no more so",
        view.label(stage),
        short(age_ms)
    );
    Some(view.finding("stale", stage, text).mend("is the disk of the metrics folder full, or read-only? df DIR"))
}

/// Nothing is wrong; says what flows.
pub fn flows(view: &View) -> Finding {
    let first = view.pipeline.stages.first().cloned().unwrap_or_default();
    let began = view.pipeline.started_ms().map(|ms| view.now_ms.saturating_sub(ms));
    let text = match (rates(view), began) {
        (Some(text), _) => text + &rate_limit(view),
        (None, Some(ms)) if ms < NEW_MS => "it has just begun".to_owned(),
        _ => "nothing holds it up, as far as the metrics tell".to_owned(),
    };
    view.finding("flows", &first, text)
}

/// Says that a source could give more.
fn rate_limit(view: &View) -> String {
    let paced = view.sources().find(|(source, _)| is_at_its_rate(source));
    paced
        .map(|(source, facts)| format!("; {} keeps to its rate limit{}", view.label(source), rate_flag(facts)))
        .unwrap_or_default()
}

fn rates(view: &View) -> Option<String> {
    let mut ours = view.ours();
    let (_, first, facts) = ours.next()?;
    let lines_in = if first.is_source() { first.rate_out() } else { first.rate_in() }?;
    let (_, last, _) = ours.next_back()?;
    let lines_out = if last.is_sink() { last.rate_in() } else { last.rate_out() }?;
    if facts.elapsed_ms.is_some_and(|ms| i64::try_from(ms).is_ok_and(|ms| ms < WAIT_MS)) || lines_in + lines_out == 0.0
    {
        return None;
    }
    let [lines_in, lines_out] = [lines_in, lines_out].map(crate::words::scaled);
    let verb = if last.is_sink() { "takes" } else { "writes" };
    Some(format!("lines flow: {} gives {lines_in} lines/s, {} {verb} {lines_out}", view.label(first), view.label(last)))
}
