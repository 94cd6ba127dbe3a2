use testkit::run;

const DERIVE: &str = env!("CARGO_BIN_EXE_derive");

#[test]
fn wrong_flags_teach_the_right_ones() {
    let fails = |flags: &str, words: &str| {
        let args: Vec<&str> = flags.split_whitespace().collect();
        run(DERIVE, &args, "").fails_with(2, words);
    };
    fails("detla:v", "unknown function \"detla\"; did you mean delta? There are shift delta ratio");
    fails("cumsum:v", "unknown function \"cumsum\"; did you mean rsum?");
    fails(
        "mean:v",
        "mean:v: mean is of the last lines (10), of those of a time (5m) or of all so far (all); say mean:10:FIELD",
    );
    fails("mean:0:v", "0 lines: it has to be 1 to 10000000");
    fails("mean:99999999999999999999:v", "99999999999999999999 lines: it has to be 1 to 10000000");
    fails("mean:0s:v", "a time must be more than 0");
    fails("mean:5x:v", "unknown unit \"x\"");
    fails(
        "mean:200000:v",
        "derive: mean:200000:v keeps 200000 values of a key\nderive: hint: --max-lines 200000 allows it",
    );
    fails("median:all:v", "it would keep every line; aggregate --emit update estimates percentiles of all");
    fails("shift:-1:v", "shift:-1 would look ahead");
    fails("shift_lead:v", "shift_lead would look ahead");
    fails("slwin_2_2:v", "slwin_2_2 would look ahead");
    fails("delta", "delta needs a field, as in delta:FIELD");
    fails("delta:3", "delta:3 needs a field, as in delta:3:FIELD");
    fails("rate:5m", "rate:5m needs a field, as in rate:5m:FIELD");
    fails("ewma:2:v", "what a new value counts, above 0 to 1, or a half-life (5m); say ewma:0.3:FIELD");
    fails("holt_level:0.5:v", "two numbers above 0 to 1, for the level and for the trend");
    fails("kalman:0,1:v", "two variances above 0");
    fails("savgol:5,5:v", "a degree below it, at most 9; say savgol:7,2:FIELD");
    fails("$=delta:v", "\"$\" is the name that marks have");
    fails("=delta:v", "the name before = is empty");
    fails("delta:.a-.b", "has no name; a name stands before it: NAME=delta:.a-.b");
    fails(
        "mean:5:v mean:9:v",
        "two members are named \"mean_v\"\nderive: hint: a name stands before it: NAME=mean:9:v",
    );
    fails("delta:v --ttl 0s", "--ttl must be more than 0");
    fails("delta:v --late drop", "--late where nothing has a time");
    fails("delta:v --time-unit ms", "flags of time where nothing has a time");
    fails("", "SPEC");
}

#[test]
fn a_number_in_quotes_is_told_with_what_to_do() {
    let ran = run(DERIVE, &["mean:10:value"], r#"{"value":"17"}"#);
    ran.fails_with(1, "field \"value\" is not a number: \"17\"\nderive: hint: tonumber makes a number of a text: 'mean:10:.value | tonumber'");
    assert_eq!(
        run(DERIVE, &["m=mean:10:.value | tonumber"], r#"{"value":"17"}"#).ok(),
        "{\"m\":17,\"value\":\"17\"}\n"
    );
}

#[test]
fn a_field_that_no_line_had_is_told() {
    let ran = run(DERIVE, &["delta:vlaue"], "{\"value\":1}\n");
    assert!(ran.stderr.contains("1 line, none had \"vlaue\""), "{}", ran.stderr);
    assert_eq!(ran.ok(), "{\"delta_vlaue\":null,\"value\":1}\n");
}

#[test]
fn lines_need_no_time_unless_a_function_does() {
    assert_eq!(run(DERIVE, &["delta:value"], "{\"value\":1}\n").ok(), "{\"delta_value\":null,\"value\":1}\n");
    run(DERIVE, &["rate:value"], "{\"value\":1}\n").fails_with(1, "no field \"timestamp\"");
    run(DERIVE, &["delta:value", "--time", "at"], "{\"value\":1}\n").fails_with(1, "no field \"at\"");
}

#[test]
fn late_lines_are_dropped_with_a_word() {
    let input = "{\"timestamp\":9,\"value\":1}\n{\"timestamp\":8,\"value\":1}\n";
    let ran = run(DERIVE, &["rate:value"], input);
    assert!(ran.stderr.contains("the line before it of its key has 1970-01-01T00:00:09Z"), "{}", ran.stderr);
    assert_eq!(ran.ok().lines().count(), 1);
}

#[test]
fn more_keys_or_lines_than_there_may_be_end_it() {
    let input = "{\"timestamp\":1,\"value\":1,\"k\":1}\n{\"timestamp\":1,\"value\":1,\"k\":2}\n{\"timestamp\":1,\"value\":1,\"k\":1}\n";
    run(DERIVE, &["--by", "k", "--max-keys", "1", "count"], input).fails_with(1, "more than 1 keys");
    let args = ["--by", "k", "--max-lines", "1", "mean:5s:value"];
    run(DERIVE, &args, input).fails_with(
        1,
        "derive: more than 1 lines of a key in the time of a function\nderive: hint: --max-lines N allows more",
    );
}

#[test]
fn keys_beyond_memory_go_to_disk_and_leave_nothing_there() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let lines: String =
        (0..60_000u64).map(|n| format!("{{\"k\":{},\"t\":{n},\"v\":{}}}\n", n * 40_009 % 9_000, n * n % 101)).collect();
    let args = ["--by", "k", "m=mean:40:v", "s=shift:20:t"];
    let ran = run(DERIVE, &[&args[..], &["--memory", "4MiB", "--spill-dir", dir, "-v"]].concat(), &lines);
    assert!(ran.stderr.contains("of states went to disk"), "{}", ran.stderr);
    assert!(ran.ok() == run(DERIVE, &args, &lines).ok());
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0);
    let nowhere = run(DERIVE, &[&args[..], &["--memory", "4MiB", "--spill-dir", "nowhere"]].concat(), "{}\n");
    nowhere.fails_with(1, "derive: keys beyond --memory cannot go to nowhere: No such file or directory\n");
    let alone = run(DERIVE, &[&args[..], &["--spill-dir", "."]].concat(), "");
    alone.fails_with(2, "derive: --spill-dir without --memory\n");
}
