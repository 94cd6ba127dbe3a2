use testkit::run;

const DEDUP: &str = env!("CARGO_BIN_EXE_dedup");

#[test]
fn wrong_flags_teach_the_right_ones() {
    let fails = |flags: &str, words: &str| {
        let args: Vec<&str> = flags.split_whitespace().collect();
        run(DEDUP, &args, "").fails_with(2, words);
    };
    fails("", "--by <FIELDS>");
    fails("--by a --within 0s", "dedup: --within must be more than 0\ndedup: hint: say --within 10m");
    fails("--by a --time t", "dedup: --time without --within or --keep last");
    fails("--by a --keep last --lateness 1s", "flags of time without a time");
    fails("--by a --keep last --time t --lateness 1s", "--lateness and --idle are for --within");
    fails("--by a --late pass", "--late without --within");
    fails("--by a --emit update", "--emit update with --keep first");
    fails("--by a --keep last --emit update", "without times every line is the latest");
    fails("--by a --buffer 1MiB", "--buffer where no lines are kept");
    fails("--by auction%2", "fields begin with a dot there");
}

#[test]
fn verbose_says_how_many_lines_were_left_out() {
    let ran = run(DEDUP, &["--by", "a", "-v"], "{\"a\":1}\n{\"a\":1}\n{\"a\":2}\n");
    assert!(ran.stderr.contains("dedup: 1 of 3 lines left out: others of their key are kept"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "{\"a\":1}\n{\"a\":2}\n");
}

#[test]
fn a_late_line_is_kept_aside_when_that_is_asked_for() {
    let input = "{\"a\":1,\"t\":100}\n{\"a\":2,\"t\":40}\n";
    let ran = run(DEDUP, &["--by", "a", "--time", "t", "--within", "1m", "--late", "reject"], input);
    assert!(ran.stderr.contains("\"line\":\"{\\\"a\\\":2,\\\"t\\\":40}\""), "{}", ran.stderr);
    assert_eq!(ran.ok(), "{\"a\":1,\"t\":100}\n");
}

#[test]
fn only_selected_lines_are_compared() {
    let input = "{\"a\":1}\n{\"b\":1}\n{\"a\":1}\n{\"b\":1}\n";
    assert_eq!(run(DEDUP, &["--by", "a", "--where", ".a"], input).ok(), "{\"a\":1}\n{\"b\":1}\n{\"b\":1}\n");
}

#[test]
fn a_key_that_no_line_had_is_told() {
    let ran = run(DEDUP, &["--by", "usr"], "{\"user\":1}\n{\"user\":2}\n");
    assert_eq!(
        ran.stderr,
        "dedup: 2 lines, none had \"usr\"; the lines have: user\ndedup: hint: did you mean \"user\"?\n"
    );
}
