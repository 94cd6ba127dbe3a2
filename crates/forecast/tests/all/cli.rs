use testkit::run;

const FORECAST: &str = env!("CARGO_BIN_EXE_forecast");

#[test]
fn wrong_flags_teach_the_right_ones() {
    let fails = |flags: &str, words: &str| {
        let args: Vec<&str> = flags.split_whitespace().collect();
        run(FORECAST, &args, "").fails_with(2, words);
    };
    fails("--time t", "--horizon <N>");
    fails("--horizon 0", "say how many steps to forecast, 1 to 100000");
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
    assert!(ran.stderr.starts_with("forecast: 1 lines, none had \"value\"; the lines have: at, v\n"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "");
}
