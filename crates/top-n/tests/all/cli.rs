use testkit::run;

const TOP_N: &str = env!("CARGO_BIN_EXE_top-n");

#[test]
fn wrong_flags_teach_the_right_ones() {
    let fails = |flags: &str, words: &str| {
        let args: Vec<&str> = flags.split_whitespace().collect();
        run(TOP_N, &args, "").fails_with(2, words);
    };
    fails("-n 3", "--order <ORDER>");
    fails("--order v", "\"v\" has no direction: say v:desc (the largest is best) or v:asc");
    fails("-n 0 --order v:desc", "invalid value '0'");
    fails("--order v:desc --late drop", "top-n: --late without --window\ntop-n: hint: ");
    fails("--order v:desc --window --late pass", "a late line cannot pass, as its window is written");
    fails("--order v:desc --emit update --rank op", "say --rank rank");
    fails("--order v:desc --rank $", "a line that begins with it would be a mark");
}

#[test]
fn numbers_are_compared_exactly_and_other_lines_pass() {
    let input = "{\"v\":0.1}\n{\"x\":1}\n{\"v\":0.10000000000000000000000001}\n{\"v\":9007199254740993e-20}\n";
    let out = run(TOP_N, &["-n", "1", "--order", "v:desc", "--where", ".v"], input).ok();
    assert_eq!(out, "{\"x\":1}\n{\"v\":0.10000000000000000000000001}\n");
}

#[test]
fn a_stream_without_watermarks_is_told_the_way_out() {
    let line = |hour: u32| {
        let (start, end) = (format!("2026-01-01T{hour:02}:00:00Z"), format!("2026-01-01T{:02}:00:00Z", hour + 1));
        format!("{{\"window_start\":\"{start}\",\"window_end\":\"{end}\",\"v\":1}}\n")
    };
    let args = ["-n", "1", "--order", "v:desc", "--window"];
    let ran = run(TOP_N, &args, &[line(0), line(1), line(0), line(1)].concat());
    let said = "top-n: no watermarks come: all windows are written at the end of the input\n\
                top-n: hint: aggregate --keep-marks passes them on\n";
    assert_eq!(ran.stderr, said);
    assert_eq!(ran.ok(), [line(0), line(1)].concat());
}

#[test]
fn lines_that_are_not_among_the_best_are_left_out() {
    let input = "{\"v\":3}\n{\"v\":1}\n{\"v\":5}\n{\"v\":4}\n";
    let ran = run(TOP_N, &["-n", "1", "--order", "v:desc", "-v"], input);
    assert!(ran.stderr.contains("in 4 = out 1 + left out 3 + late 0 + rejected 0 + held 0; "), "{}", ran.stderr);
}

#[test]
fn an_order_that_no_line_had_is_told() {
    let ran = run(TOP_N, &["--by", "shop", "--order", "prize:desc"], "{\"shop\":1,\"price\":2}\n");
    assert!(
        ran.stderr.starts_with("top-n: 1 line, none had \"prize\"; the lines have: shop, price\n"),
        "{}",
        ran.stderr
    );
}
