use testkit::conformance::{Stage, stage};

const LINE: &str = r#"{"timestamp":"2026-01-01T00:00:05Z","v":1}"#;

#[test]
fn merge_keeps_the_contract() {
    for args in [&["-"][..], &["--by-time", "--max-ahead", "off", "-"], &["--tag", "of", "-"]] {
        stage(&Stage { bin: env!("CARGO_BIN_EXE_merge"), args, good_line: LINE, one_to_one: true });
    }
}
