//! What every source must do.

use testkit::conformance::{Source, source};

#[test]
fn it_conforms() {
    source(&Source {
        bin: env!("CARGO_BIN_EXE_generate"),
        bounded: &["--lines", "5000", "--out-of-order", "2s"],
        idle: &["--rate", "1/m"],
    });
}
