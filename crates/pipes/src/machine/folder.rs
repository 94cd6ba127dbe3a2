//! The folder of the metrics files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirEntry, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::str;
use std::sync::Arc;

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
#[derive(Clone, Debug)]
pub struct MetricsFile {
    pub facts: Arc<Facts>,
    pub written_ms: i64,
}

/// The files of the last look by name: those of dead stages stay as they are, and are not read again.
#[derive(Debug, Default)]
pub struct Known(BTreeMap<OsString, (Version, MetricsFile)>);

/// A file is written anew in the place of the old one: then it is another one, or has another time or length.
type Version = [i64; 4];

fn version(metadata: &Metadata) -> Version {
    [metadata.ino().cast_signed(), metadata.mtime(), metadata.mtime_nsec(), metadata.size().cast_signed()]
}

/// Files that are not of a stage, or not whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// Of the first ones their name and why, in the order of names.
    pub told: Vec<(String, String)>,
    pub count: usize,
    /// There are more files than are read.
    pub is_cut: bool,
}

impl Folder {
    /// Reads all files of stages that run, or that have ended within ten minutes. `is_alive` knows processes; `known` is what the last
    /// look has left, and what this one leaves.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn read(dir: &Path, now_ms: i64, is_alive: impl Fn(u32) -> bool, known: &mut Known) -> Result<Self, Error> {
        let entries = fs::read_dir(dir).map_err(|error| unreadable(dir, &error))?;
        let mut folder = Self::default();
        let mut refused = Vec::new();
        let mut before = std::mem::take(known);
        let mut text = Vec::new();
        for (at, entry) in entries.flatten().filter(is_metrics).enumerate() {
            if at == FILES_MAX {
                folder.passed_over.is_cut = true;
                break;
            }
            let name = entry.file_name();
            let Some(metadata) = is_wanted(&entry, now_ms, &is_alive) else { continue };
            let version = version(&metadata);
            let same = before.0.remove(&name).filter(|(known, _)| *known == version).map(|(_, file)| file);
            match same.map_or_else(|| read(&entry, &metadata, &mut text), |file| Ok(Some(file))) {
                Ok(Some(file)) => {
                    folder.files.push(file.clone());
                    known.0.insert(name, (version, file));
                }
                Ok(None) => {}
                Err(why) => refused.push((name.to_string_lossy().into_owned(), why)),
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
        let cut = self.is_cut.then(|| format!("of the folder the first {FILES_MAX} files are read"));
        told.chain(rest).chain(cut).collect()
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
fn is_wanted(entry: &DirEntry, now_ms: i64, is_alive: impl Fn(u32) -> bool) -> Option<Metadata> {
    let metadata = entry.metadata().ok()?;
    if now_ms.saturating_sub(modified_ms(&metadata)) <= KEPT_MS {
        return Some(metadata);
    }
    let pid = entry.file_name().to_str()?.strip_suffix(".json")?.rsplit('.').next()?.parse().ok()?;
    is_alive(pid).then_some(metadata)
}

fn modified_ms(metadata: &Metadata) -> i64 {
    metadata.modified().map(ms_of).unwrap_or_default()
}

/// Nothing for a file that has gone meanwhile. `text` is room for what is read.
fn read(entry: &DirEntry, metadata: &Metadata, text: &mut Vec<u8>) -> Result<Option<MetricsFile>, String> {
    // An opened FIFO would wait for its writer.
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    match File::open(entry.path()).and_then(|file| read_whole(file, metadata.len(), text)) {
        Ok(bytes) if bytes as u64 > FILE_BYTES_MAX => return Err("it is larger than 1MiB".to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("it cannot be read", &error).message),
    }
    let facts = Facts::parse(str::from_utf8(text).map_err(|error| not_utf8(&error))?)?;
    let written_ms = facts.written.unwrap_or_else(|| modified_ms(metadata));
    Ok(Some(MetricsFile { facts: Arc::new(facts), written_ms }))
}

fn not_utf8(error: &str::Utf8Error) -> String {
    // Without a length the text ends in the middle of a character.
    let why = if error.error_len().is_none() { "it is not whole" } else { "it is not of a stage: it is not UTF-8" };
    why.to_owned()
}

/// Reads all of a file of about this length, in one go: less than was asked for is its end.
fn read_whole(mut file: File, length: u64, text: &mut Vec<u8>) -> io::Result<usize> {
    let asked = usize::try_from(length.min(FILE_BYTES_MAX)).unwrap_or_default() + 1;
    text.resize(asked, 0);
    let read = file.read(text)?;
    text.truncate(read);
    if read == asked {
        file.take(FILE_BYTES_MAX).read_to_end(text)?;
    }
    Ok(text.len())
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
        fs::write(dir.path().join("a.2.json"), b"{\"stage\":\"\xc3").unwrap();
        fs::write(dir.path().join("b.2.json"), b"{\"stage\":\"\xff\"}").unwrap();
        let folder = Folder::read(dir.path(), now_ms(), |_| true, &mut Known::default()).unwrap();
        assert_eq!(folder.files.len(), 1);
        assert_eq!(folder.files[0].written_ms, LATER);
        assert_eq!(folder.passed_over.count, 7);
        let lines = folder.passed_over.lines();
        assert_eq!(lines[0], "a.1.json is passed over: it is not whole");
        assert_eq!(lines[1], "a.2.json is passed over: it is not whole");
        assert_eq!(lines[2], "b.2.json is passed over: it is not of a stage: it is not UTF-8");
        assert_eq!(lines[3], "4 more files are passed over");
    }

    #[test]
    fn a_file_is_read_again_when_it_is_another_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("window.7.json");
        let text = |lines: u32| format!(r#"{{"stage":"window","pid":7,"lines_in":{lines}}}"#);
        let mut known = Known::default();
        let mut lines = || {
            let files = Folder::read(dir.path(), now_ms(), |_| true, &mut known).unwrap().files;
            files.first().and_then(|file| file.facts.lines_in)
        };
        fs::write(&path, text(1)).unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(lines(), Some(1));
        // No stage writes in place: a file of the same time and length is the same.
        fs::write(&path, text(2)).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_eq!(lines(), Some(1));
        fs::write(dir.path().join("draft"), text(3)).unwrap();
        fs::rename(dir.path().join("draft"), &path).unwrap();
        assert_eq!(lines(), Some(3));
        fs::remove_file(&path).unwrap();
        assert_eq!(lines(), None);
    }

    #[test]
    fn files_of_long_dead_stages_are_not_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("window.7.json"), r#"{"stage":"window","pid":7}"#).unwrap();
        let mut known = Known::default();
        let mut read =
            |alive: bool| Folder::read(dir.path(), LATER, |pid| alive && pid == 7, &mut known).unwrap().files.len();
        assert_eq!((read(true), read(false)), (1, 0));
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_with_what_makes_one() {
        let error = Folder::read(Path::new("no/such"), LATER, |_| true, &mut Known::default()).unwrap_err();
        assert_eq!(error.message, "no/such: No such file or directory");
        assert!(error.hint.is_some_and(|hint| hint.contains("MILLPIPE_METRICS")));
        let closed = unreadable(Path::new("run/jobs"), &ErrorKind::PermissionDenied.into());
        assert!(closed.message.starts_with("run/jobs: "), "{}", closed.message);
        assert!(closed.hint.is_some_and(|hint| hint.starts_with("it is of another user")));
    }
}
