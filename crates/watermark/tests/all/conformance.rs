use testkit::conformance::{Stage, stage};

#[test]
fn watermark_keeps_the_contract() {
    stage(&Stage {
        bin: env!("CARGO_BIN_EXE_watermark"),
        args: &["--lateness", "1s"],
        good_line: r#"{"timestamp":"2026-01-01T00:00:05Z","v":1}"#,
        one_to_one: true,
    });
}
