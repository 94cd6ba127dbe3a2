//! What every sink must do.

use testkit::conformance::{Sink, sink};

const BIN: &str = env!("CARGO_BIN_EXE_file-cat-out");
const GOOD_LINE: &str = r#"{"key":"a","value":1.50}"#;

#[test]
fn it_conforms_with_parts() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let rejects = dir.path().join("rejects");
    let args = [out.to_str().unwrap(), "--partition-by", "key", "--dead-letter", rejects.to_str().unwrap()];
    sink(&Sink { bin: BIN, args: &args, good_line: GOOD_LINE });
}

#[test]
fn it_conforms_with_a_single_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lines.ndjson");
    sink(&Sink { bin: BIN, args: &["--single", file.to_str().unwrap()], good_line: GOOD_LINE });
}
