//! An epoch that can never be committed, because a stage before the sink died and left no snapshot. Whether it has failed for good
//! stands further on in the stream, if anywhere: so the sink still listens, up to the end of its input.

use stream::{Error, Mark, MarkKind, is_mark};

/// For how long a sink listens. What dies in a pipe takes all others along; a program that holds on must not hold the sink.
const LISTENS_MS: i64 = 10_000;

/// Why the epoch cannot be committed, and since when that is known.
pub struct Loss {
    pub why: Error,
    pub since_ms: i64,
}

impl Loss {
    /// # Errors
    /// When it has listened long enough.
    pub fn check(&self, now_ms: i64) -> Result<(), Error> {
        if now_ms < self.since_ms.saturating_add(LISTENS_MS) { Ok(()) } else { Err(self.why.clone()) }
    }

    /// The stage that says in this line that it has failed for good.
    pub fn who_failed(line: &[u8]) -> Option<String> {
        let mark = is_mark(line).then(|| Mark::parse(line).ok()).flatten()?;
        (mark.kind() == MarkKind::Failed).then(|| mark.text("by").map(str::to_owned)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_who_failed() {
        assert_eq!(Loss::who_failed(br#"{"$":"failed","by":"window"}"#).as_deref(), Some("window"));
        for line in ["{\"$\":\"end\"}", "{\"$\":\"failed\"", "{\"by\":\"window\"}", ""] {
            assert_eq!(Loss::who_failed(line.as_bytes()), None);
        }
    }

    #[test]
    fn it_does_not_listen_for_ever() {
        let loss = Loss { why: Error::temporary("no snapshot"), since_ms: 7 };
        assert_eq!(loss.check(10_006), Ok(()));
        assert_eq!(loss.check(10_007), Err(loss.why.clone()));
    }
}
