use clap::Parser;
use testkit::{Played, every_way, every_way_with, play, play_with};

use crate::MatchPattern;
use crate::cli::Cli;

fn cli(words: &[&str]) -> Cli {
    Cli::try_parse_from(["match-pattern"].iter().chain(words)).unwrap()
}

fn operator(words: &[&str]) -> MatchPattern {
    cli(words).match_pattern().unwrap()
}

/// `a1=7` is a line of key a at second 1 with the value 7; `w5` is a watermark mark.
fn lines(short: &str) -> String {
    let line = |word: &str| match (word.split_at(1), word.split_once('=')) {
        (("w", time), _) => format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:{time:0>2}Z\"}}\n"),
        ((key, _), Some((time, value))) => format!("{{\"k\":\"{key}\",\"t\":{},\"v\":{value}}}\n", &time[1..]),
        _ => panic!("{word}"),
    };
    short.split_whitespace().map(line).collect()
}

fn played(words: &[&str], input: &str) -> Played {
    let cli = cli(words);
    let played = play_with(cli.match_pattern().unwrap(), cli.config(), &lines(input));
    assert_eq!(played.result, Ok(()));
    played
}

fn out(words: &[&str], input: &str) -> String {
    played(words, input).data()
}

/// Values that fall and rise again.
const VALLEY: [&str; 10] = [
    "--by",
    "k",
    "--pattern",
    "DOWN{2,} UP+",
    "--define",
    "DOWN: .v < PREV(.v), UP: .v > PREV(.v)",
    "--measures",
    "n=COUNT(*), bottom=LAST(DOWN.v), rise=UP.v - DOWN.v",
    "--order",
    "t",
];

#[test]
fn a_match_comes_as_soon_as_it_is_decided() {
    let input = "w0 a1=9 a2=5 a3=3 a4=6 w4 a5=7 w5 a6=7 w6 a7=1";
    let found = "{\"k\":\"a\",\"n\":4,\"bottom\":3,\"rise\":4}\n";
    let played = played(&VALLEY, input);
    assert_eq!(played.out, found, "at 6, before the end");
    let before: Vec<&str> = input.split(" w6").collect();
    let mut driver =
        millpipe::Driver::new(operator(&VALLEY), cli(&VALLEY).config(), millpipe::Rejects::in_memory("stage"));
    driver.feed(lines(before[0]).as_bytes()).unwrap();
    assert_eq!(driver.out.take(), b"");
    driver.feed(lines("w6").as_bytes()).unwrap();
    assert_eq!(String::from_utf8(driver.out.take()).unwrap(), found);
}

#[test]
fn rows_are_taken_in_the_order_of_their_times() {
    let flags = [&VALLEY[..], &["--lateness", "5s"]].concat();
    let found = "{\"k\":\"a\",\"n\":4,\"bottom\":3,\"rise\":4}\n";
    assert_eq!(out(&flags, "a1=9 a4=6 a2=5 a3=3 a5=7 a6=7"), found);
    let late = played(&flags, "a1=9 a9=1 a3=8");
    assert_eq!(late.counts.late, 1);
}

#[test]
fn keys_do_not_see_each_other() {
    let input = "a1=9 b1=1 a2=5 b2=2 a3=3 b3=3 a4=6 b4=4";
    assert_eq!(out(&VALLEY, input), "{\"k\":\"a\",\"n\":3,\"bottom\":3,\"rise\":3}\n");
}

const WITHIN: [&str; 10] =
    ["--by", "k", "--order", "t", "--pattern", "A+ B?", "--define", "A: .v == 1, B: .v == 2", "--within", "10s"];

#[test]
fn a_match_is_over_when_no_row_can_be_in_it_any_more() {
    let flags = [&WITHIN[..], &["--measures", "n=COUNT(*)"]].concat();
    assert_eq!(out(&flags, "a1=1 a5=1 a11=1"), "{\"k\":\"a\",\"n\":2}\n{\"k\":\"a\",\"n\":1}\n");
    let mut driver =
        millpipe::Driver::new(operator(&flags), cli(&flags).config(), millpipe::Rejects::in_memory("stage"));
    driver.feed(lines("w0 a1=1 a5=1 b9=2 w10").as_bytes()).unwrap();
    assert_eq!(driver.out.take(), b"{\"$\":\"watermark\",\"time\":\"1969-12-31T23:59:50Z\"}\n{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:00Z\"}\n");
    driver.feed(lines("w11").as_bytes()).unwrap();
    let expected = "{\"k\":\"a\",\"n\":2}\n{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:01Z\"}\n";
    assert_eq!(String::from_utf8(driver.out.take()).unwrap(), expected, "marks go on as much later");
}

#[test]
fn rows_that_begin_nothing_are_not_kept() {
    let flags = [&WITHIN[..], &["--measures", "n=COUNT(*)", "--max-keys", "1"]].concat();
    assert_eq!(out(&flags, "a1=3 b2=3 c3=1 d4=2 e5=9 c14=0"), "{\"k\":\"c\",\"n\":1}\n");
    let flags = [&WITHIN[..], &["--measures", "n=MATCH_NUMBER()", "--max-keys", "1"]].concat();
    let two = format!("{:?}", play(operator(&flags), &lines("a1=1 b30=1")).result);
    assert!(two.contains("more than 1 keys"), "{two}");
}

#[test]
fn all_rows_come_as_they_are_with_the_measures_in_front() {
    let flags = [
        "--pattern",
        "A {- B -} C",
        "--define",
        "B: .v > A.v",
        "--measures",
        "k=CLASSIFIER(), n=FINAL COUNT(*), r=COUNT(*)",
    ];
    let flags = [&flags[..], &["--rows", "all"]].concat();
    let expected = "{\"k\":\"A\",\"n\":3,\"r\":1,\"t\":1,\"v\":1}\n{\"k\":\"C\",\"n\":3,\"r\":3,\"t\":3,\"v\":0}\n";
    assert_eq!(out(&flags, "a1=1 a2=2 a3=0 a4=5"), expected, "a member of that name is replaced");
    let played = played(&flags, "a1=1 a2=2 a3=0 a4=5");
    assert_eq!((played.counts.settled, played.counts.left_out), (2, 2));
}

#[test]
fn aggregates_are_of_the_rows_of_their_variables() {
    let measures =
        "s=SUM(A.v), a=AVG(A.v), lo=MIN(.v), hi=MAX(.v), c=COUNT(B.*), l=[FIRST(A.v), LAST(A.v, 1), NEXT(A.v)]";
    let flags = ["--pattern", "A+ B", "--define", "A: SUM(A.v) <= 6, B: .v == 9", "--measures", measures];
    let expected = "{\"s\":6,\"a\":2,\"lo\":1,\"hi\":9,\"c\":1,\"l\":[1,2,9]}\n";
    assert_eq!(out(&flags, "a1=1 a2=2 a3=3 a4=9 a5=4"), expected);
}

#[test]
fn next_looks_beyond_the_match() {
    let flags = ["--pattern", "A", "--define", "A: NEXT(.v, 2) == 5", "--measures", "v=.v, after=NEXT(.v, 3)"];
    assert_eq!(out(&flags, "a1=1 a2=2 a3=5 a4=7 a5=5"), "{\"v\":1,\"after\":7}\n{\"v\":5,\"after\":null}\n");
}

/// Patterns that would take for ever if all ways were tried.
#[test]
fn no_pattern_takes_exponential_time() {
    let input: String = "a1=1 ".repeat(3_000);
    for pattern in ["(A*)*B", "(A|A)*B", "(A+)+ B", "((A?)*)*B", "(A*)*(A*)*(A*)*B", "(A|A|(A A)|A?)* B"] {
        let flags = ["--pattern", pattern, "--define", "A: .v == 1, B: .v == 2", "--measures", "n=COUNT(*)"];
        assert_eq!(out(&flags, &input), "", "{pattern}");
        assert_eq!(out(&flags, &format!("{input} a2=2")), "{\"n\":3001}\n", "{pattern}");
    }
}

#[test]
fn conditions_that_look_at_the_match_make_as_many_partial_matches_as_they_tell_apart() {
    let input: String = "a1=1 ".repeat(60);
    let flags =
        ["--pattern", "^(A|B)*C", "--define", "C: .v == 2 + FIRST(A.v) + LAST(B.v)", "--measures", "n=COUNT(*)"];
    let flags = [&flags[..], &["--max-partial", "100000"]].concat();
    assert_eq!(out(&flags, &format!("{input} a2=4")), "{\"n\":61}\n");
}

#[test]
fn permutations_of_ten_are_found_in_any_order() {
    let names: Vec<String> = (0..10).map(|n| format!("V{n}")).collect();
    let define: Vec<String> = (0..10).map(|n| format!("V{n}: .v == {n}")).collect();
    let (pattern, define) = (format!("PERMUTE({})", names.join(",")), define.join(", "));
    let flags = ["--pattern", &pattern, "--define", &define, "--measures", "n=COUNT(*), first=FIRST(CLASSIFIER())"];
    let input: String = (0..40).map(|n| format!("a{n}={} ", n * 7 % 10)).collect();
    assert_eq!(out(&flags, &input), "{\"n\":10,\"first\":\"V0\"}\n".repeat(4));
}

const MODES: [&[&str]; 11] = [
    &["--pattern", "A B+ C?", "--define", "B: .v > PREV(.v), C: .v < B.v"],
    &["--pattern", "A B+ C?", "--define", "B: .v > PREV(.v), C: .v < B.v", "--within", "5s", "--lateness", "3s"],
    &[
        "--pattern",
        "A+ B",
        "--define",
        "A: .v > 2, B: .v < FIRST(A.v) and .v != 4",
        "--within",
        "6s",
        "--lateness",
        "3s",
        "--after-match",
        "next-row",
    ],
    &["--pattern", "^ A* $ | B | C D?", "--define", "B: .v == 5, C: .v == 7, D: NEXT(.v) > .v", "--unmatched"],
    &[
        "--pattern",
        "A*? B | C{2}",
        "--define",
        "A: COUNT(*) < 4, B: .v == 0, C: SUM(C.v) < 9",
        "--unmatched",
        "--within",
        "9s",
        "--lateness",
        "2s",
    ],
    &["--pattern", "A* B?", "--define", "A: .v < 3, B: MATCH_NUMBER() > 2"],
    &[
        "--pattern",
        "A {- B* -} C",
        "--define",
        "B: .v >= NEXT(.v), C: .v == A.v",
        "--lateness",
        "9s",
        "--after-match",
        "last:C",
    ],
    &["--pattern", "PERMUTE(A, B, C)", "--define", "A: .v > 4, B: .v < 4, C: .v % 2 == 0", "--late", "reject"],
    &["--pattern", "A+ B$", "--define", "A: .v < 6", "--within", "4s"],
    &["--pattern", "A+ $ | A B", "--define", "B: .v > PREV(.v)", "--unmatched", "--ttl", "2s", "--lateness", "3s"],
    &["--pattern", "A+ B", "--define", "A: .v < 5, B: .v > A.v", "--ttl", "3s", "--lateness", "2s", "--within", "5s"],
];

#[test]
fn every_way_of_running_gives_the_same_lines() {
    let line = |n: u32| {
        let (key, time, value) = (n * n % 13 % 5, n / 4 + n * 31 % 5, n * 37 % 8 + n * n % 3);
        let mark = match n % 15 {
            14 => format!("{{\"$\":\"from\",\"part\":\"p{}\"}}\n", n % 3),
            _ => String::new(),
        };
        format!("{mark}{{\"k\":\"key {key}\\u0021\",\"t\":{time},\"v\":{value}}}\n")
    };
    let input: String = (0..50).map(line).collect();
    let few = "n=COUNT(*), last=LAST(.v)";
    let many =
        "n=MATCH_NUMBER(), label=CLASSIFIER(), first=FIRST(.v), last=FINAL LAST(.v), sum=SUM(.v), before=PREV(.v, 2)";
    // Making an operator takes most of the time, as jq is compiled: so not each with each.
    for (mode, number) in MODES.iter().zip(0..) {
        let rows = if number % 2 == 0 || mode.contains(&"--unmatched") { "all" } else { "one" };
        let measures = if number % 3 == 0 { few } else { many };
        let words = [&["--by", "k", "--order", "t", "--rows", rows, "--measures", measures], *mode].concat();
        every_way_with(|| operator(&words), &cli(&words).config(), &input);
    }
    let untimed = ["--by", "k", "--pattern", "A B+", "--define", "B: .v >= PREV(.v)", "--measures", "n=COUNT(*)"];
    every_way(|| operator(&untimed), &input);
}

#[test]
fn what_is_damaged_is_refused() {
    use millpipe::{Stage, Stateful};
    let mut stage = operator(&VALLEY);
    assert!(stage.restore(&mut &b"{\"lines\":3}"[..]).is_err());
    let line = "[1000,0,0,\"{\\\"k\\\":\\\"a\\\",\\\"t\\\":1,\\\"v\\\":1}\"]";
    for damaged in
        ["", "[0,0,0,0,[],[]", "[5,0,0,0,[],[]]", "[0,0,0,0,[[1000,0,0,\"{\"]],[]]", "[1,0,0,0,[],[[1,2,0]]]"]
    {
        assert!(stage.restore_entry("\"a\"", damaged.as_bytes()).is_err(), "{damaged}");
    }
    let sound = format!("[0,0,0,0,[{line}],[]]");
    // Such a row begins nothing, and would not have been left.
    assert!(stage.restore_entry("\"a\"", sound.as_bytes()).is_err());
    let sound = format!("[1,0,0,0,[{line}],[]]");
    stage.restore_entry("\"a\"", sound.as_bytes()).unwrap();
    assert_eq!(stage.held(), 0, "it is kept for PREV alone");
    assert!(stage.restore_entry("\"a\"", sound.as_bytes()).is_err(), "twice");
}

const SILENCE: [&str; 12] = [
    "--by",
    "k",
    "--order",
    "t",
    "--pattern",
    "A+ B",
    "--define",
    "A: .v == 1, B: .v == 2",
    "--measures",
    "n=COUNT(*), m=MATCH_NUMBER()",
    "--ttl",
    "10s",
];

fn silence(pattern: &str) -> Vec<&str> {
    SILENCE.iter().map(|word| if *word == "A+ B" { pattern } else { word }).collect()
}

#[test]
fn a_key_without_a_row_for_so_long_is_forgotten() {
    assert_eq!(
        out(&SILENCE, "a1=1 a10=2 a19=1 a28=2"),
        "{\"k\":\"a\",\"n\":2,\"m\":1}\n{\"k\":\"a\",\"n\":2,\"m\":2}\n"
    );
    assert_eq!(
        out(&SILENCE, "a1=1 a10=2 a20=1 a21=2"),
        "{\"k\":\"a\",\"n\":2,\"m\":1}\n{\"k\":\"a\",\"n\":2,\"m\":1}\n"
    );
    assert_eq!(out(&SILENCE, "a1=1 a11=2"), "", "what had begun is over");
    assert_eq!(
        out(&SILENCE, "a1=1 b9=1 a10=2 b11=2"),
        "{\"k\":\"a\",\"n\":2,\"m\":1}\n{\"k\":\"b\",\"n\":2,\"m\":1}\n"
    );
    let one = [&SILENCE[..], &["--max-keys", "1"]].concat();
    assert_eq!(out(&one, "a1=1 b11=1 c21=1 c22=2"), "{\"k\":\"c\",\"n\":2,\"m\":1}\n", "its room is another's");
    let waits = [&silence("^ A+ B")[..], &["--lateness", "30s"]].concat();
    assert_eq!(
        out(&waits, "a1=1 a2=2 a12=1 a13=2"),
        "{\"k\":\"a\",\"n\":2,\"m\":1}\n".repeat(2),
        "rows that wait begin anew"
    );
}

#[test]
fn what_is_open_ends_with_the_key() {
    let flags = silence("A+ $ | B");
    let found = |key: &str| format!("{{\"k\":\"{key}\",\"n\":1,\"m\":1}}\n");
    assert_eq!(out(&flags, "b1=1 a1=1 c9=1 d11=2"), ["b", "a", "c", "d"].map(found).concat());
    let mut driver =
        millpipe::Driver::new(operator(&flags), cli(&flags).config(), millpipe::Rejects::in_memory("stage"));
    driver.feed(lines("w0 a1=1 w10").as_bytes()).unwrap();
    assert_eq!(driver.out.take(), b"");
    driver.feed(lines("w11").as_bytes()).unwrap();
    assert_eq!(String::from_utf8(driver.out.take()).unwrap(), found("a"), "by the watermark alone");
}

#[test]
fn a_key_that_was_forgotten_leaves_nothing() {
    use millpipe::Stage;
    let flags = [&silence("A+ B")[..], &["--rows", "all", "--buffer", "2KiB"]].concat();
    let input: String = (0..80).map(|n| format!("{}{}=1 ", char::from(b'a' + n % 22), n)).collect();
    let played = played(&flags, &input);
    assert_eq!(played.counts.left_out, 80, "{:?}", played.result);
    assert_eq!(operator(&flags).held(), 0);
}

#[test]
fn slips_in_conditions_are_told() {
    let wrong = |define: &str| {
        let flags = ["--pattern", "A", "--measures", "n=COUNT(*)", "--define", define];
        cli(&flags).match_pattern().err().map(|error| error.message).unwrap_or_default()
    };
    let expected = "--define: A: = sets a member, and would hold on any row; == compares: .v == 1 and .w==2";
    assert_eq!(wrong("A: .v == 1 and .w=2"), expected);
    assert_eq!(["A: (.v = 1 | .v) == 1", "A: .v == \"=\"", "A: .v <= 1"].map(wrong), ["", "", ""]);
    let remark = |define: &str| {
        let flags = ["--pattern", "A B?", "--by", "k", "--measures", "n=COUNT(*)", "--define", define];
        let rejects = millpipe::Rejects::in_memory("stage");
        let mut driver = millpipe::Driver::new(operator(&flags), cli(&flags).config(), rejects);
        driver.feed(lines("a1=1 a2=2").as_bytes()).unwrap();
        millpipe::Stage::remark(&driver.stage).unwrap_or_default()
    };
    let expected = "2 lines, none had \"V\"; the lines have: k, t, v\nhint: did you mean \"v\"?";
    assert_eq!(remark("A: .v == 1 and .V > 2"), expected);
    assert_eq!(remark("A: A.V == 1, B: B.v > A.v"), expected);
    assert_eq!(["A: .v == 1", "A: .v != null and .k == \"a\"", "A: .x | . == 1"].map(remark), ["", "", ""]);
}
