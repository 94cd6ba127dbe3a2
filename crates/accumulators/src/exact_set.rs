//! A set of values that is exact, for any number of them.
//!
//! Up to 256 whole numbers are a sorted list, which is near at hand for many small groups. More are kept as bits, 64 in a
//! block, so that ids which lie close together take a bit each and others about 20 to 40 bytes; all other values by 128
//! bits of hash (at 10^9 different ones the odds of a collision are 10^-21), also 20 to 40 bytes.

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

use crate::bytes::{Reader, Writer};
use crate::random::{hash, mix};

/// Values by their canonical texts.
#[derive(Clone, Debug)]
pub(crate) enum ExactSet {
    /// Sorted whole numbers.
    Few(Vec<i64>),
    /// As soon as there are more, or others.
    Many(Box<Many>),
}

/// Whole numbers in a list.
const FEW_MAX: usize = 256;

impl Default for ExactSet {
    fn default() -> ExactSet {
        ExactSet::Few(Vec::new())
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Many {
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

fn place_of(number: i64) -> Place {
    Place::Bit(number >> 6, 1 << (number & 63))
}

fn place(text: &[u8]) -> Place {
    match whole_number(text) {
        Some(number) => place_of(number),
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
        match self {
            ExactSet::Few(numbers) => numbers.len() as u64,
            ExactSet::Many(many) => many.len,
        }
    }

    pub fn contains(&self, text: &[u8]) -> bool {
        match self {
            ExactSet::Few(numbers) => whole_number(text).is_some_and(|number| numbers.binary_search(&number).is_ok()),
            ExactSet::Many(many) => many.contains(place(text)),
        }
    }

    #[inline]
    pub fn add(&mut self, text: &[u8]) {
        match (&mut *self, whole_number(text)) {
            (ExactSet::Few(_), Some(number)) => self.add_number(number),
            (ExactSet::Few(_), None) => self.many().add(place(text)),
            (ExactSet::Many(many), Some(number)) => many.add(place_of(number)),
            (ExactSet::Many(many), None) => many.add(place(text)),
        }
    }

    fn add_number(&mut self, number: i64) {
        let ExactSet::Few(numbers) = self else { return self.many().add(place_of(number)) };
        // Ids grow most often.
        let at = match numbers.last() {
            Some(last) if *last < number => Err(numbers.len()),
            _ => numbers.binary_search(&number),
        };
        let Err(at) = at else { return };
        if numbers.len() == FEW_MAX {
            return self.many().add(place_of(number));
        }
        numbers.insert(at, number);
    }

    /// Makes it the form for many, for good.
    fn many(&mut self) -> &mut Many {
        if let ExactSet::Few(numbers) = self {
            let mut many = Many::default();
            numbers.iter().for_each(|number| many.add(place_of(*number)));
            *self = ExactSet::Many(Box::new(many));
        }
        match self {
            ExactSet::Many(many) => many,
            ExactSet::Few(_) => unreachable!("it was made that form"),
        }
    }

    pub fn merge(&mut self, other: &ExactSet) {
        match other {
            ExactSet::Few(numbers) => numbers.iter().for_each(|number| self.add_number(*number)),
            ExactSet::Many(theirs) => self.many().merge(theirs),
        }
    }

    /// How many values both together have.
    pub fn len_with(&self, other: &ExactSet) -> u64 {
        let mut both = self.clone();
        both.merge(other);
        both.len()
    }

    pub fn heap_bytes(&self) -> usize {
        match self {
            ExactSet::Few(numbers) => numbers.capacity() * size_of::<i64>(),
            ExactSet::Many(many) => size_of::<Many>() + many.blocks.allocation_size() + many.others.allocation_size(),
        }
    }

    /// Its bytes, the same for the same set.
    pub fn save(&self) -> Vec<u8> {
        match self {
            ExactSet::Many(many) => many.save(),
            ExactSet::Few(_) => self.clone().many().save(),
        }
    }

    /// The set of such bytes, in the form that it had.
    pub fn load(bytes: &[u8]) -> Option<ExactSet> {
        let many = Many::load(bytes)?;
        if many.len > FEW_MAX as u64 || !many.others.is_empty() {
            return Some(ExactSet::Many(Box::new(many)));
        }
        let bits = |(block, bits): (&i64, &u64)| {
            let (block, bits) = (*block, *bits);
            (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| block << 6 | bit)
        };
        let mut numbers: Vec<i64> = many.blocks.iter().flat_map(bits).collect();
        numbers.sort_unstable();
        Some(ExactSet::Few(numbers))
    }
}

impl Many {
    fn contains(&self, place: Place) -> bool {
        match place {
            Place::Bit(block, bit) => self.blocks.get(&block).is_some_and(|bits| bits & bit != 0),
            Place::Hash(hash) => self.others.contains(&hash),
        }
    }

    fn add(&mut self, place: Place) {
        match place {
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

    fn merge(&mut self, other: &Many) {
        other.blocks.iter().for_each(|(block, bits)| self.add_bits(*block, *bits));
        for hash in &other.others {
            self.len += u64::from(self.others.insert(*hash));
        }
    }

    fn save(&self) -> Vec<u8> {
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

    fn load(bytes: &[u8]) -> Option<Many> {
        let mut input = Reader::new(bytes);
        let mut set = Many::default();
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
            3 => (-400_i64..400).prop_map(|n| n.to_string()),
            1 => any::<i64>().prop_map(|n| n.to_string()),
            1 => (0..300_u32).prop_map(|n| format!("\"user-{n}\"")),
            1 => (1..100_u32).prop_map(|n| format!("{n}.5")),
        ];
        prop::collection::vec(value, 0..600)
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
