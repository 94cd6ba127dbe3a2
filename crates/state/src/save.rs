//! A copy of a checkpoint.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use checkpoint::{Committed, Disk, RealDisk, SAVEPOINT, write_committed};
use millpipe::{Error, Fault};
use serde_json::json;

use crate::cli;
use crate::folder::{Checkpoint, Folder};
use crate::printer::Printer;

pub fn run(save: &cli::Save, to: &mut Printer) -> Result<(), Fault> {
    let folder = Folder::open(&save.state)?;
    let checkpoint = folder.existing(save.id.as_ref())?;
    must_be_empty(&save.to)?;
    let (id, stages) = (checkpoint.id.to_string(), checkpoint.stages.len());
    copy(checkpoint, &save.to).inspect_err(|_| clear(&save.to))?;
    to.json(&json!({ "saved": id, "to": save.to.to_string_lossy(), "stages": stages }))
}

/// `committed` comes last: before it, the copy is no state folder.
fn copy(checkpoint: Checkpoint, to: &Path) -> Result<(), Error> {
    let Checkpoint { id, committed, stages } = checkpoint;
    RealDisk.create_dir(to).map_err(|error| Error::io(to.display(), &error))?;
    let mut snapshots = Vec::new();
    for stage in stages {
        stage.snapshot?.copy_to(&RealDisk, &to.join(&stage.name))?;
        snapshots.push(stage.name);
    }
    let at = committed.map(|committed| committed.at).unwrap_or_default();
    Ok(write_committed(&RealDisk, to, &Committed { id, sink: SAVEPOINT.to_owned(), snapshots, at })?)
}

pub(crate) fn must_be_empty(to: &Path) -> Result<(), Error> {
    let mut files = match fs::read_dir(to) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        files => files.map_err(|error| Error::io(to.display(), &error))?,
    };
    if files.next().is_none() {
        return Ok(());
    }
    Err(Error::data(format_args!("\"{}\" is not empty", to.display())).hint("say a folder that is not there yet"))
}

/// It was empty before: all that is in it is ours. What cannot be removed is told by the error that led here.
pub(crate) fn clear(to: &Path) {
    let Ok(files) = fs::read_dir(to) else { return };
    for file in files.flatten() {
        let _ = fs::remove_file(file.path()).or_else(|_| fs::remove_dir_all(file.path()));
    }
}
