//! The states of one kind.

use std::ops::Range;

use values::state_text::{StateReader, write_items};

use crate::settings::Settings;
use crate::snapshot_error::SnapshotError;
use crate::state::State;

/// The states of one kind of many groups: those of a group side by side, as many as the plan needs of them.
#[derive(Clone, Debug)]
pub(crate) struct Column<S> {
    states: Vec<S>,
    /// States of a group. Most columns have none.
    width: usize,
}

impl<S: State> Column<S> {
    pub fn new(width: usize) -> Column<S> {
        Column { states: Vec::new(), width }
    }

    /// One of a group's states.
    #[inline]
    pub fn at(&self, group: usize, number: usize) -> &S {
        &self.states[group * self.width + number]
    }

    #[inline]
    pub fn at_mut(&mut self, group: usize, number: usize) -> &mut S {
        &mut self.states[group * self.width + number]
    }

    /// The first of a group's states, if it has any.
    #[inline]
    pub fn first(&self, group: usize) -> Option<&S> {
        self.states.get(group * self.width)
    }

    #[inline]
    fn range(&self, group: usize) -> Range<usize> {
        group * self.width..(group + 1) * self.width
    }

    /// Adds an empty group.
    #[inline]
    pub fn push(&mut self) {
        if self.width > 0 {
            self.states.resize_with(self.states.len() + self.width, S::default);
        }
    }

    /// Makes room for so many more groups at once.
    pub fn reserve(&mut self, groups: usize) {
        self.states.reserve(groups * self.width);
    }

    /// Makes a group empty again.
    pub fn reset(&mut self, group: usize) {
        let range = self.range(group);
        self.states[range].fill_with(S::default);
    }

    /// Swaps a group with the one of a column that has no other.
    pub fn exchange(&mut self, group: usize, other: &mut Column<S>) {
        let range = self.range(group);
        self.states[range].swap_with_slice(&mut other.states);
    }

    /// Adds the states of another column's group to those of a group.
    #[inline]
    pub fn merge(&mut self, group: usize, other: &Column<S>, from: usize, add: impl Fn(&mut S, &S)) {
        let range = self.range(group);
        self.states[range].iter_mut().zip(&other.states[other.range(from)]).for_each(|(own, their)| add(own, their));
    }

    /// Returns what a group takes in the column, in bytes.
    pub fn bytes_per_group(&self) -> usize {
        size_of::<S>() * self.width
    }

    /// Returns what all states take beside the column, in bytes, about.
    pub fn heap_bytes(&self) -> usize {
        self.states.iter().map(S::heap_bytes).sum()
    }

    /// Appends a group's states, if the plan has such.
    pub fn save(&self, group: usize, out: &mut Vec<u8>) {
        if self.width > 0 {
            out.extend_from_slice(S::MEMBER);
            write_items(&self.states[self.range(group)], out, S::save);
        }
    }

    /// Reads a group's states; there must be as many as the plan has.
    ///
    /// # Errors
    /// States of other results, or damaged ones.
    pub fn load(&mut self, group: usize, from: &mut StateReader<'_>, settings: &Settings) -> Result<(), SnapshotError> {
        if self.width == 0 {
            return Ok(());
        }
        let range = self.range(group);
        let mut places = self.states[range].iter_mut();
        let mut load_all = || {
            from.literal(S::MEMBER)?;
            from.items(|from| {
                *places.next()? = S::load(from, settings)?;
                Some(())
            })
        };
        match (load_all(), places.next()) {
            (Some(()), None) => Ok(()),
            _ => Err(SnapshotError(S::NAME)),
        }
    }
}
