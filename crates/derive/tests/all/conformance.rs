use testkit::conformance::{Stage, stage};

#[test]
fn derive_keeps_the_contract() {
    let good_line = r#"{"timestamp":"2026-01-01T00:00:05Z","value":1}"#;
    let args = ["--by", "host", "--ttl", "1h", "delta:value", "mean:5m:value"];
    stage(&Stage { bin: env!("CARGO_BIN_EXE_derive"), args: &args, good_line, one_to_one: true });
}

#[test]
fn derive_without_times_keeps_the_contract() {
    let args = ["n=count", "before=shift:host"];
    stage(&Stage { bin: env!("CARGO_BIN_EXE_derive"), args: &args, good_line: r#"{"host":"a"}"#, one_to_one: true });
}
