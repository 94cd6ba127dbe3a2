//! Groups that are of a span each, which their entry in a checkpoint is named by.

use std::sync::Arc;

use accumulators::Plan;
use event_time::{Scale, Window};
use millpipe::{Changes, Fault};

use crate::entry_name::EntryName;
use crate::groups::{Budget, Store};
use values::KeyText;

/// Groups found by their number only. Whoever has them finds them by key.
#[derive(Debug)]
pub struct SpanGroups {
    pub store: Store,
    /// Of each group. It never changes; no two groups of a key have the same.
    names: Vec<Window>,
    /// Groups that the last checkpoint has and that are gone.
    removed: Vec<(Window, KeyText)>,
}

impl SpanGroups {
    pub fn new(plan: &Arc<Plan>) -> SpanGroups {
        SpanGroups { store: Store::new(plan), names: Vec::new(), removed: Vec::new() }
    }

    /// The group of a key among some that are sorted by key, a new one of this name if there is none.
    ///
    /// # Errors
    /// `Stop` at the limit of groups.
    #[inline]
    pub fn member(
        &mut self,
        members: &mut Vec<u32>,
        key: &[u8],
        name: Window,
        budget: &mut Budget,
    ) -> Result<u32, Fault> {
        match self.find(members, key) {
            Ok(at) => Ok(members[at]),
            Err(at) => {
                let id = self.insert(key, name, budget)?;
                members.insert(at, id);
                Ok(id)
            }
        }
    }

    /// The place of a key among groups that are sorted by key, or where it would be.
    #[inline]
    pub fn find(&self, members: &[u32], key: &[u8]) -> Result<usize, usize> {
        members.binary_search_by(|id| self.store.key(*id).cmp(key))
    }

    /// # Errors
    /// `Stop` at the limit of groups.
    pub fn insert(&mut self, key: &[u8], name: Window, budget: &mut Budget) -> Result<u32, Fault> {
        let id = self.store.insert(key, budget)?;
        let len = self.names.len().max(id as usize + 1);
        self.names.resize(len, name);
        self.names[id as usize] = name;
        Ok(id)
    }

    pub fn remove(&mut self, id: u32, budget: &mut Budget) {
        if let Some(key) = self.store.remove(id, budget) {
            self.removed.push((self.names[id as usize], key));
        }
    }

    /// Gives the entries that changed, out of `all`; `write` writes what stands in the entry of a group.
    pub fn save(
        &mut self,
        scale: Scale,
        all: impl Iterator<Item = u32>,
        to: &mut Changes,
        write: impl Fn(&Store, u32, &mut Vec<u8>),
    ) {
        for (name, key) in self.removed.drain(..) {
            to.remove(EntryName::new(name, scale).with(key.as_bytes()));
        }
        for id in self.store.tracking.take(all) {
            let mut name = EntryName::new(self.names[id as usize], scale);
            to.put(name.with(self.store.key(id)), |out| write(&self.store, id, out));
        }
    }
}
