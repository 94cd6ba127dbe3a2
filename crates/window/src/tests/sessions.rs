use super::{short, window};

fn lines(words: &str) -> String {
    let line = |word: &str| {
        let (key, time) = word.split_at(1);
        format!("{{\"t\":{time},\"k\":\"{key}\"}}\n")
    };
    words.split_whitespace().map(line).collect()
}

#[test]
fn a_line_goes_out_at_once_with_a_session_of_its_own() {
    let played = window("--session 10s --by k", &lines("a1 b2 a5"));
    assert_eq!(
        short(&played),
        [
            "watermark null",
            "{\"$\":\"sessions\",\"by\":[\"k\"]}",
            "~1..11 {\"t\":1,\"k\":\"a\"}",
            "~2..12 {\"t\":2,\"k\":\"b\"}",
            "~5..15 {\"t\":5,\"k\":\"a\"}",
        ]
    );
}

#[test]
fn a_watermark_is_written_when_a_session_ends() {
    let played = window("--session 10s --by k", &lines("a1 b2 a5 a11.998 a11.999 b20"));
    let out = short(&played);
    assert_eq!(out[6..8], ["~11.999..21.999 {\"t\":11.999,\"k\":\"a\"}", "watermark 11.999"]);
    assert_eq!(out[8..], ["~20..30 {\"t\":20,\"k\":\"b\"}"]);
}

#[test]
fn a_line_that_touches_an_open_session_is_not_late() {
    // Alone, b1 would be the session 1..11, which 20.999 closes; but b10.999 reaches up to 20.999 and is open.
    let played = window("--session 10s --by k --late reject", &lines("b10.999 a20.997 b1 c1"));
    assert_eq!(played.counts.late, 1);
    assert!(played.rejects[0].contains("\\\"k\\\":\\\"c\\\""), "{:?}", played.rejects);
}

#[test]
fn lines_exactly_one_gap_apart_are_one_session() {
    let played = window("--session 10s --by k --expand", &lines("a0 a10 a20.001"));
    assert_eq!(
        played.data().lines().map(super::short_line).collect::<Vec<_>>(),
        ["0..20 {\"t\":0,\"k\":\"a\"}", "0..20 {\"t\":10,\"k\":\"a\"}", "20.001..30.001 {\"t\":20.001,\"k\":\"a\"}"]
    );
}

#[test]
fn expanded_sessions_come_by_end_start_and_key_with_their_lines_in_order_of_arrival() {
    let played = window("--session 10s --by k --expand --lateness 30s", &lines("c3 b3 a9 a1 d0 d3 a0.5 z99"));
    let out = short(&played);
    assert_eq!(
        out[1..],
        [
            "0..13 {\"t\":0,\"k\":\"d\"}",
            "0..13 {\"t\":3,\"k\":\"d\"}",
            "3..13 {\"t\":3,\"k\":\"b\"}",
            "3..13 {\"t\":3,\"k\":\"c\"}",
            "0.5..19 {\"t\":9,\"k\":\"a\"}",
            "0.5..19 {\"t\":1,\"k\":\"a\"}",
            "0.5..19 {\"t\":0.5,\"k\":\"a\"}",
            "watermark 69",
            "99..109 {\"t\":99,\"k\":\"z\"}",
        ]
    );
}

#[test]
fn without_by_all_lines_share_their_sessions() {
    let played = window("--session 10s --plain", &lines("a0 b9 c30"));
    assert_eq!(
        short(&played),
        ["0..19 {\"t\":0,\"k\":\"a\"}", "0..19 {\"t\":9,\"k\":\"b\"}", "30..40 {\"t\":30,\"k\":\"c\"}"]
    );
}

#[test]
fn lines_that_wait_are_held_and_have_a_limit() {
    let played = window("--session 10s --by k --plain --buffer 130B", &lines("a0 a1"));
    assert_eq!(played.result, Ok(()));
    let played = window("--session 10s --by k --plain --buffer 130B", &lines("a0 a1 a2"));
    let error = format!("{:?}", played.result.unwrap_err());
    assert!(error.contains("the lines of open sessions take more than 130B"), "{error}");
    assert_eq!(played.held, 3);
}

#[test]
fn open_sessions_have_a_limit() {
    let played = window("--session 10s --by k --max-keys 2", &lines("a0 b1 a2 c3"));
    let error = format!("{:?}", played.result.unwrap_err());
    assert!(error.contains("more than 2 sessions are open"), "{error}");
}

#[test]
fn a_late_line_that_passes_is_a_session_of_its_own() {
    for (flags, mark) in [("--expand", ""), ("", "~")] {
        let played = window(&format!("--session 10s --by k --late pass {flags}"), &lines("a50 b1 b2"));
        let out = short(&played);
        assert!(out.contains(&format!("{mark}1..11 {{\"t\":1,\"k\":\"b\"}}")), "{out:?}");
        assert_eq!((played.counts.late, played.counts.late_passed, played.counts.settled), (0, 2, 3));
    }
}

#[test]
fn a_missing_key_is_null_as_everywhere() {
    let input = "{\"t\":1}\n{\"t\":2,\"k\":null}\n{\"t\":3,\"k\":\"null\"}\n{\"t\":30,\"k\":1}\n";
    let played = window("--session 10s --by k --expand", input);
    assert_eq!(
        played.data().lines().map(super::short_line).collect::<Vec<_>>(),
        [
            "1..12 {\"t\":1}",
            "1..12 {\"t\":2,\"k\":null}",
            "3..13 {\"t\":3,\"k\":\"null\"}",
            "30..40 {\"t\":30,\"k\":1}",
        ]
    );
    let counted = window("--count 2 --by k,x.y --plain", "{\"x.y\":1}\n{\"k\":null,\"x\":{\"y\":1.0}}\n{\"n\":0}\n");
    assert_eq!(short(&counted), ["0..2 {\"x.y\":1}", "0..2 {\"k\":null,\"x\":{\"y\":1.0}}", "0..2 {\"n\":0}"]);
}
