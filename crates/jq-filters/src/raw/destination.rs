//! Where the results of a stream go.

use super::no_value::NoValue;
use crate::results::Results;
use crate::truth::Truth;

/// Where the results of a stream go.
pub enum Destination<'r> {
    Results(&'r mut Results),
    Array(NewArray<'r>),
    Truth(&'r mut Truth),
}

/// An array that is being written.
pub struct NewArray<'r> {
    out: &'r mut Vec<u8>,
    is_empty: bool,
}

impl<'r> NewArray<'r> {
    /// For the elements of an array, between its brackets.
    #[inline]
    pub fn new(out: &'r mut Vec<u8>) -> NewArray<'r> {
        NewArray { out, is_empty: true }
    }

    /// Appends an element by `write`; nothing where that fails.
    #[inline]
    pub fn append(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), NoValue>) -> Result<(), NoValue> {
        let start = self.out.len();
        if !self.is_empty {
            self.out.push(b',');
        }
        match write(self.out) {
            Ok(()) => self.is_empty = false,
            Err(why) => {
                self.out.truncate(start);
                return Err(why);
            }
        }
        Ok(())
    }
}
