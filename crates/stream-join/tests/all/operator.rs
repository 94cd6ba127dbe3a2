//! Scripts on the operator: what the model does not know of.

use clap::Parser;
use millpipe::{Config, Late, Policy};
use sorted_runs::Memory;
use stream_join::StreamJoin;
use stream_join::cli::Cli;
use testkit::{Played, every_way, play, play_with};

fn stage(flags: &[&str]) -> StreamJoin {
    let args = ["stream-join", "--left", ".s == \"l\" or .s == \"b\"", "--right", ".s == \"r\" or .s == \"b\""];
    let cli = Cli::parse_from(args.iter().chain(flags));
    StreamJoin::new(cli.job().unwrap(), Box::new(Memory::default())).unwrap()
}

fn joined(flags: &[&str], lines: &[&str]) -> Played {
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    play(stage(flags), &input)
}

fn out(flags: &[&str], lines: &[&str]) -> Vec<String> {
    let played = joined(flags, lines);
    assert_eq!(played.result, Ok(()));
    played.out.lines().map(str::to_owned).collect()
}

const L: &str = r#"{ "s":"l", "k":1.0,"a":[1.50, {"x":"\u00e9"}] }"#;
const R: &str = r#"{"s":"r","k":1,"b":1e3}"#;

#[test]
fn members_are_spliced_as_they_were_written() {
    let pair = r#"{ "s":"l", "k":1.0,"a":[1.50, {"x":"\u00e9"}] ,"r_s":"r","r_k":1,"r_b":1e3}"#;
    assert_eq!(out(&["--on", "k", "--prefix-right", "r_"], &[L, R]), [pair]);
    assert_eq!(out(&["--on", "k", "--prefix-right", "r_"], &[R, L]), [pair]);
    let pair = r#"{ "l_s":"l", "l_k":1.0,"l_a":[1.50, {"x":"\u00e9"}] ,"s":"r","k":1,"b":1e3}"#;
    assert_eq!(out(&["--on", "k", "--prefix-left", "l_"], &[L, R]), [pair]);
}

#[test]
fn of_equal_names_the_left_one_counts_with_merge() {
    let pair = r#"{ "s":"l", "k":1.0,"a":[1.50, {"x":"\u00e9"}] ,"b":1e3}"#;
    assert_eq!(out(&["--on", "k", "--merge"], &[L, R]), [pair]);
    let other = r#"{"s":"r","k":1,"a":2,"c":0}"#;
    assert_eq!(out(&["--on", "k", "--merge"], &[other, L, R])[1..], [pair]);
}

#[test]
fn a_key_of_the_same_name_is_written_once_and_other_names_must_not_clash() {
    let flags = ["--on", "k", "--left-fields", "k,a", "--right-fields", "b,k"];
    assert_eq!(out(&flags, &[L, R]), [r#"{"k":1.0,"a":[1.50, {"x":"\u00e9"}],"b":1e3}"#]);
    let full = [&flags[..], &["--kind", "full"]].concat();
    assert_eq!(out(&full, &[L, r#"{"s":"r","k":2}"#])[1..], [r#"{"b":null,"k":2}"#]);
    let clash = format!("{:?}", joined(&["--on", "k"], &[L, R]).result);
    assert!(clash.contains(r#"both sides have \"s\""#) && clash.contains("--prefix-right right_"), "{clash}");
}

#[test]
fn names_that_always_clash_are_a_usage_error() {
    let args = "stream-join --left .l --right .r --on k --left-fields a,b --right-fields b=x,c";
    let job = Cli::parse_from(args.split_whitespace()).job().unwrap();
    let error = StreamJoin::new(job, Box::new(Memory::default())).err().unwrap();
    assert_eq!((error.exit, error.message.as_str()), (millpipe::Exit::Usage, "both sides have \"b\""));
    // A key of the same name is another member here.
    let args = "stream-join --left .l --right .r --on k --left-fields k --right-fields k=x";
    let job = Cli::parse_from(args.split_whitespace()).job().unwrap();
    assert!(StreamJoin::new(job, Box::new(Memory::default())).is_err());
}

#[test]
fn a_line_that_is_both_meets_itself_and_counts_once() {
    let lines = [r#"{"s":"b","k":1,"id":1}"#, r#"{"s":"b","k":1,"id":2}"#];
    let flags = ["--on", "k", "--left-fields", "l=id", "--right-fields", "r=id"];
    let pairs = [r#"{"l":1,"r":1}"#, r#"{"l":2,"r":1}"#, r#"{"l":1,"r":2}"#, r#"{"l":2,"r":2}"#];
    assert_eq!(out(&flags, &lines), pairs);
}

#[test]
fn with_unique_a_line_goes_with_its_partner() {
    let flags = ["--on", "k", "--unique", "right", "--kind", "left", "--left-fields", "l=id", "--right-fields", "r=id"];
    let lines = [
        r#"{"s":"l","k":1,"id":1}"#,
        r#"{"s":"l","k":2,"id":2}"#,
        r#"{"s":"r","k":1,"id":3}"#,
        r#"{"s":"l","k":1,"id":4}"#,
        r#"{"s":"l","k":1,"id":5}"#,
    ];
    let expected = [r#"{"l":1,"r":3}"#, r#"{"l":4,"r":3}"#, r#"{"l":5,"r":3}"#, r#"{"l":2}"#];
    assert_eq!(out(&flags, &lines), expected);
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    every_way(|| stage(&flags), &text);
    let second = joined(&flags, &[lines[2], lines[2]]);
    assert_eq!(
        second.result,
        Err(millpipe::Error::data("line 2, byte 23: a second right line with key 1, against --unique right")
            .hint("--on-error reject keeps bad lines aside and goes on, skip only counts them")
            .into())
    );
}

const MARK: &str = r#"{"$":"watermark","time":"2026-01-01T00:01:00Z"}"#;

#[test]
fn results_come_before_the_mark_that_makes_them_due() {
    let flags = ["--on", "k", "--kind", "anti", "--within", "10s", "--time", "t", "--left-fields", "id"];
    let lines = [
        r#"{"s":"l","k":1,"id":1,"t":"2026-01-01T00:00:49.999Z"}"#,
        r#"{"s":"l","k":1,"id":2,"t":"2026-01-01T00:00:50Z"}"#,
        MARK,
    ];
    assert_eq!(out(&flags, &lines), [r#"{"id":1}"#, MARK, r#"{"id":2}"#]);
}

#[test]
fn marks_can_be_delayed_or_left_out() {
    let flags = ["--on", "k", "--within", "10s"];
    let lines = [r#"{"$":"watermark","time":null}"#, MARK, r#"{"$":"sonar"}"#];
    let delayed = out(&[&flags[..], &["--delay-marks", "10s"]].concat(), &lines);
    assert_eq!(delayed, [lines[0], r#"{"$":"watermark","time":"2026-01-01T00:00:50Z"}"#, lines[2]]);
    assert_eq!(out(&[&flags[..], &["--plain"]].concat(), &lines), lines[2..]);
}

#[test]
fn late_lines_go_the_way_of_late() {
    let flags = ["--on", "k", "--within", "0s..10s", "--time", "t", "--kind", "left", "--left-fields", "id"];
    let late = r#"{"s":"r","k":1,"id":1,"t":"2026-01-01T00:00:59Z"}"#;
    let (left, right) = (late.replace("\"r\"", "\"l\""), late.replace("00:00:59", "00:01:00"));
    let input = format!("{MARK}\n{late}\n{}\n", left.replace("00:00:59", "00:00:49"));
    for (policy, passed) in [(Late::Drop, 0), (Late::Reject, 0), (Late::Pass, 2)] {
        let policy = Policy { late: Some(policy), ..Policy::default() };
        let played = play_with(stage(&flags), Config { policy, ..Config::new("stream-join") }, &input);
        assert_eq!((played.counts.late + played.counts.late_passed, played.out.lines().count()), (2, 1 + passed));
    }
    let played = joined(&flags, &[MARK, late]);
    let why =
        "a right line is late: it waits for partners until 2026-01-01T00:00:59Z, the watermark is 2026-01-01T00:01:00Z";
    assert!(played.warnings[0].contains(why), "{:?}", played.warnings);
    // Behind the watermark, and not too late for a partner that is still to come.
    let pair = [&flags[..], &["--right-fields", "r=id"]].concat();
    assert_eq!(out(&pair, &[MARK, &left, &right])[1..], [r#"{"id":1,"r":1}"#]);
}

#[test]
fn others_pass_or_end_here() {
    let lines = [r#"{ "s":"x" }"#, L, R];
    assert_eq!(out(&["--on", "k", "--merge"], &lines)[0], lines[0]);
    assert_eq!(out(&["--on", "k", "--merge", "--others", "drop"], &lines).len(), 1);
}

#[test]
fn windows_stand_in_front_once() {
    let window = r#""window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:00:10Z""#;
    let left = format!(r#"{{{window},"s":"l","k":1}}"#);
    let moved = format!(r#"{{"s":"r","n":7,{window},"k":1}}"#);
    let next = left.replace(":00Z", ":10Z").replace("end\":\"2026-01-01T00:00:10Z", "end\":\"2026-01-01T00:00:20Z");
    let expected = format!(r#"{{{window},"s":"l","k":1,"n":7}}"#);
    assert_eq!(out(&["--on", "k", "--window", "--merge"], &[&left, &next, &moved]), [expected]);
    assert_eq!(out(&["--on", "k", "--window", "--kind", "left", "--merge"], &[&left]), [left.as_str()]);
}

#[test]
fn what_is_no_window_of_time_is_refused() {
    let slice = r#"{"slice_start":"2026-01-01T00:00:00Z","slice_end":"2026-01-01T00:00:02Z","s":"l","k":1}"#;
    let said = format!("{:?}", joined(&["--on", "k", "--window"], &[slice]).result);
    assert!(said.contains("put window in front, with --expand"), "{said}");
    let count = r#"{"window_start":0,"window_end":10,"s":"l","k":1}"#;
    let said = format!("{:?}", joined(&["--on", "k", "--window"], &[count]).result);
    assert!(said.contains("--window is for windows of time"), "{said}");
}

#[test]
fn keys_of_several_values_are_compared_by_value() {
    let lines = [
        r#"{"s":"l","a":{"x":"\u0041"},"b":10,"id":1}"#,
        r#"{"s":"r","c":"A","d":0,"id":2}"#,
        r#"{"s":"r","c":"A","d":1,"id":3}"#,
        r#"{"s":"r","c":"A","id":4}"#,
    ];
    let flags = ["--on", "a.x=c,.b % 10=d", "--left-fields", "l=id", "--right-fields", "r=id"];
    assert_eq!(out(&flags, &lines), [r#"{"l":1,"r":2}"#]);
}

#[test]
fn a_line_without_a_time_is_bad_and_leaves_no_trace() {
    let flags = ["--on", "k", "--within", "1s", "--left-time", "t", "--merge"];
    let said = format!("{:?}", joined(&flags, &[r#"{"s":"l","k":1,"t":null}"#]).result);
    assert!(said.contains(r#"no field \"t\""#), "{said}");
    let said = format!("{:?}", joined(&flags, &[r#"{"s":"r","k":1,"t":1}"#]).result);
    assert!(said.contains(r#"no field \"timestamp\""#), "{said}");
}

#[test]
fn keys_of_any_length_are_equal_only_if_all_their_digits_are() {
    let left = r#"{"s":"l","k":340282366920938463463374607431768211455}"#;
    let right = |k: &str| format!(r#"{{"s":"r","k":{k},"n":1}}"#);
    let near = right("340282366920938463463374607431768211454");
    let same = right("340282366920938463463374607431768211455.0");
    let flags = ["--on", "k", "--left-fields", "k", "--right-fields", "n"];
    assert_eq!(out(&flags, &[left, &near]), [""; 0]);
    assert_eq!(out(&flags, &[left, &same]), [r#"{"k":340282366920938463463374607431768211455,"n":1}"#]);
}

#[test]
fn times_may_be_expressions_and_have_no_zone_of_their_own() {
    let left = r#"{"s":"l","k":1,"at":"2026-06-10 06:00:00"}"#;
    let right = r#"{"s":"r","k":1,"seen":{"$date":"2026-06-10T04:00:05Z"}}"#;
    let flags = ["--on", "k", "--within", "0s..10s", "--time", r#".at // .seen."$date""#, "--left-fields", "k"];
    let in_zone = |zone: &str| out(&[&flags[..], &["--right-fields", "k2=k", "--zone", zone]].concat(), &[left, right]);
    assert_eq!(in_zone("Europe/Berlin"), [r#"{"k":1,"k2":1}"#]);
    assert_eq!(in_zone("UTC"), [""; 0]);
    let without = joined(&[&flags[..], &["--right-fields", "k2=k"]].concat(), &[left]);
    let shown = format!("{:?}", without.result);
    assert!(shown.contains("does not say its zone") && shown.contains("--zone UTC"), "{shown}");
}
