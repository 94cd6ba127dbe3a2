use testkit::run;

const MATCH_PATTERN: &str = env!("CARGO_BIN_EXE_match-pattern");

fn words<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let mut all = vec!["--pattern", "A B", "--measures", "n=COUNT(*)"];
    all.extend_from_slice(words);
    all
}

#[test]
fn wrong_flags_teach_the_right_ones() {
    let fails = |args: &[&str], why: &str| run(MATCH_PATTERN, args, "").fails_with(2, why);
    fails(&[], "--pattern <PATTERN>");
    fails(&["--pattern", "A"], "nothing to write of a match");
    fails(
        &["--pattern", "A |", "--measures", "n=COUNT(*)", "--define", "B: true"],
        "the pattern has no variable \"B\", but A",
    );
    fails(&["--pattern", "A )", "--measures", "n=COUNT(*)"], "--pattern: character 3: ')' closes nothing");
    fails(&words(&["--within", "0s"]), "--within must be more than 0");
    fails(&words(&["--unmatched"]), "--unmatched without --rows all");
    fails(&words(&["--late", "drop"]), "--late without a time");
    fails(&words(&["--late", "pass"]), "say reject or drop");
    fails(&words(&["--after-match", "first:X"]), "--after-match: the pattern has no variable \"X\", but A, B");
    fails(&words(&["--after-match", "B"]), "say past-last-row, next-row, first:NAME or last:NAME");
    fails(&words(&["--subset", "U=A,C"]), "--subset: the pattern has no variable \"C\", but A, B");
    fails(&words(&["--order", "t", "--time", "t"]), "cannot be used with");
    fails(&["--pattern", "(A{999}){999}", "--measures", "n=COUNT(*)"], "takes more than 20000 steps");
    fails(&["--pattern", "{- A -}", "--rows", "all", "--unmatched"], "--unmatched: rows between {- and -}");
}

#[test]
fn wrong_expressions_are_told_with_their_names() {
    let fails = |define: &str, why: &str| run(MATCH_PATTERN, &words(&["--define", define]), "").fails_with(2, why);
    fails("B .x == 1", "--define: \"B .x == 1\" is not NAME: CONDITION");
    fails(
        "B: status == 1",
        "--define: B: the filter, line 1, column 1: there is no filter status/0; fields begin with a dot",
    );
    fails("B: .x > FINAL LAST(A.x)", "--define: B: FINAL is for measures");
    fails("B: .x > FIRST(A.x + B.x)", "is of more than one variable");
    fails("B: .x > SUM(FIRST(A.x))", "FIRST inside of a function");
    fails("B: .x > LAST(A.x, -1)", "\"-1\" is no number of rows from 0 to 10000");
    fails("B: .x > FIRST(A.x", "the parenthesis of FIRST is not closed");
    fails("B: .x > FINAL", "FINAL goes before a function");
    fails("B: .x > COUNT(C.*)", "the pattern has no variable \"C\", but A, B");
    fails("B: .x > SUM(A.*)", "only COUNT counts rows");
    fails("B: NEXT(CLASSIFIER()) == \"A\"", "the next row has no variable yet");
    fails("B: true, B: false", "B has two conditions");
    let measure = |text: &str, why: &str| {
        run(MATCH_PATTERN, &["--pattern", "A", "--measures", text], "").fails_with(2, why);
    };
    measure("n=COUNT(*), n=1", "--measures: n is there twice");
    measure("$=1", "a measure cannot be called");
    measure("n=FIRST(.x, 1, 2)", "n: FIRST does not take 3 arguments");
}

#[test]
fn a_limit_stops_with_a_hint() {
    let input: String = (0..20).map(|n| format!("{{\"v\":{n}}}\n")).collect();
    let args = ["--pattern", "A+ B", "--define", "B: .v > 99 + FIRST(A.v)", "--rows", "all", "--max-partial", "10"];
    let why = "more than 10 partial matches of one key\nmatch-pattern: hint: --max-partial N allows more";
    run(MATCH_PATTERN, &args, &input).fails_with(1, why);
    let args = ["--pattern", "A+ B", "--define", "B: .v > 99", "--rows", "all", "--buffer", "500B"];
    run(MATCH_PATTERN, &args, &input).fails_with(1, "the rows of partial matches take more than 500B");
}

#[test]
fn a_condition_that_fails_on_a_row_does_not_hold_and_is_told() {
    let args = ["--pattern", "A B", "--define", "B: .v - PREV(.v) == 1", "--measures", "v=B.v"];
    let ran = run(MATCH_PATTERN, &args, "{\"v\":1}\n{\"v\":\"x\"}\n{\"v\":2}\n{\"v\":3}\n");
    assert!(
        ran.stderr.contains("a condition failed on a row 2 times, and did not hold there; first \"B\": "),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.ok(), "{\"v\":3}\n");
    let args = ["--pattern", "A", "--define", "A: .v - 1 > 0", "--measures", "v=A.v"];
    run(MATCH_PATTERN, &args, "{\"v\":\"x\"}\n").fails_with(1, "line 1");
}

#[test]
fn a_field_that_no_line_had_is_told() {
    let ran = run(MATCH_PATTERN, &["--pattern", "A", "--measures", "v=A.valeu"], "{\"value\":1}\n");
    assert!(ran.stderr.contains("none had \"valeu\""), "{}", ran.stderr);
}

#[test]
fn a_late_line_is_kept_aside_when_that_is_asked_for() {
    let input = "{\"v\":1,\"t\":100}\n{\"v\":2,\"t\":40}\n{\"v\":3,\"t\":100}\n";
    let ran = run(MATCH_PATTERN, &words(&["--order", "t", "--late", "reject"]), input);
    assert!(ran.stderr.contains("\"line\":\"{\\\"v\\\":2,\\\"t\\\":40}\""), "{}", ran.stderr);
    assert_eq!(ran.ok(), "{\"n\":2}\n");
}
