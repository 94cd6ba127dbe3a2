//! Rows by number, and when each is over.

/// No row.
pub const NONE: u32 = u32::MAX;

/// A row's times, where a join has any. They mean what [`crate::span::Span`] says.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    pub time: i64,
    pub until: i64,
    pub next_due: u32,
}
