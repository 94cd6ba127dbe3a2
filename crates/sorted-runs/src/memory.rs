//! Files in memory, for tests: with a limit, and with damage.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::scratch::{Scratch, ScratchFile};

/// A scratch in memory; clones are the same one.
#[derive(Clone, Debug)]
pub struct Memory {
    room: Arc<AtomicU64>,
    files: Arc<AtomicU64>,
    written: Arc<AtomicU64>,
    damage: Arc<Mutex<Option<u64>>>,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::with_room(u64::MAX)
    }
}

impl Memory {
    /// A disk that is full after so many bytes.
    #[must_use]
    pub fn with_room(bytes: u64) -> Memory {
        let room = Arc::new(AtomicU64::new(bytes));
        Memory { room, files: Arc::default(), written: Arc::default(), damage: Arc::default() }
    }

    /// From now on the byte at this place of every file is read wrongly.
    pub fn damage(&self, offset: u64) {
        *self.damage.lock().unwrap_or_else(PoisonError::into_inner) = Some(offset);
    }

    /// How many files there are.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// How many bytes were written in all.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }
}

impl Scratch for Memory {
    fn create(&self) -> io::Result<Box<dyn ScratchFile>> {
        self.files.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(MemoryFile { bytes: Vec::new(), of: self.clone() }))
    }

    fn place(&self) -> String {
        "memory".into()
    }
}

#[derive(Debug)]
struct MemoryFile {
    bytes: Vec<u8>,
    of: Memory,
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        self.of.files.fetch_sub(1, Ordering::Relaxed);
        self.of.room.fetch_add(self.bytes.len() as u64, Ordering::Relaxed);
    }
}

impl ScratchFile for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let len = bytes.len() as u64;
        let take = |room: u64| room.checked_sub(len);
        self.of
            .room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .map_err(|_| io::Error::from(ErrorKind::StorageFull))?;
        self.of.written.fetch_add(len, Ordering::Relaxed);
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let from = self.bytes.get(start..start + buffer.len()).ok_or(ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(from);
        let damage = *self.of.damage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = damage.and_then(|at| at.checked_sub(offset))
            && let Some(byte) = usize::try_from(at).ok().and_then(|at| buffer.get_mut(at))
        {
            *byte ^= 0x10;
        }
        Ok(())
    }
}
