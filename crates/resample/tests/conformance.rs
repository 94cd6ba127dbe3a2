//! The binary keeps the contract of the stream.

use testkit::conformance::{Stage, stage};

#[test]
fn resample_keeps_the_contract() {
    stage(&Stage {
        bin: env!("CARGO_BIN_EXE_resample"),
        args: &["--every", "1s"],
        good_line: r#"{"timestamp":"2026-01-01T00:00:00Z","value":1}"#,
        one_to_one: false,
    });
}
