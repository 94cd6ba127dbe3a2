//! The contract of the stream.

use testkit::conformance::{Stage, stage};

#[test]
fn stream_join_keeps_the_contract() {
    // Lines that are neither pass.
    stage(&Stage {
        bin: env!("CARGO_BIN_EXE_stream-join"),
        args: &["--left", ".k == 1", "--right", ".k == 2", "--on", "id"],
        good_line: r#"{"k":3,"v":1.50}"#,
        one_to_one: true,
    });
    stage(&Stage {
        bin: env!("CARGO_BIN_EXE_stream-join"),
        args: &[
            "--left", ".k == 1", "--right", ".k == 2", "--on", "id", "--kind", "full", "--keep", "1m", "--memory",
            "4MiB",
        ],
        good_line: r#"{"k":1,"id":7,"timestamp":"2026-11-22T10:00:00Z"}"#,
        one_to_one: false,
    });
    // A line without a key is written at once.
    stage(&Stage {
        bin: env!("CARGO_BIN_EXE_stream-join"),
        args: &["--left", ".k == 1", "--right", ".k == 2", "--on", "id", "--kind", "left", "--within", "1m"],
        good_line: r#"{"k":1,"v":1.50,"timestamp":"2026-11-22T10:00:00Z"}"#,
        one_to_one: true,
    });
}
