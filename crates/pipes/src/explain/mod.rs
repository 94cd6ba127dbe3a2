//! `pipes explain`: why nothing, or so little, comes out.
//!
//! Each rule is a pure function from what is known of a pipeline to a sentence, or to nothing. They stand in the order in which their
//! sentences are told: first what has ended or cannot go on; then where lines are lost, are kept back, or have not come; last what only slows.

mod blocked;
mod ends;
mod inputs;
mod lost;
mod time;
mod told;
mod view;

use millpipe::{Error, Fault};
use printer::Printer;
use serde_json::json;

use crate::cli;
use crate::clock::{now_ms, pause};
use crate::facts::Doing;
use crate::list::first_look;
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::Stage;
use crate::machine::{Look, Machine};
use crate::words::plain;
use view::{Finding, View};

/// Between the two looks, in milliseconds.
const SECOND_LOOK_MS: u64 = 1_000;

type Rule = fn(&View) -> Option<Finding>;

/// All rules, the most likely cause first.
const RULES: [Rule; 25] = [
    ends::died,
    ends::stopped,
    ends::counts_broken,
    told::no_sink,
    blocked::commit_waits,
    blocked::reader_blocked,
    lost::ahead_of_the_clock,
    told::time_unit,
    lost::rejected,
    lost::late,
    told::misnamed,
    lost::filtered,
    inputs::foreign_keeps_back,
    blocked::pace,
    time::no_window,
    time::watermark_is_held,
    time::window_is_open,
    inputs::open_transaction,
    inputs::source_is_silent,
    inputs::caught_up,
    inputs::starved,
    time::last_windows,
    lost::held_back,
    blocked::busy,
    blocked::commit_is_old,
];

/// Runs the command.
///
/// # Errors
/// When something is stuck, or there is no such pipeline.
pub fn run(explain: &cli::Explain, to: &mut Printer) -> Result<(), Fault> {
    let (before, look) = looks(&explain.metrics, to)?;
    let chosen = look.chosen(explain.asked.pipeline.as_deref())?;
    let mut told: Vec<(&Pipeline, Vec<Finding>)> =
        chosen.into_iter().map(|pipeline| (pipeline, findings(pipeline, before.as_ref(), look.at_ms))).collect();
    // What does not go on by itself comes first.
    told.sort_by_key(|(_, findings)| !any_is_stuck(findings));
    for (pipeline, findings) in &told {
        if explain.json {
            findings.iter().try_for_each(|finding| to.json(&as_json(pipeline, finding)))?;
        } else {
            to.bytes(as_text(pipeline, findings).as_bytes())?;
        }
    }
    let stuck: Vec<String> =
        told.iter().filter(|(_, findings)| any_is_stuck(findings)).map(|(pipeline, _)| plain(&pipeline.name)).collect();
    match stuck.as_slice() {
        [] => Ok(()),
        names => Err(Error::data(format_args!("stuck: {}", names.join(", "))).into()),
    }
}

/// Looks, and once more a moment later where a stage waits for its reader, or stands beside a foreign program: whether that reads or works
/// is seen by two looks.
fn looks(metrics: &cli::MetricsArgs, to: &mut Printer) -> Result<(Option<Look>, Look), Fault> {
    let machine = Machine::new(&metrics.dir);
    let first = first_look(&machine, metrics, to)?;
    let asks_for_two =
        |stage: &Stage| stage.since(Doing::Output, first.at_ms).is_some() || (stage.is_running() && !stage.is_ours());
    if !first.pipelines.iter().any(|pipeline| pipeline.stages.iter().any(asks_for_two)) {
        return Ok((None, first));
    }
    pause(SECOND_LOOK_MS);
    let second = machine.look(now_ms())?;
    Ok((Some(first), second))
}

/// Whether something of it does not go on by itself.
pub fn is_stuck(pipeline: &Pipeline, now_ms: i64) -> bool {
    any_is_stuck(&findings(pipeline, None, now_ms))
}

fn any_is_stuck(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.is_stuck)
}

/// What there is to say of a pipeline: at least one sentence.
fn findings(pipeline: &Pipeline, before: Option<&Look>, now_ms: i64) -> Vec<Finding> {
    let view = View { pipeline, before, now_ms };
    let mut found: Vec<Finding> = RULES.iter().filter_map(|rule| rule(&view)).collect();
    if !found.iter().any(|finding| finding.rule == "died") {
        found.extend(ends::ended(&view));
    }
    if found.is_empty() {
        found.push(ends::flows(&view));
    }
    found.extend(ends::stale(&view));
    found
}

fn as_text(pipeline: &Pipeline, findings: &[Finding]) -> String {
    let mut text = format!("{}: {}\n", plain(&pipeline.name), plain(&pipeline.picture()));
    for finding in findings {
        let stuck = if finding.is_stuck { "stuck: " } else { "" };
        text.push_str(&format!("  {stuck}{}\n", finding.text));
        if !finding.mend.is_empty() {
            text.push_str(&format!("    do: {}\n", finding.mend));
        }
    }
    text
}

fn as_json(pipeline: &Pipeline, finding: &Finding) -> serde_json::Value {
    json!({
        "pipeline": pipeline.name,
        "rule": finding.rule,
        "stage": finding.stage,
        "pid": finding.pid,
        "stuck": finding.is_stuck,
        "text": finding.text,
        "do": finding.mend,
    })
}

#[cfg(test)]
mod tests;
