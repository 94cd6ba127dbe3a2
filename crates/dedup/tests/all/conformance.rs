use testkit::conformance::{Stage, stage};

const DEDUP: &str = env!("CARGO_BIN_EXE_dedup");
const LINE: &str = r#"{"timestamp":"2026-01-01T00:00:05Z","v":1}"#;

#[test]
fn dedup_keeps_the_contract() {
    stage(&Stage { bin: DEDUP, args: &["--by", "v"], good_line: LINE, one_to_one: false });
}

#[test]
fn dedup_keeps_the_contract_with_lines_in_its_state() {
    let args = ["--by", "v", "--keep", "last", "--within", "10s", "--lateness", "1s"];
    stage(&Stage { bin: DEDUP, args: &args, good_line: LINE, one_to_one: false });
}

#[test]
fn dedup_keeps_the_contract_line_by_line() {
    let args = ["--by", "v", "--keep", "last", "--time", "timestamp", "--emit", "update"];
    stage(&Stage { bin: DEDUP, args: &args, good_line: LINE, one_to_one: true });
}
