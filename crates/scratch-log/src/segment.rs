//! One segment and its records.

/// A segment is full beyond it.
pub const SEGMENT_BYTES: usize = 256 << 10;
/// Before each row: its number, its length, a checksum.
pub const HEADER_BYTES: usize = 12;

#[derive(Debug)]
pub struct Segment {
    pub state: State,
    /// Of its records that are wanted, with their headers.
    pub live_bytes: u64,
    /// Its age: later ones are younger.
    pub serial: u64,
}

#[derive(Debug)]
pub enum State {
    Free,
    Memory(Vec<u8>),
    Disk { file: u32, offset: u64, len: u32 },
}

impl Segment {
    #[inline]
    pub fn has_room(&self, bytes: usize) -> bool {
        match &self.state {
            State::Memory(memory) => memory.is_empty() || memory.len() + HEADER_BYTES + bytes <= SEGMENT_BYTES,
            _ => false,
        }
    }
}

/// A row in a segment.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub row: u32,
    /// Where its bytes are in the segment.
    pub offset: u32,
    pub bytes: &'a [u8],
}

#[inline]
pub fn put_header(memory: &mut Vec<u8>, row: u32, len: usize) {
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&row.to_le_bytes());
    header[4..8].copy_from_slice(&(len as u32).to_le_bytes());
    memory.extend_from_slice(&header);
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// The records of a segment, in order.
pub fn records(bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let header = bytes.get(at..)?;
        let (row, len) = (number(header)?, number(header.get(4..)?)? as usize);
        let offset = at + HEADER_BYTES;
        at = offset + len;
        Some(Record { row, offset: offset as u32, bytes: bytes.get(offset..at)? })
    })
}

/// Puts the checksums in.
pub fn seal(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(len) = bytes.get(at + 4..).and_then(number) {
        let (start, end) = (at + HEADER_BYTES, at + HEADER_BYTES + len as usize);
        let sum = checksum(&bytes[start..end]).to_le_bytes();
        bytes[at + 8..start].copy_from_slice(&sum);
        at = end;
    }
}

/// Whether a record, header and bytes, is what was sealed.
pub fn is_sound(record: &[u8]) -> bool {
    let Some((header, bytes)) = record.split_at_checked(HEADER_BYTES) else { return false };
    number(&header[4..]) == Some(bytes.len() as u32) && number(&header[8..]) == Some(checksum(bytes))
}

fn checksum(bytes: &[u8]) -> u32 {
    use std::hash::BuildHasher;
    // Files do not outlive the process, so any hash will do.
    let hash = foldhash::fast::FixedState::with_seed(1).hash_one(bytes);
    (hash ^ (hash >> 32)) as u32
}
