//! Values by key.

use checkpoint::Changes;
use stream::Error;
use values::state_text::StateReader;
use values::{KeyText, key};

use crate::limit::KeyLimit;
use crate::slots::{KeyIndex, Slots, hash};
use crate::tracking::Tracking;

/// A value for each key, at most so many.
#[derive(Debug)]
pub struct Keyed<V> {
    slots: Slots<V>,
    index: KeyIndex,
    limit: KeyLimit,
    tracking: Tracking,
    /// Keys that the last checkpoint has and that are gone.
    gone: Vec<KeyText>,
}

impl<V: Default> Default for Keyed<V> {
    /// Keeps as many keys as come: for a state that is limited in another way.
    fn default() -> Keyed<V> {
        Keyed::new(KeyLimit::new(usize::MAX, ""))
    }
}

impl<V: Default> Keyed<V> {
    #[must_use]
    pub fn new(limit: KeyLimit) -> Keyed<V> {
        Keyed {
            slots: Slots::default(),
            index: KeyIndex::default(),
            limit,
            tracking: Tracking::default(),
            gone: Vec::new(),
        }
    }

    /// Returns how many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Returns the number of a key whose [`hash`] is this.
    #[inline]
    #[must_use]
    pub fn find(&self, key: &[u8], hash: u64) -> Option<u32> {
        self.index.find(&self.slots, key, hash)
    }

    /// Adds a key, which must not be there yet; returns its number.
    ///
    /// # Errors
    /// At the limit of keys.
    pub fn insert(&mut self, key: &[u8], hash: u64, value: V) -> Result<u32, Error> {
        self.limit.check(self.len())?;
        let (id, _) = self.slots.add(key, value);
        self.index.add(&self.slots, id, hash);
        self.tracking.touch(id);
        Ok(id)
    }

    #[inline]
    #[must_use]
    pub fn key(&self, id: u32) -> &[u8] {
        self.slots.key(id)
    }

    #[inline]
    #[must_use]
    pub fn get(&self, id: u32) -> &V {
        self.slots.get(id)
    }

    /// Returns the value, to be changed: the next checkpoint saves it.
    #[inline]
    pub fn change(&mut self, id: u32) -> &mut V {
        self.tracking.touch(id);
        self.slots.get_mut(id)
    }

    /// Returns the value, to be changed in what no checkpoint has of it: where it is.
    #[inline]
    pub fn get_mut(&mut self, id: u32) -> &mut V {
        self.slots.get_mut(id)
    }

    /// Returns what all of it takes in memory, about, but for what values keep elsewhere.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.slots.bytes() + self.index.bytes()
    }

    /// Takes a key out with its value.
    pub fn remove(&mut self, id: u32) -> V {
        self.index.remove(self.slots.key(id), id);
        let (key, value) = self.slots.remove(id, V::default());
        if self.tracking.forget(id) {
            self.gone.push(key);
        }
        value
    }

    /// Returns all numbers, in no particular order.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.index.ids()
    }

    /// Returns all numbers, keys in the order of [`key::compare`].
    #[must_use]
    pub fn ids_by_key(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.ids().collect();
        ids.sort_unstable_by(|a, b| key::compare(self.key(*a), self.key(*b)));
        ids
    }

    /// Gives the entries that changed since the last call, named by their keys; `write` writes a value as JSON.
    pub fn save(&mut self, to: &mut Changes, mut write: impl FnMut(&V, &mut Vec<u8>)) {
        self.gone.drain(..).for_each(|key| to.remove(&key::text(key.as_bytes())));
        for id in self.tracking.take(self.index.ids()) {
            to.put(&key::text(self.slots.key(id)), |out| write(self.slots.get(id), out));
        }
    }

    /// Takes an entry of a checkpoint whose value `read` reads to its end; returns its number.
    ///
    /// # Errors
    /// When the value is not what was written, the key is there already, or at the limit of keys.
    pub fn load(
        &mut self,
        name: &str,
        value: &[u8],
        read: impl FnOnce(&mut StateReader<'_>) -> Option<V>,
    ) -> Result<u32, Error> {
        let mut from = StateReader::new(value);
        let value = read(&mut from).filter(|_| from.end().is_some());
        let hash = hash(name.as_bytes());
        match value.filter(|_| self.find(name.as_bytes(), hash).is_none()) {
            None => Err(Error::damaged_entry(name)),
            Some(value) => {
                let id = self.insert(name.as_bytes(), hash, value)?;
                self.tracking.restored(id);
                Ok(id)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn saved(keyed: &mut Keyed<u32>) -> Vec<String> {
        let mut changes = Changes::default();
        keyed.save(&mut changes, |value, out| out.extend_from_slice(value.to_string().as_bytes()));
        let mut lines: Vec<String> = String::from_utf8_lossy(changes.text()).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    fn set(keyed: &mut Keyed<u32>, key: &str, value: u32) {
        let (key, hash) = (key.as_bytes(), hash(key.as_bytes()));
        match keyed.find(key, hash) {
            Some(id) => *keyed.change(id) = value,
            None => drop(keyed.insert(key, hash, value).unwrap()),
        }
    }

    fn remove(keyed: &mut Keyed<u32>, key: &str) {
        if let Some(id) = keyed.find(key.as_bytes(), hash(key.as_bytes())) {
            keyed.remove(id);
        }
    }

    #[test]
    fn the_first_save_has_all_and_later_ones_what_changed() {
        let mut keyed = Keyed::default();
        ["a", "b", "c"].iter().zip(0..).for_each(|(key, value)| set(&mut keyed, key, value));
        assert_eq!(saved(&mut keyed), ["[\"a\",0]", "[\"b\",1]", "[\"c\",2]"]);
        set(&mut keyed, "b", 7);
        remove(&mut keyed, "c");
        set(&mut keyed, "d", 9);
        assert_eq!(saved(&mut keyed), ["[\"b\",7]", "[\"c\"]", "[\"d\",9]"]);
        assert!(saved(&mut keyed).is_empty());
    }

    #[test]
    fn keys_are_given_in_their_order() {
        let mut keyed = Keyed::default();
        ["10", "\"a\"", "9", "null"].iter().for_each(|key| set(&mut keyed, key, 0));
        let keys: Vec<&[u8]> = keyed.ids_by_key().into_iter().map(|id| keyed.key(id)).collect();
        assert_eq!(keys, [&b"null"[..], b"9", b"10", b"\"a\""]);
    }

    proptest! {
        /// What is restored from all saves so far is what is there.
        #[test]
        fn the_sum_of_all_saves_is_the_state(steps: Vec<(u8, u8, bool)>) {
            let (mut keyed, mut model, mut folder) = (Keyed::default(), BTreeMap::new(), BTreeMap::new());
            for (at, (key, value, saves)) in steps.into_iter().enumerate() {
                let key = format!("{}{}", key % 8, "k".repeat(usize::from(key % 3) * 15));
                if value % 4 == 0 {
                    remove(&mut keyed, &key);
                    model.remove(&key);
                } else {
                    set(&mut keyed, &key, at as u32);
                    model.insert(key, at as u32);
                }
                if saves {
                    let mut changes = Changes::default();
                    keyed.save(&mut changes, |value, out| out.extend_from_slice(value.to_string().as_bytes()));
                    for line in String::from_utf8_lossy(changes.text()).lines() {
                        let line = line.trim_matches(['[', ']']);
                        match line.split_once(',') {
                            Some((key, value)) => drop(folder.insert(key.trim_matches('"').to_owned(), value.parse::<u32>().unwrap())),
                            None => prop_assert!(folder.remove(line.trim_matches('"')).is_some()),
                        }
                    }
                    prop_assert_eq!(&folder, &model);
                }
                prop_assert_eq!(keyed.len(), model.len());
            }
        }
    }
}
