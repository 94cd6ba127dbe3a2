//! Reads a segment, entry by entry.

use std::ops::Range;
use std::sync::Arc;

use crate::block::{HEAD_BYTES, is_sound, read_head, read_length};
use crate::error::Error;
use crate::scratch::ScratchFile;
use crate::segment::Segment;

/// A segment at one of its entries.
#[derive(Debug)]
pub(crate) struct Cursor {
    file: Arc<dyn ScratchFile>,
    place: String,
    /// Where the next block is.
    next: u64,
    end: u64,
    block: Vec<u8>,
    key: Range<usize>,
    value: Range<usize>,
    is_over: bool,
}

impl Cursor {
    /// Before the first entry.
    pub fn new(file: Arc<dyn ScratchFile>, place: String, Segment { start, end }: Segment) -> Cursor {
        Cursor { file, place, next: start, end, block: Vec::new(), key: 0..0, value: 0..0, is_over: false }
    }

    #[inline]
    pub fn key(&self) -> &[u8] {
        &self.block[self.key.clone()]
    }

    #[inline]
    pub fn value(&self) -> &[u8] {
        &self.block[self.value.clone()]
    }

    /// Behind the last entry.
    #[inline]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Goes to the next entry.
    ///
    /// # Errors
    /// When the file cannot be read, or was changed.
    #[inline]
    pub fn advance(&mut self) -> Result<(), Error> {
        if self.value.end == self.block.len() && !self.read_block()? {
            self.is_over = true;
            return Ok(());
        }
        self.parse().ok_or_else(|| self.damaged(self.next))
    }

    #[inline]
    fn parse(&mut self) -> Option<()> {
        let mut at = self.value.end;
        let key_len = read_length(&self.block, &mut at)?;
        let value_len = read_length(&self.block, &mut at)?;
        let key_end = at.checked_add(key_len)?;
        let end = key_end.checked_add(value_len).filter(|end| *end <= self.block.len())?;
        (self.key, self.value) = (at..key_end, key_end..end);
        Some(())
    }

    /// False behind the last block.
    fn read_block(&mut self) -> Result<bool, Error> {
        (self.key, self.value) = (0..0, 0..0);
        self.block.clear();
        if self.next >= self.end {
            return Ok(false);
        }
        let start = self.next;
        let mut head = [0; HEAD_BYTES];
        self.read_at(&mut head, start)?;
        let (length, hash) = read_head(&head);
        let body = start + HEAD_BYTES as u64;
        // Before room is made for it: a damaged length may be any.
        if length == 0 || body + length as u64 > self.end {
            return Err(self.damaged(start));
        }
        let mut block = std::mem::take(&mut self.block);
        block.resize(length, 0);
        self.read_at(&mut block, body)?;
        if !is_sound(&block, hash, start) {
            return Err(self.damaged(start));
        }
        self.block = block;
        self.next = body + length as u64;
        Ok(true)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<(), Error> {
        self.file.read_at(buffer, offset).map_err(|source| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => self.damaged(offset),
            _ => Error::Io { place: self.place.clone(), source },
        })
    }

    #[cold]
    fn damaged(&self, offset: u64) -> Error {
        Error::Damaged { place: self.place.clone(), offset }
    }
}
