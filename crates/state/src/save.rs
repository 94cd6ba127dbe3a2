//! A copy of a checkpoint.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use checkpoint::{Committed, Disk, RealDisk, SAVEPOINT, write_committed};
use millpipe::{Error, Fault};
use printer::Printer;
use serde_json::json;

use crate::cli;
use crate::folder::{Checkpoint, Folder};
use crate::rename::Rename;

pub fn run(save: &cli::Save, to: &mut Printer) -> Result<(), Fault> {
    let folder = Folder::open(&save.state)?;
    let checkpoint = folder.existing(save.id.as_ref())?;
    must_be_empty(&save.to)?;
    let (id, stages) = (checkpoint.id.to_string(), checkpoint.stages.len());
    let checkpoint = renamed(checkpoint, &save.rename)?;
    copy(checkpoint, &save.to).inspect_err(|_| clear(&save.to))?;
    to.json(&json!({ "saved": id, "to": save.to.to_string_lossy(), "stages": stages }))
}

/// The stages under the names that they are to have.
fn renamed(mut checkpoint: Checkpoint, renames: &[Rename]) -> Result<Checkpoint, Error> {
    let names: Vec<String> = checkpoint.stages.iter().map(|stage| stage.name.clone()).collect();
    if let Some(Rename { from, .. }) = renames.iter().find(|rename| !names.iter().any(|name| rename.applies_to(name))) {
        return Err(Error::usage(format_args!("--rename {from}: no such folder in checkpoint {}", checkpoint.id))
            .hint(format_args!("there are: {}", names.join(", "))));
    }
    let mut taken = BTreeSet::new();
    for stage in &mut checkpoint.stages {
        if let Some(rename) = renames.iter().find(|rename| rename.applies_to(&stage.name)) {
            stage.name = rename.of(&stage.name);
        }
        if !taken.insert(stage.name.clone()) {
            return Err(Error::usage(format_args!("--rename: two stages would be \"{}\"", stage.name))
                .hint("all names are replaced at once: --rename 2-window=3-window --rename 3-aggregate=4-aggregate"));
        }
    }
    Ok(checkpoint)
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
