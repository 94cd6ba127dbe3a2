//! Reads a snapshot with all files that it builds on.

use std::path::Path;

use crate::file_reader::FileReader;
use crate::file_writer::Stored;
use crate::header::Header;
use crate::newest_wins::newest_wins;
use crate::{CheckpointId, Disk, Error, names};

/// A piece of a snapshot that is loaded.
pub enum Part<'a> {
    /// First, once.
    Head(&'a [u8]),
    /// Each key that is there, once, in the order of the keys' JSON text.
    Entry { key: &'a str, value: &'a [u8] },
}

/// A snapshot whose files are open: nobody can remove them any more.
pub struct SnapshotReader {
    snapshot: FileReader,
    older: Vec<FileReader>,
}

impl SnapshotReader {
    /// Opens the snapshot in a stage's folder, and the files that it builds on.
    ///
    /// # Errors
    /// `Missing`, or `Damaged` as far as the first lines show it.
    pub fn open(disk: &dyn Disk, folder: &Path, id: &CheckpointId) -> Result<Self, Error> {
        let Some(file) = names::snapshot_file(disk, folder, id)? else {
            return Err(Error::Missing { path: folder.join(id.to_string()), there: what_is_there(disk, folder)? });
        };
        let snapshot = FileReader::open(disk, folder, &file)?;
        let older = snapshot.header.after.iter().map(|file| open_older(disk, folder, &snapshot, file));
        Ok(Self { older: older.collect::<Result<_, _>>()?, snapshot })
    }

    pub fn header(&self) -> &Header {
        &self.snapshot.header
    }

    /// Gives the parts.
    ///
    /// # Errors
    /// `Damaged`, or what `take` says. The bytes are checked while parts are given: after an error what was taken is
    /// worth nothing.
    pub fn read<E: From<Error>>(self, take: &mut dyn FnMut(Part<'_>) -> Result<(), E>) -> Result<(), E> {
        self.read_files(take).map(|_| ())
    }

    /// The same; says what was in the files, oldest first.
    pub(crate) fn read_files<E: From<Error>>(
        self,
        take: &mut dyn FnMut(Part<'_>) -> Result<(), E>,
    ) -> Result<Vec<Stored>, E> {
        let Self { snapshot, older: mut files } = self;
        take(Part::Head(&snapshot.head))?;
        files.push(snapshot);
        let mut unescaped = String::new();
        newest_wins(files, &mut |entry| match entry.value() {
            Some(value) => take(Part::Entry { key: entry.key(&mut unescaped)?, value }),
            None => Ok(()),
        })
    }

    /// An error, unless the snapshot was made with these flags. What is damaged is told as that, not as other flags.
    pub(crate) fn check_flags(&mut self, now: &str) -> Result<(), Error> {
        let made = self.snapshot.header.flags.clone();
        if made == now {
            return Ok(());
        }
        self.snapshot.finish()?;
        Err(Error::OtherFlags { path: self.snapshot.path().to_owned(), made, now: now.to_owned() })
    }
}

fn open_older(disk: &dyn Disk, folder: &Path, snapshot: &FileReader, file: &str) -> Result<FileReader, Error> {
    let reader = match FileReader::open(disk, folder, file) {
        Err(Error::Missing { .. }) => {
            return Err(snapshot.damaged(&format!("it builds on \"{file}\", which is not there")));
        }
        reader => reader?,
    };
    let (this, older) = (&snapshot.header, &reader.header);
    if (&this.stage, &this.flags) != (&older.stage, &older.flags) {
        return Err(snapshot.damaged(&format!("it builds on \"{file}\", which is of another stage or of other flags")));
    }
    Ok(reader)
}

/// For whoever looks for another one.
fn what_is_there(disk: &dyn Disk, folder: &Path) -> Result<String, Error> {
    let files = disk.list(folder).map_err(|error| Error::io(folder, error))?;
    let ids: Vec<_> = files.iter().filter_map(|file| names::snapshot_id(file)).map(|id| id.to_string()).collect();
    Ok(match (ids.first(), ids.last()) {
        (Some(first), Some(last)) if ids.len() > 3 => format!("only {} others, {first} to {last}", ids.len()),
        (Some(_), _) => format!("only {}", ids.join(", ")),
        _ => "nor any other".to_owned(),
    })
}
