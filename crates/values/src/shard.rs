//! Which shard a key belongs to: what `shard` and `state reshard` must agree on, for ever.
//!
//! A key is the canonical texts of its values, with newlines between them ([`key`]). Its XXH3 hash (64 bits) names the
//! shard.

use xxhash_rust::xxh3::xxh3_64;

use crate::key;

/// The shard of a key, of so many.
#[inline]
#[must_use]
pub fn shard_of(key: &[u8], shards: usize) -> usize {
    // The upper half of a product spreads as well as a remainder, and costs less.
    ((u128::from(xxh3_64(key)) * shards as u128) >> 64) as usize
}

/// The key of these cells of another one; none when it has not so many.
#[must_use]
pub fn cells_of(key: &[u8], wanted: &[usize]) -> Option<Vec<u8>> {
    let cells = key::cells(key).count();
    let mut part = Vec::new();
    key::part(key, wanted, &mut part);
    wanted.iter().all(|cell| *cell < cells).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_changes_its_shard() {
        let shards = ["null", "1", "\"user-1\"", "\"user-2\"", "1\n\"a\""].map(|key| shard_of(key.as_bytes(), 1000));
        assert_eq!(shards, [716, 397, 393, 779, 728]);
    }

    #[test]
    fn cells_are_taken_in_any_order() {
        assert_eq!(cells_of(b"1\n\"a\"\nnull", &[2, 0]).unwrap(), b"null\n1");
        assert_eq!(cells_of(b"1", &[1]), None);
    }
}
