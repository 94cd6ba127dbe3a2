//! A table in a file, which is looked at now and then.

use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use millpipe::{Error, Hangup};

use crate::read_table::TableReader;
use crate::table::Table;
use crate::tables::Tables;

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

    fn stamp(&self) -> Option<Stamp> {
        let known = std::fs::metadata(&self.path).ok()?;
        let modified = (known.mtime(), known.mtime_nsec());
        Some(Stamp { device: known.dev(), inode: known.ino(), bytes: known.size(), modified })
    }
}

impl Tables for TableFile {
    fn load(&mut self) -> Result<Table, Error> {
        self.read = self.stamp();
        self.looked = self.read;
        let path = self.path.display();
        let file = File::open(&self.path).map_err(|e| Error::io(path.to_string(), &e))?;
        self.reader.read(&mut BufReader::new(file)).map_err(|why| {
            let error = Error::data(format_args!("{path}: {why}"));
            let is_double = why.contains("in the table already");
            if is_double { error.hint("--duplicates first, last or all takes it all the same") } else { error }
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
