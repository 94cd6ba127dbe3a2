//! What a filter was on all lines of a run: what is said at the end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared by the workers, each of which adds what it has seen when it ends.
#[derive(Debug, Default)]
pub struct Seen {
    lines: AtomicU64,
    passed: AtomicU64,
    /// On one line the filter was true, false, null or nothing, as a condition is.
    is_condition: AtomicBool,
}

impl Seen {
    pub(crate) fn add(&self, lines: u64, passed: u64, is_condition: bool) {
        self.lines.fetch_add(lines, Ordering::Relaxed);
        self.passed.fetch_add(passed, Ordering::Relaxed);
        self.is_condition.fetch_or(is_condition, Ordering::Relaxed);
    }

    /// What to tell people about it.
    #[must_use]
    pub fn report(&self, verbose: bool) -> Option<String> {
        let lines = self.lines.load(Ordering::Relaxed);
        if lines == 0 {
            return None;
        }
        if !self.is_condition.load(Ordering::Relaxed) {
            return Some(format!(
                "warning: the filter was neither true nor false nor null on any of {lines} lines, so it chose none\n\
                 hint: == compares, = assigns"
            ));
        }
        let is_empty = verbose && self.passed.load(Ordering::Relaxed) == 0;
        is_empty.then(|| format!("no line passed: the filter kept none of {lines}"))
    }
}
