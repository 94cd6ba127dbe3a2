//! The page of all pipelines: a header for each, and a row for each stage.

use ratatui::text::{Line, Span as Text};

use crate::facts::{Doing, Shares};
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::{Life, Stage};
use crate::top::columns::{Column, Columns};
use crate::top::numbers::{Numbers, Span};
use crate::top::paint::{Paint, Tone};
use crate::top::state::{Row, State};
use crate::words::{age, bytes, count, plain, scaled, short, tally};

/// Returns the lines that fit on a screen: the chosen row is among them.
pub fn lines(state: &State, paint: Paint, width: usize, height: usize) -> Vec<Line<'static>> {
    let columns = Columns::for_width(width);
    let rows = state.rows();
    let mut lines = vec![title(state, paint), heads(&columns, state.span, paint)];
    let room = height.saturating_sub(lines.len() + 1);
    let chosen = rows.iter().position(|row| row.pid().is_some() && row.pid() == state.selected);
    let first = chosen.map_or(0, |at| (at + 1).saturating_sub(room));
    let shown = rows.iter().skip(first).take(room).map(|row| match row {
        Row::Pipeline(pipeline) => head(pipeline, state.look.at_ms, width, paint),
        Row::Stage { stage, numbers, is_bottleneck } => {
            let is_chosen = state.selected == Some(stage.pid);
            row_of(&columns, stage, numbers, marks(is_chosen, *is_bottleneck), state, paint)
        }
    });
    lines.extend(shown);
    while lines.len() + 1 < height {
        lines.push(Line::default());
    }
    lines.push(foot(state, paint));
    lines
}

/// Returns all lines, for one snapshot.
pub fn snapshot(state: &State, width: usize) -> Vec<Line<'static>> {
    let height = state.rows().len() + 3;
    let mut lines = lines(state, Paint::default(), width, height);
    lines.pop();
    lines
}

fn title(state: &State, paint: Paint) -> Line<'static> {
    let pipelines = state.look.pipelines.len();
    let stages: usize = state.look.pipelines.iter().map(|pipeline| pipeline.stages.len()).sum();
    let frozen = if state.is_frozen { ", frozen" } else { "" };
    let passed_over = match state.look.passed_over.count {
        0 => String::new(),
        files => format!(", {files} files passed over"),
    };
    let of = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let text = format!(
        "pipes: {}, {}, {}{frozen}{passed_over}",
        of(pipelines, "pipeline"),
        of(stages, "stage"),
        state.span.word()
    );
    Line::from(Text::styled(text, paint.style(Tone::Title)))
}

fn heads(columns: &Columns, span: Span, paint: Paint) -> Line<'static> {
    let head = |column: Column| match (column, span) {
        (Column::LinesIn, Span::Start) => "in".to_owned(),
        (Column::LinesOut, Span::Start) => "out".to_owned(),
        (Column::Megabytes, Span::Start) => "MB".to_owned(),
        _ => column.head().to_owned(),
    };
    let cells = columns.all().map(|(column, width)| column.place(&head(column), width));
    Line::from(Text::styled(format!("  {}", cells.collect::<Vec<_>>().join(" ")), paint.style(Tone::Dim)))
}

fn head(pipeline: &Pipeline, now_ms: i64, width: usize, paint: Paint) -> Line<'static> {
    let ago = |ms: i64| age(now_ms, ms);
    let up = match pipeline.ended_ms() {
        Some(ended_ms) => Some(format!("ended {} ago", ago(ended_ms))),
        None => pipeline.started_ms().map(|ms| format!("up {}", ago(ms))),
    };
    let behind = pipeline.behind_ms().map(|ms| format!(" ({})", short(ms))).unwrap_or_default();
    let parts = [
        up,
        pipeline.committed_ms().map(|ms| format!("commit {} ago", ago(ms))),
        pipeline.watermark_ms().map(|ms| format!("time {} behind", ago(ms))),
        pipeline.lag().map(|lag| format!("lag {}{behind}", count(lag.unsigned_abs()))),
        pipeline.run().map(|run| format!("run {}", plain(run))),
    ];
    let name = plain(&pipeline.name);
    let mut left = width.saturating_sub(name.chars().count());
    let mut text = String::new();
    for part in parts.into_iter().flatten() {
        if part.chars().count() + 2 <= left {
            left -= part.chars().count() + 2;
            text.push_str("  ");
            text.push_str(&part);
        }
    }
    Line::from(vec![Text::styled(name, paint.style(Tone::Title)), Text::raw(text)])
}

/// Signs before a row: `>` is chosen, `*` sets the pace.
fn marks(is_chosen: bool, is_bottleneck: bool) -> String {
    format!("{}{}", if is_chosen { '>' } else { ' ' }, if is_bottleneck { '*' } else { ' ' })
}

fn row_of(
    columns: &Columns,
    stage: &Stage,
    numbers: &Numbers,
    marks: String,
    state: &State,
    paint: Paint,
) -> Line<'static> {
    let is_bottleneck = marks.ends_with('*');
    let mut texts = vec![Text::styled(marks, paint.style(if is_bottleneck { Tone::Bad } else { Tone::Plain }))];
    for (at, (column, width)) in columns.all().enumerate() {
        if at > 0 {
            texts.push(Text::raw(" "));
        }
        if column == Column::Bar {
            texts.extend(bar(numbers.shares, width, paint));
            continue;
        }
        let (text, tone) = cell(column, stage, numbers, state);
        texts.push(Text::styled(column.place(&text, width), paint.style(tone)));
    }
    Line::from(texts)
}

fn cell(column: Column, stage: &Stage, numbers: &Numbers, state: &State) -> (String, Tone) {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let number = |value: Option<f64>| or_dash(value.map(if state.span == Span::Start { tally } else { scaled }));
    let counted = |value: Option<u64>| or_dash(value.map(|value| tally(value as f64)));
    let facts = stage.facts.as_ref();
    let text = match column {
        Column::Name => format!("{}{}", "  ".repeat(stage.depth), plain(&stage.name)),
        Column::Now => return now(stage, state.look.at_ms),
        Column::LinesIn => number(numbers.lines_in),
        Column::LinesOut => number(numbers.lines_out),
        Column::Megabytes => numbers.bytes.map_or_else(|| "-".to_owned(), |bytes| format!("{:.1}", bytes / 1e6)),
        Column::Pipe => fill(stage),
        Column::Held => counted(facts.and_then(|facts| facts.lines_held)),
        Column::Late => counted(facts.and_then(|facts| facts.lines_late)),
        Column::Rejected => counted(facts.and_then(|facts| facts.lines_rejected)),
        Column::State => facts.and_then(|facts| facts.facts.state_bytes).map_or_else(|| "-".to_owned(), bytes),
        Column::Bar => String::new(),
    };
    (text, Tone::Plain)
}

/// How full the pipe before it is, in percent.
fn fill(stage: &Stage) -> String {
    let pipe = stage.input.and_then(|pipe| Some((pipe.bytes?, pipe.size.filter(|size| *size > 0)?)));
    pipe.map_or_else(|| "-".to_owned(), |(held, size)| format!("{}%", held.saturating_mul(100) / size))
}

/// What it does, in a column.
fn now(stage: &Stage, now_ms: i64) -> (String, Tone) {
    let ago = |ms: i64| age(now_ms, ms);
    match stage.life {
        Life::Ended { at_ms, code: 0 | 141 } => return (format!("ended {}", ago(at_ms)), Tone::Dim),
        Life::Ended { at_ms, code } => return (format!("exit {code} {}", ago(at_ms)), Tone::Bad),
        Life::Killed { seen_ms } => return (format!("killed {}", ago(seen_ms)), Tone::Bad),
        Life::Gone { seen_ms } => return (format!("gone {}", ago(seen_ms)), Tone::Dim),
        Life::Running if stage.is_stopped() => return ("stopped".to_owned(), Tone::Bad),
        Life::Running => {}
    }
    if let Some(age_ms) = stage.stale_ms(now_ms) {
        return (format!("old {}", short(age_ms)), Tone::Bad);
    }
    let Some(now) = stage.now(now_ms) else { return ("runs".to_owned(), Tone::Plain) };
    let (word, tone) = match now.doing {
        Doing::Work => return ("works".to_owned(), Tone::Busy),
        Doing::Other => return ("runs".to_owned(), Tone::Plain),
        Doing::Input => ("input", Tone::Input),
        Doing::Output => ("reader", Tone::Output),
        Doing::Commit => ("commit", Tone::Other),
        Doing::Pace => ("rate", Tone::Other),
    };
    let since = now.for_ms.filter(|ms| *ms >= 1_000).map(|ms| format!(" {}", short(ms)));
    (format!("{word}{}", since.unwrap_or_default()), tone)
}

/// `█` works, `▒` waits for its reader, `▓` for a commit or its rate limit, `·` for input.
fn bar(shares: Shares, width: usize, paint: Paint) -> Vec<Text<'static>> {
    let other = match (shares.commit, shares.pace) {
        (None, None) => None,
        (commit, pace) => Some(commit.unwrap_or_default() + pace.unwrap_or_default()),
    };
    let parts = [
        (shares.busy, '█', Tone::Busy),
        (shares.output, '▒', Tone::Output),
        (other, '▓', Tone::Other),
        (shares.input, '·', Tone::Input),
    ];
    let mut left = width;
    let mut texts = Vec::new();
    for (share, sign, tone) in parts {
        let cells = cells_of(share.unwrap_or_default(), width).min(left);
        left -= cells;
        texts.push(Text::styled(sign.to_string().repeat(cells), paint.style(tone)));
    }
    texts.push(Text::raw(" ".repeat(left)));
    texts
}

/// The nearest number of cells; a share of the file may be anything.
fn cells_of(share: f64, width: usize) -> usize {
    (share.clamp(0.0, 1.0) * width as f64).round() as usize
}

fn foot(state: &State, paint: Paint) -> Line<'static> {
    let text = if state.is_typing {
        format!("/{}_  Enter keeps it, Esc ends it", plain(&state.filter))
    } else {
        let filter = if state.filter.is_empty() { "filter".to_owned() } else { plain(&state.filter) };
        let freeze = if state.is_frozen { "go on" } else { "freeze" };
        format!(
            "q quit  s sort: {}  / {filter}  f {freeze}  r rates  c counts  Enter details  * bottleneck",
            state.sort.word()
        )
    };
    Line::from(Text::styled(text, paint.style(Tone::Dim)))
}
