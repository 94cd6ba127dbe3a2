//! The sink: spools lines, and gives each epoch when it is committed.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use checkpoint::{CheckpointId, Disk, Storage};
use millpipe::{Barrier, Error, Fault, Hello, Out, Sink, Truth};
use tempfile::TempDir;

use crate::ledger::Ledger;
use crate::spool::Spool;

/// The sink's folder in the state folder. It has no number: there is one sink, wherever it stands in the pipe.
const FOLDER: &str = "exec-cat-out";
const ENDING: &str = ".epoch";

/// Takes the lines of an epoch.
pub trait Target: Send {
    /// Returns when they are taken. `again`: they may have been given before, by a run that died.
    ///
    /// # Errors
    /// When they are not, or nobody knows.
    fn give(&mut self, id: Option<&CheckpointId>, epoch: &Path, again: bool) -> Result<(), Error>;
}

/// What the flags say.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub epoch_bytes_max: u64,
    pub gives_empty: bool,
    pub checks_json: bool,
}

/// The last stage of a pipe: gives epochs to a target.
pub struct ExecSink<T> {
    limits: Limits,
    target: T,
    storage: Storage,
    folder: PathBuf,
    /// Where a plain stream is spooled.
    temporary: Option<TempDir>,
    lock: Option<Box<dyn Send>>,
    spool: Spool,
    /// Lines that the target has not had.
    lines: u64,
}

impl<T: Target> ExecSink<T> {
    pub fn new(limits: Limits, target: T, storage: Storage) -> Self {
        Self {
            limits,
            target,
            storage,
            folder: PathBuf::new(),
            temporary: None,
            lock: None,
            spool: Spool::default(),
            lines: 0,
        }
    }

    fn is_plain(&self) -> bool {
        self.lock.is_none()
    }

    fn begin_plain(&mut self) -> Result<(), Error> {
        if !self.is_plain() || self.temporary.is_some() {
            return Ok(());
        }
        // Lines are nobody else's business; without this the umask decides.
        let private = Permissions::from_mode(0o700);
        let made = tempfile::Builder::new().prefix("exec-cat-out-").permissions(private).tempdir();
        let folder = made.map_err(|error| Error::io(std::env::temp_dir().display(), &error))?;
        self.spool = Spool::new(folder.path().join("next").with_extension("epoch"));
        self.temporary = Some(folder);
        Ok(())
    }

    fn ledger_path(&self) -> PathBuf {
        self.folder.join("ledger")
    }

    fn epoch_path(&self, id: &CheckpointId) -> PathBuf {
        self.folder.join(format!("{id}{ENDING}"))
    }

    /// Gives what a run that died had committed, if it is not known to be given.
    fn give_again(&mut self, ledger: &Ledger, id: &CheckpointId) -> Result<(), Error> {
        if ledger.given {
            return Ok(());
        }
        let path = self.epoch_path(id);
        let length = length(&*self.storage.disk, &path).map_err(|error| Error::io(path.display(), &error))?;
        if length != ledger.bytes {
            let bytes = ledger.bytes;
            return Err(Error::data(format_args!("{}: {length} bytes, it should be {bytes}", path.display())));
        }
        self.give(id, ledger.bytes, true)
    }

    /// The epoch is committed: it is the command's turn.
    fn give(&mut self, id: &CheckpointId, bytes: u64, again: bool) -> Result<(), Error> {
        self.target.give(Some(id), &self.epoch_path(id), again)?;
        Ledger::new(id, bytes, true).publish(&*self.storage.disk, &self.ledger_path())
    }

    /// Removes what is not the ledger's: lines that were never committed, or were given.
    fn remove_epochs(&self) -> Result<(), Error> {
        let disk = &*self.storage.disk;
        for name in disk.list(&self.folder).map_err(|error| Error::io(self.folder.display(), &error))? {
            if name.ends_with(ENDING) {
                let path = self.folder.join(name);
                disk.remove(&path).map_err(|error| Error::io(path.display(), &error))?;
            }
        }
        Ok(())
    }

    /// Takes the lock, and brings the command to what is committed.
    fn begin(&mut self, state: &Path) -> Result<Option<CheckpointId>, Error> {
        self.folder = state.join(FOLDER);
        let created = self.storage.disk.create_dir(&self.folder);
        created.map_err(|error| Error::io(self.folder.display(), &error))?;
        self.lock = Some((self.storage.lock)(&self.folder.join("lock"))?);
        let disk = &*self.storage.disk;
        checkpoint::remove_leftovers(disk, &self.folder)?;
        // A run that died at its commit may have left a ledger that is there, but not yet to stay.
        disk.sync_dir(&self.folder).map_err(|error| Error::io(self.folder.display(), &error))?;
        let ledger = Ledger::load(disk, &self.ledger_path())?;
        let id = ledger.as_ref().and_then(Ledger::id);
        if let (Some(ledger), Some(id)) = (&ledger, &id) {
            self.give_again(ledger, id)?;
        }
        self.remove_epochs()?;
        self.spool = Spool::new(self.folder.join(format!("next{ENDING}")));
        Ok(id)
    }

    fn commit_epoch(&mut self, id: &CheckpointId) -> Result<(), Error> {
        let (disk, bytes) = (Arc::clone(&self.storage.disk), self.spool.bytes());
        if self.lines == 0 && !self.limits.gives_empty {
            return Ledger::new(id, 0, true).publish(&*disk, &self.ledger_path());
        }
        let path = self.epoch_path(id);
        self.spool.end(&*disk)?;
        let named = disk.rename(self.spool.path(), &path).and_then(|()| disk.sync_dir(&self.folder));
        named.map_err(|error| Error::io(path.display(), &error))?;
        Ledger::new(id, bytes, false).publish(&*disk, &self.ledger_path())?;
        self.give(id, bytes, false)?;
        disk.remove(&path).map_err(|error| Error::io(path.display(), &error))
    }
}

impl<T: Target> Sink for ExecSink<T> {
    fn line(&mut self, line: &[u8], _out: &mut Out) -> Result<(), Fault> {
        self.begin_plain()?;
        if self.limits.checks_json {
            json_fields::validate(line).map_err(Fault::bad)?;
        }
        if self.spool.bytes() + line.len() as u64 >= self.limits.epoch_bytes_max {
            let most = self.limits.epoch_bytes_max;
            return Err(Error::data(format_args!("an epoch of more than {most} bytes (--max-epoch)"))
                .hint("a shorter --interval at the source makes smaller ones, if there are barriers at all")
                .into());
        }
        self.spool.line(&*self.storage.disk, line)?;
        self.lines += 1;
        Ok(())
    }

    /// A plain stream is given as a whole. In one with checkpoints no line came behind the last barrier: that is the
    /// runtime's rule.
    fn finish(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.is_plain() && (self.lines > 0 || self.limits.gives_empty) {
            self.begin_plain()?;
            self.spool.end(&*self.storage.disk)?;
            self.target.give(None, self.spool.path(), false)?;
            out.settle(std::mem::take(&mut self.lines));
        }
        Ok(())
    }

    fn open(&mut self, hello: &Hello, _out: &mut Out) -> Result<Truth, Fault> {
        // The offsets are in the source's snapshot.
        Ok(Truth { id: self.begin(&hello.state)?, ..Truth::default() })
    }

    fn commit(&mut self, barrier: &Barrier, out: &mut Out) -> Result<(), Fault> {
        self.commit_epoch(&barrier.id)?;
        out.settle(std::mem::take(&mut self.lines));
        Ok(())
    }

    fn target(&self) -> &'static str {
        "command"
    }

    fn is_in_state_folder(&self) -> bool {
        true
    }

    fn held(&self) -> u64 {
        self.lines
    }
}

fn length(disk: &dyn Disk, path: &Path) -> io::Result<u64> {
    io::copy(&mut disk.read(path)?, &mut io::sink())
}
