//! The names of marks.

use std::fmt;

/// What a mark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind<'m> {
    /// The stream is a checked one; its first line.
    Hello,
    Barrier,
    /// The source waits for a commit.
    Waiting,
    /// A line that a stage could not take.
    Reject,
    /// A stage has failed for good.
    Failed,
    /// A stage has failed and may do better when it is started again; or its end came too early.
    Died,
    /// The last line of a checked stream.
    End,
    /// The lines that follow come from this partition.
    From,
    /// There is nothing to read in this partition.
    Idle,
    /// Lines that follow are not expected to be of this time or an earlier one.
    Watermark,
    /// A window of slices exists.
    Window,
    /// The lines that follow are in slices of sessions.
    Sessions,
    /// The lines that follow are in slices of windows of so many lines.
    Counts,
    /// A kind that no stage knows: it passes through.
    Other(&'m str),
}

/// All that have a meaning, by name.
const NAMES: [(MarkKind<'static>, &str); 13] = [
    (MarkKind::Hello, "hello"),
    (MarkKind::Barrier, "barrier"),
    (MarkKind::Waiting, "waiting"),
    (MarkKind::Reject, "reject"),
    (MarkKind::Failed, "failed"),
    (MarkKind::Died, "died"),
    (MarkKind::End, "end"),
    (MarkKind::From, "from"),
    (MarkKind::Idle, "idle"),
    (MarkKind::Watermark, "watermark"),
    (MarkKind::Window, "window"),
    (MarkKind::Sessions, "sessions"),
    (MarkKind::Counts, "counts"),
];

impl<'m> MarkKind<'m> {
    /// Returns the value of the member `$`.
    #[must_use]
    pub fn name(self) -> &'m str {
        match self {
            Self::Other(name) => name,
            known => NAMES.iter().find(|(kind, _)| *kind == known).map_or("", |(_, name)| name),
        }
    }
}

impl MarkKind<'_> {
    /// Returns true for marks that say what time it is, or of which partition.
    #[must_use]
    pub fn is_about_time(self) -> bool {
        matches!(self, Self::From | Self::Idle | Self::Watermark)
    }
}

impl<'m> From<&'m str> for MarkKind<'m> {
    fn from(name: &'m str) -> Self {
        NAMES.iter().find(|(_, known)| *known == name).map_or(Self::Other(name), |(kind, _)| *kind)
    }
}

impl fmt::Display for MarkKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_one_name() {
        for (kind, name) in NAMES {
            assert_eq!((MarkKind::from(name), kind.name()), (kind, name));
        }
        assert_eq!(MarkKind::from("sonar"), MarkKind::Other("sonar"));
        assert_eq!(MarkKind::Other("sonar").to_string(), "sonar");
    }
}
