use testkit::run;

const FORECAST: &str = env!("CARGO_BIN_EXE_forecast");

#[test]
fn wrong_flags_teach_the_right_ones() {
    let fails = |flags: &str, words: &str| {
        let args: Vec<&str> = flags.split_whitespace().collect();
        run(FORECAST, &args, "").fails_with(2, words);
    };
    fails("--time t", "--horizon <HORIZON>");
    fails("--horizon 0", "say how many steps to forecast, 1 to 100000");
    fails(
        "--horizon 1h",
        "--horizon 1h without --every\nforecast: hint: say how long a step is (--every 1h), or how many steps",
    );
    fails("--horizon 90m --every 1h", "--horizon 1h30m is not a whole number of steps of 1h");
    fails("--horizon 30d --every 1mo", "--horizon 30d with steps of 1mo, which differ in length");
    fails("--horizon 1000d --every 1s", "--horizon 1000d is more than 100000 steps of 1s");
    fails("--horizon 3 --history 0", "'--history <N>': 0 is too little: at least 1");
    fails("--horizon 3 --lateness -1s", "'--lateness <DURATION>': duration \"-1s\" is less than 0: say 0s or more");
    fails("--horizon 3 --season x", "say a number of steps (24), a duration (1d)");
    fails("--horizon 3 --interval 100", "say levels in percent, above 0 and below 100");
    fails("--horizon 3 --emit update", "--every 1h");
    fails("--horizon 3 --refit 5", "--refit without --emit update or --check");
    fails("--horizon 3 --late drop", "at the end of the input no line is late");
    fails("--horizon 3 --lateness 5s", "reorder --lateness sorts lines");
    fails("--horizon 3 --ttl 0s", "--ttl must be more than 0");
    fails("--horizon 3 --value v,v", "two values are named \"v\"");
    fails("--horizon 3 --value v,w --by forecast_of", "a row cannot have a key named \"forecast_of\"");
    fails("--horizon 3 --by time", "a row cannot have a key named \"time\"");
    fails("--horizon 3 --by lower_95", "a row cannot have a key named \"lower_95\"");
    fails("--horizon 3 --by .a[:3]", "has no name");
    fails("--horizon 3 --model arima", "possible values: auto, naive, snaive, ets, theta, mstl");
}

#[test]
fn rows_follow_the_end_of_the_input_and_other_lines_pass() {
    let input = "{\"at\":1,\"v\":1}\n{\"x\":1}\n{\"at\":2,\"v\":1}\n";
    let args = ["--value", "v", "--time", "at", "--horizon", "1", "--interval", "none", "--where", ".v"];
    let out = run(FORECAST, &args, input).ok();
    assert_eq!(out, "{\"x\":1}\n{\"time\":\"1970-01-01T00:00:03Z\",\"forecast\":1}\n");
}

#[test]
fn a_field_that_no_line_had_is_told() {
    let ran = run(FORECAST, &["--time", "at", "--horizon", "1"], "{\"at\":1,\"v\":1}\n");
    assert!(ran.stderr.starts_with("forecast: 1 line, none had \"value\"; the lines have: at, v\n"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "");
}

#[test]
fn a_duration_is_a_number_of_steps() {
    let lines: String = (0..30).map(|n| format!("{{\"timestamp\":{},\"value\":{}}}\n", n * 60, n % 7)).collect();
    let rows = |horizon: &str| run(FORECAST, &["--every", "1m", "--horizon", horizon], &lines).ok();
    assert_eq!(rows("3m"), rows("3"));
}
