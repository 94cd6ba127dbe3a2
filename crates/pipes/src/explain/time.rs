//! Rules about event time: a window is written when time has passed its end.

use time_text::format_rfc3339;

use crate::explain::view::{Finding, View};
use crate::facts::{Facts, Holder};
use crate::machine::stage::Stage;
use crate::words::{age, count, plain, short};

/// A watermark that stands still for longer, in milliseconds, is held.
const HELD_MS: i64 = 5_000;

/// A younger stage, in milliseconds, may not have seen all partitions yet.
const BEGINS_MS: u64 = 1_500;

/// A partition or a file holds the watermark back, while lines of others come.
pub fn watermark_is_held(view: &View) -> Option<Finding> {
    let (stage, facts, holder, why) = view.ours().find_map(|(_, stage, facts)| {
        let holder = facts.facts.holder.as_ref()?;
        let is_long = |ms: i64| view.now_ms.saturating_sub(ms) >= HELD_MS;
        let why = why_held(facts, holder, view)?;
        let is_held = facts.watermark_moved.is_none_or(is_long) && view.flows_into(stage);
        is_held.then_some((stage, facts, holder, why))
    })?;
    let time = holder.time.or(facts.time_ms()).map(|ms| format!(" at {}", format_rfc3339(ms))).unwrap_or_default();
    let rule = holder.rule.as_ref().map(|rule| format!("; {}", plain(rule))).unwrap_or_default();
    let text = format!(
        "{} holds the watermark{time}, {why}: windows that end later stay open at {}{rule}",
        plain(&holder.from),
        view.label(stage)
    );
    let at = if ["window", "watermark"].contains(&stage.name.as_str()) {
        stage.name.as_str()
    } else {
        "window or watermark"
    };
    let mend = format!("a shorter --idle at {at} (--idle 5s) goes on without it");
    Some(view.finding("watermark-is-held", stage, text).mend(mend).stuck_if(holder.rule.is_none()))
}

/// Says how much older its lines are than those of others, or for how long none has come.
fn why_held(facts: &Facts, holder: &Holder, view: &View) -> Option<String> {
    match (holder.time, holder.newest) {
        // At the beginning the reader has not got to all partitions yet.
        (None, Some(newest_ms)) => {
            let is_young = facts.elapsed_ms.is_some_and(|ms| ms < BEGINS_MS);
            (!is_young).then(|| {
                format!("as no line has come from it, and those of others have come to {}", format_rfc3339(newest_ms))
            })
        }
        (Some(time_ms), Some(newest_ms)) => (newest_ms.saturating_sub(time_ms) >= HELD_MS)
            .then(|| format!("as the lines of others have come to {}", format_rfc3339(newest_ms))),
        (_, None) => {
            let since_ms = holder.since.or(facts.watermark_moved)?;
            let is_long = view.now_ms.saturating_sub(since_ms) >= HELD_MS;
            is_long.then(|| format!("as no line has come from it for {}", age(view.now_ms, since_ms)))
        }
    }
}

/// Aggregates without windows write at the end of their input only.
pub fn no_window(view: &View) -> Option<Finding> {
    let at_the_end = |stage: &Stage, facts: &Facts| {
        stage.name == "aggregate"
            && facts.facts.open_windows.is_none_or(|windows| windows == 0)
            && facts.lines_held.is_some_and(|lines| lines > 0)
            && facts.lines_out == Some(0)
            && view.flows_into(stage)
    };
    let (_, stage, facts) = view.ours().find(|(_, stage, facts)| at_the_end(stage, facts))?;
    let text = format!(
        "{} keeps {}, and writes at the end of its input: no windows come to it",
        view.label(stage),
        crate::words::lines(facts.lines_held.unwrap_or_default())
    );
    let mend = format!(
        "window --size 1m before {} gives a result for each minute; or wait for the end of the source",
        stage.name
    );
    Some(view.finding("no-window", stage, text).mend(mend))
}

/// Lines come, and no window has ended yet.
pub fn window_is_open(view: &View) -> Option<Finding> {
    let (stage, facts, windows) = open_windows(view).find(|(stage, ..)| view.flows_into(stage))?;
    // By the clock the window is over: it waits for lines, and none come.
    if facts.facts.next_end.is_some_and(|end_ms| end_ms <= view.now_ms) && view.is_starved(stage) {
        return None;
    }
    if stage.rate_out().map_or_else(|| facts.lines_out.unwrap_or_default() > 0, |rate| rate > 0.0) {
        return None;
    }
    let held = held(facts);
    // A stage that has the mark of no window yet goes by none; what is past its window has been lost on the way.
    let is_before = |time_ms: &i64| facts.facts.next_end.is_none_or(|end_ms| *time_ms < end_ms);
    let time_ms = facts.time_ms().or_else(|| view.time_at(stage).filter(is_before));
    let text = match (time_ms, facts.facts.next_end) {
        // A stage before it makes time, and has none yet.
        (None, _) if view.ours().any(|(.., facts)| facts.facts.holder.is_some()) => return None,
        (None, _) => format!("no time has come to {}, which keeps {windows} open{held}", view.label(stage)),
        (Some(time_ms), Some(end_ms)) if end_ms > time_ms => format!(
            "no window has ended: {} keeps {windows} open{held}; the first ends at {}, time has come to {}, {} before it",
            view.label(stage),
            format_rfc3339(end_ms),
            format_rfc3339(time_ms),
            short(end_ms.saturating_sub(time_ms))
        ),
        _ => return None,
    };
    let mend = match time_ms {
        None => {
            "window or watermark must stand before it, and marks must pass what is between (grep and jq 'select(…)' take them out)"
        }
        Some(_) => "wait; a shorter --size or --lateness where windows are made gives results earlier",
    };
    Some(view.finding("window-is-open", stage, text).mend(mend))
}

/// No line comes any more, and the last windows stay open.
pub fn last_windows(view: &View) -> Option<Finding> {
    let (stage, facts, windows) = open_windows(view).find(|(stage, ..)| view.is_starved(stage))?;
    let end = facts.facts.next_end.map(|ms| format!("; the first ends at {}", format_rfc3339(ms))).unwrap_or_default();
    let text = format!(
        "{} keeps {windows} open{}{end}: a window is written when a line comes that is later than its end",
        view.label(stage),
        held(facts)
    );
    let mend = "nothing, if more lines come; the end of the source (-e, or one Ctrl-C) writes what is open";
    Some(view.finding("last-windows", stage, text).mend(mend))
}

fn open_windows<'p>(view: &View<'p>) -> impl Iterator<Item = (&'p Stage, &'p Facts, String)> {
    view.ours().filter_map(|(_, stage, facts)| match facts.facts.open_windows? {
        0 => None,
        1 => Some((stage, facts, "1 window".to_owned())),
        windows => Some((stage, facts, format!("{} windows", count(windows)))),
    })
}

fn held(facts: &Facts) -> String {
    let held = facts.lines_held.filter(|held| *held > 0);
    held.map(|held| format!(" with {}", crate::words::lines(held))).unwrap_or_default()
}
