//! Heads of snapshots: one line of JSON that says what kind of windows it is of.

use millpipe::Error;
use serde_json::Value;
use std::io::{self, BufRead, Write};

pub(crate) fn write(to: &mut dyn Write, head: &Value) -> io::Result<()> {
    writeln!(to, "{head}")
}

pub(crate) fn read(from: &mut dyn BufRead) -> Result<Value, Error> {
    let mut text = String::new();
    from.read_to_string(&mut text).map_err(|error| Error::io("snapshot", &error))?;
    serde_json::from_str(&text).map_err(|_| damaged())
}

pub(crate) fn damaged() -> Error {
    Error::data("the snapshot is damaged, or of other windows")
}
