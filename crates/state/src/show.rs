//! What is committed, and what a stage remembers.

use std::fs;

use checkpoint::SnapshotReader;
use millpipe::{Error, Fault};
use printer::Printer;
use serde_json::json;

use crate::cli;
use crate::folder::{Checkpoint, Folder, Stage};

/// The sink whose truth is not in the folder.
const KAFKA: &str = "kafka";

pub fn run(show: &cli::Show, to: &mut Printer) -> Result<(), Fault> {
    let folder = Folder::open(&show.state)?;
    let Some(checkpoint) = folder.checkpoint(show.id.as_ref())? else {
        to.note(&format!("nothing is committed in \"{}\": a pipeline starts from the beginning", show.state.display()));
        return Ok(());
    };
    if checkpoint.committed.as_ref().is_some_and(|committed| committed.sink == KAFKA) {
        to.note(
            "the truth is in the offsets of the consumer group; this copy can be one checkpoint behind after a crash",
        );
    }
    match &show.stage {
        Some(name) => content(find(checkpoint, name)?, show.entries, to),
        None => summary(&folder, checkpoint, to),
    }
}

fn summary(folder: &Folder, checkpoint: Checkpoint, to: &mut Printer) -> Result<(), Fault> {
    let Checkpoint { id, committed, stages } = checkpoint;
    for Stage { name, snapshot } in stages {
        let mut snapshot = snapshot.map_err(Error::from)?;
        let size = |file: &String| fs::metadata(folder.dir.join(&name).join(file)).map_or(0, |file| file.len());
        let files = snapshot.files();
        let bytes: u64 = files.iter().map(size).sum();
        let entries = snapshot.finish().map_err(Error::from)?;
        let header = snapshot.header();
        to.json(&json!({
            "id": id.to_string(),
            "at": committed.as_ref().map(|committed| &committed.at),
            "sink": committed.as_ref().map(|committed| &committed.sink),
            "name": name,
            "stage": header.stage,
            "flags": header.flags,
            "head": header.head_lines,
            "entries": entries,
            "files": files.len(),
            "bytes": bytes,
        }))?;
    }
    Ok(())
}

fn content(mut snapshot: SnapshotReader, only_entries: bool, to: &mut Printer) -> Result<(), Fault> {
    if !only_entries {
        to.bytes(snapshot.head())?;
    }
    while let Some(entry) = snapshot.next_entry().map_err(Error::from)? {
        to.bytes(entry.line)?;
    }
    Ok(())
}

/// A stage by its folder's name, or by its tool if there is one of it.
fn find(checkpoint: Checkpoint, name: &str) -> Result<SnapshotReader, Fault> {
    let Checkpoint { id, stages, .. } = checkpoint;
    let names: Vec<_> = stages.iter().map(|stage| stage.name.clone()).collect();
    let is_tool = |stage: &Stage| stage.snapshot.as_ref().is_ok_and(|snapshot| snapshot.header().stage == name);
    let of_tool: Vec<_> = (0..stages.len()).filter(|&at| is_tool(&stages[at])).collect();
    let at = match (names.iter().position(|known| known == name), of_tool.as_slice()) {
        (Some(at), _) => at,
        (None, [at]) => *at,
        (None, found) => {
            let what = if found.is_empty() { "no stage" } else { "more than one stage" };
            let error = Error::usage(format_args!("{what} \"{name}\" in checkpoint {id}"));
            return Err(error.hint(format_args!("there are: {}", names.join(", "))).into());
        }
    };
    let stage = stages.into_iter().nth(at).map(|stage| stage.snapshot);
    stage.ok_or_else(|| Error::usage("no such stage"))?.map_err(|error| Error::from(error).into())
}
