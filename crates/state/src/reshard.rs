//! The state of N shards, for M.
//!
//! Entries are given in the order of their keys and so written: for each new shard the snapshots of all old ones are read side by
//! side, and what belongs to it is taken. So memory does not depend on the size of a state.

mod division;
mod lines;

use std::path::Path;

use checkpoint::{Committed, Disk, Header, Lock, RealDisk, SHARD, SnapshotReader, write_alone, write_committed};
use millpipe::{Error, Fault};
use printer::Printer;
use serde_json::json;

use crate::cli;
use crate::folder::{Folder, Stage};
use crate::save::{clear, must_be_empty};
use division::{Division, Moved};

pub fn run(reshard: &cli::Reshard, to: &mut Printer) -> Result<(), Fault> {
    let folder = Folder::open(&reshard.state)?;
    let lock = folder.dir.join("lock");
    if lock.exists() && !Lock::is_free(&lock) {
        return Err(Error::temporary(format_args!("a pipeline runs on \"{}\"", folder.dir.display()))
            .hint("end it first: what it commits from now on would not be in the copy")
            .into());
    }
    must_be_empty(&reshard.to)?;
    let plan = Plan::new(&folder, usize::from(reshard.shards))?;
    let told = json!({ "resharded": plan.committed.id.to_string(), "to": reshard.to.to_string_lossy(), "from_shards": plan.old, "shards": plan.new });
    plan.write(&reshard.to).inspect_err(|_| clear(&reshard.to))?;
    to.json(&told)
}

/// What is there, and what becomes of it.
struct Plan<'a> {
    folder: &'a Folder,
    committed: Committed,
    /// The stage that divides.
    shard: String,
    by: String,
    old: usize,
    new: usize,
}

impl<'a> Plan<'a> {
    fn new(folder: &'a Folder, new: usize) -> Result<Self, Error> {
        let checkpoint = folder.existing(None)?;
        let nothing = || Error::data(format_args!("nothing is committed in \"{}\"", folder.dir.display()));
        let committed = checkpoint.committed.ok_or_else(nothing)?;
        if let Some(newer) = folder.newer_than(&committed)? {
            return Err(Error::temporary(format_args!(
                "\"{}\" knows the commit {}, and a later checkpoint, {newer}, may be in the output already",
                folder.dir.display(),
                committed.id
            ))
            .hint(
                "the pipeline was killed: start it once as it was and end it (SIGTERM will do), then the folder knows",
            ));
        }
        let mut shards = Vec::new();
        for Stage { name, snapshot } in checkpoint.stages {
            let header = snapshot?.header().clone();
            if header.stage == "shard" {
                shards.push((name, header.flags));
            }
        }
        let [(shard, flags)] = &shards[..] else {
            return Err(match shards.len() {
                0 => Error::data("this pipeline has no shard stage"),
                several => {
                    Error::data(format_args!("{several} shard stages in this pipeline: only one can be resharded"))
                }
            });
        };
        let (by, old) =
            divided_by(flags).ok_or_else(|| Error::data(format_args!("{shard}: made by other flags: {flags}")))?;
        Ok(Self { folder, committed, shard: shard.clone(), by, old, new })
    }

    /// `committed` comes last: before it, the copy is no state folder.
    fn write(self, to: &Path) -> Result<(), Error> {
        RealDisk.create_dir(to).map_err(|error| Error::io(to.display(), &error))?;
        let mut snapshots = Vec::new();
        for name in &self.committed.snapshots {
            match name.rsplit_once(SHARD) {
                None if *name == self.shard => self.write_shard(to)?,
                None => self.open(name)?.copy_to(&RealDisk, &to.join(name))?,
                Some((base, "0")) => {
                    self.divide(base, to)?;
                    snapshots.extend((0..self.new).map(|number| format!("{base}{SHARD}{number}")));
                    continue;
                }
                Some((_, number)) if number.contains('.') => {
                    return Err(Error::data(format_args!("{name}: shards in shards cannot be told apart here")));
                }
                Some(_) => continue,
            }
            snapshots.push(name.clone());
        }
        Ok(write_committed(&RealDisk, to, &Committed { snapshots, ..self.committed })?)
    }

    fn open(&self, name: &str) -> Result<SnapshotReader, Error> {
        Ok(SnapshotReader::open(&RealDisk, &self.folder.dir.join(name), &self.committed.id)?)
    }

    /// The stage that divides remembers by how many.
    fn write_shard(&self, to: &Path) -> Result<(), Error> {
        let header = self.open(&self.shard)?.header().clone();
        let header = Header { flags: format!("--by {} -n {}", self.by, self.new), ..header };
        let head = format!("{{\"shards\":{}}}\n", self.new);
        Ok(write_alone(&RealDisk, &to.join(&self.shard), &header, head.as_bytes(), false, &mut || Ok(None))?)
    }

    /// A stage of the sub-pipeline.
    fn divide(&self, base: &str, to: &Path) -> Result<(), Error> {
        let names: Vec<String> = (0..self.old).map(|number| format!("{base}{SHARD}{number}")).collect();
        let open = || names.iter().map(|name| self.open(name)).collect::<Result<Vec<_>, _>>();
        let readers = open()?;
        let mut division = Division::new(base, &self.by, &readers)?;
        let (mut header, is_large) = (readers[0].header().clone(), readers.iter().any(SnapshotReader::is_large));
        let head = division.head().to_vec();
        for number in 0..self.new {
            let name = format!("{base}{SHARD}{number}");
            header.name.clone_from(&name);
            let mut entries = SideBySide::new(open()?, &mut division)?;
            // The stage's own error goes around the one of the disk's writer.
            let mut wrong = None;
            let mut next = || loop {
                match entries.next() {
                    Ok(Some(moved)) if moved.shard(self.new) == number => return Ok(Some(moved.line)),
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(None),
                    Err(error) => {
                        wrong = Some(error);
                        return Ok(None);
                    }
                }
            };
            write_alone(&RealDisk, &to.join(&name), &header, &head, is_large, &mut next)?;
            if let Some(error) = wrong {
                return Err(error);
            }
        }
        Ok(())
    }
}

/// What shard divides by, and into how many.
fn divided_by(flags: &str) -> Option<(String, usize)> {
    let (by, shards) = flags.strip_prefix("--by ")?.rsplit_once(" -n ")?;
    Some((by.to_owned(), shards.parse().ok()?))
}

/// Entries of several snapshots, as they are to be called, in the order of their names' text.
struct SideBySide<'a> {
    readers: Vec<SnapshotReader>,
    division: &'a mut Division,
    heads: Vec<Option<Head>>,
}

/// The next entry of one of them, with the text of its name.
type Head = (String, Moved);

impl<'a> SideBySide<'a> {
    fn new(readers: Vec<SnapshotReader>, division: &'a mut Division) -> Result<Self, Error> {
        let mut new = Self { heads: Vec::new(), division, readers };
        for shard in 0..new.readers.len() {
            let head = new.read(shard)?;
            new.heads.push(head);
        }
        Ok(new)
    }

    fn next(&mut self) -> Result<Option<Moved>, Error> {
        let texts = self.heads.iter().enumerate().filter_map(|(shard, head)| Some((&head.as_ref()?.0, shard)));
        let Some((_, shard)) = texts.min() else { return Ok(None) };
        let next = self.read(shard)?;
        Ok(std::mem::replace(&mut self.heads[shard], next).map(|(_, moved)| moved))
    }

    fn read(&mut self, shard: usize) -> Result<Option<Head>, Error> {
        let Some(entry) = self.readers[shard].next_entry()? else { return Ok(None) };
        let moved = self.division.take(&entry, shard)?;
        Ok(Some((serde_json::Value::from(moved.name.as_str()).to_string(), moved)))
    }
}
