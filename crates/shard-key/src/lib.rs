//! Which shard a key belongs to: what `shard` and `state reshard` must agree on, for ever.
//!
//! A key is the canonical texts of its values, with newlines between them ([`line_values::key`]). Its XXH3 hash (64 bits) names the
//! shard.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use line_values::{Expression, key};
use xxhash_rust::xxh3::xxh3_64;

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

/// How `shard --by` may say one part of a key that lines of two kinds have, each by its own expression.
#[must_use]
pub fn texts_of_either(left: &Expression, right: &Expression) -> Vec<String> {
    let (left, right) = (left.to_string(), right.to_string());
    if left == right {
        return vec![left];
    }
    let pairs = [(&left, &right), (&right, &left)];
    pairs.iter().flat_map(|(a, b)| [format!("{a} // {b}"), format!("{a}//{b}")]).collect()
}

/// The texts of a list of expressions, as flags of a state have them.
#[must_use]
pub fn expressions(list: &str) -> Vec<String> {
    let parsed = Expression::parse_list(list).unwrap_or_default();
    parsed.iter().map(ToString::to_string).collect()
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
