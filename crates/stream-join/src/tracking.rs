//! What differs from the last checkpoint.

/// Nothing is noted before the first checkpoint.
#[derive(Debug, Default)]
pub struct Tracking {
    pub is_on: bool,
    /// Numbers of rows that are new or changed; some are gone again.
    pub touched: Vec<u32>,
    /// The names of entries that the checkpoint has of rows that are gone.
    pub removed: Vec<String>,
}

impl Tracking {
    #[inline]
    pub fn touch(&mut self, row: u32) {
        if self.is_on {
            self.touched.push(row);
        }
    }
}
