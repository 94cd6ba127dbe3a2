use crate::Dedup;
use crate::cli::Cli;
use clap::Parser;
use testkit::{Played, every_way, play, play_with};

fn cli(flags: &str) -> Cli {
    let words = ["dedup", "--by", "k"].into_iter().chain(flags.split_whitespace());
    Cli::try_parse_from(words).unwrap()
}

fn dedup(flags: &str) -> Dedup {
    cli(flags).dedup().unwrap()
}

/// `a1 b2` is a line of key a at second 1, and one of key b at second 2; `w5` is a watermark mark.
fn lines(short: &str) -> String {
    let line = |(n, word): (usize, &str)| match word.split_at(1) {
        ("w", "null") => "{\"$\":\"watermark\",\"time\":null}\n".to_owned(),
        ("w", time) => format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:{time:0>2}Z\"}}\n"),
        (key, time) => format!("{{\"k\":\"{key}\",\"t\":{time},\"n\":{n}}}\n"),
    };
    short.split_whitespace().enumerate().map(line).collect()
}

/// What came out in the same spelling, lines with their place in the input: `a1#0`.
fn short(out: &str) -> String {
    let word = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        match value["time"].as_str() {
            Some(time) => format!("w{}", time[17..19].trim_start_matches('0')),
            None if value["$"] == "watermark" => "wnull".to_owned(),
            None => format!("{}{}#{}", value["k"].as_str().unwrap(), value["t"], value["n"]),
        }
    };
    out.lines().map(word).collect::<Vec<_>>().join(" ")
}

fn ran(flags: &str, input: &str) -> (String, Played) {
    let config = cli(flags).config();
    let played = play_with(dedup(flags), config, &lines(input));
    assert_eq!(played.result, Ok(()));
    (short(&played.out), played)
}

fn out(flags: &str, input: &str) -> String {
    ran(flags, input).0
}

#[test]
fn the_first_line_of_a_key_passes_and_the_others_are_left_out() {
    assert_eq!(out("", "a1 b1 a2 c1 b0 a1"), "a1#0 b1#1 c1#3");
}

#[test]
fn equal_keys_may_be_written_in_many_ways() {
    let input = "{\"k\":1}\n{\"k\":1.0}\n{\"k\":\"1\"}\n{\"k\":\"\\u0031\"}\n{\"k\":null}\n{}\n{\"k\":10e-1}\n";
    assert_eq!(play(dedup(""), input).out, "{\"k\":1}\n{\"k\":\"1\"}\n{\"k\":null}\n");
}

#[test]
fn a_key_is_forgotten_when_the_time_of_the_stream_or_of_the_line_is_far_enough() {
    let flags = "--time t --within 10s";
    assert_eq!(out(flags, "a0 a9 a10 a19 a20"), "a0#0 a10#2 a20#4");
    assert_eq!(out(flags, "a0 b10 a9"), "a0#0 b10#1 a9#2", "the watermark has passed");
    assert_eq!(out(&format!("{flags} --lateness 1s"), "a0 b10 a9"), "a0#0 b10#1", "not yet");
    assert_eq!(out(&format!("{flags} --lateness 5s"), "a0 b10 a12 a9 a3"), "a0#0 b10#1 a12#2");
}

#[test]
fn watermarks_in_the_input_say_what_time_it_is() {
    assert_eq!(out("--time t --within 10s", "wnull a0 b30 a5 w9 a5 w10 a5"), "wnull a0#1 b30#2 w9 w10 a5#7");
}

#[test]
fn a_line_that_comes_after_all_it_could_repeat_is_forgotten_is_late() {
    let flags = "--time t --within 10s";
    let (shown, played) = ran(flags, "a0 b30 c20 c21");
    assert_eq!((shown.as_str(), played.counts.late), ("a0#0 b30#1 c21#3", 1));
    let warning =
        "line 3: time 1970-01-01T00:00:20Z is late: at watermark 1970-01-01T00:00:30Z keys of it are forgotten";
    assert!(played.warnings[0].starts_with(warning), "{:?}", played.warnings);
    let (shown, played) = ran(&format!("{flags} --late pass"), "a0 b30 c20 c20");
    assert_eq!((shown.as_str(), played.counts.late_passed), ("a0#0 b30#1 c20#2 c20#3", 2));
}

#[test]
fn the_last_line_of_a_key_is_the_one_with_the_latest_time_and_of_equal_ones_the_last() {
    assert_eq!(out("--keep last --time t", "a5 b1 a3 c9 a5 b0"), "b1#1 a5#4 c9#3");
    assert_eq!(out("--keep last", "a5 b1 a3 c9 b0"), "a3#2 c9#3 b0#4", "without times by arrival");
}

#[test]
fn the_last_line_is_written_when_time_has_passed_it_and_before_the_mark_that_says_so() {
    let flags = "--keep last --time t --within 10s";
    assert_eq!(out(flags, "a1 a2 b2 c11 d12 a12 b30"), "a2#1 b2#2 c11#3 d12#4 a12#5 b30#6");
    assert_eq!(
        out(flags, "wnull a21 a20 b21 b20 w30 w31 a22 w59"),
        "wnull w20 a21#1 b21#3 w21 a22#7 w49",
        "watermarks go on as much later"
    );
}

#[test]
fn a_line_that_none_of_its_key_follows_in_time_is_written_whatever_other_keys_do() {
    let flags = "--keep last --time t --within 10s --lateness 30s";
    assert_eq!(out(flags, "a0 a20 a40"), "a0#0 a20#1 a40#2");
    assert_eq!(out(flags, "a20 a0 b21 a40"), "a0#1 a20#0 b21#2 a40#3");
    assert_eq!(out(flags, "a0 a9 a18 a27"), "a27#3", "the key comes on and on");
    assert_eq!(out(flags, "a0 a18 a9 a20"), "a20#3", "one between two makes them one");
    assert_eq!(out(flags, "a9 a18 a0"), "a18#1", "what was replaced follows another all the same");
    let counts = ran(flags, "a0 a18 a9").1.counts;
    assert_eq!((counts.settled, counts.left_out), (1, 2), "one is written, it has replaced two");
}

#[test]
fn lines_that_come_at_the_end_are_not_late_for_a_watermark_before_them() {
    assert_eq!(out("--keep last --time t", "wnull a1 w5 a6 w9"), "wnull a6#3");
    let mut cli = cli("--keep last --time t");
    cli.selection.selection = Some(".n != 1".parse().unwrap());
    let played = play_with(cli.dedup().unwrap(), cli.config(), &lines("wnull a1 w5 a6 w9"));
    assert_eq!(short(&played.out), "wnull a1#1 w5 w9 a6#3");
}

#[test]
fn each_line_that_becomes_the_latest_can_be_passed_at_once() {
    assert_eq!(
        out("--keep last --time t --emit update", "a1 a3 a2 b1 a3 b0 wnull w9 a4"),
        "a1#0 a3#1 b1#3 a3#4 wnull w9 a4#8"
    );
    let flags = "--keep last --time t --emit update --within 10s";
    assert_eq!(out(flags, "a5 b14 a4 b15 a6 a5"), "a5#0 b14#1 b15#3 a6#4", "at 15 key a was forgotten");
}

#[test]
fn the_time_of_other_lines_counts_too() {
    let mut cli = cli("--time t --within 10s");
    cli.selection.selection = Some(".k == \"a\"".parse().unwrap());
    let played = play_with(cli.dedup().unwrap(), cli.config(), &lines("a0 a1 b10 b10 a2"));
    assert_eq!(short(&played.out), "a0#0 b10#2 b10#3 a2#4");
}

#[test]
fn at_a_limit_it_stops_and_says_which() {
    let said = |flags: &str, input: &str| format!("{:?}", play(dedup(flags), &lines(input)).result);
    assert!(said("--max-keys 2", "a1 b1 a1 c1").contains("more than 2 keys"));
    assert!(said("--max-keys 2 --within 1s --time t", "a1 b2 c3 d4").contains("Ok"));
    assert!(said("--keep last --max-keys 2", "a1 b1 a1 c1").contains("more than 2 keys"));
    let kept = said("--keep last --buffer 150B", "a1 b1 a1 c1");
    assert!(kept.contains("the latest lines of all keys take more than 150B"), "{kept}");
}

#[test]
fn a_line_without_a_time_is_bad_and_leaves_no_trace() {
    for flags in ["--time t --within 10s", "--keep last --time t"] {
        let error = format!("{:?}", play(dedup(flags), "{\"k\":1}\n").result);
        assert!(error.contains("no field \\\"t\\\""), "{error}");
        let error = format!("{:?}", play(dedup(flags), "{\"k\":1,\"t\":\"soon\"}\n").result);
        assert!(error.contains("neither RFC 3339 nor an epoch number"), "{error}");
    }
}

const MODES: [&str; 8] = [
    "",
    "--time t --within 10s",
    "--time t --within 10s --lateness 4s --late pass",
    "--keep last",
    "--keep last --time t",
    "--keep last --time t --within 5s --lateness 3s",
    "--keep last --time t --emit update",
    "--keep last --time t --emit update --within 5s --lateness 3s",
];

#[test]
fn every_way_of_running_gives_the_same_lines() {
    let line = |n: u32| {
        let (key, time) = (n * n % 13 % 9, n / 2 + n * 31 % 17);
        let mark = if n % 40 == 39 { format!("{{\"$\":\"from\",\"part\":\"p{}\"}}\n", n % 3) } else { String::new() };
        format!("{mark}{{\"k\":\"key {key}\\u0021\",\"t\":{time},\"n\":{n}}}\n")
    };
    let input: String = (0..250).map(line).collect();
    let marked = input.replace("{\"$\":\"from\",\"part\":\"p", "{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:1");
    let marked = marked.replace("1970-01-01T00:00:10\"}", "1970-01-01T00:00:10Z\"}");
    let marked = marked.replace("1970-01-01T00:00:11\"}", "1970-01-01T00:00:11Z\"}");
    let marked = marked.replace("1970-01-01T00:00:12\"}", "1970-01-01T00:01:12Z\"}");
    for flags in MODES {
        every_way(|| dedup(flags), &input);
        every_way(|| dedup(flags), &marked);
    }
}

#[test]
fn what_is_damaged_is_refused() {
    use millpipe::{Stage, Stateful};
    let mut known = dedup("--time t --within 10s");
    assert!(known.restore(&mut &b"{\"lines\":3}"[..]).is_err());
    assert!(known.restore(&mut &b"[]"[..]).is_err());
    assert!(known.restore_entry("1", b"1.5").is_err());
    known.restore_entry("1", b"5").unwrap();
    assert_eq!(known.restore_entry("1", b"5").unwrap_err().message, "the saved entry \"1\" is damaged");
    let mut latest = dedup("--keep last");
    let values = [
        "5",
        "[]",
        "[1,1,2,\"x\"]",
        "[[1,1,-2,\"x\"]]",
        "[[1,1,2,\"x\"]]]",
        "[[1,1,2,x]]",
        "[[2,1,2,\"x\"]]",
        "[[1,2,2,\"x\"],[2,3,3,\"x\"]]",
    ];
    for value in values {
        assert!(latest.restore_entry("1", value.as_bytes()).is_err(), "{value}");
    }
    latest.restore_entry("1", b"[[1,1,2,\"{}\"]]").unwrap();
    assert_eq!(latest.held(), 1);
}

#[test]
fn long_numbers_repeat_each_other_only_if_all_their_digits_do() {
    let input = [
        "{\"k\":340282366920938463463374607431768211455}\n",
        "{\"k\":340282366920938463463374607431768211454}\n",
        "{\"k\":3.40282366920938463463374607431768211455e38}\n",
        "{\"k\":0.12345678901234567890123456789012345678901}\n",
        "{\"k\":0.12345678901234567890123456789012345678902}\n",
    ];
    let played = play(dedup(""), &input.concat());
    assert_eq!(played.out, [input[0], input[1], input[3], input[4]].concat());
}
