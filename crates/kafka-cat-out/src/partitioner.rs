//! Which partition a key belongs to: the functions of the client, for a program that has none.
#![allow(unsafe_code)] // The client's calls for this are not among the safe ones of its wrapper.

use std::ptr;

use rdkafka::bindings::{
    rd_kafka_msg_partitioner_consistent, rd_kafka_msg_partitioner_fnv1a, rd_kafka_msg_partitioner_murmur2,
};

/// Returns the partition, of this many, of messages with this key, as `--partitioner` names it. None: it is chosen at random.
#[must_use]
pub fn partition_of(partitioner: &str, key: Option<&[u8]>, partitions: i32) -> Option<i32> {
    let (name, is_random_without_key) = match partitioner.strip_suffix("_random") {
        Some(name) => (name, true),
        None => (partitioner, false),
    };
    // As the client has it: an empty key is none for these two.
    let is_none = match name {
        "consistent" => key.is_none_or(<[u8]>::is_empty),
        _ => key.is_none(),
    };
    if name == "random" || (is_random_without_key && is_none) {
        return None;
    }
    let key = key.unwrap_or_default();
    let choose = match name {
        "consistent" => rd_kafka_msg_partitioner_consistent,
        "fnv1a" => rd_kafka_msg_partitioner_fnv1a,
        _ => rd_kafka_msg_partitioner_murmur2,
    };
    // SAFETY: these functions look at nothing but the key, which lives as long as the call, and the number of partitions.
    let chosen =
        unsafe { choose(ptr::null(), key.as_ptr().cast(), key.len(), partitions, ptr::null_mut(), ptr::null_mut()) };
    Some(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `Utils.toPositive(Utils.murmur2(key)) % 1000` of Java's client.
    #[test]
    fn keys_are_where_java_producers_put_them() {
        let of = |key: &str| partition_of("murmur2_random", Some(key.as_bytes()), 1000);
        assert_eq!(of("21"), Some(((-973_932_308_i64 & 0x7fff_ffff) % 1000) as i32));
        assert_eq!(of("foobar"), Some(((-790_332_482_i64 & 0x7fff_ffff) % 1000) as i32));
        assert_eq!(of("a-little-bit-long-string"), Some(((-985_981_536_i64 & 0x7fff_ffff) % 1000) as i32));
    }

    #[test]
    fn without_a_key_some_choose_at_random() {
        for random in ["murmur2_random", "consistent_random", "fnv1a_random", "random"] {
            assert_eq!(partition_of(random, None, 7), None, "{random}");
        }
        assert_eq!(partition_of("random", Some(b"a"), 7), None);
        assert_eq!(partition_of("consistent_random", Some(b""), 7), None);
        for fixed in ["murmur2", "consistent", "fnv1a"] {
            let chosen = partition_of(fixed, None, 7);
            assert!(chosen.is_some_and(|partition| (0..7).contains(&partition)), "{fixed}");
        }
    }
}
