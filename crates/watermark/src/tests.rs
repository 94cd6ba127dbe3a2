use crate::Watermark;
use crate::cli::Cli;
use clap::Parser;
use testkit::{every_way, play};

fn watermark(flags: &str) -> Watermark {
    let cli = Cli::parse_from(format!("watermark --time t {flags}").split_whitespace());
    cli.watermark().unwrap()
}

const NULL: &str = "{\"$\":\"watermark\",\"time\":null}\n";

fn mark(time: &str) -> String {
    format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T{time}Z\"}}\n")
}

#[test]
fn a_mark_follows_the_line_that_moved_time_far_enough() {
    let played = play(watermark("--lateness 1s"), "{\"t\":10}\n{\"t\":10.099}\n{ \"t\" : 10.100 }\n{\"t\":9}\n");
    let (first, second) = (mark("00:00:09"), mark("00:00:09.100"));
    assert_eq!(
        played.out,
        format!("{NULL}{{\"t\":10}}\n{first}{{\"t\":10.099}}\n{{ \"t\" : 10.100 }}\n{second}{{\"t\":9}}\n")
    );
}

#[test]
fn the_slowest_partition_sets_the_time_until_it_is_idle_for_good() {
    let input = "{\"$\":\"from\",\"part\":\"a/0\"}\n{\"$\":\"from\",\"part\":\"a/1\"}\n{\"t\":50}\n\
                 {\"$\":\"from\",\"part\":\"a/0\"}\n{\"t\":20}\n{\"$\":\"idle\",\"part\":\"a/0\",\"final\":true}\n";
    let (slow, free) = (mark("00:00:20"), mark("00:00:50"));
    assert_eq!(play(watermark("--lateness 0s"), input).out, format!("{NULL}{{\"t\":50}}\n{{\"t\":20}}\n{slow}{free}"));
}

#[test]
fn watermarks_of_the_input_are_kept_and_no_others_made() {
    let given = mark("00:00:07");
    let input = format!("{NULL}{{\"t\":50}}\n{given}{{\"t\":60}}\n");
    assert_eq!(play(watermark(""), &input).out, format!("{NULL}{{\"t\":50}}\n{given}{{\"t\":60}}\n"));
}

#[test]
fn bad_lines_say_what_is_missing() {
    for (line, why) in [
        ("{\"a\":1}", "no field \"t\""),
        ("17", "not an object"),
        ("{\"t\":\"soon\"}", "time \"soon\" is neither RFC 3339 nor an epoch number"),
        (
            "{\"t\":\"2026-01-01T00:05:01Z\"}",
            "time 2026-01-01T00:05:01Z is 5m1s ahead of the clock, more than 5m (--max-ahead)",
        ),
    ] {
        let played = play(watermark(""), &format!("{line}\n"));
        let error = format!("{:?}", played.result);
        assert!(error.contains(format!("{why:?}")[1..].trim_end_matches('"')), "{error}");
    }
}

#[test]
fn every_way_of_running_gives_the_same_marks() {
    let mut input = String::new();
    for i in 0..300u32 {
        let part = i * 7 % 3;
        input.push_str(&format!("{{\"$\":\"from\",\"part\":\"a/{part}\"}}\n{{\"t\":{}}}\n", i + i * 31 % 17));
        if i % 50 == 49 {
            input.push_str(&format!("{{\"$\":\"idle\",\"part\":\"a/{part}\",\"final\":{}}}\n", i % 100 == 99));
        }
    }
    every_way(|| watermark("--lateness 3s"), &input);
    every_way(|| watermark("--every 5s"), &input);
}
