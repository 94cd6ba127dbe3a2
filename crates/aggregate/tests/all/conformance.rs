//! The contract of the stream.

use testkit::conformance::{Stage, stage};

#[test]
fn aggregate_keeps_the_contract() {
    stage(&Stage {
        bin: env!("CARGO_BIN_EXE_aggregate"),
        args: &["--by", "k", "count", "sum:v", "p50:v"],
        good_line: r#"{"k":"a","v":1.50}"#,
        one_to_one: false,
    });
    // With results after each line, marks have a place between them.
    stage(&Stage {
        bin: env!("CARGO_BIN_EXE_aggregate"),
        args: &["--emit", "update", "count"],
        good_line: r#"{"k":"a","v":1.50}"#,
        one_to_one: true,
    });
    stage(&Stage {
        bin: env!("CARGO_BIN_EXE_aggregate"),
        args: &["--last", "3", "count", "sum:v", "n=count?.k"],
        good_line: r#"{"k":"a","v":1.50}"#,
        one_to_one: true,
    });
    stage(&Stage {
        bin: env!("CARGO_BIN_EXE_aggregate"),
        args: &["count", "max:v"],
        good_line: r#"{"window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z","v":1}"#,
        one_to_one: false,
    });
}
