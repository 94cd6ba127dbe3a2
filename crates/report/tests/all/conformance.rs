//! The binary keeps the contract of the stream.

use testkit::conformance::{Stage, stage};

fn conforms(args: &[&str]) {
    let good_line = r#"{"time":"2026-01-01T00:00:00Z","key":"a","value":1.50}"#;
    stage(&Stage { bin: env!("CARGO_BIN_EXE_report"), args, good_line, one_to_one: true });
}

#[test]
fn report_keeps_the_contract_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.svg");
    conforms(&["--by", "key", "--line", "value", "--table", "--svg", file.to_str().unwrap()]);
}

#[test]
fn report_keeps_the_contract_with_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.html");
    conforms(&["--number", "value", "--html", file.to_str().unwrap(), "--renew", "10ms"]);
}
