//! How the run ended, what its stages counted and said.

use crate::check::problem::{Problem, lines};
use crate::job::Job;
use crate::model::{Expect, Pattern, StageExpect};
use crate::running::{Observed, Over};
use crate::stages::Stage;

/// The exit code of a stage whose reader has gone.
const READER_GONE: i64 = 141;
/// The last words of a run that are shown.
const WORDS_MAX: usize = 8;

pub fn check(job: &Job, observed: &Observed, problems: &mut Vec<Problem>) {
    let expect = job.test.expect.clone().unwrap_or_default();
    check_end(job, observed, &expect, problems);
    for stage in &observed.stages {
        check_books(job, observed, stage, problems);
    }
    check_links(&observed.stages, problems);
    for (name, expected) in &job.test.stage {
        check_stage(name, expected, observed, problems);
    }
    let said =
        |of: fn(&StageExpect) -> Option<u64>| job.test.stage.values().filter_map(of).reduce(|sum, count| sum + count);
    check_sum("late", expect.late.or(said(|stage| stage.late)), &observed.stages, |stage| stage.late, problems);
    check_sum("rejected", expect.rejected.or(said(|s| s.rejected)), &observed.stages, |stage| stage.rejected, problems);
    for pattern in &expect.messages {
        if !observed.stderr.lines().any(|line| pattern.matches(line)) {
            problems.push(
                Problem::new(format_args!("nobody said {:?}", pattern.written))
                    .with_shown(last_words(&observed.stderr)),
            );
        }
    }
}

fn check_end(job: &Job, observed: &Observed, expect: &Expect, problems: &mut Vec<Problem>) {
    let exit = expect.exit;
    let what = match observed.over {
        Over::Code(code) if code == exit => None,
        Over::Code(code) => Some(format!("exit code {code}, expected {exit}")),
        Over::Signal(signal) if 128 + signal == exit => None,
        Over::Signal(signal) => Some(format!("ended by signal {signal}, expected exit code {exit}")),
        Over::OutOfTime => Some(format!("not over after {:?}, and killed{}", job.limit, waiting(&observed.stages))),
        Over::Interrupted => Some("interrupted".to_owned()),
    };
    if let Some(what) = what {
        let failed =
            observed.stages.iter().find(|stage| stage.code.is_some_and(|code| code != 0 && code != READER_GONE));
        let problem = Problem::new(what).with_shown(last_words(&observed.stderr));
        problems.push(Problem { stage: failed.map(Stage::title), ..problem });
    }
    if observed.left_behind {
        problems.push(Problem::new("processes of the script were still there when it had ended: they were killed"));
    }
}

/// What the stages of a run did that took too long.
fn waiting(stages: &[Stage]) -> String {
    let open: Vec<String> =
        stages.iter().filter(|s| s.code.is_none()).map(|s| format!("{} ({})", s.title(), s.doing)).collect();
    if open.is_empty() { String::new() } else { format!("; still there: {}", open.join(", ")) }
}

fn check_books(job: &Job, observed: &Observed, stage: &Stage, problems: &mut Vec<Problem>) {
    let title = stage.title();
    let is_whole = matches!(observed.over, Over::Code(_) | Over::Signal(_));
    if is_whole && !stage.adds_up() {
        problems.push(Problem::of_stage(&title, format_args!("its books do not add up: {}", stage.books())));
    }
    let is_told = job.test.stage.iter().any(|(name, expected)| stage.is_called(name) && expected.exit.is_some());
    let problem = match stage.code {
        None if is_whole => Some("it did not end in order: it was killed, or its metrics were taken away".to_owned()),
        Some(code) if code != 0 && code != READER_GONE && observed.over == Over::Code(0) && !is_told => Some(format!(
            "it ended with exit code {code}, and the script with 0: the script has no \"set -o pipefail\""
        )),
        _ => None,
    };
    problems.extend(problem.map(|what| Problem::of_stage(&title, what)));
}

/// What one stage wrote into a pipe is what the next one read from it.
fn check_links(stages: &[Stage], problems: &mut Vec<Problem>) {
    for stage in stages.iter().filter(|stage| stage.code == Some(0) && !stage.is_shard) {
        let next = stages.iter().find(|next| next.pipe_in.is_some() && next.pipe_in == stage.pipe_out);
        if let Some(next) =
            next.filter(|next| next.code == Some(0) && next.lines_in != stage.lines_out && next.tool != "merge")
        {
            let what = format!("it read {} lines, and {} wrote {}", next.lines_in, stage.title(), stage.lines_out);
            problems.push(Problem::of_stage(&next.title(), what));
        }
    }
}

fn check_stage(name: &str, expected: &StageExpect, observed: &Observed, problems: &mut Vec<Problem>) {
    let found: Vec<&Stage> = observed.stages.iter().filter(|stage| stage.is_called(name)).collect();
    let stage = match found.as_slice() {
        [stage] => *stage,
        [] => {
            let there: Vec<String> = observed.stages.iter().map(Stage::title).collect();
            return problems.push(Problem::new(format_args!("there was no stage {name}: {}", there.join(", "))));
        }
        several => {
            let there: Vec<String> = several.iter().map(|stage| format!("{}-{}", stage.place, stage.tool)).collect();
            return problems.push(Problem::new(format_args!("stage {name} is one of {}: say which", there.join(", "))));
        }
    };
    let counts = [
        ("in", expected.lines_in, stage.lines_in),
        ("out", expected.lines_out, stage.lines_out),
        ("late", expected.late, stage.late),
        ("rejected", expected.rejected, stage.rejected),
    ];
    for (what, expected, count) in counts {
        if expected.is_some_and(|expected| expected != count) {
            let expected = expected.unwrap_or(0);
            problems.push(Problem::of_stage(&stage.title(), format_args!("{what} {count}, expected {expected}")));
        }
    }
    if expected.exit.is_some() && expected.exit != stage.code {
        let code = stage.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        let expected = expected.exit.unwrap_or(0);
        problems.push(Problem::of_stage(&stage.title(), format_args!("exit code {code}, expected {expected}")));
    }
    expected.messages.iter().for_each(|pattern| check_message(stage, pattern, observed, problems));
}

fn check_message(stage: &Stage, pattern: &Pattern, observed: &Observed, problems: &mut Vec<Problem>) {
    let start = format!("{}: ", stage.tool);
    let mut own = observed.stderr.lines().filter_map(|line| line.strip_prefix(&start));
    if !own.any(|line| pattern.matches(line)) {
        let problem = Problem::of_stage(&stage.title(), format_args!("it did not say {:?}", pattern.written));
        problems.push(problem.with_shown(last_words(&observed.stderr)));
    }
}

fn check_sum(what: &str, expected: Option<u64>, stages: &[Stage], of: fn(&Stage) -> u64, problems: &mut Vec<Problem>) {
    let sum: u64 = stages.iter().map(of).sum();
    if sum == expected.unwrap_or(0) {
        return;
    }
    let who: Vec<String> =
        stages.iter().filter(|stage| of(stage) > 0).map(|stage| format!("{} {}", stage.title(), of(stage))).collect();
    let who = if who.is_empty() { String::new() } else { format!(" ({})", who.join(", ")) };
    let hint = if expected.is_none() { format!("; if that is right: expect.{what} = {sum}") } else { String::new() };
    problems.push(Problem::new(format_args!(
        "{}{who}, expected {}{hint}",
        lines(sum, &format!("{what} ")),
        expected.unwrap_or(0)
    )));
}

fn last_words(stderr: &str) -> Vec<String> {
    let lines: Vec<&str> = stderr.lines().collect();
    lines[lines.len().saturating_sub(WORDS_MAX)..].iter().map(|line| format!("     | {line}")).collect()
}
