//! Keys, and where the rows of each begin and end.

use keyed_state::{KeyIndex, Slots, hash};

use crate::row_number::NONE;
use crate::side::Side;

/// The rows of a key and side, in order of arrival.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    pub first: u32,
    pub last: u32,
}

const EMPTY: Chain = Chain { first: NONE, last: NONE };

/// Keys by number; numbers that were given back are used again.
#[derive(Debug, Default)]
pub struct Keys {
    chains: Slots<[Chain; 2]>,
    index: KeyIndex,
}

impl Keys {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn bytes(&self) -> usize {
        self.chains.bytes() + self.index.bytes()
    }

    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        self.index.find(&self.chains, key, hash(key))
    }

    /// A key that is not there yet.
    pub fn insert(&mut self, key: &[u8]) -> u32 {
        let (number, _) = self.chains.add(key, [EMPTY; 2]);
        self.index.add(&self.chains, number, hash(key));
        number
    }

    #[inline]
    pub fn text(&self, number: u32) -> &[u8] {
        self.chains.key(number)
    }

    #[inline]
    pub fn chain(&self, number: u32, side: Side) -> Chain {
        self.chains.get(number)[side as usize]
    }

    #[inline]
    pub fn chain_mut(&mut self, number: u32, side: Side) -> &mut Chain {
        &mut self.chains.get_mut(number)[side as usize]
    }

    /// Forgets a key without rows.
    pub fn remove_if_empty(&mut self, number: u32) {
        if self.chains.get(number).iter().any(|chain| chain.first != NONE) {
            return;
        }
        self.index.remove(self.chains.key(number), number);
        self.chains.remove(number, [EMPTY; 2]);
    }
}
