//! The sink: one manifest over its outputs, and when it is published.

use std::io;
use std::path::{Path, PathBuf};

use checkpoint::{CheckpointId, Storage};
use millpipe::{Barrier, Error, Fault, Hello, Mark, Out, Sink, Truth, must_be_outside, no_dead_letter};
use xxhash_rust::xxh3::xxh3_64;

use crate::cli::Cli;
use crate::folders::Folders;
use crate::manifest::Manifest;
use crate::names;
use crate::output::{Epoch, Output};
use crate::pack::Packer;
use crate::parts::{self, Limits, Parts};
use crate::single::{self, Single};
use crate::storage::failed;

/// How often a plain stream, which has no barriers, is committed.
const PLAIN_COMMIT_EVERY_MS: i64 = 1000;

/// The last stage of a pipe: writes to files.
pub struct FileSink {
    storage: Storage,
    /// What the user named, and by which flags.
    paths: Vec<(&'static str, PathBuf)>,
    /// The folder or file for lines.
    target: PathBuf,
    /// Where the manifest and the lock are.
    folder: PathBuf,
    output: Box<dyn Output>,
    dead_letter: Option<Box<dyn Output>>,
    checks_json: bool,
    flags: String,
    outlives_commits: bool,
    life: Life,
    manifest: Manifest,
    locks: Vec<Box<dyn Send>>,
    /// The run in the names of parts.
    names_run: String,
    /// The name of the commit that is next, or of the last one.
    id: CheckpointId,
    /// Lines since the last commit, and whether there were rejects.
    lines: u64,
    has_rejects: bool,
    committed_at_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    New,
    /// Commits are our own.
    Plain,
    /// Commits are those of the stream's barriers.
    Kept,
    /// It cannot go on.
    Failed,
}

impl FileSink {
    /// Touches nothing yet.
    ///
    /// # Errors
    /// Usage.
    pub fn new(cli: &Cli, storage: Storage) -> Result<Self, Error> {
        cli.check()?;
        let target = cli.dir.clone().or_else(|| cli.single.clone()).unwrap_or_default();
        let folder = if cli.single.is_some() { single::folder(&target) } else { target.join(parts::HIDDEN) };
        let packer = || Packer::new(cli.compress).map_err(|error| Error::io("--compress", &error));
        let limits = limits(cli);
        let output: Box<dyn Output> = if cli.single.is_some() {
            Box::new(Single::new(&target, PathBuf::new(), packer()?)?)
        } else {
            let folders = (!cli.fields().is_empty()).then(|| Folders::new(cli.fields()));
            Box::new(Parts::output(&target, folders, packer()?, limits))
        };
        let dead_letter = match &cli.dead_letter {
            None => None,
            Some(path) => Some(dead_letter(path, &target, cli.single.is_some(), packer()?, limits)?),
        };
        Ok(Self {
            storage,
            folder,
            output,
            dead_letter,
            checks_json: !cli.text && cli.fields().is_empty(),
            flags: cli.part_flags(),
            outlives_commits: cli.part_size.is_some() || cli.part_age.is_some(),
            life: Life::New,
            manifest: Manifest::default(),
            locks: Vec::new(),
            names_run: String::new(),
            id: CheckpointId::new("", 0),
            lines: 0,
            has_rejects: false,
            committed_at_ms: 0,
            paths: cli.paths(),
            target,
        })
    }

    /// Takes the lock, and brings the output to what its manifest says.
    fn begin(&mut self, run: &str, life: Life, now_ms: i64) -> Result<(), Error> {
        let outputs = || std::iter::once(&self.output).chain(&self.dead_letter);
        for folder in outputs().filter_map(|output| output.lock_folder()) {
            self.storage.disk.create_dir(folder).map_err(|error| failed(folder, &error))?;
            self.locks.push((self.storage.lock)(&folder.join("lock"))?);
        }
        let disk = &*self.storage.disk;
        checkpoint::remove_leftovers(disk, &self.folder)?;
        // A run that died at its commit may have left a manifest that is there, but not yet to stay.
        disk.sync_dir(&self.folder).map_err(|error| failed(&self.folder, &error))?;
        let known = Manifest::load(disk, &self.manifest_path())?;
        let is_new = known.is_none();
        self.manifest = known.unwrap_or_default();
        self.manifest.show(disk, &self.target)?;
        self.names_run = match self.output.folder_of_parts() {
            Some(folder) => names::run_after(names::newest_run(disk, folder, &self.manifest)?.as_deref(), run),
            None => run.to_owned(),
        };
        let goes_on = life == Life::Plain || self.outlives_commits;
        self.output.recover(disk, &self.manifest, run, goes_on)?;
        if let Some(dead_letter) = &mut self.dead_letter {
            dead_letter.recover(disk, &self.manifest, run, false)?;
        }
        self.life = life;
        self.id = CheckpointId::new(run, 0);
        let other_flags = !is_new && self.manifest.flags != self.flags;
        if is_new || other_flags {
            // Parts of other flags are not gone on with. What a new manifest says of a single file is how much of it
            // there was before us.
            self.publish(self.manifest.id(), now_ms, other_flags)?;
        }
        Ok(())
    }

    fn begin_plain(&mut self, out: &mut Out) -> Result<(), Error> {
        if self.life != Life::New {
            return Ok(());
        }
        let run = format!("{:011x}-{:08x}", out.now_ms(), std::process::id());
        self.committed_at_ms = out.now_ms();
        self.begin(&run, Life::Plain, out.now_ms())?;
        if self.manifest.id().is_some() {
            out.warn(
                "lines without marks, into the output of an exactly-once pipeline: a restart will write them again\n\
                 hint: a program between that leaves marks out (jq 'select(…)')? filter and parallel-map keep them",
            );
        }
        Ok(())
    }

    /// Makes everything since the last commit part of the output, under an id or none.
    fn publish(&mut self, id: Option<CheckpointId>, now_ms: i64, is_last: bool) -> Result<(), Error> {
        let disk = &*self.storage.disk;
        let epoch = Epoch { id: CheckpointId::new(&self.names_run, self.id.seq), now_ms, is_last };
        let mut manifest = Manifest::new(id.as_ref(), &self.flags);
        manifest.newest_run = Some(self.names_run.clone());
        self.output.seal(disk, &epoch, &mut manifest)?;
        if let Some(dead_letter) = &mut self.dead_letter {
            dead_letter.seal(disk, &epoch, &mut manifest)?;
        }
        manifest.publish(disk, &self.manifest_path())?;
        self.output.sealed();
        self.dead_letter.iter_mut().for_each(|dead_letter| dead_letter.sealed());
        self.manifest = manifest;
        self.manifest.show(disk, &self.target)
    }

    /// A commit of a plain stream: the output stays at the checkpoint that it was at.
    fn commit_plain(&mut self, is_last: bool, out: &mut Out) -> Result<(), Error> {
        self.id.seq += 1;
        self.committed_at_ms = out.now_ms();
        self.publish(self.manifest.id(), out.now_ms(), is_last)?;
        self.settle(out);
        Ok(())
    }

    fn settle(&mut self, out: &mut Out) {
        out.settle(std::mem::take(&mut self.lines));
        self.has_rejects = false;
    }

    fn manifest_path(&self) -> PathBuf {
        self.folder.join("manifest")
    }

    /// After an error that ends the run nothing more is tried.
    fn watch<T, E: Into<Fault>>(&mut self, result: Result<T, E>) -> Result<T, Fault> {
        result.map_err(|error| {
            let fault = error.into();
            if !matches!(fault, Fault::Bad(_)) {
                self.life = Life::Failed;
            }
            fault
        })
    }
}

impl Sink for FileSink {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let begun = self.begin_plain(out);
        self.watch(begun)?;
        if self.checks_json {
            json_fields::validate(line).map_err(Fault::bad)?;
        }
        let taken = self.output.line(&*self.storage.disk, line, out.now_ms());
        self.watch(taken)?;
        self.lines += 1;
        Ok(())
    }

    fn idle(&mut self, out: &mut Out) -> Result<(), Fault> {
        let is_due = out.now_ms() - self.committed_at_ms >= PLAIN_COMMIT_EVERY_MS;
        if self.life != Life::Plain || !is_due || (self.lines == 0 && !self.has_rejects) {
            return Ok(());
        }
        let committed = self.commit_plain(false, out);
        self.watch(committed)
    }

    /// What is open becomes visible. Behind the last barrier no line came: that is the runtime's rule.
    fn finish(&mut self, out: &mut Out) -> Result<(), Fault> {
        let finished = match self.life {
            Life::New => Ok(()),
            Life::Kept if self.manifest.open.is_empty() => Ok(()),
            Life::Kept => self.publish(self.manifest.id(), out.now_ms(), true),
            _ => self.commit_plain(true, out),
        };
        self.watch(finished)
    }

    fn give_up(&mut self, out: &mut Out) {
        if self.life == Life::Plain
            && let Err(error) = self.commit_plain(true, out)
        {
            out.warn(error);
        }
    }

    fn open(&mut self, hello: &Hello, out: &mut Out) -> Result<Truth, Fault> {
        for (flag, path) in &self.paths {
            must_be_outside(hello, flag, path)?;
        }
        let begun = self.begin(&hello.run, Life::Kept, out.now_ms());
        self.watch(begun)?;
        // The offsets are in the source's snapshot.
        Ok(Truth { id: self.manifest.id(), ..Truth::default() })
    }

    fn commit(&mut self, barrier: &Barrier, out: &mut Out) -> Result<(), Fault> {
        self.id = barrier.id.clone();
        let committed = self.publish(Some(barrier.id.clone()), out.now_ms(), barrier.drain);
        self.watch(committed)?;
        self.settle(out);
        Ok(())
    }

    fn target(&self) -> &'static str {
        "files"
    }

    fn reject(&mut self, reject: &Mark, out: &mut Out) -> Result<(), Fault> {
        let begun = self.begin_plain(out);
        self.watch(begun)?;
        let Some(dead_letter) = &mut self.dead_letter else { return Err(no_dead_letter(reject).into()) };
        let kept = dead_letter.line(&*self.storage.disk, reject.as_data().as_bytes(), out.now_ms());
        self.has_rejects = true;
        self.watch(kept)
    }

    fn remark(&self) -> Option<String> {
        self.output.remark()
    }

    fn held(&self) -> u64 {
        self.lines
    }
}

/// The place for rejects: a folder where the output is one, else a file.
fn dead_letter(
    path: &Path,
    target: &Path,
    is_single: bool,
    packer: Packer,
    limits: Limits,
) -> Result<Box<dyn Output>, Error> {
    // The manifest is found again from any folder, and so must be what it says.
    let absolute = |path: &Path| {
        let absolute: io::Result<PathBuf> = std::path::absolute(path);
        absolute.map_err(|error| Error::io(path.display(), &error))
    };
    let path = absolute(path)?;
    if is_single {
        return Ok(Box::new(Single::new(&path, path.clone(), packer)?));
    }
    let owner = xxh3_64(absolute(target)?.as_os_str().as_encoded_bytes());
    Ok(Box::new(Parts::beside(&path, owner, packer, limits)))
}

fn limits(cli: &Cli) -> Limits {
    Limits {
        size: cli.part_size.map(|size| size.0),
        age_ms: cli.part_age.map(|age| age.0),
        parts: cli.max_parts as usize,
        buffer_bytes: cli.buffer.as_usize(),
    }
}
