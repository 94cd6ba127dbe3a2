//! Writes the metrics file of a stage, from a thread of its own: also while the loop of the stage stands still.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use protocol::{Figures, Waits};
use stream::Error;

use crate::messages;
use crate::running::process::start_ticks;
use crate::running::sheet::Sheet;

/// How often the file is renewed.
const EVERY: Duration = Duration::from_secs(1);

/// At the end of the process the last file is waited for so long; a disk that hangs does not keep a job.
const LAST_WITHIN: Duration = Duration::from_secs(1);

/// Files of dead stages are for people to look at, for a while.
const DEAD_KEPT: Duration = Duration::from_secs(600);

static PUBLISHER: Mutex<Option<Publisher>> = Mutex::new(None);

struct Publisher {
    /// Takes the exit code.
    end: Sender<u8>,
    ended: Receiver<()>,
}

/// Renews `DIR/TOOL.PID.json` from now on, until [`end`].
pub fn begin(dir: &Path, name: &str, sheet: Sheet) {
    let (end, asked_to_end) = bounded(1);
    let (has_ended, ended) = bounded(1);
    let file = MetricsFile::of(dir, name);
    let (dir, name) = (dir.to_owned(), name.to_owned());
    thread::spawn(move || {
        // Not an error: who cannot remove old files may still be able to write its own.
        let _ = remove_dead(&dir, &name, SystemTime::now());
        run(file, sheet, &name, &asked_to_end);
        let _ = has_ended.send(());
    });
    *PUBLISHER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Publisher { end, ended });
}

/// Writes the last file, of a process that ends with this exit code; false when its run has not begun.
pub fn end(code: u8) -> bool {
    let publisher = PUBLISHER.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(publisher) = publisher else { return false };
    let _ = publisher.end.send(code);
    let _ = publisher.ended.recv_timeout(LAST_WITHIN);
    true
}

/// Writes the only file of a process that ends before its run has begun: a flag is wrong, its state is in use.
pub fn end_of_no_run(dir: PathBuf, name: String, code: u8) {
    let (has_ended, ended) = bounded(1);
    thread::spawn(move || {
        let _ = remove_dead(&dir, &name, SystemTime::now());
        let mut sheet = Sheet::new(&name, None, Figures::default(), Waits::default());
        MetricsFile::of(&dir, &name).write(&name, &sheet.json(Some(code)));
        let _ = has_ended.send(());
    });
    let _ = ended.recv_timeout(LAST_WITHIN);
}

fn run(mut file: MetricsFile, mut sheet: Sheet, name: &str, asked_to_end: &Receiver<u8>) {
    let mut next = Instant::now() + EVERY;
    file.write(name, &sheet.json(None));
    loop {
        match asked_to_end.recv_deadline(next) {
            Err(RecvTimeoutError::Timeout) => file.write(name, &sheet.json(None)),
            Ok(code) => return file.write(name, &sheet.json(Some(code))),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        next = (next + EVERY).max(Instant::now());
    }
}

struct MetricsFile {
    path: PathBuf,
    /// It was said that it cannot be written.
    has_warned: bool,
}

impl MetricsFile {
    fn of(dir: &Path, name: &str) -> Self {
        Self { path: dir.join(format!("{name}.{}.json", std::process::id())), has_warned: false }
    }

    /// No job stops for its metrics: they are written again each second, and that they cannot be is said once.
    fn write(&mut self, name: &str, object: &serde_json::Value) {
        if let Err(error) = write_whole(&self.path, object.to_string().as_bytes())
            && !std::mem::replace(&mut self.has_warned, true)
        {
            messages::warn(name, &format!("no metrics (--metrics, MILLPIPE_METRICS): {}", error.message));
        }
    }
}

/// A reader sees the old file or the new one, never half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|error| Error::io(dir.display(), &error))?;
    }
    let draft = path.with_extension("json.new");
    let written = fs::write(&draft, [bytes, b"\n"].concat()).and_then(|()| fs::rename(&draft, path));
    written.map_err(|error| {
        // Half a file on a full disk is room that is missing there.
        let _ = fs::remove_file(&draft);
        Error::io(path.display(), &error)
    })
}

/// Removes files of the same tool whose processes have ended a while ago.
fn remove_dead(dir: &Path, name: &str, now: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let file = entry.file_name();
        let Some(rest) = file.to_str().and_then(|file| file.strip_prefix(name)?.strip_prefix('.')) else { continue };
        let Some(pid) = rest.split('.').next().and_then(|pid| pid.parse::<u32>().ok()) else { continue };
        let age =
            entry.metadata().and_then(|file| file.modified()).map(|at| now.duration_since(at).unwrap_or_default());
        // Of a later process with the same number the file is young.
        if start_ticks(pid).is_none() && age.is_ok_and(|age| age >= DEAD_KEPT) {
            // Another stage that begins now may have removed it.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_dead_stages_of_this_tool_go_after_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let alive = format!("window.{}.json", std::process::id());
        let dead = "window.4294967295.json";
        for file in
            [alive.as_str(), dead, "window.4294967295.json.new", "filter.4294967295.json", "window.txt", "other"]
        {
            fs::write(dir.path().join(file), "").unwrap();
        }
        let names = || {
            let mut names: Vec<String> =
                fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        remove_dead(dir.path(), "window", SystemTime::now()).unwrap();
        assert_eq!(names().len(), 6, "they are young");
        remove_dead(dir.path(), "window", SystemTime::now() + DEAD_KEPT * 2).unwrap();
        assert_eq!(names(), ["filter.4294967295.json", "other", alive.as_str(), "window.txt"]);
    }
}
