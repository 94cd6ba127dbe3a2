//! Segments on disk, in files that are gone when nothing in them is wanted.

use std::io;

use sorted_runs::{Scratch, ScratchFile};

use crate::segment::{HEADER_BYTES, is_sound, seal};

/// A file is full beyond it.
pub const FILE_BYTES: u64 = 128 << 20;

#[derive(Debug)]
pub struct Disk {
    pub scratch: Box<dyn Scratch>,
    files: Vec<Option<DiskFile>>,
    /// The one that is written to.
    current: Option<u32>,
    live_bytes: u64,
    pub written_bytes: u64,
}

#[derive(Debug)]
pub struct DiskFile {
    file: Box<dyn ScratchFile>,
    bytes: u64,
    live_bytes: u64,
    segments: usize,
}

impl Disk {
    pub fn new(scratch: Box<dyn Scratch>) -> Disk {
        Disk { scratch, files: Vec::new(), current: None, live_bytes: 0, written_bytes: 0 }
    }

    /// Writes a segment; returns its file and where it is there.
    pub fn append(&mut self, segment: &mut [u8], live_bytes: u64) -> io::Result<(u32, u64)> {
        seal(segment);
        let number = self.writable()?;
        let Some(file) = &mut self.files[number as usize] else { unreachable!("it was just made") };
        file.file.append(segment)?;
        let offset = file.bytes;
        file.bytes += segment.len() as u64;
        file.live_bytes += live_bytes;
        file.segments += 1;
        self.live_bytes += live_bytes;
        self.written_bytes += segment.len() as u64;
        Ok((number, offset))
    }

    fn writable(&mut self) -> io::Result<u32> {
        if let Some(current) = self.current
            && self.files[current as usize].as_ref().is_some_and(|file| file.bytes < FILE_BYTES)
        {
            return Ok(current);
        }
        let file = DiskFile { file: self.scratch.create()?, bytes: 0, live_bytes: 0, segments: 0 };
        let place = self.files.iter().position(Option::is_none).unwrap_or(self.files.len());
        if place == self.files.len() {
            self.files.push(None);
        }
        self.files[place] = Some(file);
        self.current = Some(place as u32);
        Ok(place as u32)
    }

    /// Reads the bytes of a record, which begin there.
    pub fn read_record(&self, file: u32, offset: u64, len: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.resize(HEADER_BYTES + len, 0);
        self.file(file)?.file.read_at(buffer, offset - HEADER_BYTES as u64)?;
        if !is_sound(buffer) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the disk gives back other bytes than were written",
            ));
        }
        buffer.drain(..HEADER_BYTES);
        Ok(())
    }

    pub fn read(&self, file: u32, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.file(file)?.file.read_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    fn file(&self, number: u32) -> io::Result<&DiskFile> {
        let file = self.files.get(number as usize).and_then(Option::as_ref);
        file.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// So much of a file is not wanted any more.
    pub fn forget(&mut self, file: u32, bytes: u64) {
        self.live_bytes -= bytes;
        if let Some(file) = &mut self.files[file as usize] {
            file.live_bytes -= bytes;
        }
    }

    /// A segment in a file is not wanted any more.
    pub fn release(&mut self, number: u32) {
        let place = &mut self.files[number as usize];
        let Some(file) = place else { return };
        file.segments -= 1;
        if file.segments == 0 {
            *place = None;
            if self.current == Some(number) {
                self.current = None;
            }
        }
    }

    /// The file with the most garbage, if all files together have more of it than what is wanted and `slack` bytes.
    pub fn emptiest_file(&self, slack: u64) -> Option<u32> {
        let garbage: u64 = self.files().map(|(_, file)| file.bytes - file.live_bytes).sum();
        if garbage <= self.live_bytes + slack {
            return None;
        }
        self.files().max_by_key(|(_, file)| file.bytes - file.live_bytes).map(|(number, _)| number)
    }

    pub fn files(&self) -> impl Iterator<Item = (u32, &DiskFile)> {
        (0..).zip(&self.files).filter_map(|(number, file)| Some((number, file.as_ref()?)))
    }
}
