//! The folder of the metrics files.

use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use millpipe::Error;

use crate::clock::ms_of;
use crate::facts::Facts;
use crate::machine::stage::KEPT_MS;

/// A longer file is not of a stage.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// More files are not read: a look is to take less than a second.
const FILES_MAX: usize = 50_000;

/// Of so many files it is told why they are passed over; the others are counted.
const TOLD_MAX: usize = 3;

/// What is in the folder.
#[derive(Debug, Default)]
pub struct Folder {
    pub files: Vec<MetricsFile>,
    pub passed_over: PassedOver,
}

/// A file and when it was written.
#[derive(Debug)]
pub struct MetricsFile {
    pub facts: Facts,
    pub written_ms: i64,
}

/// Files that are not of a stage, or not whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// Of the first ones their name and why, in the order of names.
    pub told: Vec<(String, String)>,
    pub count: usize,
}

impl Folder {
    /// Reads all files of stages that run, or that have ended within ten minutes. `is_alive` knows processes.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn read(dir: &Path, now_ms: i64, is_alive: impl Fn(u32) -> bool) -> Result<Self, Error> {
        let entries = fs::read_dir(dir).map_err(|error| unreadable(dir, &error))?;
        let mut folder = Self::default();
        let mut refused = Vec::new();
        for entry in entries.flatten().filter(is_metrics).take(FILES_MAX) {
            match read(&entry, now_ms, &is_alive) {
                Ok(file) => folder.files.extend(file),
                Err(why) => refused.push((entry.file_name().to_string_lossy().into_owned(), why)),
            }
        }
        refused.sort();
        folder.passed_over.count = refused.len();
        refused.truncate(TOLD_MAX);
        folder.passed_over.told = refused;
        Ok(folder)
    }
}

impl PassedOver {
    /// A line for each file that is told, and one for the rest.
    pub fn lines(&self) -> Vec<String> {
        let told = self.told.iter().map(|(name, why)| format!("{name} is passed over: {why}"));
        let rest = self.count - self.told.len();
        let rest = (rest > 0).then(|| format!("{rest} more files are passed over"));
        told.chain(rest).collect()
    }
}

fn unreadable(dir: &Path, error: &io::Error) -> Error {
    let hint = match error.kind() {
        ErrorKind::NotFound => "MILLPIPE_METRICS=DIR, set before a pipeline starts, makes its stages write there",
        ErrorKind::PermissionDenied => "it is of another user: run pipes as that user, or let its group read it",
        _ => return Error::io(dir.display(), error),
    };
    Error::io(dir.display(), error).hint(hint)
}

/// `TOOL.PID.json`. Drafts (`.json.new`) and files of other programs are none of ours.
fn is_metrics(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().ends_with(b".json")
}

/// Nothing for a file that has gone meanwhile, and for one of a stage that is long dead.
fn read(entry: &DirEntry, now_ms: i64, is_alive: impl Fn(u32) -> bool) -> Result<Option<MetricsFile>, String> {
    let Ok(metadata) = entry.metadata() else { return Ok(None) };
    let modified_ms = metadata.modified().map(ms_of).unwrap_or_default();
    let name = entry.file_name();
    let pid = name.to_str().and_then(|name| name.strip_suffix(".json")?.rsplit('.').next()?.parse().ok());
    if now_ms.saturating_sub(modified_ms) > KEPT_MS && !pid.is_some_and(is_alive) {
        return Ok(None);
    }
    // One read takes all of it, and a second one sees its end.
    let mut text = Vec::with_capacity(usize::try_from(metadata.len().min(FILE_BYTES_MAX)).unwrap_or_default() + 1);
    match File::open(entry.path()).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)) {
        Ok(bytes) if bytes as u64 > FILE_BYTES_MAX => return Err("it is larger than 1MiB".to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("it cannot be read", &error).message),
    }
    let facts = Facts::parse(&text)?;
    let written_ms = facts.written.unwrap_or(modified_ms);
    Ok(Some(MetricsFile { facts, written_ms }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::now_ms;

    const LATER: i64 = 4_000_000_000_000;

    #[test]
    fn what_is_not_whole_is_told_and_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("window.7.json", r#"{"stage":"window","pid":7,"written":"2096-10-02T07:06:40Z"}"#);
        write("window.7.json.new", "{");
        write("notes.txt", "hello");
        write("a.1.json", r#"{"stage":"a","#);
        write("b.json", "{}");
        write("c.json", "");
        write("d.json", "[1]");
        fs::create_dir(dir.path().join("e.json")).unwrap();
        let folder = Folder::read(dir.path(), now_ms(), |_| true).unwrap();
        assert_eq!(folder.files.len(), 1);
        assert_eq!(folder.files[0].written_ms, LATER);
        assert_eq!(folder.passed_over.count, 5);
        let lines = folder.passed_over.lines();
        assert_eq!(lines[0], "a.1.json is passed over: it is not whole");
        assert_eq!(lines[1], "b.json is passed over: it is not of a stage: it names no stage and no pid");
        assert_eq!(lines[3], "2 more files are passed over");
    }

    #[test]
    fn files_of_long_dead_stages_are_not_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("window.7.json"), r#"{"stage":"window","pid":7}"#).unwrap();
        let read = |alive: bool| Folder::read(dir.path(), LATER, |pid| alive && pid == 7).unwrap().files.len();
        assert_eq!((read(true), read(false)), (1, 0));
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_with_what_makes_one() {
        let error = Folder::read(Path::new("no/such"), LATER, |_| true).unwrap_err();
        assert_eq!(error.message, "no/such: No such file or directory");
        assert!(error.hint.is_some_and(|hint| hint.contains("MILLPIPE_METRICS")));
    }
}
