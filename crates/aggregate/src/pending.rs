//! Lines that wait to be taken in together.
//!
//! To take in one line is to wait for memory several times: for the index, the key and the state of its group, each
//! after the other. Lines that are taken in together wait for theirs at the same time.

use std::hint::black_box;

use accumulators::NumberBatch;
use keyed_state::hash;
use millpipe::Fault;

use crate::groups::Taken;
use crate::pane::Pane;
use crate::work::Work;

/// More would help no further, and have to fit into the nearest cache.
const LINES_MAX: usize = 32;

#[derive(Clone, Copy, Debug)]
struct Line {
    slot: usize,
    hash: u64,
    key_start: usize,
    key_end: usize,
    /// Once the group is found.
    id: Option<u32>,
}

/// Lines of which nothing but numbers is wanted.
#[derive(Debug, Default)]
pub struct Pending {
    lines: Vec<Line>,
    keys: Vec<u8>,
    numbers: NumberBatch,
}

impl Pending {
    /// Whether the lines that wait, and one more, are sure to be taken in. If not they have to be before that one, so
    /// that it is the one that is named when there are too many groups.
    #[inline]
    pub fn has_room(&self, work: &Work) -> bool {
        work.budget.left() > LINES_MAX
    }

    #[inline]
    pub fn is_full(&self) -> bool {
        self.lines.len() >= LINES_MAX
    }

    #[inline]
    pub fn push(&mut self, slot: usize, taken: &Taken<'_>) {
        let key_start = self.keys.len();
        self.keys.extend_from_slice(taken.key);
        self.numbers.push(taken.values);
        self.lines.push(Line { slot, hash: hash(taken.key), key_start, key_end: self.keys.len(), id: None });
    }

    /// Takes in all lines that wait, in order.
    ///
    /// # Errors
    /// `Stop` at the limit of groups, which [`Pending::has_room`] keeps away.
    pub fn flush(&mut self, panes: &mut [Pane], work: &mut Work) -> Result<(), Fault> {
        // Each step waits for what the next one needs, for all lines at once.
        for line in &mut self.lines {
            line.id = panes[line.slot].groups.find_likely(line.hash);
        }
        let likely = self.lines.iter().filter_map(|line| Some(panes[line.slot].groups.store.key(line.id?).len()));
        black_box(likely.fold(0, |all, one| all ^ one));
        for line in &mut self.lines {
            line.id = panes[line.slot].groups.find_hashed(&self.keys[line.key_start..line.key_end], line.hash);
        }
        let known = self.lines.iter().filter_map(|line| Some((line.slot, line.id?)));
        let touched = known.map(|(slot, id)| panes[slot].groups.store.touch(id));
        black_box(touched.fold(0, |all, one| all ^ one));
        for (number, line) in self.lines.iter().enumerate() {
            let pane = &mut panes[line.slot];
            let id = match line.id {
                Some(id) => id,
                None => {
                    pane.groups.find_or_insert(&self.keys[line.key_start..line.key_end], line.hash, &mut work.budget)?
                }
            };
            pane.groups.store.update_from(id, &self.numbers, number);
        }
        self.lines.clear();
        self.keys.clear();
        self.numbers.clear();
        Ok(())
    }
}
