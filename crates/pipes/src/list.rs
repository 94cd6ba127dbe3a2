//! `pipes list`: the pipelines as text and as JSON.

use millpipe::{Error, Fault};
use printer::Printer;
use serde_json::{Value, json};
use time_text::format_rfc3339;

use crate::bottleneck::bottleneck;
use crate::cli;
use crate::clock::now_ms;
use crate::facts::{Doing, Facts};
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::{Life, Stage};
use crate::machine::{Look, Machine};
use crate::words::{age, bytes, count, lines, plain, scaled, short};

/// Runs the command.
pub fn run(list: &cli::List, to: &mut Printer) -> Result<(), Fault> {
    let look = look(&list.metrics, to)?;
    for pipeline in &look.pipelines {
        if list.json {
            to.json(&as_json(pipeline, look.at_ms))?;
        } else {
            to.bytes(as_text(pipeline, look.at_ms).as_bytes())?;
        }
    }
    Ok(())
}

/// Looks once, and tells what was passed over.
pub fn look(metrics: &cli::MetricsArgs, to: &mut Printer) -> Result<Look, Error> {
    first_look(&Machine::new(&metrics.dir), metrics, to)
}

/// The same by a machine that looks again later.
pub fn first_look(machine: &Machine, metrics: &cli::MetricsArgs, to: &mut Printer) -> Result<Look, Error> {
    let look = machine.look(now_ms())?;
    for line in look.passed_over.lines() {
        to.note(&plain(&line));
    }
    if look.pipelines.is_empty() {
        to.note(&format!("no stage has written into {} within ten minutes", metrics.dir.display()));
    }
    Ok(look)
}

fn as_text(pipeline: &Pipeline, now_ms: i64) -> String {
    let mut text = format!("{}: {}", plain(&pipeline.name), plain(&pipeline.picture()));
    if let Some(started_ms) = pipeline.started_ms() {
        let until_ms = pipeline.ended_ms().unwrap_or(now_ms);
        text.push_str(&format!(" ({}, began {})", age(until_ms, started_ms), format_rfc3339(started_ms)));
    }
    text.push('\n');
    let names: Vec<String> = pipeline.stages.iter().map(indented_name).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    for (stage, name) in pipeline.stages.iter().zip(&names) {
        let line = format!("  {name:width$}  {:>7}  {}", stage.pid, says(stage, now_ms));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn indented_name(stage: &Stage) -> String {
    format!("{}{}", "  ".repeat(stage.depth), plain(&stage.name))
}

/// What it does, its rates, and the pipe before it.
fn says(stage: &Stage, now_ms: i64) -> String {
    let mut parts = vec![state(stage, now_ms)];
    if stage.is_running() {
        parts.extend(rates(stage));
        parts.extend(fill(stage));
        parts.extend(stage.stale_ms(now_ms).map(|age_ms| format!("numbers {} old", short(age_ms))));
    } else {
        parts.extend(totals(stage));
    }
    parts.join(", ")
}

/// What a stage does, in a few words.
pub fn state(stage: &Stage, now_ms: i64) -> String {
    match stage.life {
        Life::Running if stage.is_stopped() => "is stopped".to_owned(),
        Life::Running => doing(stage, now_ms),
        Life::Ended { at_ms, code: 0 } => format!("ended {} ago", age(now_ms, at_ms)),
        Life::Ended { at_ms, code: 141 } => format!("ended {} ago, as its reader had gone", age(now_ms, at_ms)),
        Life::Ended { at_ms, code } => {
            let why = stage.last_message().map(|message| format!(": {}", plain(&message))).unwrap_or_default();
            format!("failed {} ago, exit code {code}{why}", age(now_ms, at_ms))
        }
        Life::Killed { seen_ms } => format!("killed, last seen {} ago", age(now_ms, seen_ms)),
        Life::Gone { seen_ms } => format!("gone, last seen {} ago", age(now_ms, seen_ms)),
    }
}

fn doing(stage: &Stage, now_ms: i64) -> String {
    let Some(now) = stage.now(now_ms) else { return "runs".to_owned() };
    let what = match now.doing {
        Doing::Work => return "works".to_owned(),
        Doing::Input => "waits for input",
        Doing::Output => "waits for its reader",
        Doing::Commit => "waits for a commit",
        Doing::Pace => "waits for its rate limit",
        Doing::Other => return "runs".to_owned(),
    };
    // A wait of a moment is no news.
    match now.for_ms.filter(|ms| *ms >= 1_000) {
        Some(ms) => format!("{what} {}", short(ms)),
        None => what.to_owned(),
    }
}

fn rates(stage: &Stage) -> Option<String> {
    let rate = |rate: Option<f64>| rate.map(scaled);
    match (rate(stage.rate_in()).filter(|_| !stage.is_source()), rate(stage.rate_out())) {
        (Some(lines_in), Some(lines_out)) => Some(format!("{lines_in} lines/s in, {lines_out} out")),
        (Some(lines_in), None) => Some(format!("{lines_in} lines/s in")),
        (None, Some(lines_out)) => Some(format!("{lines_out} lines/s out")),
        (None, None) => totals(stage),
    }
}

fn totals(stage: &Stage) -> Option<String> {
    let (lines_in, lines_out) = (stage.count(|facts| facts.lines_in), stage.count(|facts| facts.lines_out)?);
    match lines_in.filter(|_| !stage.is_source()) {
        Some(lines_in) => Some(format!("{} in, {} out", lines(lines_in), count(lines_out))),
        None => Some(format!("{} lines out", count(lines_out))),
    }
}

fn fill(stage: &Stage) -> Option<String> {
    let pipe = stage.input?;
    let (held, size) = (pipe.bytes?, pipe.size?);
    Some(format!("pipe before it {} of {}", bytes(held), bytes(size)))
}

/// A pipeline with its stages as one object.
pub fn as_json(pipeline: &Pipeline, now_ms: i64) -> Value {
    let time = |ms: Option<i64>| ms.map(format_rfc3339);
    json!({
        "pipeline": pipeline.name,
        "run": pipeline.run(),
        "running": pipeline.is_running(),
        "picture": pipeline.picture(),
        "started": time(pipeline.started_ms()),
        "ended": time(pipeline.ended_ms()),
        "committed": time(pipeline.committed_ms()),
        "watermark": time(pipeline.watermark_ms()),
        "lag": pipeline.lag(),
        "behind_ms": pipeline.behind_ms(),
        "bottleneck": bottleneck(pipeline, None, now_ms).and_then(|at| pipeline.stages.get(at)).map(|stage| stage.pid),
        "stages": pipeline.stages.iter().map(|stage| stage_json(stage, now_ms)).collect::<Vec<_>>(),
    })
}

fn stage_json(stage: &Stage, now_ms: i64) -> Value {
    let (now, shares) = (stage.now(now_ms), stage.shares());
    let (word, code) = match stage.life {
        Life::Running if stage.is_stopped() => ("stopped", None),
        Life::Running => ("running", None),
        Life::Ended { code, .. } => ("ended", Some(code)),
        Life::Killed { .. } => ("killed", None),
        Life::Gone { .. } => ("gone", None),
    };
    let mut value = json!({
        "name": stage.name,
        "command": (!stage.is_ours()).then(|| stage.words.join(" ")),
        "pid": stage.pid,
        "ours": stage.is_ours(),
        "depth": stage.depth,
        "life": word,
        "exit_code": code,
        "dead_since": stage.life.dead_since_ms().map(format_rfc3339),
        "last_message": stage.last_message(),
        "now": now.and_then(|now| word_of(now.doing)),
        "now_ms": now.and_then(|now| now.for_ms),
        "lines_in_per_s": stage.rate_in(),
        "lines_out_per_s": stage.rate_out(),
        "busy": shares.busy,
        "waits_input": shares.input,
        "waits_output": shares.output,
        "pipe_bytes": stage.input.and_then(|pipe| pipe.bytes),
        "pipe_size": stage.input.and_then(|pipe| pipe.size),
    });
    if let (Some(facts), Value::Object(members)) = (&stage.facts, &mut value) {
        for (name, number) in counts(facts) {
            members.insert(name.to_owned(), number.into());
        }
    }
    value
}

fn word_of(doing: Doing) -> Option<&'static str> {
    match doing {
        Doing::Work => Some("work"),
        Doing::Input => Some("input"),
        Doing::Output => Some("output"),
        Doing::Commit => Some("commit"),
        Doing::Pace => Some("pace"),
        Doing::Other => None,
    }
}

/// The counts of a stage, by their names in the metrics file.
fn counts(facts: &Facts) -> [(&'static str, Option<u64>); 9] {
    [
        ("lines_in", facts.lines_in),
        ("lines_out", facts.lines_out),
        ("lines_left_out", facts.lines_left_out),
        ("lines_late", facts.lines_late),
        ("lines_rejected", facts.lines_rejected),
        ("lines_held", facts.lines_held),
        ("bytes_in", facts.bytes_in),
        ("bytes_out", facts.bytes_out),
        ("rss_bytes", facts.rss_bytes),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &str, facts: &str) -> Stage {
        let facts = Facts::parse(&format!(r#"{{"stage":"{name}","pid":7{facts}}}"#)).unwrap();
        Stage { name: name.to_owned(), pid: 7, facts: Some(facts.into()), written_ms: 100_000, ..Stage::default() }
    }

    #[test]
    fn a_line_says_what_a_stage_does() {
        let window = stage(
            "window",
            r#","now":"output","now_ms":3000,"rates":{"10s":{"lines_in":20000,"lines_out":40}},"lines_in":5,"lines_out":4"#,
        );
        assert_eq!(says(&window, 100_500), "waits for its reader 3s, 20.0k lines/s in, 40.0 out");
        let simple = stage("window", r#","lines_in":1234,"lines_out":4"#);
        assert_eq!(says(&simple, 100_500), "runs, 1,234 lines in, 4 out");
        let source = stage("generate", r#","lines_in":0,"lines_out":4"#);
        assert_eq!(says(&source, 130_000), "runs, 4 lines out, numbers 30s old");
        let jq = Stage { name: "jq".to_owned(), ..Stage::default() };
        assert_eq!(says(&jq, 100_500), "runs");
    }

    #[test]
    fn the_dead_say_how_they_ended() {
        let dead = |life, facts: &str| says(&Stage { life, ..stage("window", facts) }, 105_000);
        assert_eq!(dead(Life::Killed { seen_ms: 100_000 }, ""), "killed, last seen 5s ago");
        assert_eq!(
            dead(Life::Ended { at_ms: 95_000, code: 0 }, r#","lines_in":2,"lines_out":1"#),
            "ended 10s ago, 2 lines in, 1 out"
        );
        let message = r#","messages":[{"text":"line 3: not JSON\u001b[2J"}]"#;
        let failed = "failed 10s ago, exit code 1: line 3: not JSON [2J";
        assert_eq!(dead(Life::Ended { at_ms: 95_000, code: 1 }, message), failed);
    }

    #[test]
    fn text_and_json_have_a_line_for_each_stage_and_one_for_each_pipeline() {
        let inner = Stage { depth: 1, ..stage("window", "") };
        let stages = vec![stage("shard", r#","elapsed_ms":65000,"lines_in":1,"lines_out":2"#), inner];
        let pipeline = Pipeline { name: "job".to_owned(), stages };
        let text = as_text(&pipeline, 100_000);
        let expected = "job: shard [window] (1m5s, began 1970-01-01T00:00:35Z)\n  shard           7  runs, 1 line in, 2 out\n    window        7  runs\n";
        assert_eq!(text, expected);
        let value = as_json(&pipeline, 100_000);
        assert_eq!((&value["pipeline"], &value["stages"][0]["lines_out"]), (&json!("job"), &json!(2)));
        assert!(!value.to_string().contains('\n'));
    }
}
