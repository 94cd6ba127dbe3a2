//! Rules of the protocol that a schedule breaks on purpose: the simulation must find out.

/// One broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Broken {
    /// All runs have the same name
    RunIds,
    /// The sink does not ask its target what is committed: it says what the source says
    Comparison,
    /// Data is not made durable before its file gets its name
    FileSync,
    /// Renames are not made durable
    FolderSync,
    /// Snapshots of older runs are removed at the first snapshot, not at the first commit
    Prune,
    /// A program in the pipe loses or doubles a line now and then, and mends the counts of barriers so that nobody sees
    MendedCounts,
    /// The same program, which leaves the barriers alone
    LossyProgram,
}

impl Broken {
    /// It needs a foreign program in the pipe.
    pub fn is_a_program(self) -> bool {
        matches!(self, Self::MendedCounts | Self::LossyProgram)
    }
}
