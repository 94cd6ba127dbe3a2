//! Rules about what stages have told: their messages, and their command lines.

use crate::explain::view::{Finding, View};
use crate::machine::stage::Stage;
use crate::words::plain;

/// A pipeline whose last stage has not begun yet has no sink for so long, in milliseconds.
const BEGINS_MS: i64 = 1_500;

/// An exactly-once pipeline without a sink: nothing is ever committed.
pub fn no_sink(view: &View) -> Option<Finding> {
    let is_exactly_once = |(stage, facts): &(&Stage, &crate::facts::Facts)| {
        facts.args.iter().any(|word| word == "--exactly-once") && is_old(view, stage)
    };
    let (source, _) = view.sources().find(is_exactly_once)?;
    if view.pipeline.ours().any(|(stage, _)| stage.is_sink()) {
        return None;
    }
    let last = view.pipeline.stages.last().map_or_else(String::new, |stage| view.label(stage));
    let text = format!(
        "nothing of this pipeline is committed: {} is exactly-once, and no sink is at the end, but {last}",
        view.label(source)
    );
    let mend =
        "file-cat-out PATH --exactly-once, or another …-cat-out, as the last stage; a > in a filter needs quotes";
    Some(view.finding("no-sink", source, text).mend(mend).stuck())
}

fn is_old(view: &View, stage: &Stage) -> bool {
    stage.started_ms().is_some_and(|ms| view.now_ms.saturating_sub(ms) >= BEGINS_MS)
}

/// Numbers were taken for times of another unit: windows of January 1970.
pub fn time_unit(view: &View) -> Option<Finding> {
    said(view, "time-unit", "is taken for the time")
}

/// No line had the field that a flag names.
pub fn misnamed(view: &View) -> Option<Finding> {
    said(view, "misnamed", " none had \"")
}

/// The first stage that has told this, with its words and the hint after them.
fn said(view: &View, rule: &'static str, words: &str) -> Option<Finding> {
    view.pipeline.ours().find_map(|(stage, facts)| {
        let messages = facts.messages.all();
        let at = messages.iter().position(|message| message.text.contains(words))?;
        let hint = messages.get(at + 1).filter(|message| message.level == "hint");
        let text = format!("{}: {}", view.label(stage), plain(&messages.get(at)?.text));
        Some(view.finding(rule, stage, text).mend(hint.map(|hint| plain(&hint.text)).unwrap_or_default()))
    })
}
