//! Snapshots: lines of JSON, the first one says what the others are.

use millpipe::Error;
use serde_json::Value;
use std::io::{self, BufRead, Write};

pub(crate) fn write(to: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(to, "{value}")
}

/// The lines of a snapshot.
pub(crate) fn read(from: &mut dyn BufRead) -> Result<Vec<Value>, Error> {
    let mut values = Vec::new();
    for line in from.lines() {
        let line = line.map_err(|error| Error::io("snapshot", &error))?;
        values.push(serde_json::from_str(&line).map_err(|_| damaged())?);
    }
    Ok(values)
}

pub(crate) fn damaged() -> Error {
    Error::data("the snapshot is damaged, or of other windows")
}
