//! What `file-cat-out` has written to the simulated disk, and its locks.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use checkpoint::{Disk, Storage};
use clap::Parser;
use file_cat_out::FileSink;
use serde_json::Value;
use stream::{Error, Mark, MarkKind};
use testkit::SimDisk;

use crate::judge::{Judge, essence};
use crate::process::{Process, World, locked};

const LINES: &str = "/out/lines";
const REJECTS: &str = "/out/rejects";

/// Output files.
pub struct Files {
    world: Arc<World>,
    disk: SimDisk,
    flags: &'static str,
    judge: Arc<Mutex<Judge>>,
    /// Parts that have been visible, and what was in them.
    parts: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
    locks: Arc<Mutex<BTreeMap<PathBuf, Arc<Process>>>>,
}

/// A lock of a process, until it is dropped or the process is dead.
struct Held {
    path: PathBuf,
    locks: Arc<Mutex<BTreeMap<PathBuf, Arc<Process>>>>,
    process: Arc<Process>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut locks = locked(&self.locks);
        if locks.get(&self.path).is_some_and(|holder| Arc::ptr_eq(holder, &self.process)) {
            locks.remove(&self.path);
        }
    }
}

impl Files {
    pub fn new(world: &Arc<World>, disk: &SimDisk, flags: &'static str, judge: Arc<Mutex<Judge>>) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            disk: disk.clone(),
            flags,
            judge,
            parts: Mutex::default(),
            locks: Arc::default(),
        })
    }

    pub fn flags(&self) -> &'static str {
        self.flags
    }

    /// The real sink, on one process's way to the disk.
    ///
    /// # Errors
    /// Flags that make no sense.
    pub fn sink(&self, process: &Arc<Process>, disk: Arc<dyn Disk>) -> Result<FileSink, Error> {
        let cli = file_cat_out::cli::Cli::parse_from(self.flags.split_whitespace());
        let (locks, process) = (Arc::clone(&self.locks), Arc::clone(process));
        let lock = move |path: &Path| -> Result<Box<dyn Send>, checkpoint::Error> {
            process.step().map_err(|error| checkpoint::Error::io(path, error))?;
            let mut held = locked(&locks);
            if let Some(holder) = held.get(path).filter(|holder| !holder.is_dead()) {
                return Err(checkpoint::Error::InUse { path: path.to_owned(), pid: holder.pid.to_string() });
            }
            held.insert(path.to_owned(), Arc::clone(&process));
            Ok(Box::new(Held { path: path.to_owned(), locks: Arc::clone(&locks), process: Arc::clone(&process) }))
        };
        FileSink::new(&cli, Storage { disk, lock: Box::new(lock) })
    }

    /// Something has got its name: is it a part, and is it right?
    pub fn renamed(&self, path: &Path) {
        if !self.is_part(path) {
            return;
        }
        let content = self.content(path);
        let known = locked(&self.parts).insert(path.to_owned(), content.clone());
        match known {
            Some(known) if known != content => {
                self.world.is_wrong(format_args!("{} has changed since it was visible", path.display()));
            }
            Some(_) => {}
            None => self.take(path.starts_with(REJECTS), &content),
        }
    }

    fn is_part(&self, path: &Path) -> bool {
        let is_visible = !path.iter().any(|part| part.to_string_lossy().starts_with('.'));
        let is_single = self.flags.contains("--single");
        is_visible && !is_single && (path.starts_with(LINES) || path.starts_with(REJECTS))
    }

    fn take(&self, are_rejects: bool, content: &[u8]) {
        let lines: Vec<Vec<u8>> = lines_of(content);
        self.world.count(|tally| {
            tally.commits += 1;
            tally.lines_committed += lines.len() as u64;
        });
        let mut judge = locked(&self.judge);
        let taken = if are_rejects {
            judge.take(&[], &lines.iter().map(|line| essence_of(line)).collect::<Vec<_>>())
        } else {
            judge.take(&lines, &[])
        };
        if let Err(why) = taken {
            self.world.is_wrong(why);
        }
    }

    fn content(&self, path: &Path) -> Vec<u8> {
        let mut content = Vec::new();
        let read = self.disk.read(path).and_then(|mut file| file.read_to_end(&mut content));
        if let Err(error) = read
            && error.kind() != std::io::ErrorKind::NotFound
        {
            self.world.is_wrong(format_args!("{}: {error}", path.display()));
        }
        content
    }

    /// As [`crate::target::Target::is_complete`].
    ///
    /// # Errors
    /// What is missing, or what should not be there.
    pub fn is_complete(&self) -> Result<(), String> {
        if self.flags.contains("--single") {
            let mut judge = locked(&self.judge);
            let rejects: Vec<_> =
                lines_of(&self.content(Path::new(REJECTS))).iter().map(|line| essence_of(line)).collect();
            judge.take(&lines_of(&self.content(Path::new(LINES))), &rejects)?;
            return judge.is_complete();
        }
        for (path, content) in locked(&self.parts).iter() {
            if self.content(path) != *content {
                return Err(format!("{} was visible, and has gone", path.display()));
            }
        }
        locked(&self.judge).is_complete()
    }
}

fn lines_of(content: &[u8]) -> Vec<Vec<u8>> {
    content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// A kept reject is a reject mark without its `$`.
fn essence_of(line: &[u8]) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_slice(line) else {
        return String::from_utf8_lossy(line).into_owned();
    };
    essence(&fields.into_iter().fold(Mark::new(MarkKind::Reject), |mark, (name, value)| mark.with(&name, value)))
}
