//! What every source must do.

use testkit::conformance::{Source, source};

#[test]
fn it_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.ndjson");
    std::fs::write(&path, (0..5000).map(|n| format!("{{\"n\":{n}}}\n")).collect::<String>()).unwrap();
    let path = path.to_str().unwrap();
    source(&Source { bin: env!("CARGO_BIN_EXE_file-cat-in"), bounded: &[path], idle: &["--follow", path] });
}
