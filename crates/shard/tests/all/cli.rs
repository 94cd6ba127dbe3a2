//! The binary: what comes back, and how shards end.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Ran, bash, run};

const BIN: &str = env!("CARGO_BIN_EXE_shard");
const HELLO: &str = "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n";

fn lines(count: usize) -> String {
    (0..count).map(|n| format!("{{\"k\":{},\"n\":{n}}}\n", n % 17)).collect()
}

fn shard(flags: &[&str], sub_pipe: &str, input: &str) -> Ran {
    run(BIN, &[&["--by", "k"], flags, &["--", sub_pipe]].concat(), input)
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn every_line_goes_through_one_copy_and_a_key_through_the_same() {
    let input = lines(5000);
    for n in ["1", "2", "5"] {
        let out = shard(&["-n", n], "sed \"s/}/,\\\"of\\\":\\\"$SHARD of $SHARDS\\\"}/\"", &input).ok();
        let mut by_key = std::collections::BTreeMap::new();
        for line in out.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let of = value["of"].as_str().unwrap().to_owned();
            assert!(of.ends_with(&format!(" of {n}")));
            let (first, last) = by_key.entry(value["k"].as_u64()).or_insert((of.clone(), None));
            assert_eq!(*first, of, "a key has one shard");
            assert!(*last < value["n"].as_u64(), "the order of a key is kept");
            *last = value["n"].as_u64();
        }
        assert_eq!(out.lines().count(), 5000);
    }
}

#[test]
fn ordered_brings_lines_back_in_the_order_of_the_input() {
    let input = lines(20_000);
    for sub_pipe in ["cat", "if [ $SHARD = 1 ]; then sleep 0.3; fi; cat"] {
        for flags in [&["-n", "4"][..], &["-n", "3", "--buffer", "10kB"], &["-n", "3", "--chunk", "100B"]] {
            let flags = [flags, &["--ordered"]].concat();
            assert!(shard(&flags, sub_pipe, &input).ok() == input, "{flags:?} {sub_pipe}");
        }
    }
}

#[test]
fn ordered_finds_a_sub_pipeline_that_is_not_one_to_one() {
    for (sub_pipe, how) in
        [("sed 50d", "fewer"), ("sed 50p", "more"), ("head -n 5", "fewer"), ("cat > /dev/null", "fewer")]
    {
        let ran = shard(&["-n", "2", "--ordered"], sub_pipe, &lines(1000));
        ran.fails_with(1, &format!("has written {how} lines"));
    }
}

#[test]
fn a_sub_pipe_that_takes_marks_out_of_a_checked_stream_ends_it() {
    let input = format!("{HELLO}{}{{\"$\":\"end\",\"lines\":40,\"drain\":true}}\n", lines(40));
    for flags in [&["-n", "2"][..], &["-n", "2", "--exactly-once"]] {
        let ran = shard(flags, "grep --line-buffered k", &input);
        ran.fails_with(1, "gives lines without the hello mark that it got\nshard: hint: a program in the sub-pipe");
        assert_eq!(ran.stdout, "");
        let kept = shard(flags, "cat", &input).ok();
        assert!(kept.starts_with("{\"$\":\"hello\"") && kept.ends_with("\"drain\":true}\n"), "{kept}");
    }
}

#[test]
fn a_flood_through_shards_that_write_much_never_stops() {
    // Each line becomes a hundred: all pipes are full in both directions.
    let sub_pipe = "sed 's/.*/&\\n&\\n&\\n&\\n&/;s/.*/&\\n&\\n&\\n&/'";
    let out = shard(&["-n", "3"], sub_pipe, &lines(50_000)).ok();
    assert_eq!(out.lines().count() % 50_000, 0);
}

#[test]
fn marks_come_back_once_and_watermarks_are_the_least() {
    let mark = |s: u32| format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:0{s}Z\"}}\n");
    let input = format!("{}{}{{\"$\":\"sonar\"}}\n{}{}", lines(40), mark(1), lines(40), mark(2));
    let out = shard(&["-n", "3"], "cat", &input).ok();
    let marks: Vec<&str> = out.lines().filter(|line| line.starts_with("{\"$\"")).collect();
    let expected =
        ["{\"$\":\"watermark\",\"time\":null}", mark(1).trim(), "{\"$\":\"sonar\"}", mark(2).trim()].map(str::to_owned);
    assert_eq!(sorted(&marks.join("\n")), sorted(&expected.join("\n")));
    let (first, _) = out.split_once(mark(1).trim()).unwrap();
    assert!(
        sorted(&lines(40)).iter().all(|line| first.contains(line)),
        "lines before a watermark come before it: {out}"
    );
}

#[test]
fn barriers_come_out_when_all_shards_have_given_them() {
    let input = format!(
        "{HELLO}{}{{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":40,\"hops\":[\"src\"]}}\n{}{{\"$\":\"end\",\"lines\":10,\"drain\":true}}\n",
        lines(40),
        lines(10)
    );
    let out = shard(&["-n", "4"], "if [ $SHARD = 2 ]; then sleep 0.2; fi; cat", &input).ok();
    let (before, behind) =
        out.split_once("{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":40,\"hops\":[\"src\",\"shard\"]}\n").unwrap();
    let (hello, before) = before.split_once('\n').unwrap();
    assert_eq!(hello, "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":2}");
    assert_eq!(sorted(before), sorted(&lines(40)));
    let (behind, end) = behind.split_once("{\"$\":\"end\"").unwrap();
    assert_eq!((sorted(behind), end), (sorted(&lines(10)), ",\"lines\":10,\"drain\":true}\n"));
}

#[test]
fn a_program_in_a_shard_that_drops_lines_is_found_in_a_checked_stream() {
    let input = format!("{HELLO}{}{{\"$\":\"end\",\"lines\":40,\"drain\":true}}\n", lines(40));
    let ran = shard(&["-n", "2"], "grep -v '\"n\":7'", &input);
    ran.fails_with(1, "lines since the last barrier");
    assert!(ran.stderr.contains("hint: run that program inside parallel-map"), "{}", ran.stderr);
}

#[test]
fn a_failing_shard_ends_all_with_its_status_and_last_words() {
    let script = "cat > /dev/null; [ $SHARD = 0 ] || exit 0; echo first >&2; echo last words >&2; exit";
    for (status, code) in [("5", 1), ("1", 1), ("2", 1), ("75", 75), ("137", 75)] {
        let ran = shard(&["-n", "2"], &format!("{script} {status}"), &lines(100));
        ran.fails_with(code, &format!("shard: shard 0 exited with status {status}: first; last words"));
        assert!(ran.stderr.starts_with("first\nlast words\n"), "{}", ran.stderr);
    }
    shard(&["-n", "2"], "kill -KILL $$", &lines(10)).fails_with(75, "was killed by signal 9 (SIGKILL)");
    shard(&["-n", "1"], "false | cat", &lines(10)).fails_with(1, "exited with status 1");
    shard(&["-n", "1"], "no-such-program", &lines(10))
        .fails_with(1, "exited with status 127: bash: line 1: no-such-program: command not found");
}

#[test]
fn in_a_checked_stream_a_shard_that_ends_early_is_75_whatever_its_status() {
    let input = format!("{HELLO}{}{{\"$\":\"end\",\"lines\":40,\"drain\":true}}\n", lines(40));
    shard(&["-n", "2"], "head -n 3", &input).fails_with(75, "ended before the end of the stream");
    shard(&["-n", "2"], "head -n 3; exit 5", &input).fails_with(1, "exited with status 5");
}

#[test]
fn a_program_need_not_read_all_of_a_plain_stream() {
    assert_eq!(shard(&["-n", "2"], "head -n 1", &lines(100_000)).ok().lines().count(), 2);
}

#[test]
fn bad_lines_go_their_way() {
    let input = "{\"k\":1}\n{\"k\":\n{\"k\":2}\n";
    shard(&["-n", "2"], "cat", input).fails_with(1, "shard: line 2, byte 8: ");
    assert_eq!(shard(&["-n", "2", "--on-error", "skip"], "cat", input).ok().lines().count(), 2);
    shard(&["-n", "2", "--by", ".k[]"], "cat", input).fails_with(2, "");
}

#[test]
fn wrong_command_lines_teach_the_right_ones() {
    run(BIN, &["--by", "k"], "").fails_with(2, "SUBPIPE");
    run(BIN, &["--", "cat"], "").fails_with(2, "--by");
    run(BIN, &["--by", "a..b", "--", "cat"], "").fails_with(2, "a..b");
    run(BIN, &["--by", "k", "-n", "0", "--", "cat"], "").fails_with(2, "0");
    run(BIN, &["--by", "k", "--buffer", "1MiB", "--", "cat"], "").fails_with(2, "--ordered");
}

#[test]
fn a_trickle_comes_through_at_once() {
    let args = ["--by", "k", "-n", "2", "--", "cat"];
    let mut child = Command::new(BIN).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    for n in 0..5 {
        let line = format!("{{\"k\":{n}}}\n");
        stdin.write_all(line.as_bytes()).unwrap();
        let mut back = vec![0; line.len()];
        stdout.read_exact(&mut back).unwrap();
        assert_eq!(back, line.as_bytes());
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// Processes with this word in their command line.
fn alive(word: &str) -> bool {
    bash(&[], &format!("pgrep -f {word} | grep -vx $$ || true")).ok().lines().count() > 0
}

#[test]
fn no_process_outlives_shard_however_that_ends() {
    for (number, signal) in ["KILL", "TERM", "INT"].into_iter().enumerate() {
        let word = format!("orphan-of-{}-{number}", std::process::id());
        let sub_pipe = format!("cat | perl -e 'print while <>; # {word}'");
        let args = ["--by", "k", "-n", "2", "--", &sub_pipe];
        let mut child = Command::new(BIN).args(args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(lines(100).as_bytes()).unwrap();
        let started = Instant::now();
        while !alive(&word) {
            assert!(started.elapsed() < Duration::from_secs(60));
        }
        for _ in 0..2 {
            // The first Ctrl-C passes, as in every stage.
            let _ = bash(&[], &format!("kill -{signal} {} 2>/dev/null || true", child.id()));
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(!child.wait().unwrap().success());
        let ended = Instant::now();
        while alive(&word) {
            assert!(ended.elapsed() < Duration::from_secs(60), "an orphan lives on after {signal}");
        }
    }
}

#[test]
fn a_key_that_no_line_had_is_told() {
    let ran = run(BIN, &["--by", "kk", "-n", "2", "--", "cat"], &lines(3));
    assert!(ran.stderr.starts_with("shard: 3 lines, none had \"kk\"; the lines have: k, n\n"), "{}", ran.stderr);
    assert_eq!(ran.ok().lines().count(), 3);
}

#[test]
fn blank_lines_of_a_sub_pipe_are_no_lines() {
    let input = format!("{HELLO}{}{{\"$\":\"end\",\"lines\":3,\"drain\":true}}\n", lines(3));
    let ran = shard(&["-n", "2"], "echo; sed '1i\\\\n'; echo", &input);
    let out = ran.ok();
    assert!(out.trim_end().ends_with("\"lines\":3,\"drain\":true}"), "{out}");
    assert!(out.lines().all(|line| !line.trim().is_empty()), "{out}");
}
