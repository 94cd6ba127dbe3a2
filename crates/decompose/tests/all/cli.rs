use testkit::run;

const DECOMPOSE: &str = env!("CARGO_BIN_EXE_decompose");

#[test]
fn wrong_flags_teach_the_right_ones() {
    let fails = |flags: &str, words: &str| {
        let args: Vec<&str> = flags.split_whitespace().collect();
        run(DECOMPOSE, &args, "").fails_with(2, words);
    };
    fails("--season 1x", "say a number of steps (24), a duration (1d), two of them (1d,7d), auto or none");
    fails(
        "--season 1d",
        "decompose: --season 1d without --every\ndecompose: hint: say how long a step is (--every 1h)",
    );
    fails("--batch --season 4 --season-window 8", "a smoother has an odd length from 3 to 1000001, as 7");
}

#[test]
fn two_lines_in_a_step_are_told_with_what_to_do() {
    let input = "{\"timestamp\":0,\"value\":1}\n{\"timestamp\":20,\"value\":1}\n";
    let ran = run(DECOMPOSE, &["--every", "1m", "--season", "1h"], input);
    let words = "is in the same step as the line before it of its key";
    assert!(ran.stderr.contains(words) && ran.stderr.contains("resample --every"), "{}", ran.stderr);
    assert_eq!(ran.ok().lines().count(), 1);
}

#[test]
fn series_that_are_too_short_are_told() {
    let ran = run(DECOMPOSE, &["--batch", "--season", "4"], "{\"timestamp\":0,\"value\":1}\n");
    assert!(ran.stderr.contains("series without parts, as they are too short or have no season: 1"), "{}", ran.stderr);
    let null = "\"trend\":null,\"season\":null,\"remainder\":null,\"season_strength\":null";
    assert_eq!(ran.ok(), format!("{{{null},\"timestamp\":0,\"value\":1}}\n"));
}

#[test]
fn more_keys_than_there_may_be_end_it() {
    let input = "{\"timestamp\":1,\"value\":1,\"k\":1}\n{\"timestamp\":1,\"value\":1,\"k\":2}\n";
    for flags in [&["--by", "k", "--max-keys", "1"][..], &["--by", "k", "--max-keys", "1", "--batch"]] {
        run(DECOMPOSE, flags, input).fails_with(1, "more than 1 keys");
    }
}

#[test]
fn steps_that_are_shorter_than_the_distance_of_lines_are_told() {
    let input: String = (0..50).map(|hour| format!("{{\"timestamp\":{},\"value\":{hour}}}\n", hour * 3600)).collect();
    let ran = run(DECOMPOSE, &["--every", "1m", "--season", "1d"], input.as_str());
    assert!(ran.stderr.contains("2891 steps between lines had none, 50 had one"), "{}", ran.stderr);
    let ran = run(DECOMPOSE, &["--every", "1h", "--season", "1d"], input.as_str());
    assert_eq!(ran.stderr, "");
}
