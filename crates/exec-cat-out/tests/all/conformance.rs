//! What every sink must do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use testkit::conformance::{Sink, sink};

/// More flags come behind the arguments, and behind a command they would be its own: a script puts them before it.
#[test]
fn it_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("exec-cat-out");
    let text = format!("#!/bin/sh\nexec {} \"$@\" -- sh -c 'cat > /dev/null'\n", env!("CARGO_BIN_EXE_exec-cat-out"));
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let args = ["--retries", "1"];
    sink(&Sink { bin: script.to_str().unwrap(), args: &args, good_line: r#"{"key":"a","value":1.50}"# });
}
