//! The binary: flags, messages, exit codes, counts.

use testkit::{bash, run};

const BIN: &str = env!("CARGO_BIN_EXE_filter");

fn generated(lines: usize) -> String {
    bash(&["generate"], &format!("generate --lines {lines} --out-of-order 2s")).ok()
}

/// Conditions on which jq 1.6 and jaq agree, on lines like those of `generate`.
const CONDITIONS: &[&str] = &[
    ".status >= 500",
    ".status >= 400 and (.path | startswith(\"/api/v1/users\"))",
    "(.status == 200 or .value > 50) and (.key | endswith(\"7\") | not)",
    ".path | test(\"cart|list/[0-4]$\")",
    "has(\"nothing\") or (.host | ltrimstr(\"web-\") | .[:1] == \"8\")",
    ".key | IN(\"user-0\", \"user-1\", \"user-17\")",
    "[.path | scan(\"[a-z]+\")] | length == 4",
    ".status % 100 == 4",
];

#[test]
fn the_lines_that_jq_selects_pass_with_any_number_of_jobs() {
    let input = generated(300);
    for condition in CONDITIONS {
        // jq prints anew what it selects: line numbers say which ones they are.
        let numbers = run(
            "jq",
            &["-n", "-c", &format!("foreach inputs as $line (0; . + 1; select($line | {condition}))")],
            &input,
        );
        let numbers = numbers.ok();
        let lines: Vec<&str> = input.lines().collect();
        let chosen: Vec<usize> = numbers.lines().map(|number| number.parse::<usize>().unwrap() - 1).collect();
        assert!(!chosen.is_empty(), "{condition} selects nothing");
        let expected: String = chosen.iter().map(|&at| format!("{}\n", lines[at])).collect();
        let others: String =
            (0..lines.len()).filter(|at| !chosen.contains(at)).map(|at| format!("{}\n", lines[at])).collect();
        for more in [&[][..], &["-j", "2"], &["-j", "3", "--chunk", "100B"], &["--chunk", "7B"]] {
            assert!(run(BIN, &[more, &[condition]].concat(), &input).ok() == expected, "{condition} {more:?}");
            assert!(
                run(BIN, &[more, &["--not", condition]].concat(), &input).ok() == others,
                "not {condition} {more:?}"
            );
        }
    }
}

#[test]
fn counts_and_marks_are_right_behind_it() {
    let stream = concat!(
        "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n{\"a\":1}\n{\"a\":2}\n",
        "{\"$\":\"watermark\",\"time\":null}\n{ \"a\":3 }\n",
        "{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":3,\"hops\":[\"s\"]}\n{\"a\":4}\n",
        "{\"$\":\"end\",\"lines\":1,\"drain\":true}\n",
    );
    let expected = concat!(
        "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":2}\n{\"a\":1}\n",
        "{\"$\":\"watermark\",\"time\":null}\n{ \"a\":3 }\n",
        "{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":2,\"hops\":[\"s\",\"filter\"]}\n",
        "{\"$\":\"end\",\"lines\":0,\"drain\":true}\n",
    );
    for jobs in ["1", "3"] {
        let ran = run(BIN, &["-v", "-j", jobs, ".a % 2 == 1"], stream);
        assert!(ran.stderr.contains("in 4 = out 2 + left out 2 + late 0 + rejected 0 + held 0; "), "{}", ran.stderr);
        assert_eq!(ran.ok(), expected);
    }
}

#[test]
fn a_bad_line_is_named_and_can_be_kept_aside() {
    let input = "{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":3}\n";
    for jobs in ["1", "2"] {
        let ran = run(BIN, &["-j", jobs, ".a + 1 > 3"], input);
        ran.fails_with(1, "filter: line 2, byte 8: cannot calculate \"x\" + 1\nfilter: hint: --on-error");
        let ran = run(BIN, &["-j", jobs, "--on-error", "reject", ".a + 1 > 3"], input);
        assert!(
            ran.stderr
                .contains(r#"{"by":"filter","why":"cannot calculate \"x\" + 1","at":"line 2","line":"{\"a\":\"x\"}"}"#)
        );
        assert_eq!(ran.ok(), "{\"a\":3}\n");
    }
}

#[test]
fn a_filter_comes_from_a_file_and_arguments_from_flags() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f.jq");
    std::fs::write(&file, "# those of the set\n.a | IN($set[]) and (. != $not)\n").unwrap();
    let args = ["-f", file.to_str().unwrap(), "--argjson", "set", "[\"x\",\"é\"]", "--arg", "not", "x"];
    assert_eq!(run(BIN, &args, "{\"a\":\"x\"}\n{\"a\":\"\\u00e9\"}\n{\"a\":\"y\"}\n").ok(), "{\"a\":\"\\u00e9\"}\n");
    let missing = run(BIN, &["-f", "/nowhere/f.jq"], "");
    missing.fails_with(1, "filter: /nowhere/f.jq: No such file or directory");
}

#[test]
fn usage_errors_exit_with_2_and_show_the_place() {
    run(BIN, &[], "").fails_with(2, "filter: no FILTER\nfilter: hint: say for example: filter '.status >= 500'");
    run(BIN, &[".a ="], "").fails_with(2, "filter: the filter, line 1, column 5: expected term");
    run(BIN, &["-f", "x", "."], "").fails_with(2, "cannot be used with");
    run(BIN, &["--argjson", "x", "{", "."], "").fails_with(2, "--argjson x: \"{\" is not JSON");
    run(BIN, &["-j", "0", "."], "").fails_with(2, "0 is not in 1..=1024");
}

#[test]
fn with_where_only_selected_lines_must_satisfy_the_filter() {
    let input = "{\"k\":\"bid\",\"n\":1}\n{ \"k\" : \"ask\",\"n\":1}\n{\"k\":\"bid\",\"n\":5}\n";
    let args = ["-v", "--where", ".k == \"bid\"", ".n > 3"];
    let ran = run(BIN, &args, input);
    assert!(ran.stderr.contains("in 3 = out 2 + left out 1 + late 0 + rejected 0 + held 0; "), "{}", ran.stderr);
    assert_eq!(ran.ok(), "{ \"k\" : \"ask\",\"n\":1}\n{\"k\":\"bid\",\"n\":5}\n");
    let not = run(BIN, &[&args[1..], &["--not"]].concat(), input).ok();
    assert_eq!(not, "{\"k\":\"bid\",\"n\":1}\n{ \"k\" : \"ask\",\"n\":1}\n");
}

#[test]
fn decimals_are_exact_at_the_border() {
    let input = "{\"p\":0.1}\n{\"p\":0.3}\n";
    assert_eq!(run(BIN, &[".p * 3 == 0.3"], input).ok(), "");
    assert_eq!(run(BIN, &["--decimal", ".p * 3 == 0.3"], input).ok(), "{\"p\":0.1}\n");
}

#[test]
fn a_file_that_is_given_as_other_programs_take_it_gets_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.ndjson");
    std::fs::write(&file, "{}\n").unwrap();
    let hint = format!("filter: hint: lines are read from standard input: filter … < {}\n", file.display());
    run(BIN, &[".a", file.to_str().unwrap()], "").fails_with(2, &hint);
    assert!(!run(BIN, &[".a", "/no/such/file"], "").stderr.contains("hint: lines are read"));
}

#[test]
fn lines_that_a_filter_drops_are_no_output() {
    for jobs in ["1", "3"] {
        let ran = run(BIN, &["-v", "-j", jobs, ".a > 9"], &"{\"a\":1}\n".repeat(500));
        assert!(
            ran.stderr.starts_with("filter: in 500 = out 0 + left out 500 + late 0 + rejected 0 + held 0; "),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_filter_that_is_no_condition_is_told_at_the_end() {
    let input = "{\"status\":200}\n{\"status\":500}\n";
    let warning = "filter: warning: the filter was neither true nor false nor null on any of 2 lines, so it chose none\n\
                   filter: hint: == compares, = assigns\n";
    for jobs in ["1", "2"] {
        for filter in [".status = 500", ".", "{a: .status}", "\"error\""] {
            let ran = run(BIN, &["-j", jobs, filter], input);
            assert_eq!((ran.stderr.as_str(), ran.stdout.as_str()), (warning, input), "{filter}");
        }
        for filter in [".status == 500", ".status == 1", ".gone", "select(.status == 500)", ".status > 1, .status"] {
            assert_eq!(run(BIN, &["-j", jobs, filter], input).stderr, "", "{filter}");
        }
    }
    assert_eq!(run(BIN, &[".a = 1"], "").stderr, "");
}

#[test]
fn with_v_a_filter_that_no_line_passed_is_told() {
    let input = "{\"status\":200}\n{\"status\":500}\n";
    let line = "filter: no line passed: the filter kept none of 2\n";
    assert!(run(BIN, &["-v", ".statsu >= 500"], input).stderr.contains(line));
    assert!(!run(BIN, &["-v", ".status >= 500"], input).stderr.contains("no line passed"));
    assert!(run(BIN, &["-v", "--not", ".status > 1"], input).stderr.contains(line));
}

#[test]
fn a_pattern_that_is_wrong_does_not_cost_a_line() {
    for on_error in ["stop", "skip", "reject"] {
        let ran = run(BIN, &["--on-error", on_error, ".a | test(\"(\")"], "{\"a\":\"x\"}\n");
        ran.fails_with(2, "filter: the filter, line 1, column 12: the pattern \"(\" is wrong: unclosed group");
    }
}

#[test]
fn a_limit_of_a_filter_is_met_by_a_line_and_not_by_the_process() {
    let input = "{\"n\":3}\n{\"n\":1000000}\n{\"n\":4}\n";
    for jobs in ["1", "2"] {
        let filter = "def f: if . > 0 then (. - 1 | f) + 1 else . end; (.n | f) > 2";
        let ran = run(BIN, &["-j", jobs, "--on-error", "skip", filter], input);
        assert_eq!(ran.ok(), "{\"n\":3}\n{\"n\":4}\n");
    }
    run(BIN, &["[range(.n * 1000000)] | length > 1"], input).fails_with(1, "the filter takes more than 10000000 steps");
}

#[test]
fn times_are_compared_by_time_ms_as_the_help_says() {
    let input = "{\"t\":\"2026-01-01T00:01:00.000Z\"}\n{\"t\":\"2026-01-01T00:01:00.999Z\"}\n{\"t\":\"2026-01-01T01:01:00+01:00\"}\n";
    let filter = "(.t | time_ms) >= (\"2026-01-01T00:01:00Z\" | time_ms)";
    assert_eq!(run(BIN, &[filter], input).ok(), input);
    assert!(run(BIN, &["--help"], "").stdout.contains("time_ms"));
}
