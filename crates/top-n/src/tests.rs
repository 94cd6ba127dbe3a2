use crate::TopN;
use crate::cli::Cli;
use clap::Parser;
use testkit::{Played, every_way, play, play_with};

fn cli(flags: &str) -> Cli {
    Cli::try_parse_from(["top-n"].into_iter().chain(flags.split_whitespace())).unwrap()
}

fn top_n(flags: &str) -> TopN {
    cli(flags).top_n().unwrap()
}

/// `a5` is a line of key a with the value 5, and its place in the input as `n`.
fn lines(short: &str) -> String {
    let line = |(n, word): (usize, &str)| {
        let (key, value) = word.split_at(1);
        format!("{{\"k\":\"{key}\",\"v\":{value},\"n\":{n}}}\n")
    };
    short.split_whitespace().enumerate().map(line).collect()
}

/// What came out in the same spelling: `a5#0`, with a rank `1:a5#0`, with a change `+a5#0` or `-a5#0`.
fn short(out: &str) -> String {
    let word = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let op = value["op"].as_str().map_or("", |op| if op == "insert" { "+" } else { "-" });
        let rank = value.get("rank").map_or(String::new(), |rank| format!("{rank}:"));
        format!("{op}{rank}{}{}#{}", value["k"].as_str().unwrap(), value["v"], value["n"])
    };
    out.lines().map(word).collect::<Vec<_>>().join(" ")
}

fn out(flags: &str, input: &str) -> String {
    let played = play(top_n(flags), &lines(input));
    assert_eq!(played.result, Ok(()));
    short(&played.out)
}

const BEST: &str = "-n 2 --by k --order v:desc";

#[test]
fn the_best_of_each_key_come_out_by_key_and_rank() {
    assert_eq!(out(BEST, "b1 a5 a7 b9 a6 a7 b9 a1"), "a7#2 a7#5 b9#3 b9#6");
    assert_eq!(out("-n 2 --by k --order v:asc", "b1 a5 a7 b9 a6 a7 b9 a1"), "a1#7 a5#1 b1#0 b9#3");
    assert_eq!(out("-n 3 --order v:desc", "b1 a5 a7 b9 a6"), "b9#3 a7#2 a6#4");
}

#[test]
fn the_second_of_the_order_decides_where_the_first_is_equal() {
    assert_eq!(out("-n 2 --order v:desc,n:desc", "a1 a5 b5 c5"), "c5#3 b5#2");
}

#[test]
fn ties_are_kept_and_share_a_rank() {
    let ties = format!("{BEST} --ties --rank rank");
    assert_eq!(out(&ties, "a5 a7 a7 a7 a5"), "1:a7#1 1:a7#2 1:a7#3");
    assert_eq!(out(&ties, "a5 a7 a5 a4 a5"), "1:a7#1 2:a5#0 2:a5#2 2:a5#4");
    assert_eq!(out(&ties, "a5 a5 a5 a7 a9"), "1:a9#4 2:a7#3");
    assert_eq!(out(&format!("{BEST} --rank rank"), "a5 a7 a7 a7"), "1:a7#1 2:a7#2");
}

#[test]
fn a_rank_goes_in_front_and_replaces_a_member_of_its_name() {
    let stage = || top_n("-n 2 --order v:desc --rank r");
    assert_eq!(play(stage(), " { \"v\" : 1.50 }\n{}\n").out, " {\"r\":1, \"v\" : 1.50 }\n{\"r\":2}\n");
    assert_eq!(play(stage(), "{\"r\":9,\"v\":1,\"\\u0072\":8}\n").out, "{\"r\":1,\"v\":1}\n");
    assert!(format!("{:?}", play(stage(), "[1]\n").result).contains("not an object"));
    assert_eq!(play(top_n("-n 2 --order '.':desc".replace('\'', "").as_str()), "1\n3\n2\n").out, "3\n2\n");
}

#[test]
fn changes_are_written_as_they_come() {
    let update = format!("{BEST} --emit update");
    assert_eq!(out(&update, "a5 a7 a6 a1 a7 b1"), "+a5#0 +a7#1 -a5#0 +a6#2 -a6#2 +a7#4 +b1#5");
    assert_eq!(
        out(&format!("{update} --rank rank"), "a5 a7 a6 a1 a7"),
        "+1:a5#0 -1:a5#0 +1:a7#1 +2:a5#0 -2:a5#0 +2:a6#2 -2:a6#2 +2:a7#4"
    );
    assert_eq!(out(&format!("{update} --ties"), "a5 a5 a5 a7 a9"), "+a5#0 +a5#1 +a5#2 +a7#3 -a5#0 -a5#1 -a5#2 +a9#4");
    assert_eq!(
        out(&format!("{update} --ties --rank rank"), "a5 a5 a7 a5"),
        "+1:a5#0 +1:a5#1 -1:a5#0 -1:a5#1 +1:a7#2 +2:a5#0 +2:a5#1 +2:a5#3"
    );
}

fn windowed(start: u32, key: &str, value: u32) -> String {
    let end = start + 10;
    format!(
        "{{\"window_start\":\"1970-01-01T00:00:{start:02}Z\",\"window_end\":\"1970-01-01T00:00:{end:02}Z\",\
         \"k\":\"{key}\",\"v\":{value},\"n\":0}}\n"
    )
}

fn watermark(time: &str) -> String {
    format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:{time}Z\"}}\n")
}

const NULL: &str = "{\"$\":\"watermark\",\"time\":null}\n";

fn play_windows(flags: &str, input: &[String]) -> Played {
    let flags = format!("{flags} --window --keep-marks");
    play_with(top_n(&flags), cli(&flags).config(), &input.concat())
}

#[test]
fn a_window_is_written_when_the_watermark_passes_it_and_before_the_mark() {
    let (a, b, c) = (windowed(0, "a", 3), windowed(10, "b", 1), windowed(0, "c", 4));
    let input =
        [NULL.to_owned(), a.clone(), b.clone(), c.clone(), watermark("09.998"), watermark("09.999"), watermark("10")];
    let played = play_windows("-n 1 --order v:desc", &input);
    let expected = [NULL, &watermark("09.998"), &c, &watermark("09.999"), &watermark("10"), &b].concat();
    assert_eq!((played.out, played.warnings.len()), (expected, 0));
}

#[test]
fn a_line_for_a_window_that_is_written_is_late() {
    let input = [windowed(0, "a", 3), watermark("10"), windowed(0, "a", 4), windowed(5, "a", 5)];
    let played = play_windows("-n 1 --order v:desc --late drop", &input);
    assert_eq!((played.data(), played.counts.late), ([input[0].clone(), input[3].clone()].concat(), 1));
    assert!(
        played.warnings[0].contains("its window up to 1970-01-01T00:00:10Z closed at watermark"),
        "{:?}",
        played.warnings
    );
}

#[test]
fn without_watermarks_windows_come_at_the_end_and_that_is_said_once() {
    let input = [windowed(10, "b", 1), windowed(0, "b", 2), windowed(0, "a", 2)];
    let played = play_windows("-n 9 --by k --order v:desc", &input);
    let expected = [input[2].as_str(), &input[1], &input[0]].concat();
    assert_eq!(played.out, expected);
    let warning = "no watermarks come: all windows are written at the end of the input\nhint: aggregate --keep-marks passes them on";
    assert_eq!(played.warnings, [warning]);
}

#[test]
fn changes_of_a_window_end_with_it() {
    let input = [
        NULL.to_owned(),
        windowed(0, "a", 1),
        windowed(0, "a", 2),
        windowed(10, "a", 1),
        watermark("15"),
        windowed(0, "a", 3),
    ];
    let played = play_windows("-n 1 --by k --order v:desc --emit update", &input);
    assert_eq!(short(&played.data()), "+a1#0 -a1#0 +a2#0 +a1#0");
    assert_eq!(played.counts.late, 1);
}

#[test]
fn a_line_without_a_window_says_where_windows_come_from() {
    let said = |line: &str| format!("{:?}", play_windows("-n 1 --order v:desc", &[format!("{line}\n")]).result);
    assert!(said("{\"v\":1}").contains("--window takes lines from window, or from aggregate behind it"));
    assert!(said("{\"slice_start\":\"x\",\"slice_end\":\"y\"}").contains("window --expand writes it once for each"));
    assert!(
        said("{\"window_start\":0,\"window_end\":5}")
            .contains("is not an RFC 3339 time: 0; --window is for windows of time")
    );
    let empty = "{\"window_start\":\"1970-01-01T00:00:05Z\",\"window_end\":\"1970-01-01T00:00:05Z\"}";
    assert!(said(empty).contains("is not before"));
}

#[test]
fn marks_of_time_end_here_unless_they_are_wanted() {
    let from = "{\"$\":\"from\",\"part\":\"p\"}\n";
    let input = format!("{NULL}{from}{}{}{{\"$\":\"sonar\"}}\n", watermark("05"), lines("a1"));
    let sonar = "{\"$\":\"sonar\"}\n";
    assert_eq!(play(top_n(BEST), &input).out, format!("{sonar}{}", lines("a1")));
    let kept = play(top_n(&format!("{BEST} --keep-marks")), &input).out;
    assert_eq!(kept, format!("{NULL}{}{sonar}{}", watermark("05"), lines("a1")));
    let mut cli = cli(BEST);
    cli.selection.selection = Some(".k".parse().unwrap());
    let shared = play_with(cli.top_n().unwrap(), cli.config(), &input);
    assert_eq!(shared.out, format!("{NULL}{from}{}{sonar}{}", watermark("05"), lines("a1")));
}

#[test]
fn at_a_limit_it_stops_and_says_which() {
    let said = |flags: &str, input: &str| format!("{:?}", play(top_n(flags), &lines(input)).result);
    assert!(said(&format!("{BEST} --max-keys 2"), "a1 b1 a1 c1").contains("more than 2 keys"));
    assert!(said(&format!("{BEST} --buffer 60B"), "a1 a2 a3").contains("more than 60B"));
    assert!(said(&format!("{BEST} --buffer 60B"), "a1 a2 a1 a1").contains("Ok"));
    assert!(said(&format!("{BEST} --ties --buffer 60B"), "a1 a1 a1").contains("more than 60B"));
}

#[test]
fn every_way_of_running_gives_the_same_lines() {
    let input: String = (0..240)
        .map(|n| {
            let mark = if n % 30 == 29 { watermark(&format!("{:02}", n / 6)) } else { String::new() };
            let sonar = if n % 50 == 7 { "{\"$\":\"sonar\"}\n" } else { "" };
            let line = windowed(n / 30 * 5 + n * 7 % 3 * 5, &format!("k{}", n * n % 5), n * 31 % 11);
            format!("{}{sonar}{mark}", line.replace("\"n\":0", &format!("\"n\":{n},\"rank\":\"\\u0041\"")))
        })
        .collect();
    for order in ["v:desc", "v:asc,n:desc"] {
        for flags in ["", "--rank rank", "--ties --rank rank", "--window", "--window --ties --late reject"] {
            for emit in ["end", "update"] {
                every_way(|| top_n(&format!("-n 3 --by k --order {order} {flags} --emit {emit}")), &input);
            }
        }
    }
}

#[test]
fn what_is_damaged_is_refused() {
    use millpipe::{Stage, Stateful};
    let mut stage = top_n(BEST);
    assert!(stage.restore(&mut &b"{}"[..]).is_err());
    for value in ["{}", "[[1]]", "[[1,\"5\",\"{}\"]", "[[1,\"5\",\"{}\"]]]", "[[-1,\"5\",\"{}\"]]"] {
        assert!(stage.restore_entry("\"a\"", value.as_bytes()).is_err(), "{value}");
    }
    stage.restore_entry("\"a\"", b"[[1,\"5\",\"{}\"],[0,\"4\",\"{}\"]]").unwrap();
    assert!(stage.restore_entry("\"a\"", b"[]").is_err());
    assert_eq!(stage.held(), 2);
    let mut windows = top_n(&format!("{BEST} --window"));
    assert!(windows.restore_entry("\"a\"", b"[]").is_err());
    windows.restore_entry("\"1970-01-01T00:00:00Z\"\n\"1970-01-01T00:00:10Z\"\n\"a\"", b"[]").unwrap();
}

fn ordered(order: &str, values: &[&str]) -> String {
    let input: String = values.iter().map(|value| format!("{{\"v\":{value}}}\n")).collect();
    let played = play(top_n(&format!("-n 2 --order {order}")), &input);
    assert_eq!(played.result, Ok(()));
    played.out
}

#[test]
fn times_are_ordered_as_times_however_they_are_written() {
    let values = ["\"2026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00.5Z\"", "\"2026-01-01T01:00:00.75+01:00\""];
    assert_eq!(ordered("v:desc", &values), format!("{{\"v\":{}}}\n{{\"v\":{}}}\n", values[2], values[1]));
    assert_eq!(ordered("v:asc", &values), format!("{{\"v\":{}}}\n{{\"v\":{}}}\n", values[0], values[1]));
}

#[test]
fn numbers_of_any_length_are_ordered_by_all_their_digits() {
    let values = [
        "340282366920938463463374607431768211454",
        "340282366920938463463374607431768211455",
        "340282366920938463463374607431768211453",
    ];
    assert_eq!(ordered("v:desc", &values), format!("{{\"v\":{}}}\n{{\"v\":{}}}\n", values[1], values[0]));
    let values = ["-1.00000000000000000000000000000000000000001", "-1.00000000000000000000000000000000000000002"];
    assert_eq!(ordered("v:asc", &values), format!("{{\"v\":{}}}\n{{\"v\":{}}}\n", values[1], values[0]));
}

#[test]
fn a_name_with_dots_is_a_key_and_an_order() {
    let input = "{\"r.h\":\"a\",\"n.c\":1}\n{\"r.h\":\"b\",\"n.c\":2}\n{\"r.h\":\"a\",\"n.c\":3}\n";
    let played = play(top_n("-n 1 --by r.h --order n.c:desc"), input);
    assert_eq!(played.out, "{\"r.h\":\"a\",\"n.c\":3}\n{\"r.h\":\"b\",\"n.c\":2}\n");
}
