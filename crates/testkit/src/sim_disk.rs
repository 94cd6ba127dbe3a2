//! A disk in memory that forgets in a crash what was not synced, and fails when it is told to.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use checkpoint::{Disk, DiskFile};

/// The system's numbers for what can go wrong.
pub const INPUT_OUTPUT_ERROR: i32 = 5;
pub const NO_SPACE: i32 = 28;
pub const READ_ONLY: i32 = 30;
const NO_ENTRY: i32 = 2;
const NOT_A_FOLDER: i32 = 20;
const IS_A_FOLDER: i32 = 21;

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

#[derive(Default)]
struct State {
    /// What processes see.
    seen: BTreeMap<PathBuf, Node>,
    /// What a crash leaves, together with the first few of `pending` of each folder.
    durable: BTreeMap<PathBuf, Node>,
    pending: Vec<Change>,
    files: Vec<Content>,
    operations: u64,
    failures: Vec<Failure>,
    refuses_writes: Option<i32>,
    /// Files that were opened before the last crash cannot be written any more.
    crashes: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Node {
    Folder,
    File(usize),
}

/// A change of folders that is not yet durable; atomic.
struct Change {
    gone: Option<PathBuf>,
    put: Option<(PathBuf, Node)>,
}

#[derive(Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
}

struct Failure {
    at: u64,
    errno: i32,
    /// Nothing works any more after it.
    is_the_end: bool,
}

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
        self.state().crash(&mut Dice(seed));
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

impl State {
    fn plan(&mut self, ahead: u64, errno: i32, is_the_end: bool) {
        let at = self.operations + ahead;
        self.failures.push(Failure { at, errno, is_the_end });
    }

    /// Counts an operation, and says whether it works.
    fn operation(&mut self) -> io::Result<()> {
        let this = self.operations;
        self.operations += 1;
        let fails = |failure: &&Failure| failure.at == this || failure.is_the_end && failure.at < this;
        let failure = self.failures.iter().find(fails);
        failure.map_or(Ok(()), |failure| Err(io::Error::from_raw_os_error(failure.errno)))
    }

    fn writing(&mut self) -> io::Result<()> {
        self.operation()?;
        self.refuses_writes.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
    }

    fn writing_file(&mut self, crashes: u64) -> io::Result<()> {
        self.writing()?;
        if self.crashes == crashes { Ok(()) } else { Err(io::Error::other("opened before the machine crashed")) }
    }

    fn file(&self, path: &Path) -> io::Result<usize> {
        match self.seen.get(path) {
            Some(Node::File(file)) => Ok(*file),
            Some(Node::Folder) => Err(io::Error::from_raw_os_error(IS_A_FOLDER)),
            None => Err(io::Error::from_raw_os_error(NO_ENTRY)),
        }
    }

    fn folder(&self, path: &Path) -> io::Result<()> {
        match self.seen.get(path) {
            _ if is_root(path) => Ok(()),
            Some(Node::Folder) => Ok(()),
            Some(Node::File(_)) => Err(io::Error::from_raw_os_error(NOT_A_FOLDER)),
            None => Err(io::Error::from_raw_os_error(NO_ENTRY)),
        }
    }

    fn open_or_make(&mut self, path: &Path) -> io::Result<usize> {
        if self.seen.contains_key(path) {
            return self.file(path);
        }
        self.folder(path.parent().unwrap())?;
        let file = self.files.len();
        self.files.push(Content::default());
        self.change(Change { gone: None, put: Some((path.to_owned(), Node::File(file))) });
        Ok(file)
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.pending.push(change);
    }

    /// Makes pending changes durable, in their order.
    fn settle(&mut self, mut is_safe: impl FnMut(&Change) -> bool) {
        for change in std::mem::take(&mut self.pending) {
            if is_safe(&change) {
                change.apply(&mut self.durable);
            } else {
                self.pending.push(change);
            }
        }
    }

    fn crash(&mut self, dice: &mut Dice) {
        let mut survivors = BTreeMap::new();
        for change in &self.pending {
            *survivors.entry(change.folder().to_owned()).or_insert(0) += 1;
        }
        survivors.values_mut().for_each(|count| *count = dice.up_to(*count));
        self.settle(|change| {
            let left = survivors.get_mut(change.folder()).unwrap();
            let survives = *left > 0;
            *left -= usize::from(survives);
            survives
        });
        self.pending.clear();
        self.files.iter_mut().for_each(|content| content.crash(dice));
        self.seen.clone_from(&self.durable);
        self.failures.clear();
        self.crashes += 1;
    }
}

impl Change {
    fn apply(&self, entries: &mut BTreeMap<PathBuf, Node>) {
        if let Some(path) = &self.gone {
            entries.remove(path);
        }
        if let Some((path, node)) = &self.put {
            entries.insert(path.clone(), *node);
        }
    }

    /// The folder whose sync, in the order of its changes, makes this durable at the latest.
    fn folder(&self) -> &Path {
        let path = self.put.as_ref().map(|(path, _)| path).or(self.gone.as_ref());
        path.and_then(|path| path.parent()).unwrap()
    }

    fn touches(&self, folder: &Path) -> bool {
        let is_in = |path: &PathBuf| path.parent() == Some(folder);
        self.gone.as_ref().is_some_and(is_in) || self.put.as_ref().is_some_and(|(path, _)| is_in(path))
    }
}

impl Content {
    /// What was synced is safe; of what was written since, anything may have come to the disk: nothing, all, the
    /// first part, or the length with zeros where the bytes should be.
    fn crash(&mut self, dice: &mut Dice) {
        let same = self.seen.iter().zip(&self.durable).take_while(|(seen, durable)| seen == durable).count();
        let written = same + dice.up_to(self.seen.len() - same);
        match dice.up_to(3) {
            _ if self.seen == self.durable => {}
            0 => self.seen.clone_from(&self.durable),
            1 => {}
            2 => self.seen.truncate(written),
            _ => self.seen[written..].fill(0),
        }
        self.durable.clone_from(&self.seen);
    }
}

/// The top of the tree is always there.
fn is_root(path: &Path) -> bool {
    path.parent().is_none() || path.as_os_str().is_empty()
}

/// Numbers from a seed: SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    /// One of `0..=max`.
    fn up_to(&mut self, max: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bound = max as u64 + 1;
        usize::try_from((mixed ^ (mixed >> 31)) % bound).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const FILE: &str = "/dir/file";

    fn disk() -> SimDisk {
        let disk = SimDisk::new();
        disk.create_dir(Path::new("/dir")).unwrap();
        disk
    }

    fn text(disk: &SimDisk, path: &str) -> io::Result<String> {
        let mut bytes = Vec::new();
        disk.read(Path::new(path))?.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What a crash after this leaves of the file, over many seeds.
    fn left(path: &str, before: impl Fn(&SimDisk)) -> BTreeSet<Option<String>> {
        let left = |seed| {
            let disk = disk();
            before(&disk);
            disk.crash(seed);
            text(&disk, path).ok()
        };
        (0..200).map(left).collect()
    }

    fn some(texts: &[&str]) -> BTreeSet<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn what_was_synced_stays() {
        let left = left(FILE, |disk| {
            let mut file = disk.write(Path::new(FILE), 0).unwrap();
            file.write_all(b"ab").unwrap();
            file.sync().unwrap();
            disk.sync_dir(Path::new("/dir")).unwrap();
        });
        assert_eq!(left, some(&["ab"]));
    }

    #[test]
    fn bytes_that_were_not_synced_are_lost_in_part() {
        let left = left(FILE, |disk| {
            let mut file = disk.write(Path::new(FILE), 0).unwrap();
            file.write_all(b"a").unwrap();
            file.sync().unwrap();
            disk.sync_dir(Path::new("/dir")).unwrap();
            file.write_all(b"bc").unwrap();
        });
        assert_eq!(left, some(&["a", "ab", "abc", "ab\0", "a\0\0"]));
    }

    #[test]
    fn a_file_that_was_cut_may_be_whole_again() {
        let left = left(FILE, |disk| {
            let mut file = disk.write(Path::new(FILE), 0).unwrap();
            file.write_all(b"abc").unwrap();
            file.sync().unwrap();
            disk.sync_dir(Path::new("/dir")).unwrap();
            disk.write(Path::new(FILE), 1).unwrap();
        });
        assert_eq!(left, some(&["a", "abc"]));
    }

    #[test]
    fn a_rename_without_a_sync_of_the_folder_may_be_lost_but_not_half_of_it() {
        let replace = |disk: &SimDisk| {
            for (content, sync) in [("old", true), ("new", false)] {
                let mut file = disk.write(Path::new("/dir/.tmp"), 0).unwrap();
                file.write_all(content.as_bytes()).unwrap();
                file.sync().unwrap();
                disk.rename(Path::new("/dir/.tmp"), Path::new(FILE)).unwrap();
                if sync {
                    disk.sync_dir(Path::new("/dir")).unwrap();
                }
            }
        };
        assert_eq!(left(FILE, replace), some(&["old", "new"]));
        assert_eq!(left("/dir/.tmp", replace), [None, Some("new".to_owned())].into());
    }

    #[test]
    fn a_removal_without_a_sync_may_be_undone() {
        let left = left(FILE, |disk| {
            disk.write(Path::new(FILE), 0).unwrap().sync().unwrap();
            disk.sync_dir(Path::new("/dir")).unwrap();
            disk.remove(Path::new(FILE)).unwrap();
            assert!(!disk.exists(Path::new(FILE)).unwrap());
        });
        assert_eq!(left, [None, Some(String::new())].into());
    }

    #[test]
    fn operations_fail_when_they_are_told_to() {
        let disk = disk();
        let mut file = disk.write(Path::new(FILE), 0).unwrap();
        disk.fail(1, NO_SPACE);
        file.write_all(b"ab").unwrap();
        assert_eq!(file.write_all(b"cdef").unwrap_err().raw_os_error(), Some(NO_SPACE));
        file.write_all(b"g").unwrap();
        assert_eq!(text(&disk, FILE).unwrap(), "abcdg");
        disk.refuse_writes(Some(READ_ONLY));
        assert_eq!(disk.remove(Path::new(FILE)).unwrap_err().raw_os_error(), Some(READ_ONLY));
        assert!(disk.exists(Path::new(FILE)).unwrap());
        disk.refuse_writes(None);
        disk.stop(0);
        for _ in 0..3 {
            assert!(disk.exists(Path::new(FILE)).is_err());
        }
        disk.crash(1);
        disk.exists(Path::new(FILE)).unwrap();
        assert!(file.write_all(b"x").is_err(), "opened before the crash");
    }

    #[test]
    fn whoever_waits_lets_others_work() {
        let disk = disk();
        let other = disk.clone();
        disk.on_pause(move || drop(other.write(Path::new(FILE), 0).unwrap()));
        assert!(!disk.exists(Path::new(FILE)).unwrap());
        disk.pause();
        assert!(disk.exists(Path::new(FILE)).unwrap());
    }
}
