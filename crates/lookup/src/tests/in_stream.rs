//! A table in the stream.

use clap::Parser;
use testkit::{Played, every_way, play, play_with};

use crate::LookupStream;
use crate::cli::{Cli, Plan};

fn cli(flags: &str) -> Cli {
    let words = ["lookup", "--on", "k=id", "--table-where", ".id", "--fields", "v"];
    Cli::try_parse_from(words.into_iter().chain(flags.split_whitespace())).unwrap()
}

fn stage(cli: &Cli) -> LookupStream {
    match cli.plan().unwrap() {
        Plan::Stream(stage) => *stage,
        Plan::File(_) => panic!("the table is in the stream"),
    }
}

/// `a5=x` is a row of key a at second 5, `a5` a line that wants one, `a5-` takes the key out, `w5` a watermark mark.
fn lines(short: &str) -> String {
    let line = |word: &str| {
        let (key, rest) = word.split_at(1);
        let (time, value) = rest.split_at(rest.find(['=', '-']).unwrap_or(rest.len()));
        match value.chars().next() {
            _ if word == "wnull" => "{\"$\":\"watermark\",\"time\":null}\n".to_owned(),
            _ if key == "w" => format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:{time:0>2}Z\"}}\n"),
            Some('=') => format!("{{\"id\":\"{key}\",\"t\":{time},\"v\":\"{}\"}}\n", &value[1..]),
            Some(_) => format!("{{\"id\":\"{key}\",\"t\":{time},\"gone\":true}}\n"),
            None => format!("{{\"k\":\"{key}\",\"t\":{time}}}\n"),
        }
    };
    short.split_whitespace().map(line).collect()
}

/// What came out in the same spelling.
fn short(out: &str) -> String {
    let word = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        match (value["$"].as_str(), value["v"].as_str()) {
            (Some(_), _) => {
                format!("w{}", value["time"].as_str().map_or("null", |time| time[17..19].trim_start_matches('0')))
            }
            (None, row) => format!(
                "{}{}{}",
                value["k"].as_str().unwrap(),
                value["t"],
                row.map_or(String::new(), |row| format!("={row}"))
            ),
        }
    };
    out.lines().map(word).collect::<Vec<_>>().join(" ")
}

fn ran(flags: &str, input: &str) -> (String, Played) {
    let cli = cli(flags);
    let played = play_with(stage(&cli), cli.config(), &lines(input));
    assert_eq!(played.result, Ok(()));
    (short(&played.out), played)
}

fn out(flags: &str, input: &str) -> String {
    ran(flags, input).0
}

#[test]
fn a_line_gets_the_last_row_before_it() {
    assert_eq!(out("", "a1 a1=x a1 b1 a1=y b1=z a1 b1"), "a1 a1=x b1 a1=y b1=z");
    assert_eq!(out("--kind inner --table-delete .gone", "a1 a1=x a1 a1- a1 a1=y a1"), "a1=x a1=y");
}

#[test]
fn with_times_a_line_gets_the_row_of_its_time_however_they_arrive() {
    assert_eq!(out("--time t", "a10=x a20=y a15 a25 a5 b30"), "a15=x a5 a25=y b30");
    assert_eq!(out("--time t --lateness 10s", "a15 a25 a10=x a20=y a20 a9 a19 c40"), "a9 a15=x a19=x a20=y a25=y c40");
    assert_eq!(out("--time t --lateness 10s", "a10=x a10=y a10 c40"), "a10=y c40", "of one time the last row");
    assert_eq!(out("--time t --lateness 10s --table-delete .gone", "a10=x a15- a12 a17 c40"), "a12=x a17 c40");
}

#[test]
fn lines_come_out_before_the_mark_that_moved_time() {
    assert_eq!(out("--time t", "wnull a5 a1=x w5 a6 w6 a7 w7 w8"), "wnull w5 a5=x w6 a6=x w7 a7=x w8");
}

#[test]
fn a_line_that_wants_a_forgotten_row_is_late() {
    let input = "a10=x a20=y b30 a40=z a15 a25";
    let (shown, played) = ran("--time t", input);
    assert_eq!((shown.as_str(), played.counts.late), ("b30 a25=y", 1));
    assert!(played.warnings[0].contains("time 1970-01-01T00:00:15Z is late: the row of that time is forgotten"));
    assert_eq!(out("--time t --late pass", input), "b30 a15 a25=y");
}

#[test]
fn the_time_of_a_row_may_have_another_name() {
    let cli = cli("--time t --table-time since --max-ahead off");
    let input = "{\"id\":\"a\",\"since\":20,\"v\":\"y\"}\n{\"k\":\"a\",\"t\":20}\n{\"k\":\"a\",\"t\":19}\n";
    assert_eq!(short(&play(stage(&cli), input).out), "a19 a20=y");
    let error = format!("{:?}", play(stage(&cli), "{\"id\":\"a\",\"t\":20}\n").result);
    assert!(error.contains("no field \\\"since\\\""), "{error}");
}

#[test]
fn other_lines_pass_and_their_time_counts() {
    let mut cli = cli("--time t");
    cli.selection.selection = Some(".k != \"o\"".parse().unwrap());
    let played = play_with(stage(&cli), cli.config(), &lines("a1=x a5 o3 o6 a6 o7"));
    assert_eq!(short(&played.out), "o3 o6 a5=x o7 a6=x");
}

#[test]
fn rows_and_lines_that_cannot_be_used_are_bad() {
    let said = |line: &str| format!("{:?}", play(stage(&cli("--time t")), line).result);
    assert!(said("{\"id\":[],\"t\":1}\n").contains("Ok"));
    assert!(said("{\"id\":true,\"x\":1}\n").contains("no field \\\"t\\\""));
    assert!(said("{\"k\":1}\n").contains("no field \\\"t\\\""));
    assert!(said("{\"k\":1,\"t\":1,\"v\":1}\n").contains("the line has a member \\\"v\\\" already"));
    let words = ["lookup", "--on", "k=id", "--table-where", ".row", "--fields", "v"];
    let cli = Cli::parse_from(words);
    let error = format!("{:?}", play(stage(&cli), "{\"row\":true}\n").result);
    assert!(error.contains("a row without .id, which is of its key"), "{error}");
}

#[test]
fn at_a_limit_it_stops_and_says_which() {
    let said = |flags: &str, input: &str| format!("{:?}", play(stage(&cli(flags)), &lines(input)).result);
    assert!(said("--max-keys 1", "a1=x a1=y b1=x").contains("more than 1 keys"));
    let waiting = said("--time t --buffer 40B", "a1 a2 a3 a4 a5");
    assert!(waiting.contains("Ok"), "time moves on: {waiting}");
    assert!(said("--time t --lateness 1m --buffer 40B", "a1 a2 a3").contains("take more than 40B"));
    assert!(said("--buffer 50B", "a1=x b1=x").contains("take more than 50B"));
}

#[test]
fn every_way_of_running_gives_the_same_lines() {
    let word = |n: u32| {
        let (key, time) = (char::from(b'a' + (n * n % 3) as u8), n / 3 + n * 31 % 17);
        match n % 7 {
            0 | 3 => format!("{key}{time}=v{n}"),
            5 if n % 4 == 1 => format!("{key}{time}-"),
            6 if n % 5 == 1 => format!("w{}", n / 5),
            _ => format!("{key}{time}"),
        }
    };
    let marked: Vec<String> = (0..240).map(word).collect();
    let input = lines(&marked.join(" "));
    let own: Vec<String> = marked.iter().filter(|word| !word.starts_with('w')).cloned().collect();
    for flags in ["", "--kind inner", "--time t --lateness 8s", "--time t --lateness 2s --late pass --kind inner"] {
        let cli = cli(&format!("{flags} --table-delete .gone"));
        every_way(|| stage(&cli), &input);
        every_way(|| stage(&cli), &lines(&own.join(" ")));
    }
}

#[test]
fn what_is_damaged_is_refused() {
    use millpipe::{Stage, Stateful};
    let mut stage = stage(&cli("--time t"));
    assert!(stage.restore(&mut &b"{}"[..]).is_err());
    for (name, value) in [("line 1", "[1]"), ("line 1", "[1,\"{}\"]]"), ("\"a\"", "[0]"), ("\"a\"", "[0,[[1,2]]]")] {
        assert!(stage.restore_entry(name, value.as_bytes()).is_err(), "{name} {value}");
    }
    stage.restore_entry("line 1", b"[1,\"{}\"]").unwrap();
    stage.restore_entry("\"a\"", b"[0,[[1,\"x\"]]]").unwrap();
    assert!(stage.restore_entry("\"a\"", b"[0,[]]").is_err());
    assert_eq!(stage.held(), 1);
}
