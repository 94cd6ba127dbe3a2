//! Lines beyond `--memory`: the same bytes as without a limit.

use clap::Parser;
use event_time::format_rfc3339;
use millpipe::{Exit, Fault};
use sorted_runs::Memory;
use stream_join::StreamJoin;
use stream_join::cli::Cli;
use testkit::{Played, every_way, play};

fn stage(flags: &str, memory_bytes: Option<usize>, scratch: &Memory) -> StreamJoin {
    let args = format!("stream-join --left .left --right .right --on k --prefix-right r_ {flags}");
    let mut job = Cli::parse_from(args.split_whitespace()).job().unwrap();
    if let Some(bytes) = memory_bytes {
        (job.memory_bytes_max, job.spills) = (bytes, true);
    }
    StreamJoin::new(job, Box::new(scratch.clone())).unwrap()
}

/// Lines of 20 to 300 bytes, of `keys` keys, with a watermark after each ten.
fn script(lines: u64, keys: u64) -> String {
    let mut text = String::new();
    let mut random = 1_u64;
    for id in 0..lines {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let dice = random >> 33;
        let time = format_rfc3339(1_700_000_000_000 + id as i64 * 100 - (dice % 1000) as i64);
        let (left, key, pad) = (!dice.is_multiple_of(3), dice / 7 % keys, "p".repeat((dice / 1000 % 280) as usize));
        text += &format!(
            "{{\"left\":{left},\"right\":{},\"k\":{key},\"t\":\"{time}\",\"id\":{id},\"pad\":\"{pad}\"}}\n",
            !left
        );
        if id % 10 == 9 {
            let mark = format_rfc3339(1_700_000_000_000 + id as i64 * 100 - 2_000);
            text += &format!("{{\"$\":\"watermark\",\"time\":\"{mark}\"}}\n");
        }
    }
    text
}

const BOUNDS: [&str; 3] = ["", "--within -20s..40s --time t", "--keep 30s --time t"];

#[test]
fn what_is_on_disk_is_joined_like_all_else() {
    for bound in BOUNDS {
        for kind in ["inner", "left", "full"] {
            let flags = format!("{bound} --kind {kind}");
            let input = script(6_000, if bound.is_empty() { 900 } else { 60 });
            let scratch = Memory::default();
            let expected = play(stage(&flags, None, &scratch), &input);
            assert_eq!(
                (scratch.written(), expected.counts.lines_out > 1_000),
                (0, true),
                "{} lines",
                expected.counts.lines_out
            );
            let spilled = play(stage(&flags, Some(if bound.is_empty() { 300_000 } else { 120_000 }), &scratch), &input);
            assert!(scratch.written() > 100_000, "{flags}: {} bytes on disk", scratch.written());
            assert_eq!(spilled.result, Ok(()));
            assert!(spilled.out == expected.out, "{flags}");
        }
    }
}

#[test]
fn crashes_change_nothing_when_lines_are_on_disk() {
    for (flags, bytes) in [("--kind full --within 10s --time t", 16_000), ("--kind inner", 18_000)] {
        let scratch = Memory::default();
        every_way(|| stage(flags, Some(bytes), &scratch), &script(200, 40));
        assert!(scratch.written() > 100_000, "{}", scratch.written());
    }
}

fn message(played: &Played) -> (Exit, String, String) {
    match &played.result {
        Err(Fault::Stop(error)) => (error.exit, error.message.clone(), error.hint.clone().unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_disk_is_temporary_and_a_wrong_byte_is_found() {
    let scratch = Memory::with_room(50_000);
    let (exit, message_of_full, _) = message(&play(stage("", Some(300_000), &scratch), &script(6_000, 900)));
    assert_eq!(exit, Exit::Temporary, "{message_of_full}");
    let scratch = Memory::default();
    scratch.damage(1000);
    let (_, damaged, _) = message(&play(stage("", Some(300_000), &scratch), &script(6_000, 900)));
    assert_eq!(damaged, "memory: the disk gives back other bytes than were written");
}

#[test]
fn at_the_limits_the_message_says_what_would_help() {
    let scratch = Memory::default();
    let input = script(6_000, 900);
    let (exit, text, hint) = message(&play(stage("", Some(100_000), &scratch), &input));
    assert_eq!(exit, Exit::Data);
    assert!(text.starts_with("finding ") && text.ends_with(" lines on disk takes more than 100kB"), "{text}");
    assert!(hint.starts_with("--memory SIZE allows more; --within, --between"), "{hint}");
    let (_, text, hint) = message(&play(stage("--buffer 200KiB", None, &scratch), &input));
    assert_eq!(text, "the lines that are kept take more than 200KiB");
    assert!(hint.starts_with("--buffer SIZE allows more, --memory SIZE sends lines to disk; --within"), "{hint}");
    let unmarked: String =
        input.lines().filter(|line| !line.starts_with("{\"$\"")).map(|line| format!("{line}\n")).collect();
    let (_, text, hint) = message(&play(stage("--max-keys 500 --keep 1s --time t", None, &scratch), &unmarked));
    assert_eq!(text, "more than 500 keys");
    assert_eq!(hint, "--max-keys N allows more; lines go by watermarks: watermark --time FIELD in front makes them");
}
