use testkit::conformance::{Stage, stage};

#[test]
fn decompose_keeps_the_contract() {
    let good_line = r#"{"timestamp":"2026-01-01T00:00:05Z","value":1}"#;
    let args = ["--by", "host", "--ttl", "1h", "--season", "24"];
    stage(&Stage { bin: env!("CARGO_BIN_EXE_decompose"), args: &args, good_line, one_to_one: true });
}
