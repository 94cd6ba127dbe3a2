use super::{cli, lines, short, window};
use crate::cli::Plan;

const FROM_A: &str = "{\"$\":\"from\",\"part\":\"a\"}";
const FROM_B: &str = "{\"$\":\"from\",\"part\":\"b\"}";

#[test]
fn a_line_gets_its_window_and_keeps_its_bytes() {
    let line = "  { \"t\" : 1.50e0, \"x\":[ 1.0,\"\\u00e9\" ] }  ";
    let played = window("--size 10s --plain", &format!("{line}\n"));
    let window = "\"window_start\":\"1970-01-01T00:00:00Z\",\"window_end\":\"1970-01-01T00:00:10Z\"";
    assert_eq!(played.out, format!("  {{{window}, \"t\" : 1.50e0, \"x\":[ 1.0,\"\\u00e9\" ] }}  \n"));
}

#[test]
fn a_fraction_of_a_second_is_written_only_where_there_is_one() {
    let played = window("--size 250ms --plain", &lines("1.25"));
    assert!(
        played
            .out
            .contains("\"window_start\":\"1970-01-01T00:00:01.250Z\",\"window_end\":\"1970-01-01T00:00:01.500Z\"")
    );
}

#[test]
fn annotations_that_a_line_has_are_replaced() {
    let line = "{\"window_start\":50,\"a\":1,\"slice_end\":{\"b\":[]},\"window_\\u0065nd\":2,\"window_start\":61}";
    let out = window("--size 1m --time window_start --plain", &format!("{line}\n")).out;
    assert_eq!(out, "{\"window_start\":\"1970-01-01T00:01:00Z\",\"window_end\":\"1970-01-01T00:02:00Z\",\"a\":1}\n");
}

#[test]
fn a_watermark_follows_the_line_that_closes_a_window() {
    let played = window("--size 10s", &lines("1 9.998 9.999 25 21"));
    assert_eq!(
        short(&played),
        [
            "watermark null",
            "0..10 {\"t\":1}",
            "0..10 {\"t\":9.998}",
            "0..10 {\"t\":9.999}",
            "watermark 9.999",
            "20..30 {\"t\":25}",
            "20..30 {\"t\":21}",
        ]
    );
}

#[test]
fn watermarks_between_two_ends_are_not_written() {
    let played = window("--size 10s --lateness 5s", &lines("1 11 14.998 14.999 15 70 71 80"));
    let marks: Vec<String> = short(&played).into_iter().filter(|line| line.starts_with("watermark")).collect();
    assert_eq!(marks, ["watermark null", "watermark 9.999", "watermark 65", "watermark 75"]);
    assert_eq!(short(&played)[7..9], ["70..80 {\"t\":70}", "watermark 65"]);
}

#[test]
fn a_watermark_below_all_open_windows_is_not_written() {
    assert_eq!(short(&window("--size 10s", &lines("1 2 3"))).len(), 4);
    // 1,000 s without lines are one mark, not a hundred.
    assert_eq!(
        short(&window("--size 10s", &lines("1 1001 1002")))[2..],
        ["1000..1010 {\"t\":1001}", "watermark 1001", "1000..1010 {\"t\":1002}"]
    );
}

#[test]
fn a_line_is_late_when_the_lines_before_it_closed_its_window() {
    let played = window("--size 10s --late reject", &lines("9.998 9 9.999 9 10"));
    assert_eq!(played.counts.late, 1);
    assert_eq!(
        played.rejects,
        ["{\"by\":\"window\",\"why\":\"time 1970-01-01T00:00:09Z is late: its window up to 1970-01-01T00:00:10Z \
          closed at watermark 1970-01-01T00:00:09.999Z\",\"at\":\"line 4\",\"line\":\"{\\\"t\\\":9}\"}"]
    );
}

#[test]
fn dropped_late_lines_are_counted_and_warned_of_once() {
    let played = window("--size 10s", &lines("25 1 2"));
    assert_eq!((played.counts.late, played.counts.settled), (2, 1));
    assert_eq!(played.warnings.len(), 1);
    assert!(played.warnings[0].contains("line 2: time 1970-01-01T00:00:01Z is late"), "{:?}", played.warnings);
}

#[test]
fn late_lines_pass_when_they_are_let() {
    let played = window("--size 10s --late pass", &lines("25 1"));
    assert_eq!(short(&played)[2], "0..10 {\"t\":1}");
    assert_eq!((played.counts.late, played.counts.late_passed, played.counts.settled), (0, 1, 2));
}

#[test]
fn a_hopping_line_is_written_once_behind_the_marks_of_its_windows() {
    let played = window("--size 10s --slide 5s", &lines("6 7 12 1"));
    assert_eq!(
        short(&played),
        [
            "watermark null",
            "window 0..10",
            "window 5..15",
            "~5..10 {\"t\":6}",
            "~5..10 {\"t\":7}",
            "window 10..20",
            "~10..15 {\"t\":12}",
            "watermark 12",
        ]
    );
    assert_eq!(played.counts.late, 1);
}

#[test]
fn a_closed_window_is_never_announced() {
    let played = window("--size 10s --slide 5s --lateness 3s", &lines("13 6"));
    assert_eq!(short(&played)[4..], ["window 5..15", "~5..10 {\"t\":6}"].map(str::to_owned)[1..]);
    assert!(!played.out.contains("\"start\":\"1970-01-01T00:00:00Z\""), "{}", played.out);
}

#[test]
fn an_expanded_line_is_written_for_each_window_that_is_open() {
    let played = window("--size 10s --slide 5s --expand --lateness 1s", &lines("6 11.5 8 30"));
    let data: Vec<String> = short(&played).into_iter().filter(|line| !line.starts_with("watermark")).collect();
    assert_eq!(
        data,
        [
            "0..10 {\"t\":6}",
            "5..15 {\"t\":6}",
            "5..15 {\"t\":11.5}",
            "10..20 {\"t\":11.5}",
            "5..15 {\"t\":8}",
            "25..35 {\"t\":30}",
            "30..40 {\"t\":30}",
        ]
    );
    assert_eq!((played.counts.settled, played.counts.lines_out), (4, 7));
}

#[test]
fn cumulating_windows_are_announced_from_the_line_on() {
    let played = window("--size 30s --cumulate 10s", &lines("11"));
    assert_eq!(short(&played), ["watermark null", "window 0..20", "window 0..30", "~10..20 {\"t\":11}"]);
}

#[test]
fn plain_output_has_no_marks_but_those_of_others() {
    let input = format!("{FROM_A}\n{{\"$\":\"sonar\"}}\n{{\"t\":1}}\n{{\"t\":99}}\n");
    assert_eq!(
        short(&window("--size 10s --plain", &input)),
        ["{\"$\":\"sonar\"}", "0..10 {\"t\":1}", "90..100 {\"t\":99}"]
    );
}

#[test]
fn the_slowest_partition_keeps_windows_open() {
    let input = format!("{FROM_A}\n{FROM_B}\n{}{FROM_A}\n{}", lines("50"), lines("5 12"));
    assert_eq!(
        short(&window("--size 10s", &input)),
        ["watermark null", "50..60 {\"t\":50}", "0..10 {\"t\":5}", "10..20 {\"t\":12}", "watermark 12"]
    );
}

#[test]
fn an_idle_partition_closes_the_windows_that_it_held_open() {
    let idle = "{\"$\":\"idle\",\"part\":\"a\",\"final\":true}";
    let input = format!("{FROM_A}\n{}{FROM_B}\n{}{idle}\n{{\"$\":\"sonar\"}}\n", lines("5"), lines("50"));
    let out = short(&window("--size 10s", &input));
    assert_eq!(out[3..], ["watermark 50", "{\"$\":\"sonar\"}"]);
}

#[test]
fn watermarks_of_the_input_are_taken_instead_of_the_lines_times() {
    let null = "{\"$\":\"watermark\",\"time\":null}";
    let given = "{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:15Z\"}";
    let input = format!("{null}\n{}{given}\n{}", lines("5 99"), lines("9 11"));
    let played = window("--size 10s", &input);
    assert_eq!(
        short(&played),
        ["watermark null", "0..10 {\"t\":5}", "90..100 {\"t\":99}", "watermark 15", "10..20 {\"t\":11}"]
    );
    assert_eq!(played.counts.late, 1);
}

#[test]
fn a_bad_line_leaves_no_trace() {
    for (line, why) in [
        ("{\"a\":1}", "no field \\\"t\\\""),
        ("[1]", "not an object"),
        ("{\"t\":null}", "time null is neither RFC 3339 nor an epoch number"),
        ("{\"t\":1e12}", "time 1e12 is outside the years 0000 to 9999"),
        ("{\"t\":4000000000}", "ahead of the clock, more than 5m (--max-ahead)"),
        ("{\"t\":1", "not JSON at byte 6"),
    ] {
        let input = format!("{line}\n{{\"t\":1}}\n");
        let played = window("--size 10s --on-error reject", &input);
        assert!(played.rejects[0].contains(why), "{:?}", played.rejects);
        assert_eq!(played.data(), window("--size 10s", "{\"t\":1}\n").data());
        assert_eq!((played.counts.rejected, played.counts.late), (1, 0));
    }
}

#[test]
fn a_calendar_day_ends_at_midnight_of_its_zone() {
    let input = "{\"t\":\"2025-12-31T15:59:59.999Z\"}\n{\"t\":\"2025-12-31T16:00:00Z\"}\n";
    let out = window("--size 1d --timezone Asia/Taipei --plain", input).out;
    let starts: Vec<&str> = out.lines().map(|line| &line[17..37]).collect();
    assert_eq!(starts, ["2025-12-30T16:00:00Z", "2025-12-31T16:00:00Z"]);
}

#[test]
fn windows_are_announced_again_after_a_flush() {
    use millpipe::{Config, Driver, Rejects, Stage};
    let Plan::Times(stage) = cli("--size 10s --slide 5s --time t --time-unit s").plan().unwrap() else {
        unreachable!()
    };
    let mut driver = Driver::new(stage, Config::new("window"), Rejects::in_memory("window"));
    driver.feed(b"{\"t\":6}\n").unwrap();
    let before = String::from_utf8(driver.out.take()).unwrap();
    driver.stage.end(&mut driver.out).unwrap();
    driver.feed(b"{\"t\":7}\n").unwrap();
    let after = String::from_utf8(driver.out.take()).unwrap();
    let marks = |out: &str| out.matches("{\"$\":\"window\"").count();
    assert_eq!((marks(&before), marks(&after)), (2, 2));
}

#[test]
fn a_window_that_cannot_be_written_makes_a_bad_line() {
    let why = |flags: &str, time: &str| {
        let flags = format!("{flags} --time t --max-ahead off --on-error skip");
        let played = window(&flags, &format!("{{\"t\":\"{time}\"}}\n"));
        assert_eq!(played.result, Ok(()), "{flags} {time}");
        let is_readable = |text: &str| !text.contains("\"-0") && !text.contains("\"+1");
        assert!(is_readable(&played.out), "{}", played.out);
        played.counts.rejected
    };
    for (flags, time, rejected) in [
        ("--size 1h", "0000-01-01T00:00:00.500Z", 0),
        ("--size 1h --lateness 1s", "0000-01-01T00:00:00.500Z", 1),
        ("--size 2h --slide 1h", "0000-01-01T00:30:00Z", 1),
        ("--size 2h --slide 1h", "0000-01-01T01:30:00Z", 0),
        ("--size 2h --slide 1h --plain", "0000-01-01T00:30:00Z", 1),
        ("--size 7d", "0000-01-01T12:00:00Z", 1),
        ("--size 1h", "9999-12-31T23:30:00Z", 1),
        ("--size 1h", "9999-12-31T22:59:59Z", 0),
        ("--size 1d --timezone Asia/Taipei", "0000-01-01T01:00:00Z", 1),
        ("--size 1mo", "9999-12-31T00:00:00Z", 1),
        ("--size 1d --cumulate 1h", "9999-12-31T01:00:00Z", 1),
        ("--session 30m", "9999-12-31T23:29:59.999Z", 0),
        ("--session 30m", "9999-12-31T23:30:00Z", 1),
        ("--session 30m --plain", "9999-12-31T23:40:00Z", 1),
    ] {
        assert_eq!(why(flags, time), rejected, "{flags} {time}");
    }
}

#[test]
fn the_time_may_be_what_an_expression_gives() {
    let input = "{\"first\":null,\"event\":\"1970-01-01 00:00:03,5 +0000\"}\n{\"first\":\"12\",\"event\":7}\n";
    let out = window("--size 10s --plain --time .first//.event", input).out;
    let windows: Vec<&str> = out.lines().map(|line| line.split("first").next().unwrap()).collect();
    assert!(
        windows[0].contains("\"window_start\":\"1970-01-01T00:00:00Z\"") && windows[1].contains("T00:00:10Z"),
        "{out}"
    );
    let again = window("--size 20s --plain --time .first//.event", &out).out;
    assert!(again.lines().all(|line| line.matches("window_start").count() == 1), "{again}");
}
