//! Is it whole, and what would be restored?

use std::collections::BTreeSet;

use checkpoint::{FileKind, RealDisk, check_file};
use millpipe::{Error, Fault};
use printer::Printer;
use serde_json::{Value, json};

use crate::cli;
use crate::folder::{Checkpoint, Folder, Stage};

pub fn run(check: &cli::Check, to: &mut Printer) -> Result<(), Fault> {
    let folder = Folder::open(&check.state)?;
    let checkpoint = folder.checkpoint(None)?;
    to.json(&restores(checkpoint.as_ref()))?;
    let mut findings = Findings::default();
    if let Some(checkpoint) = checkpoint {
        let id = checkpoint.id.to_string();
        for stage in checkpoint.stages {
            to.json(&findings.needed(&id, stage))?;
        }
    }
    for stage in folder.stages()? {
        for (file, kind) in folder.files(&stage)? {
            if let Some(line) = findings.other(&folder, &stage, &file, &kind) {
                to.json(&line)?;
            }
        }
    }
    findings.verdict()
}

fn restores(checkpoint: Option<&Checkpoint>) -> Value {
    let committed = checkpoint.and_then(|checkpoint| checkpoint.committed.as_ref());
    json!({
        "restores": checkpoint.map(|checkpoint| checkpoint.id.to_string()),
        "sink": committed.map(|committed| &committed.sink),
        "at": committed.map(|committed| &committed.at),
    })
}

#[derive(Default)]
struct Findings {
    /// Files that the committed checkpoint needs, by stage.
    needed: BTreeSet<(String, String)>,
    /// Why the committed checkpoint cannot be restored.
    fatal: Option<Error>,
    damaged_others: u64,
}

impl Findings {
    fn needed(&mut self, id: &str, stage: Stage) -> Value {
        let name = stage.name;
        let read = stage.snapshot.and_then(|mut snapshot| {
            let files = snapshot.files();
            self.needed.extend(files.iter().map(|file| (name.clone(), file.clone())));
            snapshot.finish().map(|entries| (files, entries))
        });
        match read {
            Ok((files, entries)) => json!({ "name": name, "id": id, "ok": true, "entries": entries, "files": files }),
            Err(error) => {
                let line = json!({ "name": name, "id": id, "ok": false, "why": error.to_string() });
                self.fatal.get_or_insert(error.into());
                line
            }
        }
    }

    /// Nothing for a file that has gone meanwhile.
    fn other(&mut self, folder: &Folder, stage: &str, file: &str, kind: &FileKind) -> Option<Value> {
        if self.needed.contains(&(stage.to_owned(), file.to_owned())) {
            return None;
        }
        let word = match kind {
            FileKind::Snapshot(_) => "snapshot",
            FileKind::Merged => "merged",
            FileKind::Leftover => "leftover",
            FileKind::Other => "other",
        };
        let line = json!({ "name": stage, "file": file, "kind": word });
        let (member, value) = match kind {
            FileKind::Leftover | FileKind::Other => return Some(line),
            _ => match check_file(&RealDisk, &folder.dir.join(stage), file) {
                Ok(checked) => ("entries", checked.entries.into()),
                Err(checkpoint::Error::Missing { .. }) => return None,
                Err(error) => ("why", Value::from(error.to_string())),
            },
        };
        let is_ok = member == "entries";
        self.damaged_others += u64::from(!is_ok);
        let mut line = line;
        line["ok"] = is_ok.into();
        line[member] = value;
        Some(line)
    }

    fn verdict(self) -> Result<(), Fault> {
        if let Some(error) = self.fatal {
            let hint = "go on from a copy that state save made, or begin anew with an empty folder";
            return Err(Error { hint: Some(hint.to_owned()), ..error }.into());
        }
        match self.damaged_others {
            0 => Ok(()),
            1 => Err(unneeded("a damaged file").into()),
            count => Err(unneeded(&format!("{count} damaged files")).into()),
        }
    }
}

fn unneeded(what: &str) -> Error {
    Error::data(format_args!("{what}, which the committed checkpoint does not need"))
        .hint("a pipeline goes on from this folder all the same, and removes them after its first commits")
}
