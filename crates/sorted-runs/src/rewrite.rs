//! Merges into a new run.

use crate::error::Error;
use crate::merge::Fold;
use crate::run::RunWriter;

/// Makes one value of several.
pub trait Combine {
    type Error: From<Error>;

    /// Starts with this value.
    ///
    /// # Errors
    /// Any ends the merge, here and below.
    fn start(&mut self, value: &[u8]) -> Result<(), Self::Error>;

    /// Takes in a younger one.
    ///
    /// # Errors
    /// As above.
    fn take(&mut self, value: &[u8]) -> Result<(), Self::Error>;

    /// Appends the value that stands for all.
    fn save(&self, out: &mut Vec<u8>);
}

/// Writes what is merged. A key's only value is copied, not read.
pub(crate) struct Rewrite<'a, S, C> {
    to: &'a mut RunWriter<S>,
    combine: &'a mut C,
    value: Vec<u8>,
    is_combined: bool,
}

impl<'a, S, C> Rewrite<'a, S, C> {
    pub fn new(to: &'a mut RunWriter<S>, combine: &'a mut C) -> Rewrite<'a, S, C> {
        Rewrite { to, combine, value: Vec::new(), is_combined: false }
    }
}

impl<S: Copy + Ord, C: Combine> Fold for Rewrite<'_, S, C> {
    type Error = C::Error;

    fn begin(&mut self, value: &[u8]) -> Result<(), C::Error> {
        self.is_combined = false;
        self.value.clear();
        self.value.extend_from_slice(value);
        Ok(())
    }

    fn add(&mut self, value: &[u8]) -> Result<(), C::Error> {
        if !self.is_combined {
            self.combine.start(&self.value)?;
            self.is_combined = true;
        }
        self.combine.take(value)
    }

    fn end(&mut self, key: &[u8]) -> Result<(), C::Error> {
        if self.is_combined {
            self.value.clear();
            self.combine.save(&mut self.value);
        }
        Ok(self.to.push(key, &self.value)?)
    }
}
