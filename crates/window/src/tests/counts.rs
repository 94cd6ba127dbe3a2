use super::{short, window};

const LINES: &str = "{\"k\":1}\n{\"k\":2}\n{\"k\":1}\n{\"k\":1}\n";

#[test]
fn windows_count_the_lines_of_a_key() {
    let marks = "{\"$\":\"from\",\"part\":\"a\"}\n{\"$\":\"watermark\",\"time\":null}\n{\"$\":\"sonar\"}\n";
    assert_eq!(
        window("--count 2 --by k", &format!("{marks}{LINES}")).out,
        "{\"$\":\"counts\",\"by\":[\"k\"],\"size\":2,\"slide\":2}\n{\"$\":\"sonar\"}\n\
         {\"window_start\":0,\"window_end\":2,\"k\":1}\n{\"window_start\":0,\"window_end\":2,\"k\":2}\n\
         {\"window_start\":0,\"window_end\":2,\"k\":1}\n{\"window_start\":2,\"window_end\":4,\"k\":1}\n"
    );
}

#[test]
fn overlapping_counts_are_written_as_slices() {
    let out = short(&window("--count 6 --slide-count 4", LINES));
    assert_eq!(out[0], "{\"$\":\"counts\",\"by\":[],\"size\":6,\"slide\":4}");
    assert_eq!(out[1..], ["~0..2 {\"k\":1}", "~0..2 {\"k\":2}", "~2..4 {\"k\":1}", "~2..4 {\"k\":1}"]);
}

#[test]
fn an_expanded_line_is_written_for_each_count_that_it_is_in() {
    let out = short(&window("--count 3 --slide-count 2 --plain", LINES));
    let expected = ["0..3 {\"k\":1}", "0..3 {\"k\":2}", "0..3 {\"k\":1}", "2..5 {\"k\":1}", "2..5 {\"k\":1}"];
    assert_eq!(out, expected);
}

#[test]
fn keys_have_a_limit() {
    let played = window("--count 2 --by k --max-keys 1", LINES);
    assert!(format!("{:?}", played.result).contains("more than 1 keys"));
    assert_eq!(played.counts.lines_out, 1);
}
