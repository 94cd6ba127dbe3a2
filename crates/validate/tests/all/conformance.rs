use testkit::conformance::{Stage, stage};

#[test]
fn validate_keeps_the_contract() {
    let schema = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(schema.path(), r#"{"type":"object","properties":{"v":{"type":"integer"}}}"#).unwrap();
    let path = schema.path().to_str().unwrap();
    for args in [&["--jobs", "1"][..], &["--jobs", "2", "--coerce", "--formats"]] {
        stage(&Stage {
            bin: env!("CARGO_BIN_EXE_validate"),
            args: &[&["--schema", path], args].concat(),
            good_line: r#"{"timestamp":"2026-01-01T00:00:05Z","v":1}"#,
            one_to_one: true,
        });
    }
}
