//! Entries that are taken in the order of their keys while others come: a priority queue beyond memory.

use crate::cursor::Cursor;
use crate::error::Error;
use crate::merge::{Merge, Order};
use crate::run::RunWriter;
use crate::runs::{FAN_IN_MAX, Written};
use crate::scratch::Scratch;

/// The name of the only span that a queue's runs have.
const ALL: () = ();

/// Runs that are read side by side, each from where it was left.
///
/// This is the part on disk of a sequence heap (Sanders, "Fast priority queues for cached memory", 2000): whoever fills
/// its memory adds all it has as a run, and takes the lesser of its own first entry and [`Queue::first`]. A run gives
/// its room back when its last entry is taken. Entries of equal keys are taken oldest run first.
#[derive(Debug)]
pub struct Queue {
    scratch: Box<dyn Scratch>,
    /// Of each cursor of `merge` the level: how many runs went into it, as a power of the fan-in. Oldest first; levels
    /// never rise.
    levels: Vec<u32>,
    merge: Merge,
    fan_in_max: usize,
    written: Written,
    len: u64,
}

impl Queue {
    #[must_use]
    pub fn new(scratch: Box<dyn Scratch>, order: Order) -> Queue {
        let (merge, written) = (Merge::empty(order), Written::default());
        Queue { scratch, levels: Vec::new(), merge, fan_in_max: FAN_IN_MAX, written, len: 0 }
    }

    /// Another number than [`FAN_IN_MAX`], at least 2.
    #[must_use]
    pub fn with_fan_in(mut self, runs: usize) -> Queue {
        self.fan_in_max = runs.max(2);
        self
    }

    #[must_use]
    pub fn written(&self) -> Written {
        self.written
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entry with the least key.
    #[inline]
    #[must_use]
    pub fn first(&self) -> Option<(&[u8], &[u8])> {
        self.merge.first().map(|cursor| (cursor.key(), cursor.value()))
    }

    /// Takes the first entry away.
    ///
    /// # Errors
    /// When the next one cannot be read.
    #[inline]
    pub fn pop(&mut self) -> Result<(), Error> {
        self.len = self.len.saturating_sub(1);
        if let Some(over) = self.merge.advance()? {
            self.levels.remove(over);
        }
        Ok(())
    }

    /// Begins a run; its keys come in their order, for [`Queue::add`].
    ///
    /// # Errors
    /// When no file can be made.
    pub fn begin(&self) -> Result<RunWriter<()>, Error> {
        let mut run = RunWriter::new(&*self.scratch)?;
        run.begin(ALL)?;
        Ok(run)
    }

    /// Takes a run. Where there are too many, some become one.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub fn add(&mut self, run: RunWriter<()>) -> Result<(), Error> {
        let run = run.finish()?;
        self.written.runs += 1;
        self.written.entries += run.entries;
        self.written.bytes += run.bytes;
        self.len += run.entries;
        self.push(run.cursor(ALL), 0)?;
        while let Some((first, level)) = self.first_to_merge() {
            let merged = self.rewrite(first)?;
            self.push(merged, level + 1)?;
        }
        Ok(())
    }

    fn push(&mut self, cursor: Option<Cursor>, level: u32) -> Result<(), Error> {
        let Some(mut cursor) = cursor else { return Ok(()) };
        cursor.advance()?;
        self.merge.push(cursor);
        self.levels.push(level);
        Ok(())
    }

    /// Where the runs of the last level begin, if there are too many of it.
    fn first_to_merge(&self) -> Option<(usize, u32)> {
        let level = *self.levels.last()?;
        let first = self.levels.iter().position(|other| *other == level)?;
        (self.levels.len() - first >= self.fan_in_max).then_some((first, level))
    }

    /// What is left of the runs from this one on, as one.
    fn rewrite(&mut self, first: usize) -> Result<Option<Cursor>, Error> {
        let mut some = self.merge.split_off(first);
        self.levels.truncate(first);
        let mut to = self.begin()?;
        while let Some(cursor) = some.first() {
            to.push(cursor.key(), cursor.value())?;
            some.advance()?;
        }
        let run = to.finish()?;
        self.written.rewritten += run.entries;
        Ok(run.cursor(ALL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;
    use proptest::prelude::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    fn queue(scratch: &Memory) -> Queue {
        Queue::new(Box::new(scratch.clone()), |a, b| a.cmp(b)).with_fan_in(3)
    }

    fn add(queue: &mut Queue, mut keys: Vec<u16>) {
        keys.sort_unstable();
        let mut run = queue.begin().unwrap();
        for key in keys {
            run.push(&key.to_be_bytes(), format!("value {key}").as_bytes()).unwrap();
        }
        queue.add(run).unwrap();
    }

    fn take(queue: &mut Queue) -> Option<u16> {
        let (key, value) = queue.first()?;
        let key = u16::from_be_bytes(key.try_into().unwrap());
        assert_eq!(value, format!("value {key}").as_bytes());
        queue.pop().unwrap();
        Some(key)
    }

    #[test]
    fn a_run_gives_its_room_back_with_its_last_entry() {
        let scratch = Memory::default();
        let mut queue = queue(&scratch);
        add(&mut queue, vec![1, 4]);
        add(&mut queue, vec![2, 3]);
        assert_eq!(scratch.files(), 2);
        assert_eq!((take(&mut queue), take(&mut queue), take(&mut queue)), (Some(1), Some(2), Some(3)));
        assert_eq!((scratch.files(), queue.len()), (1, 1));
        assert_eq!((take(&mut queue), take(&mut queue), scratch.files()), (Some(4), None, 0));
    }

    #[test]
    fn what_is_taken_is_not_written_again() {
        let scratch = Memory::default();
        let mut queue = queue(&scratch);
        add(&mut queue, vec![1, 2, 9]);
        add(&mut queue, vec![3, 8]);
        assert_eq!((take(&mut queue), take(&mut queue)), (Some(1), Some(2)));
        add(&mut queue, vec![7]);
        let written = queue.written();
        assert_eq!((written.runs, written.entries, written.rewritten, scratch.files()), (3, 6, 4, 1));
        assert_eq!(queue.len(), 4);
    }

    proptest! {
        #[test]
        fn entries_come_in_order_while_others_are_added(
            steps in proptest::collection::vec((proptest::collection::vec(0u16..500, 0..20), 0usize..20), 1..40),
        ) {
            let scratch = Memory::default();
            let (mut queue, mut model) = (queue(&scratch), BinaryHeap::new());
            for (keys, takes) in steps {
                model.extend(keys.iter().map(|key| Reverse(*key)));
                add(&mut queue, keys);
                prop_assert_eq!(queue.len(), model.len() as u64);
                for _ in 0..takes {
                    prop_assert_eq!(take(&mut queue), model.pop().map(|Reverse(key)| key));
                }
                prop_assert!(scratch.files() <= 9, "{} files", scratch.files());
            }
        }
    }
}
