//! The counts every stage keeps.

/// How many lines and bytes went where. `lines_in + restored = settled + left_out + late + rejected + held` at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub lines_in: u64,
    pub bytes_in: u64,
    /// Lines that the stage held when it was restored.
    pub restored: u64,
    /// Input lines that have had their whole effect on the output.
    pub settled: u64,
    /// Input lines that are done with and are in no output: a filter is false for them, another line of their key is kept.
    pub left_out: u64,
    /// Late lines that were dropped or rejected.
    pub late: u64,
    /// Late lines that were let through (`--late pass`); they count as settled too.
    pub late_passed: u64,
    /// Bad lines that were rejected or skipped.
    pub rejected: u64,
    /// Data lines in the output.
    pub lines_out: u64,
    pub bytes_out: u64,
}

impl Counts {
    /// Lines of the input that are done with.
    pub fn ended(&self) -> u64 {
        self.settled + self.left_out + self.late + self.rejected
    }

    /// Returns what came of the lines so far, without those that were rejected or late.
    pub fn done(&self) -> Done {
        Done { lines_out: self.lines_out, settled: self.settled, left_out: self.left_out }
    }
}

/// What came of some input lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub lines_out: u64,
    pub settled: u64,
    pub left_out: u64,
}

impl std::ops::Sub for Done {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            lines_out: self.lines_out - before.lines_out,
            settled: self.settled - before.settled,
            left_out: self.left_out - before.left_out,
        }
    }
}
