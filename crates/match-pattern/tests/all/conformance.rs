use testkit::conformance::{Stage, stage};

const MATCH_PATTERN: &str = env!("CARGO_BIN_EXE_match-pattern");
const LINE: &str = r#"{"timestamp":"2026-01-01T00:00:05Z","v":1}"#;

#[test]
fn match_pattern_keeps_the_contract() {
    let args = ["--by", "v", "--pattern", "A", "--measures", "n=A.v", "--rows", "all"];
    stage(&Stage { bin: MATCH_PATTERN, args: &args, good_line: LINE, one_to_one: true });
}

#[test]
fn match_pattern_keeps_the_contract_with_rows_in_its_state() {
    // As a shell takes them, without quotes.
    let flags = "--by v --order timestamp --lateness 1s --within 10s --pattern A+ --define A:.v==A.v";
    let args: Vec<&str> = flags.split(' ').collect();
    stage(&Stage { bin: MATCH_PATTERN, args: &args, good_line: LINE, one_to_one: false });
}
