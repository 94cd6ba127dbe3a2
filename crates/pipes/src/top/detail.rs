//! The page of one stage: all that its file says.

use ratatui::text::{Line, Span as Text};
use time_text::format_rfc3339;

use crate::facts::{Facts, HotKey, Partition};
use crate::latency::histogram;
use crate::list::state as doing;
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::Stage;
use crate::top::paint::{Paint, Tone};
use crate::top::state::State;
use crate::words::{age, bytes, count, plain, scaled, short};

/// Partitions beyond are counted.
const PARTITIONS_MAX: usize = 100;

/// Fewer delays are no distribution.
const DELAYS_MIN: usize = 10;

/// Returns the lines that fit on a screen.
pub fn lines(state: &State, paint: Paint, height: usize) -> Vec<Line<'static>> {
    let Some((pipeline, stage)) = state.chosen() else {
        return vec![Line::raw("this stage has gone"), Line::raw("Esc goes back")];
    };
    let mut body = body(pipeline, stage, state.look.at_ms);
    body.extend(delays(state, pipeline, stage));
    let room = height.saturating_sub(2);
    let first = state.scroll.min(body.len().saturating_sub(room));
    let title = format!("{} of {}: {}", plain(&stage.name), plain(&pipeline.name), doing(stage, state.look.at_ms));
    let mut lines = vec![Line::from(Text::styled(title, paint.style(Tone::Title)))];
    lines.extend(body.into_iter().skip(first).take(room).map(Line::raw));
    while lines.len() + 1 < height {
        lines.push(Line::default());
    }
    lines.push(Line::from(Text::styled("Esc back  up and down scroll  f freeze  q quit", paint.style(Tone::Dim))));
    lines
}

fn body(pipeline: &Pipeline, stage: &Stage, now_ms: i64) -> Vec<String> {
    let mut page = Page::default();
    page.pair("process", Some(stage.pid));
    let Some(facts) = &stage.facts else {
        page.pair("command", Some(plain(&stage.words.join(" "))));
        pipes(stage, &mut page);
        return page.0;
    };
    page.pair("flags", (!facts.args.is_empty()).then(|| plain(&facts.args.join(" "))));
    page.pair("began", stage.started_ms().map(|ms| format!("{}, {} ago", format_rfc3339(ms), age(now_ms, ms))));
    page.pair("run", pipeline.run().map(plain));
    page.pair("hop", facts.hop);
    page.pair("shard", facts.shard.as_deref().map(plain));
    times(facts, &mut page);
    counts(facts, &mut page);
    marks(facts, now_ms, &mut page);
    pipes(stage, &mut page);
    page.pair("memory", facts.rss_bytes.map(bytes));
    page.pair("processor time", facts.cpu_ms.map(ms));
    of_tool(facts, &mut page);
    hot_keys(&facts.facts.hot_keys, &mut page);
    partitions(&facts.facts.partitions, &mut page);
    words(facts, &mut page);
    page.0
}

/// How long lines took from the source to here, when that was seen often enough to say something.
fn delays(state: &State, pipeline: &Pipeline, stage: &Stage) -> Vec<String> {
    let seen = state.delays.of(pipeline, stage).filter(|(_, delays_ms)| delays_ms.len() >= DELAYS_MIN);
    let Some((known, delays_ms)) = seen else { return Vec::new() };
    let title = format!("from the source to here, by its {}: {} times", known.name(), delays_ms.len());
    let mut lines = vec![String::new(), title];
    lines.extend(histogram(delays_ms.iter().copied()));
    lines
}

/// Lines, each with the name of what it says.
#[derive(Default)]
struct Page(Vec<String>);

impl Page {
    fn pair(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.0.push(format!("  {name:16} {}", value.to_string()));
        }
    }

    fn section(&mut self, name: &str) {
        self.0.push(String::new());
        self.0.push(name.to_owned());
    }
}

fn ms(ms: u64) -> String {
    short(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn times(facts: &Facts, page: &mut Page) {
    let percent = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{:.0}%", share * 100.0));
    let number = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), scaled);
    page.section("over                 1s     10s     60s  longest wait");
    let spans = [facts.shares.s1, facts.shares.s10, facts.shares.s60];
    let longest = facts.longest_wait_ms;
    let shares = [
        ("works", spans.map(|shares| shares.busy), None),
        ("waits for input", spans.map(|shares| shares.input), longest.input),
        ("for its reader", spans.map(|shares| shares.output), longest.output),
        ("for a commit", spans.map(|shares| shares.commit), longest.commit),
        ("rate limit", spans.map(|shares| shares.pace), longest.pace),
    ];
    for (name, [s1, s10, s60], longest) in shares {
        let cells = [s1, s10, s60].map(percent);
        let longest = longest.filter(|ms| *ms > 0).map(ms).unwrap_or_default();
        page.0
            .push(format!("  {name:16}{:>6}{:>8}{:>8}  {longest}", cells[0], cells[1], cells[2]).trim_end().to_owned());
    }
    let spans = [facts.rates.s1, facts.rates.s10, facts.rates.s60];
    let rates = [
        ("lines/s in", spans.map(|rates| rates.lines_in)),
        ("lines/s out", spans.map(|rates| rates.lines_out)),
        ("bytes/s in", spans.map(|rates| rates.bytes_in)),
        ("bytes/s out", spans.map(|rates| rates.bytes_out)),
    ];
    for (name, rates) in rates {
        let cells = rates.map(number);
        page.0.push(format!("  {name:16}{:>6}{:>8}{:>8}", cells[0], cells[1], cells[2]));
    }
}

fn counts(facts: &Facts, page: &mut Page) {
    page.section("lines");
    let counts = [
        ("in", facts.lines_in),
        ("restored", facts.lines_restored),
        ("out", facts.lines_out),
        ("settled", facts.lines_settled),
        ("left out", facts.lines_left_out),
        ("late", facts.lines_late),
        ("late, passed", facts.lines_late_passed),
        ("rejected", facts.lines_rejected),
        ("held", facts.lines_held),
    ];
    for (name, value) in counts {
        page.pair(name, value.map(count));
    }
}

fn marks(facts: &Facts, now_ms: i64, page: &mut Page) {
    page.section("marks and state");
    let ago = |ms: i64| format!("{}, {} ago", format_rfc3339(ms), age(now_ms, ms));
    page.pair("watermark", facts.time_ms().map(ago));
    page.pair("it moved", facts.watermark_moved.map(ago));
    let holder = facts.facts.holder.as_ref();
    page.pair(
        "it is held by",
        holder.map(|holder| format!("{} {}", plain(&holder.from), plain(holder.rule.as_deref().unwrap_or_default()))),
    );
    if let Some(barrier) = &facts.barrier {
        page.pair("barrier", Some(plain(&barrier.id)));
        page.pair("it came after", barrier.latency_ms.map(ms));
        page.pair("snapshot", barrier.snapshot_bytes.map(bytes));
        page.pair("it took", barrier.snapshot_ms.map(ms));
    }
    let commit = facts.commit.as_ref();
    page.pair("commit", commit.and_then(|commit| commit.at).map(ago));
    page.pair("it took", commit.and_then(|commit| commit.ms).map(ms));
}

fn pipes(stage: &Stage, page: &mut Page) {
    for (name, pipe) in [("pipe before", stage.input), ("pipe after", stage.output)] {
        let fill = pipe.and_then(|pipe| Some(format!("{} of {}", bytes(pipe.bytes?), bytes(pipe.size?))));
        page.pair(name, fill);
    }
}

fn of_tool(facts: &Facts, page: &mut Page) {
    let own = &facts.facts;
    page.pair("keys", own.keys.map(count));
    page.pair("state", own.state_bytes.map(bytes));
    page.pair("on disk", own.spilled_bytes.map(bytes));
    page.pair("open windows", own.open_windows.map(count));
    page.pair("next end", own.next_end.map(format_rfc3339));
    page.pair(
        "queue",
        own.queue_lines.map(|lines| format!("{} lines, {}", count(lines), bytes(own.queue_bytes.unwrap_or_default()))),
    );
    let files = own.files.and_then(|files| Some((files.read_bytes?, files.total_bytes?)));
    page.pair("files", files.map(|(read, total)| format!("{} of {} read", bytes(read), bytes(total))));
}

fn hot_keys(keys: &[HotKey], page: &mut Page) {
    if !keys.is_empty() {
        page.section("keys that come most often");
    }
    for HotKey { key, share } in keys {
        page.0.push(format!("  {:>5.1}% {}", share * 100.0, plain(&key.to_string())));
    }
}

fn partitions(partitions: &[Partition], page: &mut Page) {
    if partitions.is_empty() {
        return;
    }
    page.section("partition          position          end       lag  behind");
    let mut slowest: Vec<&Partition> = partitions.iter().collect();
    slowest.sort_by_key(|partition| std::cmp::Reverse(partition.lag));
    let number = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    for partition in slowest.iter().take(PARTITIONS_MAX) {
        let [position, end, lag] = [partition.position, partition.end, partition.lag].map(number);
        let behind = partition.behind_ms.map(short).unwrap_or_default();
        let line = format!("  {:14} {position:>10} {end:>12} {lag:>9}  {behind}", plain(&partition.partition));
        page.0.push(line.trim_end().to_owned());
    }
    let rest = slowest.len().saturating_sub(PARTITIONS_MAX);
    if rest > 0 {
        page.0.push(format!("  and {rest} more, with less lag"));
    }
}

fn words(facts: &Facts, page: &mut Page) {
    let (messages, rejects) = (facts.messages.all(), facts.rejects.all());
    if !messages.is_empty() {
        page.section("messages, the newest first");
    }
    for message in messages.iter().rev() {
        let at = message.at.map(format_rfc3339).unwrap_or_default();
        page.0.push(format!("  {at} {}", plain(&message.text)));
    }
    if !rejects.is_empty() {
        page.section("rejected lines, the newest first");
    }
    for reject in rejects.iter().rev() {
        page.0.push(format!("  {}: {}", plain(&reject.place), plain(&reject.why)));
        page.0.push(format!("    {}", plain(&reject.line)));
    }
}
