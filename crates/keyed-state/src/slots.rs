//! Keys by number, each with a value, and the index that finds them.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use values::KeyText;

/// The seed is fixed: the order of a table must not differ from run to run.
#[inline]
#[must_use]
pub fn hash(key: &[u8]) -> u64 {
    FixedState::with_seed(0).hash_one(key)
}

#[derive(Debug)]
struct Slot<T> {
    key: KeyText,
    value: T,
}

/// Keys by number, each with a value. A number that is free is given out again.
#[derive(Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    /// What long keys take beside their slots.
    key_bytes: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots { slots: Vec::new(), free: Vec::new(), key_bytes: 0 }
    }
}

impl<T> Slots<T> {
    /// Adds a key; returns its number, and true if no key had that number before.
    pub fn add(&mut self, key: &[u8], value: T) -> (u32, bool) {
        let key = KeyText::new(key);
        self.key_bytes += key.heap_bytes();
        match self.free.pop() {
            Some(id) => {
                self.slots[id as usize] = Slot { key, value };
                (id, false)
            }
            None => {
                self.slots.push(Slot { key, value });
                ((self.slots.len() - 1) as u32, true)
            }
        }
    }

    /// Takes out a key with its value; its number is free then.
    pub fn remove(&mut self, id: u32, empty: T) -> (KeyText, T) {
        let Slot { key, value } =
            std::mem::replace(&mut self.slots[id as usize], Slot { key: KeyText::new(b""), value: empty });
        self.key_bytes -= key.heap_bytes();
        self.free.push(id);
        (key, value)
    }

    #[inline]
    #[must_use]
    pub fn key(&self, id: u32) -> &[u8] {
        self.slots[id as usize].key.as_bytes()
    }

    #[inline]
    #[must_use]
    pub fn get(&self, id: u32) -> &T {
        &self.slots[id as usize].value
    }

    #[inline]
    pub fn get_mut(&mut self, id: u32) -> &mut T {
        &mut self.slots[id as usize].value
    }

    /// Returns how many numbers were ever given out at the same time.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Returns what all of it takes in memory, about, but for what values keep elsewhere.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot<T>>() + self.key_bytes
    }

    /// Makes room for so many more keys at once.
    pub fn reserve(&mut self, keys: usize) {
        self.slots.reserve(keys);
    }

    /// Takes all keys out, in the order of their numbers; those of free numbers are empty.
    pub fn into_keys(self) -> impl Iterator<Item = KeyText> {
        self.slots.into_iter().map(|slot| slot.key)
    }
}

/// Finds the numbers of keys.
#[derive(Debug, Default)]
pub struct KeyIndex(HashTable<u32>);

impl KeyIndex {
    /// Returns how many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of a key whose [`hash`] is this.
    #[inline]
    #[must_use]
    pub fn find<T>(&self, slots: &Slots<T>, key: &[u8], hash: u64) -> Option<u32> {
        self.0.find(hash, |id| slots.slots[*id as usize].key.is(key)).copied()
    }

    /// Returns the number that a key with this hash most likely has, if there is one. No key is looked at.
    #[inline]
    #[must_use]
    pub fn find_likely(&self, hash: u64) -> Option<u32> {
        self.0.find(hash, |_| true).copied()
    }

    /// Adds the number of a key that is not there yet.
    pub fn add<T>(&mut self, slots: &Slots<T>, id: u32, hash: u64) {
        self.0.insert_unique(hash, id, |id| self::hash(slots.key(*id)));
    }

    /// Takes out the number of a key; false if it is not there.
    pub fn remove(&mut self, key: &[u8], id: u32) -> bool {
        self.0.find_entry(hash(key), |other| *other == id).map(|place| place.remove()).is_ok()
    }

    /// Returns all numbers, in no particular order.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }

    /// Returns what it takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.allocation_size()
    }

    /// Makes room for so many more keys at once.
    pub fn reserve<T>(&mut self, slots: &Slots<T>, keys: usize) {
        self.0.reserve(keys, |id| hash(slots.key(*id)));
    }
}
