//! Reads a snapshot's file and checks every byte of it.

use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3Default;

use crate::file_writer::Stored;
use crate::header::{Header, trailer};
use crate::names::{self, COMPRESSED};
use crate::{Disk, Error};

/// Checks every byte of one file, and says what is in it.
///
/// # Errors
/// `Missing`, `Damaged`, or the disk's.
pub fn check_file(disk: &dyn Disk, folder: &Path, file: &str) -> Result<CheckedFile, Error> {
    let mut reader = FileReader::open(disk, folder, file)?;
    while reader.advance()? {}
    let Stored { entries, bytes, .. } = reader.stored();
    Ok(CheckedFile { header: reader.header, entries, bytes })
}

/// A file that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedFile {
    pub header: Header,
    pub entries: u64,
    /// Of the entries, before compression.
    pub bytes: u64,
}

/// A file, line by line. An entry is current after [`FileReader::advance`] said so.
pub(crate) struct FileReader {
    path: PathBuf,
    file: String,
    pub header: Header,
    pub head: Vec<u8>,
    lines: Lines,
    /// The current entry with its newline, in the buffer of `lines`.
    line: Range<usize>,
    /// The length of its key's text, and whether that has escapes.
    key: Key,
    previous_key: Vec<u8>,
    entries: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Default)]
struct Key {
    length: usize,
    escaped: bool,
}

impl FileReader {
    /// Opens a file and reads its header and head.
    pub fn open(disk: &dyn Disk, folder: &Path, file: &str) -> Result<Self, Error> {
        let path = folder.join(file);
        let mut lines = Lines::open(disk, &path, file)?;
        let header = Header::parse(lines.line(&path)?).map_err(|why| Error::damaged(&path, why))?;
        if names::stem(file) != Some(&header.id) {
            return Err(Error::damaged(&path, format!("it says that it is \"{}\"", header.id)));
        }
        let mut head = Vec::new();
        for _ in 0..header.head_lines {
            head.extend_from_slice(lines.line(&path)?);
        }
        Ok(Self {
            path,
            file: file.to_owned(),
            header,
            head,
            lines,
            line: 0..0,
            key: Key::default(),
            previous_key: Vec::new(),
            entries: 0,
            bytes: 0,
        })
    }

    /// Goes to the next entry; false at the end of a file that is whole.
    #[inline]
    pub fn advance(&mut self) -> Result<bool, Error> {
        let line = self.lines.next().map_err(|error| Error::reading(&self.path, error))?;
        let line = line.ok_or_else(|| self.damaged("damaged: it ends too early"))?;
        let text = &self.lines.buffer[line.clone()];
        if text[0] == b'{' {
            return self.check_end(line).map(|()| false);
        }
        let Some(key) = key_of(text) else { return Err(self.damaged("damaged: a line that is no entry")) };
        if self.previous_key.as_slice() >= &text[1..=key.length] {
            return Err(self.damaged("damaged: keys that are not in order"));
        }
        self.previous_key.clear();
        self.previous_key.extend_from_slice(&text[1..=key.length]);
        self.entries += 1;
        self.bytes += text.len() as u64;
        (self.line, self.key) = (line, key);
        Ok(true)
    }

    /// The current key as JSON text: what entries are sorted by.
    pub fn key_text(&self) -> &[u8] {
        &self.line()[1..=self.key.length]
    }

    /// The current entry's line with its newline.
    pub fn line(&self) -> &[u8] {
        &self.lines.buffer[self.line.clone()]
    }

    /// The current value; none when the key is gone.
    pub fn value(&self) -> Option<&[u8]> {
        let line = self.line();
        line.get(self.key.length + 2..line.len() - 2)
    }

    /// The current key itself.
    pub fn key<'a>(&'a self, unescaped: &'a mut String) -> Result<&'a str, Error> {
        let text = self.key_text();
        if self.key.escaped {
            *unescaped = serde_json::from_slice(text).map_err(|_| self.damaged("damaged: a broken key"))?;
            return Ok(unescaped);
        }
        std::str::from_utf8(&text[1..text.len() - 1]).map_err(|_| self.damaged("damaged: a key that is not UTF-8"))
    }

    /// What was read so far.
    pub fn stored(&self) -> Stored {
        Stored { file: self.file.clone(), entries: self.entries, bytes: self.bytes }
    }

    pub fn damaged(&self, why: &str) -> Error {
        Error::damaged(&self.path, why)
    }

    /// This line should be the last one.
    fn check_end(&mut self, line: Range<usize>) -> Result<(), Error> {
        let digest = self.lines.digest_before(line.start);
        if &self.lines.buffer[line] != trailer(&self.header.id, self.entries, digest).as_bytes() {
            return Err(self.damaged("damaged: the checksum in its last line is not that of its content"));
        }
        match self.lines.next() {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(self.damaged("damaged: there is something behind its end")),
            Err(error) => Err(Error::reading(&self.path, error)),
        }
    }
}

/// Finds the key in an entry's line. That the rest is a value, the checksum says.
#[inline]
fn key_of(line: &[u8]) -> Option<Key> {
    if !line.starts_with(b"[\"") || !line.ends_with(b"]\n") {
        return None;
    }
    let mut escaped = false;
    let mut at = 2;
    while *line.get(at)? != b'"' {
        escaped |= line[at] == b'\\';
        at += 1 + usize::from(line[at] == b'\\');
    }
    let is_removal = at + 3 == line.len();
    let has_value = line[at + 1] == b',' && at + 4 < line.len();
    (is_removal || has_value).then_some(Key { length: at, escaped })
}

/// How much is asked of the disk at once.
const BLOCK: usize = 64 * 1024;

/// A longer window than ours is no file of ours; it would only cost memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 24;

/// Lines of a file, and the checksum of what was passed.
struct Lines {
    from: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// Not yet given: `start..end`.
    start: usize,
    end: usize,
    hashed: usize,
    hash: Xxh3Default,
}

impl Lines {
    fn open(disk: &dyn Disk, path: &Path, file: &str) -> Result<Self, Error> {
        let from = match disk.read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::Missing { path: path.to_owned(), there: "the file has gone".to_owned() });
            }
            from => from.map_err(|error| Error::io(path, error))?,
        };
        let from = if file.ends_with(COMPRESSED) {
            decompressed(from).map_err(|error| Error::reading(path, error))?
        } else {
            from
        };
        Ok(Self { from, buffer: vec![0; BLOCK], start: 0, end: 0, hashed: 0, hash: Xxh3Default::new() })
    }

    /// A line that must be there.
    fn line(&mut self, path: &Path) -> Result<&[u8], Error> {
        match self.next() {
            Ok(Some(line)) => Ok(&self.buffer[line]),
            Ok(None) => Err(Error::damaged(path, "damaged: it ends too early")),
            Err(error) => Err(Error::reading(path, error)),
        }
    }

    /// The next line with its newline, until the next call; none at the end of the file.
    #[inline]
    fn next(&mut self) -> io::Result<Option<Range<usize>>> {
        let mut searched = self.start;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..self.end]) {
                let line = self.start..searched + at + 1;
                self.start = line.end;
                return Ok(Some(line));
            }
            let pending = self.end - self.start;
            if self.fill()? == 0 {
                return if pending == 0 { Ok(None) } else { Err(io::Error::other("it ends within a line")) };
            }
            searched = self.start + pending;
        }
    }

    /// Reads more behind what is not yet given, which moves to the front.
    fn fill(&mut self) -> io::Result<usize> {
        self.hash_before(self.start);
        self.buffer.copy_within(self.start..self.end, 0);
        (self.end, self.start, self.hashed) = (self.end - self.start, 0, 0);
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.buffer.len(), 0);
        }
        loop {
            match self.from.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => {
                    let read = read?;
                    self.end += read;
                    return Ok(read);
                }
            }
        }
    }

    fn hash_before(&mut self, end: usize) {
        self.hash.update(&self.buffer[self.hashed..end]);
        self.hashed = end;
    }

    fn digest_before(&mut self, end: usize) -> u64 {
        self.hash_before(end);
        self.hash.digest()
    }
}

fn decompressed(from: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut decoder = zstd::Decoder::new(from)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(Box::new(decoder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_at_the_quote_that_is_not_escaped() {
        let length = |line: &str| key_of(line.as_bytes()).map(|key| key.length);
        assert_eq!(length("[\"ab\",1]\n"), Some(4));
        assert_eq!(length("[\"ab\"]\n"), Some(4));
        assert_eq!(length("[\"\",{}]\n"), Some(2));
        assert_eq!(length("[\"a\\\"b\\\\\",1]\n"), Some(8));
        for line in [
            "[]\n",
            "[\"\n",
            "[\"a]\n",
            "[\"a\\\"]\n",
            "[\"a\",]\n",
            "[\"a\"1]\n",
            "[1,2]\n",
            "[\"a\",1\n",
            "[\"a\\\n",
            "\n",
        ] {
            assert_eq!(length(line), None, "{line}");
        }
    }
}
