//! The binary against a real broker.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod scene;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use scene::{BIN, Reading, broker, data, envelopes, fill, marks, numbers, numbers_of, read, read_all, signal};
use testkit::{Broker, Ran, run};

#[test]
fn a_topic_is_read_from_its_beginning_to_its_end() {
    fill("whole", 1, &numbers(0..1000));
    assert_eq!(read(&["-t", "whole", "-e"]).ok(), numbers(0..1000));
}

#[test]
fn a_turn_that_ends_among_many_messages_goes_on_with_the_next_one() {
    fill("turns", 1, &numbers(0..50_000));
    assert_eq!(read(&["-t", "turns", "-e"]).ok(), numbers(0..50_000));
    assert_eq!(read(&["-t", "turns", "-c", "30001"]).ok(), numbers(0..30_001));
}

#[test]
fn reading_starts_where_it_is_told() {
    // Message n has the time of its second n.
    fill("starts", 1, &envelopes(0, 0..10, |n| n * 1000 + 1_700_000_000_000));
    let from = |position: &str| numbers_of(&read(&["-t", "starts", "-e", "-o", position]).ok());
    assert_eq!(from("beginning"), Vec::from_iter(0..10));
    assert_eq!(from("7"), [7, 8, 9]);
    assert_eq!(from("-2"), [8, 9]);
    assert_eq!(from("-200"), Vec::from_iter(0..10));
    assert_eq!(from("2023-11-14T22:13:25.500Z"), [6, 7, 8, 9]);
    assert_eq!(from("@1700000008"), [8, 9]);
    assert_eq!(from("-10m"), [0_i64; 0]);
    let beyond = read(&["-t", "starts", "-e", "-o", "17", "-v"]);
    assert!(beyond.stderr.contains("topic starts, partition 0: offset 17 is not there, reading from 10"));
    assert_eq!(beyond.ok(), "");
}

#[test]
fn reading_ends_where_it_is_told() {
    fill("ends", 1, &envelopes(0, 0..10, |n| n * 1000 + 1_700_000_000_000));
    let until = |args: &[&str]| numbers_of(&read(&[&["-t", "ends"], args].concat()).ok());
    assert_eq!(until(&["--until", "end"]), Vec::from_iter(0..10));
    assert_eq!(until(&["--until", "3"]), [0, 1, 2]);
    assert_eq!(until(&["--until", "2023-11-14T22:13:23Z"]), [0, 1, 2]);
    assert_eq!(until(&["-o", "@1700000004", "--until", "+3s"]), [4, 5, 6]);
    assert_eq!(until(&["--until", "2023-11-14T23:00:00Z"]), Vec::from_iter(0..10), "a time in the past, after all");
    assert_eq!(until(&["-c", "4"]), [0, 1, 2, 3]);
    assert_eq!(until(&["-c", "0"]), [0_i64; 0]);
}

#[test]
fn an_end_beyond_the_end_is_waited_for_with_a_word_or_not_at_all() {
    let lines = envelopes(0, 0..5, |n| n + 1_700_000_000_000) + &envelopes(1, 5..10, |n| n + 1_700_000_000_000);
    fill("short", 2, &lines);
    let mut reading = Reading::start(&["-t", "short", "--until", "100"]);
    let mut stderr = BufReader::new(reading.child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    // The one that is named is the first that has been at its end for long enough.
    assert!(said.starts_with("kafka-cat-in: topic short, partition ") && said.contains(" ends at offset 5"), "{said}");
    assert!(said.contains(", 1 more likewise: waiting for --until 100; with -e it ends"), "{said}");
    reading.ends_cleanly_on("TERM");
    let count = |args: &[&str]| read(&[&["-t", "short", "-e"], args].concat()).ok().lines().count();
    assert_eq!(count(&["--until", "100"]), 10);
    assert_eq!(count(&["--until", "1"]), 2, "one of each");
    assert_eq!(count(&["--until", "2100-01-01T00:00:00Z"]), 10);
    assert_eq!(count(&["--until", "2000-01-01T00:00:00Z"]), 0);
}

#[test]
fn only_the_wanted_partitions_are_read() {
    let lines: String = (0..4).map(|p| envelopes(p, p..p + 1, |_| 5)).collect();
    fill("some", 4, &lines);
    assert_eq!(BTreeSet::from_iter(numbers_of(&read_all("some", &["-p", "0-1,3"]))), BTreeSet::from([0, 1, 3]));
    read(&["-t", "some", "-p", "2-7", "-e"]).fails_with(1, "topic \"some\" has no partition 4: it has 4");
}

#[test]
fn several_topics_and_expressions_are_one_stream() {
    fill("many-a", 1, &numbers(0..3));
    fill("many-b", 2, &numbers(3..6));
    fill("other", 1, &numbers(6..9));
    let all = |args: &[&str]| BTreeSet::from_iter(numbers_of(&read(&[args, &["-e"]].concat()).ok()));
    assert_eq!(all(&["-t", "^many-"]), (0..6).collect());
    assert_eq!(all(&["-t", "many-a", "-t", "other"]), [0, 1, 2, 6, 7, 8].into());
    assert_eq!(all(&["-t", "^many-b$", "-t", "other"]), (3..9).collect());
    read(&["-t", "^nothing-like-it", "-e"]).fails_with(1, "no topic matches");
}

#[test]
fn each_line_can_have_the_name_of_its_topic() {
    fill("tag-a", 1, "{\"value\":{\"n\":1}}\n{\"value_text\":\"{\\n \\\"kind\\\": 7\\n}\"}\n");
    fill("tag-b", 2, "{\"value\":{\"n\":2}}\n{\"value\":[3]}\n");
    let both = ["-t", "tag-a", "-t", "tag-b", "-e", "--tag", "kind"];
    let skipped = read(&[&both[..], &["--on-error", "skip", "-v"]].concat());
    assert!(skipped.stderr.contains("rejected 1"), "{}", skipped.stderr);
    let lines = skipped.ok();
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.sort_unstable();
    let tagged = ["{\"kind\":\"tag-a\",\"n\":1}", "{\"kind\":\"tag-a\"}", "{\"kind\":\"tag-b\",\"n\":2}"];
    assert_eq!(lines, tagged);
    let stopped = read(&both);
    stopped.fails_with(1, "topic tag-b, partition ");
    stopped.fails_with(1, "no object, and so without a place for --tag");
    read(&["-t", "tag-a", "-e", "--tag", "a.b"]).fails_with(2, "not into something inside it");
}

#[test]
fn tombstones_are_left_out_and_counted_or_shown() {
    let lines = "{\"value\":1}\n{\"value\":null,\"key\":\"gone\"}\n{\"value\":2}\n";
    fill("tombs", 1, lines);
    let ran = read(&["-t", "tombs", "-e", "-v"]);
    assert!(ran.stderr.contains("1 tombstones left out"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "1\n2\n");
    let shown = read_all("tombs", &["--envelope"]);
    assert_eq!(shown.lines().count(), 3);
    assert!(shown.lines().nth(1).unwrap().ends_with("\"key\":\"gone\",\"headers\":[],\"value\":null}"), "{shown}");
}

#[test]
fn a_value_that_is_not_json_is_a_bad_line_with_its_place() {
    fill("bad", 1, "{\"value\":1}\n{\"value_text\":\"{x\"}\n{\"value_text\":\"\"}\n{\"value\":2}\n");
    let stopped = read(&["-t", "bad", "-e"]);
    assert_eq!(stopped.stdout, "1\n", "what came before it is good");
    stopped.fails_with(1, "kafka-cat-in: topic bad, partition 0, offset 1: not JSON at byte 1: ");
    let skipped = read(&["-t", "bad", "-e", "--on-error", "skip", "-v"]);
    assert!(skipped.stderr.contains("rejected 2"), "{}", skipped.stderr);
    assert_eq!(skipped.ok(), "1\n2\n");
    let rejected = read(&["-t", "bad", "-e", "--on-error", "reject"]);
    assert!(rejected.stderr.contains("topic bad, partition 0, offset 2"), "{}", rejected.stderr);
    assert_eq!(read_all("bad", &["--text"]), "\"1\"\n\"{x\"\n\"\"\n\"2\"\n");
    read(&["-t", "bad", "-e", "--max-line", "1B", "-o", "1"]).fails_with(1, "offset 1: a value longer than 1 bytes");
}

#[test]
fn values_over_several_lines_and_values_like_marks_are_lines() {
    fill("odd", 1, "{\"value_text\":\"{\\n \\\"a\\\": 1.0,\\n \\\"b\\\": [ ]\\n}\\n\"}\n{\"value\":{\"$\":\"end\"}}\n");
    assert_eq!(read_all("odd", &[]), "{\"a\":1.0,\"b\":[]}\n{ \"$\":\"end\"}\n");
}

#[test]
fn marks_say_which_partition_lines_come_from_and_when_it_ends() {
    let lines: String = (0..3).map(|p| envelopes(p, 0..2000, |n| n + 1)).collect();
    fill("marks", 4, &lines);
    let out = read_all("marks", &["--marks", "--envelope"]);
    let first: Vec<&str> = out.lines().take(4).collect();
    assert_eq!(first, (0..4).map(|p| format!("{{\"$\":\"from\",\"part\":\"marks/{p}\"}}")).collect::<Vec<_>>());
    let mut part = String::new();
    let mut ended = BTreeSet::new();
    for line in out.lines() {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        match json["$"].as_str() {
            Some("from") => part = json["part"].as_str().unwrap().to_owned(),
            Some("idle") => {
                assert_eq!(json["final"], true);
                assert!(ended.insert(json["part"].as_str().unwrap().to_owned()), "ends once");
            }
            _ => {
                assert_eq!(part, format!("marks/{}", json["partition"]));
                assert!(!ended.contains(&part));
            }
        }
    }
    assert_eq!(ended.len(), 4);
    assert_eq!(data(&out).lines().count(), 6000);
    assert!(marks(&out).len() < 40, "one mark for a turn, not for a line: {}", marks(&out).len());
}

#[test]
fn a_partition_with_nothing_to_read_is_idle_and_wakes_up() {
    fill("idle", 1, &numbers(0..1));
    let mut reading = Reading::start(&["-t", "idle", "--marks"]);
    let mut next = || reading.line();
    assert_eq!(next(), "{\"$\":\"from\",\"part\":\"idle/0\"}");
    assert_eq!(next(), "0");
    assert_eq!(next(), "{\"$\":\"idle\",\"part\":\"idle/0\",\"final\":false}");
    fill("idle", 1, &numbers(1..2));
    assert_eq!(next(), "1");
    assert_eq!(next(), "{\"$\":\"idle\",\"part\":\"idle/0\",\"final\":false}");
    reading.ends_cleanly_on("TERM");
}

#[test]
fn no_partition_runs_ahead_of_the_slowest() {
    // Partition 1 has ten times the messages in the same time.
    let lines = envelopes(0, 0..3000, |n| 1_700_000_000_000 + n * 100)
        + &envelopes(1, 0..30_000, |n| 1_700_000_000_000 + n * 10);
    fill("align", 2, &lines);
    let out = read_all("align", &["--envelope", "--align", "5s"]);
    assert_eq!(out.lines().count(), 33_000);
    let mut newest = [None, None];
    let mut left = [3000, 30_000];
    let mut ahead_max = 0;
    for line in out.lines() {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let partition = usize::try_from(json["partition"].as_u64().unwrap()).unwrap();
        newest[partition] = json["timestamp"].as_i64();
        left[partition] -= 1;
        if let [Some(a), Some(b)] = newest
            && left.iter().all(|left| *left > 0)
        {
            ahead_max = ahead_max.max(i64::abs(a - b));
        }
    }
    assert!(ahead_max <= 5_100, "{ahead_max} ms ahead");
}

#[test]
fn a_group_goes_on_where_it_was() {
    fill("group", 2, &numbers(0..100));
    let first = numbers_of(&read(&["-t", "group", "-G", "g1", "-c", "30"]).ok());
    let second = numbers_of(&read(&["-t", "group", "-G", "g1", "-e"]).ok());
    assert_eq!(first.len(), 30);
    assert_eq!(second.len(), 70, "nothing comes twice after a clean end");
    assert_eq!(BTreeSet::from_iter(first.into_iter().chain(second)), (0..100).collect());
    assert_eq!(read(&["-t", "group", "-G", "g1", "-p", "0-1", "-e"]).ok(), "", "by hand it is the same group");
}

/// Lines of 1 KiB, so that the pipe and a block hold few; pauses longer than the time between two commits, so that
/// each block is committed: one that was committed before it was written would be missing after the kill.
#[test]
fn a_killed_member_loses_nothing() {
    let all = 2000;
    let padding = "x".repeat(1000);
    let lines: String = (0..all).map(|n| format!("{{\"value\":{{\"n\":{n},\"padding\":\"{padding}\"}}}}\n")).collect();
    fill("killed", 2, &lines);
    let number = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["n"].as_i64().unwrap();
    // The group takes a dead member out after its session.
    let member = ["-t", "killed", "-G", "g2", "-X", "session.timeout.ms=1000", "-X", "heartbeat.interval.ms=300"];
    let mut reading = Reading::start(&member);
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        seen.extend((0..100).map(|_| number(&reading.line())));
        std::thread::sleep(Duration::from_millis(1200));
    }
    signal(reading.child.id(), "KILL");
    let mut rest = String::new();
    reading.stdout.read_to_string(&mut rest).unwrap();
    seen.extend(rest.rsplit_once('\n').map_or("", |(whole, _)| whole).lines().map(number));
    reading.child.wait().unwrap();
    let again = read(&[&member[..], &["-e"]].concat()).ok();
    assert!(again.lines().count() < 2000, "something had been committed");
    seen.extend(again.lines().map(number));
    assert_eq!(seen, (0..all).collect());
}

#[test]
fn members_of_a_group_share_the_partitions() {
    fill("shared", 4, &numbers(0..4));
    let mut one = Reading::start(&["-t", "shared", "-G", "g3", "--marks"]);
    let mut parts = BTreeSet::new();
    while parts.len() < 4 {
        let line = one.line();
        if line.starts_with("{\"$\":\"from\"") {
            parts.insert(line);
        }
    }
    let mut two = Reading::start(&["-t", "shared", "-G", "g3", "--marks"]);
    let theirs = [two.line(), two.line()];
    assert!(theirs.iter().all(|line| line.starts_with("{\"$\":\"from\"")), "{theirs:?}");
    two.ends_cleanly_on("INT");
    one.ends_cleanly_on("TERM");
}

#[test]
fn a_signal_ends_the_stream_cleanly() {
    fill("signal", 1, &numbers(0..5));
    for name in ["INT", "TERM"] {
        let mut reading = Reading::start(&["-t", "signal"]);
        for n in 0..5 {
            assert_eq!(reading.line(), n.to_string());
        }
        reading.ends_cleanly_on(name);
    }
}

#[test]
fn a_reader_that_leaves_ends_it_though_nothing_comes() {
    use std::os::unix::process::ExitStatusExt;
    fill("left", 1, &numbers(0..5));
    let mut reading = Reading::start(&["-t", "left"]);
    reading.line();
    let Reading { mut child, stdout } = reading;
    drop(stdout);
    assert_eq!(child.wait().unwrap().signal(), Some(13));
}

#[test]
fn a_missing_topic_is_named() {
    fill("there", 1, "");
    for group in [&[][..], &["-G", "g4"]] {
        let ran = read(&[&["-t", "there", "-t", "not-there", "-e"], group].concat());
        ran.fails_with(1, "kafka-cat-in: topic \"not-there\" does not exist");
    }
}

#[test]
fn a_wrong_password_is_told_at_once_and_not_shown() {
    fill("secret", 1, &numbers(0..3));
    let address = broker().sasl_address();
    let login = |password: &str| -> Ran {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!(
            "security.protocol=sasl_plaintext\nsasl.mechanism=PLAIN\nsasl.username=tester\nsasl.password={password}\n"
        );
        std::fs::write(file.path(), text).unwrap();
        run(BIN, &["-b", &address, "-F", file.path().to_str().unwrap(), "-t", "secret", "-e"], "")
    };
    assert_eq!(login("tester-secret").ok(), numbers(0..3));
    let wrong = login("hunter2");
    assert!(!wrong.stderr.contains("hunter2"), "{}", wrong.stderr);
    wrong.fails_with(1, "the broker refused: ");
}

#[test]
fn a_broker_that_goes_ends_it_with_75_after_what_was_read() {
    let broker = Broker::start();
    let out = run(testkit::bin("kafka-cat-out"), &["-b", broker.address(), "-t", "t", "--create", "1"], &numbers(0..3));
    out.ok();
    let mut reading = Reading::start_at(broker.address(), &["-t", "t", "--broker-timeout", "8s"]);
    for n in 0..3 {
        assert_eq!(reading.line(), n.to_string());
    }
    broker.kill();
    let Reading { child, .. } = reading;
    let ran: Ran = child.wait_with_output().unwrap().into();
    ran.fails_with(75, "answered within 8s");
}

#[test]
fn a_broker_that_comes_back_goes_unnoticed() {
    let mut broker = Broker::start();
    let write = |broker: &Broker, lines: &str| {
        let args = ["-b", broker.address(), "-t", "t", "--create", "1"];
        run(testkit::bin("kafka-cat-out"), &args, lines).ok();
    };
    write(&broker, &numbers(0..1));
    let mut reading = Reading::start_at(broker.address(), &[&["-t", "t"], &Broker::PATIENT[..]].concat());
    assert_eq!(reading.line(), "0");
    broker.kill();
    broker.restart();
    write(&broker, &numbers(1..2));
    assert_eq!(reading.line(), "1");
    reading.ends_cleanly_on("TERM");
}

#[test]
fn lines_come_as_soon_as_they_are_there() {
    fill("prompt", 1, "");
    let mut reading = Reading::start(&["-t", "prompt"]);
    for n in 0..3 {
        fill("prompt", 1, &numbers(n..n + 1));
        assert_eq!(reading.line(), n.to_string());
    }
    let lines = BufReader::new(&mut reading.stdout).buffer().len();
    assert_eq!(lines, 0);
    reading.ends_cleanly_on("TERM");
}

#[test]
fn a_group_that_is_told_where_to_end_ends() {
    fill("until", 3, &numbers(0..10));
    let ran = read(&["-t", "until", "-G", "g5", "-e", "--marks"]).ok();
    assert_eq!(numbers_of(&data(&ran)).len(), 10);
    let mut lines = BufReader::new(ran.as_bytes()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("{\"$\":\"from\""));
    assert_eq!(marks(&ran).iter().filter(|mark| mark.contains("\"final\":true")).count(), 3);
}
