use testkit::conformance::{Stage, stage};

#[test]
fn detect_keeps_the_contract() {
    let good_line = r#"{"timestamp":"2026-01-01T00:00:05Z","value":1}"#;
    let args = ["--by", "host", "--ttl", "1h", "--memory", "4MiB"];
    stage(&Stage { bin: env!("CARGO_BIN_EXE_detect"), args: &args, good_line, one_to_one: true });
}

#[test]
fn detect_keeps_the_contract_with_each_method() {
    let good_line = r#"{"timestamp":"2026-01-01T00:00:05Z","value":1}"#;
    for args in [&["--method", "robust"][..], &["--trend", "--change-points", "--by", "host"]] {
        stage(&Stage { bin: env!("CARGO_BIN_EXE_detect"), args, good_line, one_to_one: true });
    }
}
