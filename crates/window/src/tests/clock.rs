use super::{Plan, cli, lines, short_line, window};
use millpipe::{Config, Driver, Rejects};
use testkit::every_way;

/// What comes out of steps of the clock (in seconds) and lines.
fn by_clock(flags: &str, steps: &[(i64, &str)]) -> Vec<String> {
    let Plan::Clock(stage) = cli(flags).plan().unwrap() else { panic!("no clock") };
    let mut driver = Driver::new(stage, Config::new("window"), Rejects::in_memory("window"));
    for (second, words) in steps {
        driver.clock(second * 1_000).unwrap();
        driver.feed(lines(words).as_bytes()).unwrap();
    }
    driver.finish().unwrap();
    String::from_utf8(driver.out.take()).unwrap().lines().map(short_line).collect()
}

#[test]
fn a_line_is_in_the_window_of_the_clock() {
    let steps = [(3, "100 7"), (9, "0"), (10, "1"), (12, ""), (31, "2")];
    let expected = [
        "watermark null",
        "0..10 {\"t\":100}",
        "0..10 {\"t\":7}",
        "0..10 {\"t\":0}",
        "watermark 9.999",
        "10..20 {\"t\":1}",
        "watermark 30.999",
        "30..40 {\"t\":2}",
    ];
    assert_eq!(by_clock("--size 10s --processing-time", &steps), expected);
}

#[test]
fn the_clock_closes_windows_without_a_line() {
    let out = by_clock("--size 10s --processing-time", &[(3, "1"), (9, ""), (10, ""), (20, "")]);
    assert_eq!(out, ["watermark null", "0..10 {\"t\":1}", "watermark 9.999"]);
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let out = by_clock("--size 10s --processing-time", &[(11, "1"), (4, "2"), (12, "3")]);
    assert_eq!(out, ["watermark null", "10..20 {\"t\":1}", "10..20 {\"t\":2}", "10..20 {\"t\":3}"]);
}

#[test]
fn time_marks_of_the_input_end_and_lines_need_no_time() {
    let marks = "{\"$\":\"from\",\"part\":\"a\"}\n{\"$\":\"watermark\",\"time\":null}\n{\"$\":\"sonar\"}\n";
    let played = window("--size 10s --processing-time --plain", &format!("{marks}{{\"k\":1}}\n"));
    let expected = "{\"$\":\"sonar\"}\n\
        {\"window_start\":\"2026-01-01T00:00:00Z\",\"window_end\":\"2026-01-01T00:00:10Z\",\"k\":1}\n";
    assert_eq!(played.out, expected);
}

#[test]
fn windows_of_the_clock_run_every_way() {
    let stage = || match cli("--size 10s --slide 2s --processing-time").plan().unwrap() {
        Plan::Clock(stage) => stage,
        _ => panic!("no clock"),
    };
    every_way(stage, &lines("1 2 3 4 5 6"));
}

#[test]
fn the_clock_goes_with_nothing_of_the_times_in_lines() {
    for flags in [
        "--session 5s --processing-time",
        "--size 5s --processing-time --time t",
        "--size 5s --processing-time --late drop",
    ] {
        let error = cli(flags).plan().map(|_| ()).unwrap_err();
        assert!(error.message.contains("--processing-time") && error.hint.is_some(), "{flags}: {}", error.message);
    }
}
