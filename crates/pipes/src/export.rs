//! `pipes export`: the metrics of all pipelines as a file for node_exporter, or on stdout.

use std::fs;
use std::path::{Path, PathBuf};

use millpipe::{Error, Fault};
use printer::Printer;

use crate::cli;
use crate::clock::{now_ms, pause};
use crate::list::look;
use crate::machine::{Look, Machine};
use crate::prometheus::text;

/// Runs the command.
///
/// # Errors
/// When the folder cannot be read, or the file cannot be written.
pub fn run(export: &cli::Export, to: &mut Printer) -> Result<(), Fault> {
    let first = look(&export.metrics, to)?;
    write(export, &first, to)?;
    let Some(interval) = export.interval else { return Ok(()) };
    let machine = Machine::new(&export.metrics.dir);
    loop {
        pause(interval.0.unsigned_abs());
        write(export, &machine.look(now_ms())?, to)?;
    }
}

fn write(export: &cli::Export, look: &Look, to: &mut Printer) -> Result<(), Fault> {
    let text = text(look);
    match &export.textfile {
        Some(file) => replace(file, &text).map_err(Fault::from),
        None => to.bytes(text.as_bytes()),
    }
}

/// A reader sees the old file or the new one, never half of it.
pub fn replace(file: &Path, text: &str) -> Result<(), Error> {
    let draft = draft_of(file);
    let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, file));
    written.map_err(|error| {
        // A draft of a full disk is of no use.
        let _ = fs::remove_file(&draft);
        Error::io(file.display(), &error)
    })
}

/// In the same folder, under a name that node_exporter does not read.
fn draft_of(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    file.with_file_name(name)
}
