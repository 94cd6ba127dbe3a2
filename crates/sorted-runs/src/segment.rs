//! A part of a run.

/// Where the blocks of a span are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub start: u64,
    pub end: u64,
}
