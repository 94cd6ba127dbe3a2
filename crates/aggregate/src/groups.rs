//! Keys and their states.

use std::hint::black_box;
use std::sync::Arc;

use accumulators::{LimitError, NumberBatch, Plan, Table, Values};
use keyed_state::{KeyIndex, Slots, Tracking, hash};
use millpipe::{Error, Fault};
use values::KeyText;
use values::state_text::StateReader;

/// One line, read and checked.
#[derive(Clone, Copy)]
pub struct Taken<'a> {
    pub line: &'a [u8],
    /// The part of the line that the values' spans count from.
    pub scanned: &'a [u8],
    pub key: &'a [u8],
    pub values: &'a Values,
    /// In order of arrival.
    pub sequence: u64,
}

/// How many groups there are in all windows together, against `--max-keys`.
#[derive(Debug)]
pub struct Budget {
    pub open: usize,
    max: usize,
}

impl Budget {
    pub fn new(max: usize) -> Budget {
        Budget { open: 0, max }
    }

    /// For groups that are gone before the next line comes.
    pub fn unlimited() -> Budget {
        Budget { open: usize::MAX / 2, max: usize::MAX }
    }

    /// How many more groups there may be.
    pub fn left(&self) -> usize {
        self.max.saturating_sub(self.open)
    }

    pub fn is_spent(&self) -> bool {
        self.open >= self.max
    }

    fn take(&mut self) -> Result<(), Fault> {
        if self.is_spent() {
            let error =
                Error::data(format_args!("more than {} keys in open windows, or at all without windows", self.max));
            return Err(error
                .hint("--max-keys N allows more; without windows --ttl or --overflow evict-oldest")
                .into());
        }
        self.open += 1;
        Ok(())
    }
}

/// States with their keys, by number; numbers that were given back are used again.
#[derive(Debug)]
pub struct Store {
    pub table: Table,
    pub tracking: Tracking,
    keys: Slots<()>,
}

impl Store {
    pub fn new(plan: &Arc<Plan>) -> Store {
        Store { table: Table::new(plan), tracking: Tracking::default(), keys: Slots::default() }
    }

    /// # Errors
    /// `Stop` at the limit of groups.
    pub fn insert(&mut self, key: &[u8], budget: &mut Budget) -> Result<u32, Fault> {
        budget.take()?;
        let (id, is_new) = self.keys.add(key, ());
        if is_new {
            self.table.push();
        }
        Ok(id)
    }

    #[inline]
    pub fn key(&self, id: u32) -> &[u8] {
        self.keys.key(id)
    }

    /// See [`Table::touch`].
    #[inline]
    pub fn touch(&self, id: u32) -> u64 {
        self.table.touch(id as usize) ^ self.key(id).len() as u64
    }

    /// Touches groups that lie anywhere in memory, so that they are waited for together.
    pub fn touch_all(&self, ids: &[u32]) {
        black_box(ids.iter().fold(0, |all, id| all ^ self.touch(*id)));
    }

    /// Gives back the group's key if the last checkpoint has the group.
    pub fn remove(&mut self, id: u32, budget: &mut Budget) -> Option<KeyText> {
        self.table.reset(id as usize);
        let (key, ()) = self.keys.remove(id, ());
        budget.open -= 1;
        self.tracking.forget(id).then_some(key)
    }

    /// The keys of the groups that the last checkpoint has.
    pub fn into_saved_keys(self) -> Vec<KeyText> {
        let Store { keys, tracking, .. } = self;
        if !tracking.has_saved() {
            return Vec::new();
        }
        (0..).zip(keys.into_keys()).filter(|(id, _)| tracking.is_saved(*id)).map(|(_, key)| key).collect()
    }

    /// Appends a group's state.
    pub fn save(&self, id: u32, out: &mut Vec<u8>) {
        self.table.save(id as usize, out);
    }

    /// The state of a group that was just made; returns its lines.
    ///
    /// # Errors
    /// A state that is damaged or of other results.
    pub fn load(&mut self, id: u32, from: &mut StateReader<'_>) -> Result<u64, Error> {
        self.table.load(id as usize, from).map_err(Error::data)?;
        self.tracking.restored(id);
        Ok(self.table.lines(id as usize))
    }

    // Else it is one more call for each line.
    #[inline(always)]
    pub fn update(&mut self, id: u32, taken: &Taken<'_>) -> Result<(), Fault> {
        let Taken { values, scanned, sequence, .. } = *taken;
        self.table.update(id as usize, values, scanned, sequence).map_err(stop)?;
        self.tracking.touch(id);
        Ok(())
    }

    /// Takes back what an earlier line brought.
    ///
    /// # Errors
    /// `Bad` when the group has not had such a line.
    pub fn take_back(&mut self, id: u32, taken: &Taken<'_>) -> Result<(), Fault> {
        if !self.table.take_back(id as usize, taken.values) {
            return Err(was_not_there());
        }
        self.tracking.touch(id);
        Ok(())
    }

    /// Takes in a line of a batch.
    #[inline]
    pub fn update_from(&mut self, id: u32, batch: &NumberBatch, line: usize) {
        self.table.update_from(id as usize, batch, line);
        self.tracking.touch(id);
    }
}

#[cold]
pub fn was_not_there() -> Fault {
    Fault::bad("the line takes back one that has not come before")
}

#[cold]
pub fn stop(error: LimitError) -> Fault {
    let hint = match error {
        LimitError::Percentiles { .. } => "--percentiles exact:N allows more, ddsketch and tdigest need no limit",
        LimitError::Distinct { .. } => "--distinct exact:N allows more, hyperloglog needs no limit",
    };
    Error::data(error).hint(hint).into()
}

/// Groups found by their key.
#[derive(Debug)]
pub struct Groups {
    pub store: Store,
    index: KeyIndex,
}

impl Groups {
    pub fn new(plan: &Arc<Plan>) -> Groups {
        Groups { store: Store::new(plan), index: KeyIndex::default() }
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// What all groups take in memory, about, with what it takes to sort them.
    pub fn bytes(&self) -> usize {
        let Store { table, keys, .. } = &self.store;
        let in_columns = table.bytes_per_group() + size_of::<u32>();
        keys.capacity() * in_columns + keys.bytes() + table.heap_bytes() + self.index.bytes()
    }

    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        self.find_hashed(key, hash(key))
    }

    /// The same for a key whose [`hash`] is known.
    #[inline]
    pub fn find_hashed(&self, key: &[u8], hash: u64) -> Option<u32> {
        self.index.find(&self.store.keys, key, hash)
    }

    /// A group that most likely is that of a key with this hash, if there is one. No key is looked at.
    #[inline]
    pub fn find_likely(&self, hash: u64) -> Option<u32> {
        self.index.find_likely(hash)
    }

    /// The group of a key with this [`hash`], a new one if there is none.
    ///
    /// # Errors
    /// `Stop` at the limit of groups.
    #[inline]
    pub fn find_or_insert(&mut self, key: &[u8], hash: u64, budget: &mut Budget) -> Result<u32, Fault> {
        match self.find_hashed(key, hash) {
            Some(id) => Ok(id),
            None => self.insert(key, hash, budget),
        }
    }

    /// A new group; none if there is one of this key.
    ///
    /// # Errors
    /// `Stop` at the limit of groups.
    pub fn add(&mut self, key: &[u8], budget: &mut Budget) -> Result<Option<u32>, Fault> {
        let hash = hash(key);
        if self.find_hashed(key, hash).is_some() {
            return Ok(None);
        }
        self.insert(key, hash, budget).map(Some)
    }

    #[cold]
    fn insert(&mut self, key: &[u8], hash: u64, budget: &mut Budget) -> Result<u32, Fault> {
        let id = self.store.insert(key, budget)?;
        self.index.add(&self.store.keys, id, hash);
        Ok(id)
    }

    /// Gives back the group's key if the last checkpoint has the group.
    pub fn remove(&mut self, id: u32, budget: &mut Budget) -> Option<KeyText> {
        if !self.index.remove(self.store.key(id), id) {
            return None;
        }
        self.store.remove(id, budget)
    }

    /// Makes room for so many more groups at once.
    pub fn reserve(&mut self, groups: usize) {
        self.store.table.reserve(groups);
        self.store.keys.reserve(groups);
        self.index.reserve(&self.store.keys, groups);
    }

    /// The groups that the next checkpoint has to save.
    pub fn take_changed(&mut self) -> Vec<u32> {
        let Groups { store, index } = self;
        store.tracking.take(index.ids())
    }

    /// All groups, in no particular order.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.index.ids()
    }
}
