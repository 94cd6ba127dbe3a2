//! One run: a file with a segment for each span.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::block::BlockWriter;
use crate::cursor::Cursor;
use crate::error::Error;
use crate::scratch::{Scratch, ScratchFile};
use crate::segment::Segment;

/// A run that is written.
#[derive(Debug)]
pub struct Run<S> {
    pub(crate) segments: BTreeMap<S, Segment>,
    /// How many runs went into it, as a power of the fan-in.
    pub(crate) level: u32,
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
    file: Arc<dyn ScratchFile>,
    place: String,
}

impl<S: Copy + Ord> Run<S> {
    pub(crate) fn cursor(&self, span: S) -> Option<Cursor> {
        let segment = self.segments.get(&span)?;
        Some(Cursor::new(Arc::clone(&self.file), self.place.clone(), *segment))
    }
}

/// Writes a run, span by span.
#[derive(Debug)]
pub struct RunWriter<S> {
    file: Box<dyn ScratchFile>,
    place: String,
    block: BlockWriter,
    offset: u64,
    entries: u64,
    segments: BTreeMap<S, Segment>,
    /// The span that is being written, and where it starts.
    open: Option<(S, u64)>,
}

impl<S: Copy + Ord> RunWriter<S> {
    /// # Errors
    /// When no file can be made.
    pub fn new(scratch: &dyn Scratch) -> Result<RunWriter<S>, Error> {
        let place = scratch.place();
        let file = scratch.create().map_err(|source| Error::Io { place: place.clone(), source })?;
        let block = BlockWriter::new();
        Ok(RunWriter { file, place, block, offset: 0, entries: 0, segments: BTreeMap::new(), open: None })
    }

    /// What is pushed from now on is of this span, which is not in the run yet.
    ///
    /// # Errors
    /// When it cannot be written, here and below.
    pub fn begin(&mut self, span: S) -> Result<(), Error> {
        self.end_span()?;
        self.open = Some((span, self.offset));
        Ok(())
    }

    /// One entry. Within a span, keys come in their order, each once.
    ///
    /// # Errors
    /// A disk that is full, and its like.
    #[inline]
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        self.block.push(key, value);
        self.entries += 1;
        if self.block.is_full() { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), Error> {
        let sealed = self.block.seal(self.offset);
        self.file.append(sealed).map_err(|source| Error::Io { place: self.place.clone(), source })?;
        self.offset += sealed.len() as u64;
        self.block.clear();
        Ok(())
    }

    fn end_span(&mut self) -> Result<(), Error> {
        if !self.block.is_empty() {
            self.write()?;
        }
        if let Some((span, start)) = self.open.take()
            && start < self.offset
        {
            self.segments.insert(span, Segment { start, end: self.offset });
        }
        Ok(())
    }

    /// # Errors
    /// When the rest cannot be written.
    pub fn finish(mut self) -> Result<Run<S>, Error> {
        self.end_span()?;
        let RunWriter { file, place, offset: bytes, entries, segments, .. } = self;
        Ok(Run { segments, level: 0, bytes, entries, file: file.into(), place })
    }
}
