use testkit::run;

const JOIN: &str = env!("CARGO_BIN_EXE_stream-join");
const SIDES: [&str; 6] = ["--left", ".s == 1", "--right", ".s == 2", "--on", "k"];

fn usage(flags: &[&str], words: &str) {
    run(JOIN, &[&SIDES[..], flags].concat(), "").fails_with(2, words);
}

#[test]
fn wrong_flags_teach_the_right_ones() {
    usage(&["--within", "1h", "--window"], "more than one of --within, --between, --window and --keep");
    usage(&["--within", "10"], "duration \"10\" has no unit");
    usage(&["--within", "5m..1m"], "ends before it begins");
    usage(&["--between", "a..b"], "is not like right:date_time..expires");
    usage(&["--time", "t"], "--time without --within, --between or --keep");
    usage(&["--between", "left:a..b", "--left-time", "t"], "--left-time with --between");
    usage(&["--late", "drop"], "no line is late without one");
    usage(&["--kind", "semi", "--merge"], "only left lines are written");
    usage(&["--kind", "anti", "--unique", "left"], "go with their first partner");
    usage(&["--merge", "--prefix-right", "r_"], "with a prefix names do not clash");
    usage(&["--left-fields", ".a + 1"], "has no name: say NAME=.a + 1");
    usage(&["--memory", "1KiB"], "1KiB is too little: at least 4MiB");
    usage(&["--memory", "8MiB", "--buffer", "8MiB"], "cannot be used with");
    run(JOIN, &["--left", ".a ==", "--right", ".b", "--on", "k"], "").fails_with(2, "the filter, line 1");
    run(JOIN, &["--left", ".a", "--right", ".b", "--on", "k=auction % 10"], "")
        .fails_with(2, "fields begin with a dot");
}

#[test]
fn a_filter_may_end_with_a_comment_and_give_many_results() {
    let args = ["--left", ".tags[] == \"l\" # or so", "--right", "any(.tags[]; . == \"r\")", "--on", "k", "--merge"];
    let input = "{\"tags\":[\"x\",\"l\"],\"k\":1,\"a\":1}\n{\"tags\":[\"r\"],\"k\":1,\"b\":2}\n{\"tags\":[],\"k\":1}\n";
    let out = run(JOIN, &args, input).ok();
    assert_eq!(out, "{\"tags\":[\"x\",\"l\"],\"k\":1,\"a\":1,\"b\":2}\n{\"tags\":[],\"k\":1}\n");
}

#[test]
fn a_clash_says_the_ways_out() {
    let input = "{\"s\":1,\"k\":1,\"at\":1}\n{\"s\":2,\"k\":1,\"at\":2}\n";
    let clash = run(JOIN, &SIDES, input);
    clash.fails_with(
        1,
        "stream-join: both sides have \"s\", \"at\"\nstream-join: hint: --right-fields id,at=date_time takes",
    );
}

#[test]
fn verbose_says_what_was_never_forgotten() {
    let args = [&SIDES[..], &["--keep", "1s", "--time", "at", "-v"]].concat();
    let ran = run(JOIN, &args, "{\"s\":1,\"k\":1,\"at\":1}\n{\"s\":2,\"k\":2,\"at\":2}\n");
    assert!(ran.stderr.contains("no watermarks came, so all lines were kept to the end"), "{}", ran.stderr);
    assert!(ran.stderr.contains("in 2 = out 0 + left out 2 + late 0 + rejected 0 + held 0"), "{}", ran.stderr);
}

/// Lines on the left that have a partner, are alone, or have a null key, then lines on the right, one of them twice.
const LEFT_OUT: &str = "{\"s\":1,\"k\":1}\n{\"s\":1,\"k\":2}\n{\"s\":1,\"k\":null}\n{\"s\":2,\"k\":1}\n{\"s\":2,\"k\":1}\n{\"s\":2,\"k\":3}\n{}\n";

#[test]
fn lines_without_a_part_in_any_result_are_left_out() {
    for (kind, out, left_out) in [("inner", 4, 3), ("left", 6, 1), ("full", 7, 0), ("semi", 3, 4), ("anti", 3, 4)] {
        let args = [&SIDES[..], &["--kind", kind, "-v"]].concat();
        let args = if matches!(kind, "semi" | "anti") { args } else { [&args[..], &["--prefix-right", "r_"]].concat() };
        let ran = run(JOIN, &args, LEFT_OUT);
        let left_out = if left_out > 0 { format!(" + left out {left_out}") } else { String::new() };
        assert!(ran.stderr.contains(&format!("in 7 = out {out}{left_out} + late 0")), "{kind}: {}", ran.stderr);
    }
}

#[test]
fn a_member_called_dollar_makes_no_mark() {
    let input = "{ \"$\":\"end\",\"s\":1,\"k\":1}\n{ \"$\":\"hello\",\"s\":2,\"k\":1,\"x\":5}\n";
    let out = run(JOIN, &[&SIDES[..], &["--left-fields", "$", "--right-fields", "x"]].concat(), input).ok();
    assert_eq!(out, "{ \"$\":\"end\",\"x\":5}\n");
    let out = run(JOIN, &[&SIDES[..], &["--merge"]].concat(), input).ok();
    assert!(out.starts_with("{ \"$\":\"end\","), "{out}");
}

#[test]
fn a_side_without_any_line_is_told() {
    let args = ["--left", ".s == 1", "--right", ".s == 3", "--on", "order"];
    let ran = run(JOIN, &args, "{\"s\":1,\"order\":1}\n{\"s\":2,\"order\":1}\n");
    let said =
        "stream-join: no line was a right one: nothing was joined\nstream-join: hint: does --right fit the lines?\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), said));
    assert_eq!(run(JOIN, &args, "{\"s\":2}\n").stderr, "", "lines for others only");
}

#[test]
fn a_key_that_no_line_of_a_side_had_is_told() {
    let args = ["--left", ".s == 1", "--right", ".s == 2", "--on", "ordr=order"];
    let ran = run(JOIN, &args, "{\"s\":1,\"order\":1}\n{\"s\":2,\"order\":1,\"b\":1}\n");
    let said = "stream-join: 1 left line, none had \"ordr\"; the lines have: s, order\nstream-join: hint: did you mean \"order\"?\n";
    assert_eq!(ran.stderr, said);
}

#[test]
fn the_line_that_reaches_a_limit_is_not_held() {
    let input = "{\"k\":1,\"v\":1}\n{\"k\":2,\"v\":2}\n";
    let args = ["-v", "--left", ".v==1", "--right", ".v==2", "--on", "k", "--merge", "--max-keys", "1"];
    let ran = run(JOIN, &args, input);
    assert!(ran.stderr.contains("held 1 + not done 1"), "{}", ran.stderr);
    ran.fails_with(1, "more than 1 keys");
}
