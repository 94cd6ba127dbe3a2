use testkit::run;

const DETECT: &str = env!("CARGO_BIN_EXE_detect");

#[test]
fn wrong_flags_teach_the_right_ones() {
    let fails = |flags: &str, words: &str| {
        let args: Vec<&str> = flags.split_whitespace().collect();
        run(DETECT, &args, "").fails_with(2, words);
    };
    fails("--threshold 1", "a score is a number above 0 and below 1, as 0.65");
    fails("--alarms 1", "alarms are 1 to 16 in a time, as 1/7d");
    fails("--alarms 17/7d", "alarms are 1 to 16 in a time, as 1/7d");
    fails("--alarms 1/7d --threshold 0.5", "cannot be used with");
    fails(
        "--trend --method robust",
        "detect: --trend is for --method memory\ndetect: hint: --method robust follows series",
    );
    fails("--peers 3", "--among <FIELD>");
    fails("--among host --change-points", "cannot be used with");
    fails("--ttl 0s", "detect: --ttl must be more than 0\ndetect: hint: say --ttl 7d");
}

#[test]
fn a_number_in_quotes_is_told_with_what_to_do() {
    let line = r#"{"timestamp":"2026-01-01T00:00:05Z","value":"17"}"#;
    let ran = run(DETECT, &[], line);
    ran.fails_with(1, "field \"value\" is not a number: \"17\"\ndetect: hint: tonumber makes a number of a text: --value '.value | tonumber'");
}

#[test]
fn a_value_that_no_line_had_is_told() {
    let ran = run(DETECT, &["--value", "vlaue"], "{\"timestamp\":5,\"value\":1}\n");
    assert!(ran.stderr.contains("1 line, none had \"vlaue\""), "{}", ran.stderr);
    assert_eq!(ran.ok(), "{\"anomaly_score\":null,\"anomaly\":false,\"timestamp\":5,\"value\":1}\n");
}

#[test]
fn late_lines_are_dropped_with_a_word_or_kept_aside() {
    let input = "{\"timestamp\":9,\"value\":1}\n{\"timestamp\":8,\"value\":1}\n";
    let ran = run(DETECT, &[], input);
    assert!(ran.stderr.contains("the line before it of its key has 1970-01-01T00:00:09Z"), "{}", ran.stderr);
    assert_eq!(ran.ok().lines().count(), 1);
}

#[test]
fn more_keys_than_there_may_be_end_it() {
    let input = "{\"timestamp\":1,\"value\":1,\"k\":1}\n{\"timestamp\":1,\"value\":1,\"k\":2}\n";
    run(DETECT, &["--by", "k", "--max-keys", "1"], input).fails_with(1, "more than 1 keys");
}

#[test]
fn keys_beyond_memory_go_to_disk_and_leave_nothing_there() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let lines: String =
        (0..60_000u64).map(|n| format!("{{\"k\":{},\"t\":{n},\"v\":{}}}\n", n * 40_009 % 9_000, n * n % 101)).collect();
    let args = ["--by", "k", "--value", "v", "--time", "t"];
    let ran = run(DETECT, &[&args[..], &["--memory", "4MiB", "--spill-dir", dir, "-v"]].concat(), &lines);
    assert!(ran.stderr.contains("of states went to disk"), "{}", ran.stderr);
    assert!(ran.ok() == run(DETECT, &args, &lines).ok());
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0);
    let nowhere = run(DETECT, &[&args[..], &["--memory", "4MiB", "--spill-dir", "nowhere"]].concat(), "{}\n");
    nowhere.fails_with(1, "detect: keys beyond --memory cannot go to nowhere: No such file or directory\n");
    let alone = run(DETECT, &[&args[..], &["--spill-dir", "."]].concat(), "");
    alone.fails_with(2, "detect: --spill-dir without --memory\n");
}
