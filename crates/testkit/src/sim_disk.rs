//! A disk in memory that forgets in a crash what was not synced, and fails when it is told to.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use checkpoint::{Disk, DiskFile};

use state::{Change, NOT_A_FOLDER, Node, State, is_root};

mod state;

/// The system's numbers for what can go wrong.
pub const INPUT_OUTPUT_ERROR: i32 = 5;
pub const NO_SPACE: i32 = 28;
pub const READ_ONLY: i32 = 30;

/// A simulated disk; clones are the same disk.
///
/// A crash of a process loses nothing: only drop the process. A crash of the machine ([`SimDisk::crash`]) keeps of each
/// file what was synced and an arbitrary part of the rest, and of each folder's changes since its last sync the
/// first few.
#[derive(Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    on_pause: Arc<Mutex<Option<Hook>>>,
}

type Hook = Box<dyn FnMut() + Send>;

struct SimFile {
    state: Arc<Mutex<State>>,
    file: usize,
    crashes: u64,
}

impl SimDisk {
    pub fn new() -> Self {
        Self::default()
    }

    /// The machine stops and starts again: what was not synced is lost, or in part, as the seed will have it.
    pub fn crash(&self, seed: u64) {
        self.state().crash(seed);
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Makes a single operation fail, `ahead` operations from now; 0 is the next one.
    pub fn fail(&self, ahead: u64, errno: i32) {
        self.state().plan(ahead, errno, false);
    }

    /// From then on, `ahead` operations from now, nothing works until [`SimDisk::crash`].
    pub fn stop(&self, ahead: u64) {
        self.state().plan(ahead, INPUT_OUTPUT_ERROR, true);
    }

    /// Whatever changes something fails with this, until told otherwise: a full disk, one that is read-only.
    pub fn refuse_writes(&self, errno: Option<i32>) {
        self.state().refuses_writes = errno;
    }

    /// What happens when somebody waits.
    pub fn on_pause(&self, hook: impl FnMut() + Send + 'static) {
        *self.hook() = Some(Box::new(hook));
    }

    /// Changes what is in a file, durably: bytes that rot.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let file = state.file(path).unwrap();
        change(&mut state.files[file].seen);
        state.files[file].durable = state.files[file].seen.clone();
    }

    /// All files, as processes see them. This is no operation: it never fails.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.state();
        let content = |(path, node): (&PathBuf, &Node)| match node {
            Node::Folder => None,
            Node::File(file) => Some((path.clone(), state.files[*file].seen.clone())),
        };
        state.seen.iter().filter_map(content).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hook(&self) -> MutexGuard<'_, Option<Hook>> {
        self.on_pause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if state.folder(path).is_ok() {
            return Ok(());
        }
        state.writing()?;
        let all: Vec<_> = path.ancestors().filter(|path| !is_root(path)).map(Path::to_owned).collect();
        for path in all.into_iter().rev() {
            if let Some(Node::File(_)) = state.seen.insert(path.clone(), Node::Folder) {
                return Err(io::Error::from_raw_os_error(NOT_A_FOLDER));
            }
            state.durable.insert(path, Node::Folder);
        }
        Ok(())
    }

    fn write(&self, path: &Path, keep: u64) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.writing()?;
        let file = state.open_or_make(path)?;
        let content = &mut state.files[file].seen;
        let keep = usize::try_from(keep).unwrap();
        if content.len() < keep {
            return Err(io::Error::other(format!("{} bytes where at least {keep} should be", content.len())));
        }
        content.truncate(keep);
        Ok(Box::new(SimFile { state: Arc::clone(&self.state), file, crashes: state.crashes }))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let mut state = self.state();
        state.operation()?;
        let file = state.file(path)?;
        Ok(Box::new(Cursor::new(state.files[file].seen.clone())))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let mut state = self.state();
        state.operation()?;
        Ok(state.seen.contains_key(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.operation()?;
        let names = state.seen.keys().filter(|entry| entry.parent() == Some(path));
        Ok(names.map(|entry| entry.file_name().unwrap().to_string_lossy().into_owned()).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.writing()?;
        let file = state.file(from)?;
        state.folder(to.parent().unwrap())?;
        state.change(Change { gone: Some(from.to_owned()), put: Some((to.to_owned(), Node::File(file))) });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.writing()?;
        state.file(path)?;
        state.change(Change { gone: Some(path.to_owned()), put: None });
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.writing()?;
        state.folder(path)?;
        state.settle(|change| change.touches(path));
        Ok(())
    }

    fn pause(&self) {
        // Taken out, so that the hook itself may wait.
        let hook = self.hook().take();
        if let Some(mut hook) = hook {
            hook();
            self.hook().get_or_insert(hook);
        }
    }
}

impl Write for SimFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let allowed = state.writing_file(self.crashes);
        // A write that fails has written something.
        let written = if allowed.is_ok() { bytes.len() } else { bytes.len() / 2 };
        if state.crashes == self.crashes {
            state.files[self.file].seen.extend_from_slice(&bytes[..written]);
        }
        allowed.map(|()| written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.writing_file(self.crashes)?;
        let content = &mut state.files[self.file];
        content.durable.clone_from(&content.seen);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
