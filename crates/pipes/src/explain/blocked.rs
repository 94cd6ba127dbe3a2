//! Rules about stages that others wait for.

use crate::bottleneck::{bottleneck, shares};
use crate::explain::view::{Finding, View, WAIT_MS};
use crate::facts::{Doing, Facts};
use crate::machine::stage::Stage;
use crate::words::{age, bytes, lines, scaled, short};

/// A commit that takes longer, in milliseconds, is worth a sentence.
const COMMIT_MS: i64 = 3_000;

/// Results that wait longer than this for their commit, in milliseconds.
const COMMIT_AGE_MS: i64 = 10_000;

/// After one look alone, a reader that has taken nothing for so long, in milliseconds, does not read.
const ONE_LOOK_MS: i64 = 60_000;

/// A stage that waits for its rate limit for this part of the time holds up the others.
const PACE_SHARE: f64 = 0.5;

/// The commit waits: for a stage that the barrier has not passed, or for the target.
pub fn commit_waits(view: &View) -> Option<Finding> {
    let waiting = view
        .ours()
        .rev()
        .filter_map(|(_, stage, facts)| Some((stage, facts, view.waits_at_least(stage, Doing::Commit, COMMIT_MS)?)));
    let (stage, _, ms) = waiting.max_by_key(|(stage, ..)| stage.is_sink())?;
    match behind_the_barrier(view) {
        Some((slow, facts)) => Some(waits_for_stage(view, slow, facts, ms)),
        None => Some(waits_for_target(view, stage, ms)),
    }
}

/// The stage at which the newest barrier has stopped.
fn behind_the_barrier<'p>(view: &View<'p>) -> Option<(&'p Stage, &'p Facts)> {
    let seq = |facts: &Facts| number_of(&facts.barrier.as_ref()?.id);
    let newest = view.ours().filter_map(|(.., facts)| seq(facts)).max()?;
    let is_behind = |(_, stage, facts): &(usize, &Stage, &Facts)| {
        seq(facts).is_some_and(|seq| seq < newest) && stage.since(Doing::Commit, view.now_ms).is_none()
    };
    let behind: Vec<_> = view.ours().filter(is_behind).collect();
    // One that waits for others is not what they wait for.
    let waits = |stage: &Stage| [Doing::Input, Doing::Output].iter().any(|doing| view.waits(stage, *doing).is_some());
    let culprit = behind.iter().find(|(_, stage, _)| !waits(stage)).or(behind.first())?;
    Some((culprit.1, culprit.2))
}

/// The number at the end of a checkpoint's name.
fn number_of(id: &str) -> Option<u64> {
    id.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn waits_for_stage(view: &View, slow: &Stage, facts: &Facts, ms: i64) -> Finding {
    let label = view.label(slow);
    let state = facts.barrier.as_ref().and_then(|barrier| barrier.snapshot_bytes);
    let state = state.map(|size| format!(" (its last snapshot has {})", bytes(size))).unwrap_or_default();
    let text = format!(
        "the commit has been waiting {} for {label}: the last barrier has not passed it, as it works on the lines before, or saves its state{state}",
        short(ms)
    );
    let mend = format!("a longer --interval at the source makes it rarer; {}", faster(slow));
    view.finding("commit-waits-for-snapshot", slow, text).mend(mend).stuck()
}

fn waits_for_target(view: &View, stage: &Stage, ms: i64) -> Finding {
    let sink = view.ours().find(|(_, stage, _)| stage.is_sink()).map_or(stage, |(_, sink, _)| sink);
    let (target, mend) = match sink.name.as_str() {
        "kafka-cat-out" => {
            ("the brokers", "are the brokers up, and can this machine reach them? kafka-cat-out -v says more")
        }
        "file-cat-out" => ("its disk", "is the disk full or slow? df and iostat"),
        "exec-cat-out" => ("its command", "look at the command; --timeout ends one that hangs"),
        _ => ("the end of the pipeline", "look at the last stage"),
    };
    let text = format!("{} has been waiting {} for {target} to commit", view.label(sink), short(ms));
    view.finding("commit-waits-for-target", sink, text).mend(mend).stuck()
}

/// The last stage waits for a program that does not read.
pub fn reader_blocked(view: &View) -> Option<Finding> {
    let blocked = view.ours().rev().filter_map(|(at, stage, _)| Some((at, stage, view.waits(stage, Doing::Output)?)));
    blocked.into_iter().find_map(|(at, stage, ms)| {
        if let Some(finding) = slow_sub_pipe(view, at, stage, ms) {
            return Some(finding);
        }
        let is_held = |other: &Stage| stage.output.is_some_and(|pipe| other.held.contains(&pipe.pipe));
        if view.running().any(|(_, other)| is_held(other)) || view.waits_for_a_sub_pipe(at) {
            return None;
        }
        match last_foreign(view, at) {
            Reader::Ours => None,
            Reader::Foreign(reader) => does_not_read(view, stage, reader, ms),
            Reader::Unseen => Some(is_unseen(view, stage, ms)),
        }
    })
}

/// A foreign program at the head of a sub-pipe takes its lines slowly.
fn slow_sub_pipe(view: &View, at: usize, stage: &Stage, ms: i64) -> Option<Finding> {
    if !view.waits_for_a_sub_pipe(at) {
        return None;
    }
    let is_head = |inner: &Stage| inner.input.is_some_and(|pipe| stage.held.contains(&pipe.pipe));
    let is_slow = |inner: &Stage| inner.now(view.now_ms).is_none_or(|now| now.doing != Doing::Input);
    let mut foreign = view.running().map(|(_, inner)| inner).filter(|inner| !inner.is_ours() && is_head(inner));
    let slow = foreign.find(|inner| is_slow(inner))?;
    let (label, name) = (view.label(stage), &slow.name);
    let text =
        format!("{label} has been waiting {} for {name} (pid {}), which takes its lines slowly", short(ms), slow.pid);
    Some(
        view.finding("reader-slow", slow, text)
            .mend(format!("make {name} faster, or more copies: -n N at {}", stage.name)),
    )
}

enum Reader<'p> {
    Ours,
    Foreign(&'p Stage),
    Unseen,
}

/// What a stage waits for at the end: a foreign program that waits for its own reader is passed.
fn last_foreign<'p>(view: &View<'p>, at: usize) -> Reader<'p> {
    let mut found = Reader::Unseen;
    let mut at = at;
    for _ in 0..view.pipeline.stages.len() {
        let Some((next, reader)) = view.pipeline.readers(at).find(|(_, stage)| stage.is_running()) else { break };
        if reader.is_ours() {
            // It waits for lines: what is before it waits for somebody else, as tee does for its file.
            let is_idle = view.waits(reader, Doing::Input).is_some();
            return if is_idle && matches!(found, Reader::Foreign(_)) { found } else { Reader::Ours };
        }
        found = Reader::Foreign(reader);
        if reader.now(view.now_ms).is_none_or(|now| now.doing != Doing::Output) {
            break;
        }
        at = next;
    }
    found
}

fn does_not_read(view: &View, stage: &Stage, reader: &Stage, ms: i64) -> Option<Finding> {
    if reader.is_stopped() {
        return None;
    }
    let (label, name) = (view.label(stage), view.label(reader));
    if reader.now(view.now_ms).is_some_and(|now| now.doing == Doing::Work) {
        let text = format!("{label} has been waiting {} for {name}, which works and takes its lines slowly", short(ms));
        let mend = format!("make {name} faster, or run it in many processes: parallel-map -- {name} …");
        return Some(view.finding("reader-slow", reader, text).mend(mend));
    }
    // A wait that is broken again and again, or a pipe in which something moves: it does read.
    let is_broken = stage.since(Doing::Output, view.now_ms).is_some_and(|ms| ms < WAIT_MS);
    if is_broken || view.is_read(stage).unwrap_or(ms < ONE_LOOK_MS) {
        let text = format!(
            "{label} waits nearly all of its time for {name} (pid {}), which takes its lines slowly",
            reader.pid
        );
        let mend = format!("make {name} faster; throttle, if lines may be dropped or kept on disk meanwhile");
        return Some(view.finding("reader-slow", reader, text).mend(mend));
    }
    let text = format!("{label} has been waiting {} for {name} (pid {}), which does not read", short(ms), reader.pid);
    let mend = match reader.name.as_str() {
        "tee" => "another reader of tee does not read: tee waits for all that it writes to".to_owned(),
        _ => format!("look at {name}: a pager waits for a key, a program for an answer or a lock"),
    };
    Some(view.finding("reader-blocked", reader, text).mend(mend).stuck())
}

fn is_unseen(view: &View, stage: &Stage, ms: i64) -> Finding {
    let text = format!(
        "{} has been waiting {} for what reads its output: a terminal, or a program that pipes cannot see",
        view.label(stage),
        short(ms)
    );
    let mend =
        "Ctrl-Q, where the terminal was stopped by Ctrl-S; else look at the program that has started the pipeline";
    view.finding("reader-blocked", stage, text).mend(mend).stuck()
}

/// A stage that is no source waits for its rate limit.
pub fn pace(view: &View) -> Option<Finding> {
    let waits = |stage: &Stage| view.waits(stage, Doing::Pace).is_some();
    // More lines in its queue than it writes in a second.
    let is_behind = |stage: &Stage, facts: &Facts| {
        facts
            .facts
            .queue_lines
            .is_some_and(|lines| stage.rate_out().is_some_and(|rate| rate > 0.0 && lines as f64 > rate))
    };
    let paces = |stage: &Stage, facts: &Facts| is_at_its_rate(stage) || waits(stage) || is_behind(stage, facts);
    let (_, stage, facts) = view.ours().find(|(_, stage, facts)| !stage.is_source() && paces(stage, facts))?;
    let rate = stage.rate_out().map(|rate| format!(" of {} lines/s", scaled(rate))).unwrap_or_default();
    let queue = facts.facts.queue_lines.filter(|queued| *queued > 0);
    let queue = queue.map(|queued| format!("; {} wait in its queue", lines(queued))).unwrap_or_default();
    let text = format!("{} keeps to its rate limit{rate}{}{queue}", view.label(stage), rate_flag(facts));
    Some(view.finding("pace", stage, text).mend(format!("a higher --rate at {}, if that is too slow", stage.name)))
}

/// It waits for its rate limit for much of the time.
pub fn is_at_its_rate(stage: &Stage) -> bool {
    stage.shares().pace.is_some_and(|share| share >= PACE_SHARE)
}

/// ` (--rate 100/s)`, where the flag was given.
pub fn rate_flag(facts: &Facts) -> String {
    facts.flag(&["--rate"]).map(|rate| format!(" (--rate {rate})")).unwrap_or_default()
}

/// A stage works nearly all the time, and the one before it waits.
pub fn busy(view: &View) -> Option<Finding> {
    let at = bottleneck(view.pipeline, view.before, view.now_ms)?;
    let stage = view.pipeline.stages.get(at)?;
    let share = shares(stage, view.before, view.now_ms)
        .busy
        .map(|share| format!(": it works {:.0} % of the time", share * 100.0));
    let text = format!(
        "{} is the bottleneck{}, and the stage before it waits",
        view.label(stage),
        share.unwrap_or_else(|| ": it works".to_owned())
    );
    Some(view.finding("busy", stage, text).mend(faster(stage)))
}

/// What makes a stage faster.
fn faster(stage: &Stage) -> String {
    match stage.name.as_str() {
        "aggregate" => {
            "aggregate --threads 3 reads lines in threads of their own, shard --by KEY -n 2 -- '…' runs two".to_owned()
        }
        "parallel-map" | "filter" => format!("{} -j N takes more cores", stage.name),
        "kafka-cat-in" | "file-cat-in" | "generate" => {
            "--instance I/N divides the partitions over several pipelines".to_owned()
        }
        "kafka-cat-out" | "file-cat-out" | "exec-cat-out" => format!("pipes top shows what {} waits for", stage.name),
        name if stage.is_ours() => format!(
            "{name} --threads 3 reads and writes in threads of their own; shard --by KEY -n 2 -- '{name} …' runs two"
        ),
        name => format!("parallel-map -- {name} … runs it in many processes"),
    }
}

/// Results wait for the next commit.
pub fn commit_is_old(view: &View) -> Option<Finding> {
    let committed_ms = view.pipeline.committed_ms()?;
    let (_, sink, facts) = view.ours().rev().find(|(_, stage, _)| stage.is_sink())?;
    let has_lines = sink.rate_in().is_some_and(|rate| rate > 0.0);
    if !has_lines || view.now_ms.saturating_sub(committed_ms) < COMMIT_AGE_MS {
        return None;
    }
    let took = facts.commit.as_ref().and_then(|commit| commit.ms);
    let took = took.and_then(|ms| i64::try_from(ms).ok()).map(|ms| format!(", which took {}", short(ms)));
    let text = format!(
        "results are seen when they are committed; the last commit was {} ago{}",
        age(view.now_ms, committed_ms),
        took.unwrap_or_default()
    );
    Some(view.finding("commit-is-old", sink, text).mend("a shorter --interval at the source commits more often"))
}
