//! What a filter made of a line.

use crate::failure::Failure;
use crate::write::too_long;

/// The results of one line, each compact JSON, one behind the other in one buffer.
///
/// They are kept back until it is sure that there is no error behind them.
#[derive(Clone, Debug)]
pub struct Results {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    bytes_max: usize,
}

/// One giant line does not keep its memory for ever.
const KEPT_BYTES: usize = 1 << 20;
const KEPT_RESULTS: usize = 1 << 16;

impl Results {
    /// For lines that give no more than so many bytes; more is a failure of the line.
    #[must_use]
    pub fn new(bytes_max: usize) -> Results {
        Results { bytes: Vec::new(), ends: Vec::new(), bytes_max }
    }

    /// The results in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.bytes[std::mem::replace(&mut start, end)..end])
    }

    /// How many there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The filter gave nothing.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        if self.bytes.capacity() > KEPT_BYTES || self.ends.capacity() > KEPT_RESULTS {
            self.bytes.shrink_to(KEPT_BYTES);
            self.ends.shrink_to(KEPT_RESULTS);
        }
    }

    /// Returns how long the results of one line may be, all together.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Appends a result by `write`; nothing where that fails.
    ///
    /// # Errors
    /// Those of `write`, and when the results have become too long.
    #[inline]
    pub(crate) fn append<E: From<Failure>>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.bytes.len();
        match write(&mut self.bytes) {
            Ok(()) => Ok(self.end()?),
            Err(why) => {
                self.bytes.truncate(start);
                Err(why)
            }
        }
    }

    /// Ends a result.
    #[inline]
    fn end(&mut self) -> Result<(), Failure> {
        self.ends.push(self.bytes.len());
        match self.bytes.len() > self.bytes_max {
            false => Ok(()),
            true => Err(Failure::Line(too_long(self.bytes_max))),
        }
    }
}
