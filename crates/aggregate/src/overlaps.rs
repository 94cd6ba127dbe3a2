//! Windows of several slices, written without merging the slices into one.

use accumulators::Table;
use event_time::{Scale, Window};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use keyed_state::hash;
use millpipe::{Fault, Out};

use crate::groups::{Groups, stop};
use crate::key_order;
use crate::results::Results;

/// A group of a slice, and the next one of the same key.
#[derive(Clone, Copy, Debug)]
struct Part {
    slice: u32,
    id: u32,
    next: Option<u32>,
}

/// The first and the last part of a key.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u32,
    last: u32,
}

/// Finds the groups of a key in all slices of a window. Use one for all windows.
#[derive(Debug, Default)]
pub struct Overlaps {
    /// By the key of the first part.
    index: HashTable<u32>,
    chains: Vec<Chain>,
    parts: Vec<Part>,
}

impl Overlaps {
    /// Writes the results of one window, keys in order.
    ///
    /// # Errors
    /// `Stop` at the limit of exact percentiles; nothing is written then.
    pub fn write(
        &mut self,
        window: Window,
        slices: &[&Groups],
        results: &mut Results,
        out: &mut Out,
    ) -> Result<(), Fault> {
        self.chain(slices);
        let mut tables: Vec<(&Table, usize)> = Vec::with_capacity(slices.len());
        for chain in &self.chains {
            self.collect(*chain, slices, &mut tables);
            results.check_merged(&tables).map_err(stop)?;
        }
        let key = |number: u32| self.key(self.chains[number as usize].first, slices);
        for number in key_order::sorted(self.chains.len() as u32, key) {
            self.collect(self.chains[number as usize], slices, &mut tables);
            results.write_merged((window, Scale::Time), key(number), &tables, out.buffer()).map_err(stop)?;
            out.end_result();
        }
        Ok(())
    }

    /// Links all groups of each key, in the order of the slices.
    fn chain(&mut self, slices: &[&Groups]) {
        let Overlaps { index, chains, parts } = self;
        index.clear();
        chains.clear();
        parts.clear();
        let key_of = |parts: &[Part], chain: Chain| {
            let part = parts[chain.first as usize];
            slices[part.slice as usize].store.key(part.id)
        };
        for (slice, groups) in (0..).zip(slices) {
            for id in 0..groups.len() as u32 {
                let key = groups.store.key(id);
                let number = parts.len() as u32;
                parts.push(Part { slice, id, next: None });
                let same = |known: &u32| key_of(parts, chains[*known as usize]) == key;
                match index.entry(hash(key), same, |known| hash(key_of(parts, chains[*known as usize]))) {
                    Entry::Occupied(known) => {
                        let chain = &mut chains[*known.get() as usize];
                        parts[chain.last as usize].next = Some(number);
                        chain.last = number;
                    }
                    Entry::Vacant(place) => {
                        place.insert(chains.len() as u32);
                        chains.push(Chain { first: number, last: number });
                    }
                }
            }
        }
    }

    fn key<'a>(&self, part: u32, slices: &[&'a Groups]) -> &'a [u8] {
        let part = self.parts[part as usize];
        slices[part.slice as usize].store.key(part.id)
    }

    /// The states of a key, in the order of the slices.
    fn collect<'a>(&self, chain: Chain, slices: &[&'a Groups], tables: &mut Vec<(&'a Table, usize)>) {
        tables.clear();
        let mut at = Some(chain.first);
        while let Some(part) = at.map(|at| self.parts[at as usize]) {
            tables.push((&slices[part.slice as usize].store.table, part.id as usize));
            at = part.next;
        }
    }
}
