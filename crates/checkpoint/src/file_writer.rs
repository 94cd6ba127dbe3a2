//! Writes a snapshot's file:
//!
//! ```text
//! {"snapshot":1,"stage":"aggregate","name":"3-aggregate","id":"RUN.SEQ","flags":"…","head":1,"after":["RUN.SEQ.ndjson"]}
//! …the stage's head lines…
//! ["key",value]     a key that changed; the lines are in the order of the keys' text
//! ["key"]           a key that is gone
//! {"end":"RUN.SEQ","entries":2,"xxh3":"0123456789abcdef"}
//! ```

use std::io::{self, Write};
use std::path::Path;

use xxhash_rust::xxh3::Xxh3Default;

use crate::header::{Header, trailer};
use crate::names::ENDINGS;
use crate::{Disk, Error, publish};

/// Larger files are compressed.
const PLAIN_BYTES_MAX: u64 = 64 * 1024;

/// The fastest.
const ZSTD_LEVEL: i32 = 1;

const BLOCK: usize = 64 * 1024;

/// A file on its way to the disk.
pub(crate) struct FileWriter<'a> {
    to: &'a mut dyn Write,
    path: &'a Path,
    buffer: Vec<u8>,
    hash: Xxh3Default,
    entries: u64,
    entry_bytes: u64,
}

/// What has been written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub file: String,
    pub entries: u64,
    /// Of the entries, before compression.
    pub bytes: u64,
}

/// Writes a file of about `bytes` bytes, durably; `body` gives the head and the entries.
pub(crate) fn write_file(
    disk: &dyn Disk,
    folder: &Path,
    header: &Header,
    bytes: u64,
    body: &mut dyn FnMut(&mut FileWriter<'_>) -> Result<(), Error>,
) -> Result<Stored, Error> {
    let is_large = bytes > PLAIN_BYTES_MAX;
    let file = format!("{}{}", header.id, ENDINGS[usize::from(is_large)]);
    let path = folder.join(&file);
    let mut result = Ok((0, 0));
    publish(disk, &path, &mut |to| {
        result = if is_large { compressed(to, &path, header, body) } else { whole(to, &path, header, body) };
        // The error that is told is the one in `result`; any makes an end of the file.
        if result.is_ok() { Ok(()) } else { Err(io::Error::other("not written")) }
    })
    .or_else(|error| result.as_ref().map_or(Ok(()), |_| Err(error)))?;
    result.map(|(entries, bytes)| Stored { file, entries, bytes })
}

type Body<'a> = &'a mut dyn FnMut(&mut FileWriter<'_>) -> Result<(), Error>;

fn compressed(to: &mut dyn Write, path: &Path, header: &Header, body: Body<'_>) -> Result<(u64, u64), Error> {
    let io = |error| Error::io(path, error);
    let mut encoder = zstd::Encoder::new(to, ZSTD_LEVEL).map_err(io)?;
    let written = whole(&mut encoder, path, header, body)?;
    encoder.finish().map_err(io)?;
    Ok(written)
}

/// Gives the number of entries and their bytes.
fn whole(to: &mut dyn Write, path: &Path, header: &Header, body: Body<'_>) -> Result<(u64, u64), Error> {
    let buffer = Vec::with_capacity(2 * BLOCK);
    let mut writer = FileWriter { to, path, buffer, hash: Xxh3Default::new(), entries: 0, entry_bytes: 0 };
    writer.bytes(header.line().as_bytes())?;
    body(&mut writer)?;
    writer.flush()?;
    let end = trailer(&header.id, writer.entries, writer.hash.digest());
    writer.bytes(end.as_bytes())?;
    writer.flush()?;
    Ok((writer.entries, writer.entry_bytes))
}

impl FileWriter<'_> {
    /// The head: as many whole lines as the header says.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    /// An entry's line with its newline.
    pub fn entry(&mut self, line: &[u8]) -> Result<(), Error> {
        self.entries += 1;
        self.entry_bytes += line.len() as u64;
        self.bytes(line)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.hash.update(&self.buffer);
        self.to.write_all(&self.buffer).map_err(|error| Error::io(self.path, error))?;
        self.buffer.clear();
        Ok(())
    }
}
