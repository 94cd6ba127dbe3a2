//! Blocks of entries, each with a checksum.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A block ends with the entry that reaches this; it is longer only by that entry.
pub(crate) const BLOCK_BYTES: usize = 64 * 1024;

/// Length and checksum.
pub(crate) const HEAD_BYTES: usize = 4 + 8;

/// Collects entries. The head's place is kept free at the front.
#[derive(Debug)]
pub(crate) struct BlockWriter {
    bytes: Vec<u8>,
}

impl BlockWriter {
    pub fn new() -> BlockWriter {
        BlockWriter { bytes: vec![0; HEAD_BYTES] }
    }

    pub fn push(&mut self, key: &[u8], value: &[u8]) {
        write_length(key.len(), &mut self.bytes);
        write_length(value.len(), &mut self.bytes);
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.len() == HEAD_BYTES
    }

    pub fn is_full(&self) -> bool {
        self.bytes.len() >= BLOCK_BYTES
    }

    /// The block as it is written at `offset`.
    pub fn seal(&mut self, offset: u64) -> &[u8] {
        let (head, body) = self.bytes.split_at_mut(HEAD_BYTES);
        // A body is at most a block and one entry, whose parts come from lines and states far below 4 GiB.
        head[..4].copy_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        head[4..].copy_from_slice(&xxh3_64_with_seed(body, offset).to_le_bytes());
        &self.bytes
    }

    pub fn clear(&mut self) {
        self.bytes.truncate(HEAD_BYTES);
    }
}

/// The length of a block's body and its checksum.
pub(crate) fn read_head(head: &[u8; HEAD_BYTES]) -> (usize, u64) {
    let (mut length, mut hash) = ([0; 4], [0; 8]);
    length.copy_from_slice(&head[..4]);
    hash.copy_from_slice(&head[4..]);
    (u32::from_le_bytes(length) as usize, u64::from_le_bytes(hash))
}

pub(crate) fn is_sound(body: &[u8], hash: u64, offset: u64) -> bool {
    xxh3_64_with_seed(body, offset) == hash
}

/// LEB128: seven bits a byte.
fn write_length(mut length: usize, out: &mut Vec<u8>) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// The length at `at`, which is moved behind it.
#[inline]
pub(crate) fn read_length(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(length);
        }
        shift += 7;
        if shift > 35 {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_size_are_read_back() {
        for length in [0, 1, 127, 128, 300, 16_383, 16_384, 70_000, 1 << 28, u32::MAX as usize] {
            let mut bytes = Vec::new();
            write_length(length, &mut bytes);
            let mut at = 0;
            assert_eq!(read_length(&bytes, &mut at), Some(length));
            assert_eq!(at, bytes.len());
        }
        assert_eq!(read_length(&[0x80; 9], &mut 0), None);
        assert_eq!(read_length(&[0x80], &mut 0), None);
    }

    #[test]
    fn a_block_elsewhere_in_the_file_is_not_sound() {
        let mut block = BlockWriter::new();
        block.push(b"key", b"value");
        let sealed = block.seal(4096).to_vec();
        let mut head = [0; HEAD_BYTES];
        head.copy_from_slice(&sealed[..HEAD_BYTES]);
        let (length, hash) = read_head(&head);
        assert_eq!(length, sealed.len() - HEAD_BYTES);
        assert!(is_sound(&sealed[HEAD_BYTES..], hash, 4096));
        assert!(!is_sound(&sealed[HEAD_BYTES..], hash, 0));
    }
}
