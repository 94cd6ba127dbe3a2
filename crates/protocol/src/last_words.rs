//! What stages say of their own end, for those after them.

use stream::{Mark, MarkKind};

/// What the stages before this one said of their own end.
#[derive(Clone, Debug, Default)]
pub struct LastWords {
    /// A stage that has failed for good.
    pub failed: Option<String>,
    /// A stage that has ended too early.
    pub died: Option<String>,
}

impl LastWords {
    /// Takes a mark of these two kinds; false for any other mark.
    pub fn take(&mut self, mark: &Mark) -> bool {
        let (who, field) = match mark.kind() {
            MarkKind::Failed => (&mut self.failed, "by"),
            MarkKind::Died => (&mut self.died, "stage"),
            _ => return false,
        };
        *who = mark.text(field).map(str::to_owned);
        true
    }
}
