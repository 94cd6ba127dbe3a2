use testkit::conformance::{Stage, stage};

const LINE: &str = r#"{"timestamp":"2026-01-01T00:00:05Z","v":1}"#;

#[test]
fn shard_keeps_the_contract() {
    for args in [&["-n", "1", "--by", "v", "--", "cat"][..], &["-n", "3", "--by", "v", "--ordered", "--", "cat"]] {
        stage(&Stage { bin: env!("CARGO_BIN_EXE_shard"), args, good_line: LINE, one_to_one: true });
    }
    // Marks may pass lines of another shard.
    let args = &["-n", "3", "--by", "v", "--", "cat"];
    stage(&Stage { bin: env!("CARGO_BIN_EXE_shard"), args, good_line: LINE, one_to_one: false });
}
