//! A line with what was read of it.

#[derive(Clone, Copy)]
pub struct Taken<'a> {
    pub line: &'a [u8],
    pub key: &'a [u8],
    /// 0 where lines have no times.
    pub time_ms: i64,
    /// How many lines arrived before it.
    pub sequence: u64,
}
