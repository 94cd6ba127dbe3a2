//! The binary keeps the contract of the stream.

use testkit::conformance::{Stage, stage};

#[test]
fn thin_keeps_the_contract() {
    let good_line = r#"{"sensor":"a","v":1}"#;
    stage(&Stage {
        bin: env!("CARGO_BIN_EXE_thin"),
        args: &["-n", "1", "--by", "sensor"],
        good_line,
        one_to_one: true,
    });
}
