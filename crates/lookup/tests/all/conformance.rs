use testkit::conformance::{Stage, stage};

const LOOKUP: &str = env!("CARGO_BIN_EXE_lookup");
const LINE: &str = r#"{"timestamp":"2026-01-01T00:00:05Z","v":1}"#;

#[test]
fn lookup_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("table.csv");
    std::fs::write(&table, "id,name\n1,one\n").unwrap();
    let args = ["--table", table.to_str().unwrap(), "--on", "v=id"];
    stage(&Stage { bin: LOOKUP, args: &args, good_line: LINE, one_to_one: true });
}

#[test]
fn lookup_keeps_the_contract_with_the_table_in_the_stream() {
    let args = ["--table-where", ".id", "--on", "v=id", "--fields", "name"];
    stage(&Stage { bin: LOOKUP, args: &args, good_line: LINE, one_to_one: true });
    let waiting = [&args[..], &["--time", "timestamp", "--lateness", "1s"]].concat();
    stage(&Stage { bin: LOOKUP, args: &waiting, good_line: LINE, one_to_one: false });
}
