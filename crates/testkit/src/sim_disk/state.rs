//! What a simulated disk holds, and what a crash leaves of it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

const NO_ENTRY: i32 = 2;
pub const NOT_A_FOLDER: i32 = 20;
const IS_A_FOLDER: i32 = 21;

#[derive(Default)]
pub struct State {
    /// What processes see.
    pub seen: BTreeMap<PathBuf, Node>,
    /// What a crash leaves, together with the first few of `pending` of each folder.
    pub durable: BTreeMap<PathBuf, Node>,
    pending: Vec<Change>,
    pub files: Vec<Content>,
    pub operations: u64,
    failures: Vec<Failure>,
    pub refuses_writes: Option<i32>,
    /// Files that were opened before the last crash cannot be written any more.
    pub crashes: u64,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Node {
    Folder,
    File(usize),
}

/// A change of folders that is not yet durable; atomic.
pub struct Change {
    pub gone: Option<PathBuf>,
    pub put: Option<(PathBuf, Node)>,
}

#[derive(Default)]
pub struct Content {
    pub seen: Vec<u8>,
    pub durable: Vec<u8>,
}

struct Failure {
    at: u64,
    errno: i32,
    /// Nothing works any more after it.
    is_the_end: bool,
}

impl State {
    pub fn plan(&mut self, ahead: u64, errno: i32, is_the_end: bool) {
        let at = self.operations + ahead;
        self.failures.push(Failure { at, errno, is_the_end });
    }

    /// Counts an operation, and says whether it works.
    pub fn operation(&mut self) -> io::Result<()> {
        let this = self.operations;
        self.operations += 1;
        let fails = |failure: &&Failure| failure.at == this || failure.is_the_end && failure.at < this;
        let failure = self.failures.iter().find(fails);
        failure.map_or(Ok(()), |failure| Err(io::Error::from_raw_os_error(failure.errno)))
    }

    pub fn writing(&mut self) -> io::Result<()> {
        self.operation()?;
        self.refuses_writes.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
    }

    pub fn writing_file(&mut self, crashes: u64) -> io::Result<()> {
        self.writing()?;
        if self.crashes == crashes { Ok(()) } else { Err(io::Error::other("opened before the machine crashed")) }
    }

    pub fn file(&self, path: &Path) -> io::Result<usize> {
        match self.seen.get(path) {
            Some(Node::File(file)) => Ok(*file),
            Some(Node::Folder) => Err(io::Error::from_raw_os_error(IS_A_FOLDER)),
            None => Err(io::Error::from_raw_os_error(NO_ENTRY)),
        }
    }

    pub fn folder(&self, path: &Path) -> io::Result<()> {
        match self.seen.get(path) {
            _ if is_root(path) => Ok(()),
            Some(Node::Folder) => Ok(()),
            Some(Node::File(_)) => Err(io::Error::from_raw_os_error(NOT_A_FOLDER)),
            None => Err(io::Error::from_raw_os_error(NO_ENTRY)),
        }
    }

    pub fn open_or_make(&mut self, path: &Path) -> io::Result<usize> {
        if self.seen.contains_key(path) {
            return self.file(path);
        }
        self.folder(path.parent().unwrap())?;
        let file = self.files.len();
        self.files.push(Content::default());
        self.change(Change { gone: None, put: Some((path.to_owned(), Node::File(file))) });
        Ok(file)
    }

    pub fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.pending.push(change);
    }

    /// Makes pending changes durable, in their order.
    pub fn settle(&mut self, mut is_safe: impl FnMut(&Change) -> bool) {
        for change in std::mem::take(&mut self.pending) {
            if is_safe(&change) {
                change.apply(&mut self.durable);
            } else {
                self.pending.push(change);
            }
        }
    }

    pub fn crash(&mut self, seed: u64) {
        let dice = &mut Dice(seed);
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

    pub fn touches(&self, folder: &Path) -> bool {
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
pub fn is_root(path: &Path) -> bool {
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
