//! Lines of other kinds in the same pipe.

use super::{cli, seconds, window};
use crate::cli::Plan;
use clap::Parser;
use testkit::{Played, every_way_with, play_with};

const BIDS: [&str; 3] = ["--time-unit", "s", "--where"];

fn shared(flags: &str, input: &str) -> Played {
    let words = flags.split_whitespace().chain(["--time", "t"]).chain(BIDS);
    let cli = crate::cli::Cli::try_parse_from(["window"].into_iter().chain(words).chain([".bid"])).unwrap();
    let config = cli.config();
    match cli.plan().unwrap() {
        Plan::Clock(_) => panic!("no clock here"),
        Plan::Times(stage) => play_with(stage, config, input),
        Plan::Sessions(stage) => play_with(stage, config, input),
        Plan::Counts(stage) => play_with(stage, config, input),
    }
}

/// What came out, in short: `w 12` is a watermark, `bid 3` a line with a window, `3` one without, by their times.
fn short(played: &Played) -> String {
    assert_eq!(played.result, Ok(()));
    let short_line = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        match (value["$"].as_str(), value.get("window_start").or(value.get("slice_start"))) {
            (Some("watermark"), _) => format!("w {}", seconds(&value["time"])),
            (Some(kind), _) => kind.to_owned(),
            (None, Some(_)) => format!("bid {}", value["t"]),
            (None, None) => value["t"].to_string(),
        }
    };
    played.out.lines().map(short_line).collect::<Vec<_>>().join(", ")
}

const INPUT: &str = "{\"t\":1,\"bid\":true}\n{\"t\":12}\n{\"t\":2,\"bid\":true}\n{ \"t\" : 9, \"bid\":false }\n\
                     {\"t\":\"never\"}\n{\"t\":99999999999}\n{\"t\":13,\"bid\":true}\n";

#[test]
fn the_time_of_other_lines_closes_windows_and_they_are_never_late() {
    let played = shared("--size 10s --lateness 0s", INPUT);
    assert_eq!(short(&played), "w null, bid 1, 12, w 12, 9, \"never\", 99999999999, bid 13");
    assert_eq!((played.counts.late, played.counts.lines_in), (1, 7));
    assert!(played.out.contains("\n{ \"t\" : 9, \"bid\":false }\n"));
}

#[test]
fn the_time_of_other_lines_closes_sessions_too() {
    let played = shared("--session 5s --lateness 0s", INPUT);
    assert_eq!(short(&played), "w null, sessions, bid 1, 12, w 12, 9, \"never\", 99999999999, bid 13");
    assert_eq!(played.counts.late, 1);
}

#[test]
fn watermarks_that_are_given_all_go_on_to_those_who_take_the_other_lines() {
    let input = "{\"$\":\"watermark\",\"time\":null}\n{\"t\":1,\"bid\":true}\n\
                 {\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:03Z\"}\n{\"t\":2}\n\
                 {\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:12Z\"}\n\
                 {\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:14Z\"}\n";
    assert_eq!(short(&shared("--size 10s", input)), "w null, bid 1, w 3, 2, w 12, w 14");
    assert_eq!(short(&shared("--session 5s", input)), "w null, sessions, bid 1, w 3, 2, w 12, w 14");
    assert_eq!(window("--size 10s", &input.replace(",\"bid\":true", "")).out.matches("watermark").count(), 2);
}

#[test]
fn every_way_of_running_gives_the_same_lines_and_marks() {
    let line = |n: u32| format!("{{\"t\":{},\"bid\":{}}}\n", n + n * 31 % 17, n * n % 7 < 3);
    let input: String = (0..300).map(line).collect();
    for flags in ["--size 10s --lateness 5s", "--size 10s --slide 2s", "--session 2s --lateness 3s"] {
        let cli = || {
            let mut cli = cli(&format!("{flags} --time t --time-unit s"));
            cli.selection.selection = Some(".bid".parse().unwrap());
            cli
        };
        match cli().plan().unwrap() {
            Plan::Times(_) => every_way_with(|| times(&cli()), &cli().config(), &input),
            _ => every_way_with(|| sessions(&cli()), &cli().config(), &input),
        }
    }
}

fn times(cli: &crate::cli::Cli) -> crate::TimeWindows {
    let Plan::Times(stage) = cli.plan().unwrap() else { panic!("no windows of a size") };
    stage
}

fn sessions(cli: &crate::cli::Cli) -> crate::SessionWindows {
    let Plan::Sessions(stage) = cli.plan().unwrap() else { panic!("no sessions") };
    stage
}
