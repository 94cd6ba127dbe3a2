//! The simulated disk as one process sees it: every operation is a step at which anything else may come first.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use checkpoint::{Disk, DiskFile};
use testkit::{INPUT_OUTPUT_ERROR, NO_SPACE, SimDisk};

use crate::broken::Broken;
use crate::coroutine::Wait;
use crate::files::Files;
use crate::process::Process;

/// The state folder of all schedules.
pub const STATE: &str = "/state";

/// One process's way to the disk.
#[derive(Clone)]
pub struct DiskView {
    process: Arc<Process>,
    disk: Arc<dyn Disk>,
    broken: Option<Broken>,
    /// Told of what gets its name, where output is on the disk too.
    files: Option<Arc<Files>>,
}

struct FileView {
    view: DiskView,
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl DiskView {
    pub fn new(process: &Arc<Process>, disk: &SimDisk, broken: Option<Broken>, files: Option<Arc<Files>>) -> Self {
        Self { process: Arc::clone(process), disk: Arc::new(disk.clone()), broken, files }
    }

    fn look(&self, what: &str, path: &Path) -> io::Result<()> {
        self.process.step()?;
        self.process.tell(|| format!("{what} {}", path.display()));
        match self.process.world.disk_fails_in.fetch_sub(1, Relaxed) {
            0 => self.fail(INPUT_OUTPUT_ERROR),
            _ => Ok(()),
        }
    }

    fn fail(&self, errno: i32) -> io::Result<()> {
        let error = io::Error::from_raw_os_error(errno);
        self.process.tell(|| format!("fails: {error}"));
        self.process.world.count(|tally| tally.disk_errors += 1);
        Err(error)
    }

    /// An operation that can fail for want of space.
    fn change(&self, what: &str, path: &Path) -> io::Result<()> {
        self.look(what, path)?;
        if self.process.world.disk_is_full.load(Relaxed) { self.fail(NO_SPACE) } else { Ok(()) }
    }

    /// Temporary names carry the process's number, which here is the simulated one's.
    fn own(&self, path: &Path) -> PathBuf {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let real = format!(".tmp-{}-", std::process::id());
        match name.strip_prefix(&real) {
            Some(rest) => path.with_file_name(format!(".tmp-{}-{rest}", self.process.pid)),
            None => path.to_owned(),
        }
    }

    /// The rule that is broken by [`Broken::Prune`].
    fn prune_too_early(&self, snapshot: &Path) -> io::Result<()> {
        let run_of = |name: &str| name.split_once('.').map(|(run, _)| run.to_owned());
        let own = snapshot.file_name().and_then(|name| run_of(&name.to_string_lossy()));
        let (Some(folder), Some(own)) = (snapshot.parent(), own) else { return Ok(()) };
        for name in self.disk.list(folder)? {
            if name.ends_with(".ndjson") && run_of(&name).is_some_and(|run| run < own) {
                self.disk.remove(&folder.join(name))?;
            }
        }
        Ok(())
    }
}

impl Disk for DiskView {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.change("make folder", path)?;
        self.disk.create_dir(path)
    }

    fn write(&self, path: &Path, keep: u64) -> io::Result<Box<dyn DiskFile>> {
        let path = self.own(path);
        self.change("open for writing", &path)?;
        let file = self.disk.write(&path, keep)?;
        Ok(Box::new(FileView { view: self.clone(), path, file }))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.look("read", path)?;
        self.disk.read(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.look("look for", path)?;
        self.disk.exists(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.look("list", path)?;
        self.disk.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let from = self.own(from);
        self.change("rename to", to)?;
        self.disk.rename(&from, to)?;
        if let Some(files) = &self.files {
            files.renamed(to);
        }
        let is_snapshot = to.starts_with(STATE) && to.extension().is_some_and(|end| end == "ndjson");
        if self.broken == Some(Broken::Prune) && is_snapshot {
            self.prune_too_early(to)?;
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let path = self.own(path);
        self.look("remove", &path)?;
        self.disk.remove(&path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.look("sync folder", path)?;
        if self.broken == Some(Broken::FolderSync) { Ok(()) } else { self.disk.sync_dir(path) }
    }

    fn pause(&self) {
        self.process.wait(Wait::until(self.process.world.now_ms() + 1));
    }
}

impl Write for FileView {
    /// Seldom all at once, so that a kill can leave a piece.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.view.change("write", &self.path)?;
        let count = {
            let mut dice = self.view.process.world.dice();
            if dice.one_in(2) { bytes.len() } else { dice.between(1, bytes.len().max(1)).min(bytes.len()) }
        };
        self.file.write_all(&bytes[..count])?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for FileView {
    fn sync(&mut self) -> io::Result<()> {
        self.view.change("sync", &self.path)?;
        if self.view.broken == Some(Broken::FileSync) { Ok(()) } else { self.file.sync() }
    }
}
