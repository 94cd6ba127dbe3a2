//! Where a table comes from: a file, or in tests a list.

use millpipe::Error;

use crate::table::Table;

/// A table that may change.
pub trait Tables {
    /// The table as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    fn load(&mut self) -> Result<Table, Error>;

    /// Looks whether it has changed since it was loaded, and then loads it. Called about once a second.
    fn look(&mut self) -> Option<Result<Table, Error>>;
}
