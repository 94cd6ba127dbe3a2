//! The bytes of an open file, decompressed, one after the other.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;

use crate::decoder::{Decoder, Format};
use crate::found::{FileId, Stamp};

/// Compressed bytes that are read at once.
const RAW_BYTES: usize = 64 * 1024;
/// Decompressed bytes that are thrown away at once.
const SKIPPED_BYTES: usize = 64 * 1024;

/// So much of an unfinished line is compared.
const NEXT_BYTES: usize = 256;

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    Bytes(usize),
    /// Behind the last byte as it is now.
    End,
    /// A pipe has nothing now.
    NotNow,
}

/// What has become of a file since it was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    None,
    Grown,
    /// It is shorter than what was read, or has other content.
    Replaced,
}

/// What reading may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest window of a zstd frame: so much of what it gave is kept in memory.
    pub window_bytes: u64,
}

pub struct Content {
    file: File,
    /// Read in order, as a pipe is; not at offsets.
    is_stream: bool,
    /// A file that is too short to tell its format may still grow.
    may_grow: bool,
    limits: Limits,
    form: Form,
    /// How much of the file was read.
    raw_offset: u64,
    /// Read from the file and not given yet.
    raw: Vec<u8>,
    raw_start: usize,
    looked: Option<Stamp>,
}

enum Form {
    Unknown,
    Plain,
    Compressed(Box<Decoder>),
}

impl Content {
    /// Opens a file, or stdin for `-`.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path, may_grow: bool, limits: Limits) -> io::Result<Self> {
        let is_stdin = path.as_os_str() == "-";
        let file = if is_stdin {
            File::from(rustix::io::dup(rustix::stdio::stdin())?)
        } else {
            // A pipe whose writer has not come yet is waited for with all else.
            let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
            OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?
        };
        let is_stream = is_stdin || !file.metadata()?.is_file();
        Ok(Self {
            file,
            is_stream,
            may_grow,
            limits,
            form: Form::Unknown,
            raw_offset: 0,
            raw: Vec::new(),
            raw_start: 0,
            looked: None,
        })
    }

    /// A pipe, a terminal or the like: what was read is gone from it.
    pub fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// # Errors
    /// The system's.
    pub fn id(&self) -> io::Result<FileId> {
        Ok(FileId::of(&self.file.metadata()?))
    }

    /// # Errors
    /// The system's.
    pub fn stamp(&self) -> io::Result<Stamp> {
        Ok(Stamp::of(&self.file.metadata()?))
    }

    /// True when no folder names the file any more.
    ///
    /// # Errors
    /// The system's.
    pub fn is_deleted(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        Ok(self.file.metadata()?.nlink() == 0)
    }

    pub fn is_compressed(&self) -> bool {
        matches!(self.form, Form::Compressed(_))
    }

    /// In the middle of compressed data: a file that ends here is not whole.
    pub fn is_within(&self) -> bool {
        matches!(&self.form, Form::Compressed(decoder) if decoder.is_within)
    }

    /// At its end: its format is known, and its compressed data ended.
    pub fn is_whole(&self) -> bool {
        !matches!(self.form, Form::Unknown) && !self.is_within()
    }

    /// # Errors
    /// The system's; `InvalidData` for damaged compression.
    pub fn read(&mut self, into: &mut [u8]) -> io::Result<Got> {
        if matches!(self.form, Form::Unknown)
            && let Some(nothing) = self.tell_format()?
        {
            return Ok(nothing);
        }
        if matches!(self.form, Form::Plain) { self.read_plain(into) } else { self.read_decoded(into) }
    }

    /// Reads until the format is known; else what there was instead.
    fn tell_format(&mut self) -> io::Result<Option<Got>> {
        loop {
            let format = match Format::of(&self.raw[self.raw_start..]) {
                Some(format) => format,
                None => match self.refill()? {
                    Got::Bytes(_) => continue,
                    Got::End if !self.may_grow && !self.raw.is_empty() => Format::Plain,
                    nothing => return Ok(Some(nothing)),
                },
            };
            self.form = match format {
                Format::Plain => Form::Plain,
                Format::Gzip => Form::Compressed(Box::new(Decoder::gzip())),
                Format::Zstd => Form::Compressed(Box::new(Decoder::zstd(self.limits.window_bytes)?)),
            };
            return Ok(None);
        }
    }

    fn read_plain(&mut self, into: &mut [u8]) -> io::Result<Got> {
        let waiting = &self.raw[self.raw_start..];
        if waiting.is_empty() {
            return self.read_raw(into);
        }
        let n = waiting.len().min(into.len());
        into[..n].copy_from_slice(&waiting[..n]);
        self.raw_start += n;
        if self.raw_start == self.raw.len() {
            (self.raw, self.raw_start) = (Vec::new(), 0);
        }
        Ok(Got::Bytes(n))
    }

    fn read_decoded(&mut self, into: &mut [u8]) -> io::Result<Got> {
        loop {
            let Form::Compressed(decoder) = &mut self.form else { return Ok(Got::End) };
            let step = decoder.step(&self.raw[self.raw_start..], into)?;
            self.raw_start += step.taken;
            if step.given > 0 {
                return Ok(Got::Bytes(step.given));
            }
            if step.taken == 0 {
                match self.refill()? {
                    Got::Bytes(_) => {}
                    nothing => return Ok(nothing),
                }
            }
        }
    }

    /// Reads more raw bytes behind those that are there.
    fn refill(&mut self) -> io::Result<Got> {
        self.raw.drain(..self.raw_start);
        self.raw_start = 0;
        let kept = self.raw.len();
        self.raw.resize(kept + RAW_BYTES, 0);
        let mut raw = std::mem::take(&mut self.raw);
        let got = self.read_raw(&mut raw[kept..]);
        raw.truncate(kept + if let Ok(Got::Bytes(n)) = got { n } else { 0 });
        self.raw = raw;
        got
    }

    fn read_raw(&mut self, into: &mut [u8]) -> io::Result<Got> {
        if self.is_stream && !self.wait(0)? {
            return Ok(Got::NotNow);
        }
        let read = if self.is_stream {
            rustix::io::read(&self.file, into).map_err(io::Error::from)
        } else {
            self.file.read_at(into, self.raw_offset)
        };
        match read {
            Ok(0) => Ok(Got::End),
            Ok(n) => {
                self.raw_offset += n as u64;
                Ok(Got::Bytes(n))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Ok(Got::NotNow)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until a pipe has something to read, or has ended; false after the time.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&self, wait_ms: u64) -> io::Result<bool> {
        let wait_ms = i64::try_from(wait_ms).unwrap_or(i64::MAX);
        let timeout = Timespec { tv_sec: wait_ms / 1000, tv_nsec: (wait_ms % 1000) * 1_000_000 };
        match rustix::event::poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Leaves out so many bytes; false when there are not so many.
    ///
    /// # Errors
    /// As `read`.
    pub fn skip(&mut self, mut bytes: u64) -> io::Result<bool> {
        let mut start = [0; 1];
        if bytes > 0 && matches!(self.form, Form::Unknown) {
            // Reading tells the format.
            match self.read(&mut start)? {
                Got::Bytes(n) => bytes -= n as u64,
                Got::End | Got::NotNow => return Ok(false),
            }
        }
        if matches!(self.form, Form::Plain) && !self.is_stream {
            let offset = self.raw_offset - (self.raw.len() - self.raw_start) as u64 + bytes;
            (self.raw, self.raw_start, self.raw_offset) = (Vec::new(), 0, offset);
            return Ok(offset <= self.stamp()?.size);
        }
        let mut thrown_away = vec![0; SKIPPED_BYTES];
        while bytes > 0 {
            let room = thrown_away.len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
            match self.read(&mut thrown_away[..room])? {
                Got::Bytes(n) => bytes -= n as u64,
                Got::End | Got::NotNow => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Reads until `into` is full or there is no more; how much there was.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_full(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut length = 0;
        while length < into.len() {
            match self.read(&mut into[length..])? {
                Got::Bytes(n) => length += n,
                Got::End | Got::NotNow => break,
            }
        }
        Ok(length)
    }

    /// How long a plain file is; none for others.
    ///
    /// # Errors
    /// As `read`.
    pub fn plain_size(&mut self) -> io::Result<Option<u64>> {
        if matches!(self.form, Form::Unknown) {
            self.tell_format()?;
        }
        let is_plain = matches!(self.form, Form::Plain) && !self.is_stream;
        Ok(if is_plain { Some(self.stamp()?.size) } else { None })
    }

    /// Bytes of a plain file, apart from reading on.
    ///
    /// # Errors
    /// The system's.
    pub fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(into, offset)
    }

    /// What has happened to a file that was read to its end; `tail` is the last that was taken of it, in front of
    /// `offset`, and `next` what was read after that.
    ///
    /// # Errors
    /// The system's.
    pub fn look(&mut self, tail: &[u8], offset: u64, next: &[u8]) -> io::Result<Change> {
        if self.is_stream {
            return Ok(Change::None);
        }
        let stamp = self.stamp()?;
        if self.looked.replace(stamp) == Some(stamp) {
            return Ok(Change::None);
        }
        if stamp.size < self.raw_offset || !self.still_has(tail, offset, next)? {
            return Ok(Change::Replaced);
        }
        Ok(if stamp.size == self.raw_offset { Change::None } else { Change::Grown })
    }

    /// A file can be truncated and written again beyond where we were, between two looks.
    fn still_has(&self, tail: &[u8], offset: u64, next: &[u8]) -> io::Result<bool> {
        if !matches!(self.form, Form::Plain) {
            return Ok(true);
        }
        let is_there = |bytes: &[u8], offset: u64| -> io::Result<bool> {
            let mut now = vec![0; bytes.len()];
            let n = self.file.read_at(&mut now, offset)?;
            Ok(now[..n] == *bytes)
        };
        let next = &next[..next.len().min(NEXT_BYTES)];
        Ok(is_there(tail, offset - tail.len() as u64)? && is_there(next, offset)?)
    }

    /// Reads from the start again, as a file whose format is not known.
    pub fn restart(&mut self) {
        self.form = Form::Unknown;
        (self.raw, self.raw_start, self.raw_offset) = (Vec::new(), 0, 0);
        self.looked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    const LIMITS: Limits = Limits { window_bytes: 2 << 30 };

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 1).unwrap()
    }

    fn content(bytes: &[u8]) -> (tempfile::TempDir, Content) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, bytes).unwrap();
        let content = Content::open(&path, false, LIMITS).unwrap();
        (folder, content)
    }

    /// Reads to the end in pieces of this size.
    fn read_all(content: &mut Content, size: usize) -> io::Result<Vec<u8>> {
        let (mut all, mut buffer) = (Vec::new(), vec![0; size]);
        while let Got::Bytes(n) = content.read(&mut buffer)? {
            all.extend_from_slice(&buffer[..n]);
        }
        Ok(all)
    }

    #[test]
    fn files_of_several_members_and_frames_are_read_whole_in_pieces_of_any_size() {
        let text: Vec<u8> = (0..40_000u32).flat_map(|n| format!("{{\"n\":{n}}}\n").into_bytes()).collect();
        let (one, two) = text.split_at(100_000);
        let forms = [
            text.clone(),
            [gzip(one), gzip(b""), gzip(two)].concat(),
            [gzip(one), vec![0; 700], gzip(two), vec![0; 70_000]].concat(),
            [zstd(one), zstd(b""), zstd(two)].concat(),
            [b"\x51\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec(), zstd(&text)].concat(),
        ];
        for (form, bytes) in forms.iter().enumerate() {
            for size in [7, 4096, 1 << 20] {
                let (_folder, mut content) = content(bytes);
                assert!(read_all(&mut content, size).unwrap() == text, "form {form}, pieces of {size}");
                assert!(!content.is_within());
            }
            let (_folder, mut content) = content(bytes);
            assert!(content.skip(123_456).unwrap());
            assert!(read_all(&mut content, 1000).unwrap() == text[123_456..], "form {form}, from the middle");
            let (_folder, mut content) = self::content(bytes);
            assert!(!content.skip(text.len() as u64 + 1).unwrap(), "form {form}, beyond the end");
        }
    }

    #[test]
    fn compressed_data_that_is_cut_short_or_damaged_is_found() {
        for whole in [gzip(&[b'x'; 5000]), zstd(&[b'x'; 5000])] {
            let (_folder, mut cut) = content(&whole[..whole.len() - 3]);
            read_all(&mut cut, 4096).unwrap();
            assert!(cut.is_within());
            let mut damaged = whole.clone();
            let middle = damaged.len() / 2;
            damaged[middle] ^= 0x55;
            damaged[middle + 1] ^= 0x55;
            let (_folder, mut content) = content(&damaged);
            let read = read_all(&mut content, 4096);
            assert!(read.is_err() || content.is_within() || read.unwrap() != [b'x'; 5000]);
        }
    }

    #[test]
    fn a_file_too_short_to_tell_its_format_is_plain_unless_it_may_grow() {
        let (folder, mut short) = content(b"(");
        assert_eq!(read_all(&mut short, 10).unwrap(), b"(");
        let mut growing = Content::open(&folder.path().join("f"), true, LIMITS).unwrap();
        assert_eq!(growing.read(&mut [0; 10]).unwrap(), Got::End);
        fs::write(folder.path().join("f"), "(a)\n").unwrap();
        assert_eq!(read_all(&mut growing, 10).unwrap(), b"(a)\n");
    }
}
