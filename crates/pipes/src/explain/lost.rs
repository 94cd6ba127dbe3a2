//! Rules about lines that come in and do not go out: late, rejected, left out.

use crate::explain::view::{Finding, View};
use crate::facts::{Facts, Reject};
use crate::machine::stage::Stage;
use crate::words::{lines, plain};

/// Of fewer lines nothing follows.
const LINES_MIN: u64 = 10;

/// Where no line at all of so many comes through, something is wrong; of fewer it may be chance.
const LINES_SURE: u64 = 1_000;

/// A stage that writes nothing for so long, in milliseconds, while lines come holds them back.
const HELD_MS: u64 = 5_000;

/// Lines whose times are ahead of the clock.
pub fn ahead_of_the_clock(view: &View) -> Option<Finding> {
    let is_ahead = |reject: &Reject| reject.why.contains("ahead of the clock");
    let (stage, rejected, reject) =
        most(view, |facts| facts.lines_rejected, 2).find_map(|(stage, facts, rejected)| {
            Some((stage, rejected, facts.rejects.all().into_iter().rfind(is_ahead)?))
        })?;
    let text = format!(
        "{} takes no line whose time is ahead of the clock, and has rejected {}; the last: {}",
        view.label(stage),
        lines(rejected),
        plain(&reject.why)
    );
    let mend = format!(
        "mend the clock, or the time unit (--time-unit), of what writes these lines; --max-ahead off at {} takes them",
        stage.name
    );
    Some(view.finding("ahead-of-the-clock", stage, text).mend(mend).stuck_if(stage.is_running()))
}

/// Most lines are bad.
pub fn rejected(view: &View) -> Option<Finding> {
    let (stage, facts, rejected) = most(view, |facts| facts.lines_rejected, 2).next()?;
    let last = facts.rejects.last();
    let shown = last.as_ref().map(|last| format!("; the last, {}: {}", plain(&last.place), plain(&last.why)));
    let text = format!("{} {}{}", view.label(stage), of_all("rejects", facts, rejected), shown.unwrap_or_default());
    let mend = match last {
        Some(reject) if reject.why.contains("no field") => {
            format!("--time FIELD, or the flag that names the field, at {}", stage.name)
        }
        _ => format!("--rejects FILE at {} keeps such lines: jq -r '.why' FILE | sort | uniq -c", stage.name),
    };
    Some(view.finding("rejected", stage, text).mend(mend).stuck_if(stage.is_running() && is_all(facts, rejected)))
}

/// Most lines are late.
pub fn late(view: &View) -> Option<Finding> {
    let (stage, facts, late) = most(view, |facts| facts.lines_late, 2).next()?;
    let text = format!("{} {} as late", view.label(stage), of_all("drops", facts, late));
    let partitioned = view.sources().any(|(source, facts)| {
        source.name == "kafka-cat-in" && !facts.args.iter().any(|word| word == "--marks" || word == "--exactly-once")
    });
    let marks =
        if partitioned { "--marks at kafka-cat-in, as partitions are read at different speeds; or " } else { "" };
    let mend =
        format!("{marks}a longer --lateness where time is made (window, watermark); --late reject keeps late lines");
    Some(view.finding("late", stage, text).mend(mend).stuck_if(stage.is_running() && is_all(facts, late)))
}

/// A stage that puts lines in order, or joins them, holds all of them back.
pub fn held_back(view: &View) -> Option<Finding> {
    let holds = |stage: &Stage, facts: &Facts| {
        stage.rate_in().is_some_and(|rate| rate > 0.0)
            && stage.rate_out() == Some(0.0)
            && facts.elapsed_ms.is_some_and(|ms| ms >= HELD_MS)
            && facts.lines_held.is_some_and(|held| held > 0)
    };
    view.ours().filter(|(_, stage, facts)| holds(stage, facts)).find_map(|(_, stage, facts)| {
        let (why, mend) = match stage.name.as_str() {
            "reorder" => ("until time has passed them", "a shorter --lateness at reorder"),
            "merge" => ("until lines of its other inputs have come", "look at what writes the input that is silent"),
            "stream-join" => {
                ("until lines of the other side come", "look at --left and --right: which side has no lines?")
            }
            _ => return None,
        };
        let held = lines(facts.lines_held.unwrap_or_default());
        let text = format!("{} holds {held} back, {why}, and writes none", view.label(stage));
        Some(view.finding("held-back", stage, text).mend(mend))
    })
}

/// A stage lets no line pass, or hardly any.
pub fn filtered(view: &View) -> Option<Finding> {
    let (stage, facts, left_out) = most(view, |facts| facts.lines_left_out, 100)
        .find(|(_, facts, left_out)| passed(facts, *left_out).is_some())?;
    let passed = passed(facts, left_out)?;
    let all = facts.lines_in.unwrap_or_default();
    let text = match passed {
        0 => format!("{} lets no line pass: {} were left out", view.label(stage), lines(left_out)),
        _ => format!("{} lets {} of {} pass", view.label(stage), lines(passed), lines(all)),
    };
    let mend = match stage.name.as_str() {
        "filter" => "look at a line before it (head -n 1 | jq .): a string is no number (\"500\" is not 500), and a name must be right".to_owned(),
        "dedup" => "all keys have been seen before: look at --by and --within".to_owned(),
        name => format!("look at a line before {name} (head -n 1 | jq .), and at the flags of {name}"),
    };
    Some(
        view.finding("filtered", stage, text)
            .mend(mend)
            .stuck_if(stage.is_running() && passed == 0 && left_out >= LINES_SURE),
    )
}

/// The lines that were not left out; nothing while some of the others are still held.
fn passed(facts: &Facts, left_out: u64) -> Option<u64> {
    let passed = facts.lines_out?;
    let all = facts.lines_in?;
    (facts.lines_held.unwrap_or_default() == 0 && passed <= all / 100 && left_out > all / 100 * 99).then_some(passed)
}

/// The stages of which a count is at least one part in `parts_of` of all lines, first those before others in the pipe; also those that
/// have ended, as the question comes up after a run too.
fn most<'p>(
    view: &View<'p>,
    count: impl Fn(&Facts) -> Option<u64>,
    parts_of: u64,
) -> impl Iterator<Item = (&'p Stage, &'p Facts, u64)> {
    view.pipeline.ours().filter_map(move |(stage, facts)| {
        let (all, some) = (facts.lines_in?, count(facts)?);
        (all >= LINES_MIN && some >= all / parts_of).then_some((stage, facts, some))
    })
}

fn is_all(facts: &Facts, some: u64) -> bool {
    facts.lines_in.is_some_and(|all| some >= all) && facts.lines_out.unwrap_or_default() == 0
}

fn of_all(verb: &str, facts: &Facts, some: u64) -> String {
    match facts.lines_in.filter(|all| *all > some) {
        Some(all) => format!("{verb} {} of {}", crate::words::count(some), lines(all)),
        None => format!("{verb} all {}", lines(some)),
    }
}
