//! A table in a file, which is looked at now and then.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use millpipe::{Error, Hangup};

use crate::read_table::TableReader;
use crate::table::Table;
use crate::tables::Tables;

/// By its first bytes: how a file is compressed, and what undoes it.
const COMPRESSED: [(&[u8], &str); 4] =
    [(b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\x00", "xz"), (b"BZh", "bzip2")];

/// Checks that there is a file which may hold a table. What only a later read can tell is left to that.
///
/// # Errors
/// No such file, a folder, or compressed data.
pub fn check(path: &Path) -> Result<(), Error> {
    let failed = |e: io::Error| Error::io(path.display(), &e);
    let known = std::fs::metadata(path).map_err(failed)?;
    if known.is_dir() {
        return Err(Error::data(format_args!("{}: is a folder", path.display())).hint("--table FILE takes one file"));
    }
    // What is read from a pipe is gone.
    if !known.is_file() {
        return Ok(());
    }
    let mut start = Vec::new();
    File::open(path).map_err(failed)?.take(8).read_to_end(&mut start).map_err(failed)?;
    compressed(path, &start).map_or(Ok(()), Err)
}

fn compressed(path: &Path, start: &[u8]) -> Option<Error> {
    let (_, program) = COMPRESSED.iter().find(|(magic, _)| start.starts_with(magic))?;
    let path = path.display().to_string();
    let format = if path.contains("json") { "ndjson" } else { "csv" };
    let hint = format!("--table <({program} -dc {path}) --table-format {format} reads what is in it, once");
    Some(Error::data(format_args!("{path}: is compressed ({program})")).hint(hint))
}

/// A file with what is known of it.
pub struct TableFile {
    path: PathBuf,
    reader: TableReader,
    hangup: Hangup,
    /// The file as it was when it was read last.
    read: Option<Stamp>,
    /// And when it was looked at last.
    looked: Option<Stamp>,
}

/// Of two files with one stamp, one is taken for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl TableFile {
    #[must_use]
    pub fn new(path: PathBuf, reader: TableReader, hangup: Hangup) -> TableFile {
        TableFile { path, reader, hangup, read: None, looked: None }
    }

    /// None for a pipe too: what was read of it is gone, so it has nothing new.
    fn stamp(&self) -> Option<Stamp> {
        let known = std::fs::metadata(&self.path).ok().filter(std::fs::Metadata::is_file)?;
        let modified = (known.mtime(), known.mtime_nsec());
        Some(Stamp { device: known.dev(), inode: known.ino(), bytes: known.size(), modified })
    }
}

impl Tables for TableFile {
    fn load(&mut self) -> Result<Table, Error> {
        self.read = self.stamp();
        self.looked = self.read;
        let path = self.path.display();
        let failed = |e: io::Error| Error::io(path.to_string(), &e);
        let mut file = BufReader::new(File::open(&self.path).map_err(failed)?);
        if let Some(error) = compressed(&self.path, file.fill_buf().map_err(failed)?) {
            return Err(error);
        }
        self.reader.read(&mut file).map_err(|why| {
            let (why, hint) = why.split_once("\nhint: ").unwrap_or((&why, ""));
            let error = Error::data(format_args!("{path}: {why}"));
            match hint {
                "" if why.contains("in the table already") => {
                    error.hint("--duplicates first, last or all takes it all the same")
                }
                "" => error,
                _ => error.hint(hint),
            }
        })
    }

    fn look(&mut self) -> Option<Result<Table, Error>> {
        let now = self.stamp();
        let is_still = now == self.looked;
        self.looked = now;
        let is_asked_for = self.hangup.take();
        (is_asked_for || is_still && now != self.read).then(|| self.load())
    }
}
