//! Scripts of lines and marks, and what must come out.

mod clock;
mod counts;
mod others;
mod sessions;
mod times;
mod ways;

use crate::cli::{Cli, Plan};
use clap::Parser;
use testkit::{Played, play_with};

fn cli(flags: &str) -> Cli {
    Cli::parse_from(format!("window {flags}").split_whitespace())
}

/// Plays the input with these flags; the time field is `t`, in seconds, and the lateness 0, if they do not say it.
fn window(flags: &str, input: &str) -> Played {
    let has = |flag: &str| flags.contains(flag);
    let is_timed = !has("--count") && !has("--processing");
    let time = if is_timed && !has("--time ") { "--time t --time-unit s" } else { "" };
    let lateness = if is_timed && !has("--lateness") { "--lateness 0s" } else { "" };
    let cli = cli(&format!("{flags} {time} {lateness}"));
    let config = cli.config();
    match cli.plan().unwrap() {
        Plan::Times(stage) => play_with(stage, config, input),
        Plan::Clock(stage) => play_with(stage, config, input),
        Plan::Sessions(stage) => play_with(stage, config, input),
        Plan::Counts(stage) => play_with(stage, config, input),
    }
}

/// The output with annotations and marks in short: `[0..10 {"t":1}]`, `watermark 12`, `window 0..10`.
fn short(played: &Played) -> Vec<String> {
    assert_eq!(played.result, Ok(()));
    played.out.lines().map(short_line).collect()
}

fn short_line(line: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let span = |a: &str, b: &str| format!("{}..{}", seconds(&value[a]), seconds(&value[b]));
    match value["$"].as_str() {
        Some("watermark") => format!("watermark {}", seconds(&value["time"])),
        Some("window") => format!("window {}", span("start", "end")),
        Some(_) => line.to_owned(),
        None => {
            let (kind, span) = if value["window_start"].is_null() {
                ("~", span("slice_start", "slice_end"))
            } else {
                ("", span("window_start", "window_end"))
            };
            let rest = line.splitn(3, ',').nth(2).unwrap();
            format!("{kind}{span} {{{rest}")
        }
    }
}

fn seconds(value: &serde_json::Value) -> String {
    let Some(text) = value.as_str() else { return value.to_string() };
    let ms = event_time::parse_rfc3339(text.as_bytes()).unwrap();
    if ms % 1_000 == 0 { (ms / 1_000).to_string() } else { format!("{}", ms as f64 / 1_000.0) }
}

/// Lines `{"t":1}` from `1 2.5 3`; what is in braces already stays.
fn lines(times: &str) -> String {
    let line = |word: &str| if word.starts_with('{') { format!("{word}\n") } else { format!("{{\"t\":{word}}}\n") };
    times.split_whitespace().map(line).collect()
}
