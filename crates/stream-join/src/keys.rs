//! Keys, and where the rows of each begin and end.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use values::KeyText;

use crate::rows::NONE;
use crate::side::Side;

/// The rows of a key and side, in order of arrival.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    pub first: u32,
    pub last: u32,
}

const EMPTY: Chain = Chain { first: NONE, last: NONE };

#[derive(Debug)]
struct Slot {
    text: KeyText,
    chains: [Chain; 2],
}

/// Keys by number; numbers that were given back are used again.
#[derive(Debug, Default)]
pub struct Keys {
    slots: Vec<Slot>,
    free: Vec<u32>,
    index: HashTable<u32>,
    /// What long keys take beside their slots.
    text_bytes: usize,
}

impl Keys {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>() + self.index.allocation_size() + self.text_bytes
    }

    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        self.index.find(hash(key), |number| self.slots[*number as usize].text.is(key)).copied()
    }

    /// A key that is not there yet.
    pub fn insert(&mut self, key: &[u8]) -> u32 {
        let text = KeyText::new(key);
        self.text_bytes += text.heap_bytes();
        let slot = Slot { text, chains: [EMPTY; 2] };
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = slot;
                number
            }
            None => {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
        };
        let slots = &self.slots;
        self.index.insert_unique(hash(key), number, |number| hash(slots[*number as usize].text.as_bytes()));
        number
    }

    #[inline]
    pub fn text(&self, number: u32) -> &[u8] {
        self.slots[number as usize].text.as_bytes()
    }

    #[inline]
    pub fn chain(&self, number: u32, side: Side) -> Chain {
        self.slots[number as usize].chains[side as usize]
    }

    #[inline]
    pub fn chain_mut(&mut self, number: u32, side: Side) -> &mut Chain {
        &mut self.slots[number as usize].chains[side as usize]
    }

    /// Forgets a key without rows.
    pub fn remove_if_empty(&mut self, number: u32) {
        let slot = &mut self.slots[number as usize];
        if slot.chains.iter().any(|chain| chain.first != NONE) {
            return;
        }
        let text = std::mem::replace(&mut slot.text, KeyText::new(b""));
        if let Ok(found) = self.index.find_entry(hash(text.as_bytes()), |other| *other == number) {
            found.remove();
        }
        self.text_bytes -= text.heap_bytes();
        self.free.push(number);
    }
}

/// The seed is fixed: the order of a table must not differ from run to run.
#[inline]
fn hash(key: &[u8]) -> u64 {
    FixedState::with_seed(0).hash_one(key)
}
