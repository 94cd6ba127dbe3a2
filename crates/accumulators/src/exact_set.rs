//! A set of values that is exact, for any number of them.
//!
//! Whole numbers are kept as bits, 64 in a block, so that ids which lie close together take a bit each and others about
//! 20 to 40 bytes; all other values by 128 bits of hash (at 10^9 different ones the odds of a collision are 10^-21), also
//! 20 to 40 bytes.

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

use crate::bytes::{Reader, Writer};
use crate::random::{hash, mix};

/// Values by their canonical texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExactSet {
    /// Bit `n % 64` of block `n / 64`.
    blocks: HashMap<i64, u64, FixedState>,
    others: HashSet<[u64; 2], FixedState>,
    len: u64,
}

/// What a set knows a value by.
#[derive(Clone, Copy)]
enum Place {
    Bit(i64, u64),
    Hash([u64; 2]),
}

fn place(text: &[u8]) -> Place {
    match whole_number(text) {
        Some(number) => Place::Bit(number >> 6, 1 << (number & 63)),
        None => Place::Hash([hash(text), second_hash(text)]),
    }
}

/// Canonical numbers have no leading zeros, no `-0` and no exponent where that is not needed.
fn whole_number(text: &[u8]) -> Option<i64> {
    let (digits, is_negative) = match text.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut number = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(if is_negative { -number } else { number })
}

/// Another one than [`hash`], and as lasting: eight bytes at a time, mixed.
fn second_hash(text: &[u8]) -> u64 {
    text.chunks(8).fold(mix(text.len() as u64 ^ 0x5851_f42d_4c95_7f2d), |state, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(state ^ u64::from_le_bytes(word)).wrapping_add(0x9e37_79b9_7f4a_7c15)
    })
}

impl ExactSet {
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn contains(&self, text: &[u8]) -> bool {
        match place(text) {
            Place::Bit(block, bit) => self.blocks.get(&block).is_some_and(|bits| bits & bit != 0),
            Place::Hash(hash) => self.others.contains(&hash),
        }
    }

    pub fn add(&mut self, text: &[u8]) {
        match place(text) {
            Place::Bit(block, bit) => self.add_bits(block, bit),
            Place::Hash(hash) => self.len += u64::from(self.others.insert(hash)),
        }
    }

    #[inline]
    fn add_bits(&mut self, block: i64, bits: u64) {
        let known = self.blocks.entry(block).or_insert(0);
        self.len += u64::from((bits & !*known).count_ones());
        *known |= bits;
    }

    pub fn merge(&mut self, other: &ExactSet) {
        other.blocks.iter().for_each(|(block, bits)| self.add_bits(*block, *bits));
        for hash in &other.others {
            self.len += u64::from(self.others.insert(*hash));
        }
    }

    /// How many values both together have.
    pub fn len_with(&self, other: &ExactSet) -> u64 {
        let new_bits = other.blocks.iter().map(|(block, bits)| {
            let known = self.blocks.get(block).copied().unwrap_or(0);
            u64::from((bits & !known).count_ones())
        });
        let new_others = other.others.iter().filter(|hash| !self.others.contains(*hash)).count() as u64;
        self.len + new_bits.sum::<u64>() + new_others
    }

    pub fn heap_bytes(&self) -> usize {
        self.blocks.allocation_size() + self.others.allocation_size()
    }

    /// Its bytes, the same for the same set.
    pub fn save(&self) -> Vec<u8> {
        let mut blocks: Vec<(i64, u64)> = self.blocks.iter().map(|(block, bits)| (*block, *bits)).collect();
        blocks.sort_unstable();
        let mut others: Vec<[u64; 2]> = self.others.iter().copied().collect();
        others.sort_unstable();
        let mut out = Writer::default();
        out.u64(blocks.len() as u64);
        let mut last = 0_i64;
        for (block, bits) in blocks {
            let step = block.wrapping_sub(last);
            // Small steps of either sign are short (zigzag).
            out.short((step << 1 ^ step >> 63) as u64);
            out.u64(bits);
            last = block;
        }
        others.iter().flatten().for_each(|half| out.u64(*half));
        out.finish()
    }

    pub fn load(bytes: &[u8]) -> Option<ExactSet> {
        let mut input = Reader::new(bytes);
        let mut set = ExactSet::default();
        let mut block = 0_i64;
        for _ in 0..input.u64()? {
            let step = input.short()?;
            block = block.checked_add((step >> 1) as i64 ^ -((step & 1) as i64))?;
            let bits = input.u64().filter(|bits| *bits != 0)?;
            set.add_bits(block, bits);
        }
        while input.numbers_left() >= 2 {
            let hash = [input.u64()?, input.u64()?];
            set.len += u64::from(set.others.insert(hash));
        }
        input.is_empty().then_some(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn of(values: &[String]) -> ExactSet {
        let mut set = ExactSet::default();
        values.iter().for_each(|value| set.add(value.as_bytes()));
        set
    }

    fn values() -> impl Strategy<Value = Vec<String>> {
        let value = prop_oneof![
            3 => (-200_i64..200).prop_map(|n| n.to_string()),
            1 => any::<i64>().prop_map(|n| n.to_string()),
            1 => (0..300_u32).prop_map(|n| format!("\"user-{n}\"")),
            1 => (1..100_u32).prop_map(|n| format!("{n}.5")),
        ];
        prop::collection::vec(value, 0..300)
    }

    proptest! {
        #[test]
        fn a_set_counts_what_a_set_of_texts_does(left in values(), right in values()) {
            let mut merged = of(&left);
            let all: BTreeSet<&String> = left.iter().chain(&right).collect();
            prop_assert_eq!(merged.len(), left.iter().collect::<BTreeSet<_>>().len() as u64);
            prop_assert_eq!(merged.len_with(&of(&right)), all.len() as u64);
            merged.merge(&of(&right));
            prop_assert_eq!(merged.len(), all.len() as u64);
            prop_assert!(all.iter().all(|value| merged.contains(value.as_bytes())));
            prop_assert!(!merged.contains(b"\"nobody\"") && !merged.contains(b"1e99"));
            let again = ExactSet::load(&merged.save()).unwrap();
            prop_assert_eq!((again.len(), again.save()), (merged.len(), merged.save()));
        }
    }

    #[test]
    fn ids_that_lie_close_together_take_little() {
        let mut set = ExactSet::default();
        (0..1_000_000_u32).for_each(|id| set.add(id.to_string().as_bytes()));
        assert_eq!(set.len(), 1_000_000);
        assert!(set.heap_bytes() < 800_000, "{}", set.heap_bytes());
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let bytes = of(&["1".into(), "\"a\"".into()]).save();
        assert!(ExactSet::load(&bytes[..bytes.len() - 1]).is_none());
        assert!(ExactSet::load(&[9; 8]).is_none());
    }
}
