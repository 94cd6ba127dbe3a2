//! Reads a snapshot with all files that it builds on.

use std::path::{Path, PathBuf};

use crate::file_reader::FileReader;
use crate::file_writer::{Stored, write_file};
use crate::header::Header;
use crate::names::COMPRESSED;
use crate::newest_wins::NewestWins;
use crate::{CheckpointId, Disk, Error, names};

/// A piece of a snapshot that is loaded.
pub enum Part<'a> {
    /// First, once.
    Head(&'a [u8]),
    /// Each key that is there, once, in the order of the keys' JSON text.
    Entry { key: &'a str, value: &'a [u8] },
}

/// A snapshot whose files are open: nobody can remove them any more.
///
/// The bytes are checked while entries are given: after an error what was given is worth nothing.
pub struct SnapshotReader {
    path: PathBuf,
    header: Header,
    head: Vec<u8>,
    entries: NewestWins,
    key: String,
}

/// A key that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    pub key: &'a str,
    pub value: &'a [u8],
    /// `["key",value]` and a newline.
    pub line: &'a [u8],
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
        let mut snapshot = FileReader::open(disk, folder, &file)?;
        let older = snapshot.header.after.iter().map(|file| open_older(disk, folder, &snapshot, file));
        let mut files = older.collect::<Result<Vec<_>, _>>()?;
        let (header, head) = (snapshot.header.clone(), std::mem::take(&mut snapshot.head));
        files.push(snapshot);
        Ok(Self { path: folder.join(file), header, head, entries: NewestWins::new(files)?, key: String::new() })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What the stage wrote whole: lines of JSON.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether any of the files is compressed, as large ones are.
    pub fn is_large(&self) -> bool {
        self.files().iter().any(|file| file.ends_with(COMPRESSED))
    }

    /// The names of all files that the snapshot needs, oldest first.
    pub fn files(&self) -> Vec<String> {
        let own = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        self.header.after.iter().cloned().chain(own).collect()
    }

    /// The next key that is there, in the order of the keys' JSON text; none when all was read and is right.
    ///
    /// # Errors
    /// `Damaged`, or the disk's.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>, Error> {
        loop {
            // A key that is gone is skipped. The borrow checker wants the entry asked for again.
            match self.entries.next()? {
                None => return Ok(None),
                Some(entry) if entry.value().is_none() => {}
                Some(_) => break,
            }
        }
        let Some(entry) = self.entries.current() else { return Ok(None) };
        let value = entry.value().unwrap_or_default();
        Ok(Some(Entry { key: entry.key(&mut self.key)?, value, line: entry.line() }))
    }

    /// Reads to the end, for the sake of the checks; says how many keys there were.
    ///
    /// # Errors
    /// As `next_entry`.
    pub fn finish(&mut self) -> Result<u64, Error> {
        let mut keys = 0;
        while self.next_entry()?.is_some() {
            keys += 1;
        }
        Ok(keys)
    }

    /// Writes the snapshot, durably, as one file that builds on no other, into another folder.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn copy_to(mut self, disk: &dyn Disk, folder: &Path) -> Result<(), Error> {
        let is_large = self.is_large();
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let header = Header { name, after: Vec::new(), ..self.header.clone() };
        let bytes = if is_large { u64::MAX } else { 0 };
        disk.create_dir(folder).map_err(|error| Error::io(folder, error))?;
        let written = write_file(disk, folder, &header, bytes, &mut |to| {
            to.bytes(&self.head)?;
            while let Some(entry) = self.next_entry()? {
                to.entry(entry.line)?;
            }
            Ok(())
        });
        written.map(|_| ())
    }

    /// An error, unless the snapshot was made with these flags. What is damaged is told as that, not as other flags.
    pub(crate) fn check_flags(&mut self, now: &str) -> Result<(), Error> {
        if self.header.flags == now {
            return Ok(());
        }
        self.finish()?;
        let made = self.header.flags.clone();
        Err(Error::OtherFlags { path: self.path.clone(), made, now: now.to_owned() })
    }

    /// Gives the parts; says what was in the files, oldest first.
    pub(crate) fn read<E: From<Error>>(
        mut self,
        take: &mut dyn FnMut(Part<'_>) -> Result<(), E>,
    ) -> Result<Vec<Stored>, E> {
        take(Part::Head(&self.head))?;
        while let Some(Entry { key, value, .. }) = self.next_entry()? {
            take(Part::Entry { key, value })?;
        }
        Ok(self.entries.into_read())
    }
}

/// Writes a snapshot of this head and these entries, durably, as one file that builds on no other. `next` gives the lines of
/// entries in the order of their keys' text, then none.
///
/// # Errors
/// What `next` says; when it cannot be written.
pub fn write_alone(
    disk: &dyn Disk,
    folder: &Path,
    header: &Header,
    head: &[u8],
    is_large: bool,
    next: &mut dyn FnMut() -> Result<Option<Vec<u8>>, Error>,
) -> Result<(), Error> {
    let header = Header { after: Vec::new(), merged: Vec::new(), ..header.clone() };
    disk.create_dir(folder).map_err(|error| Error::io(folder, error))?;
    let bytes = if is_large { u64::MAX } else { 0 };
    let written = write_file(disk, folder, &header, bytes, &mut |to| {
        to.bytes(head)?;
        while let Some(line) = next()? {
            to.entry(&line)?;
        }
        Ok(())
    });
    written.map(|_| ())
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
