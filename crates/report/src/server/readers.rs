//! Who looks at the page now: so that the last numbers reach all of them before the run ends.
#![allow(clippy::disallowed_methods, reason = "a viewer beside the stream: its clock is in no line of it")]

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A page asks every half a second; one that has not asked for so long is closed, or nobody sees it.
const PRESENT: Duration = Duration::from_secs(2);
/// Pages that are told apart; more get their last numbers only by chance.
const READERS_MAX: usize = 256;
/// Bytes of the name of a page.
const NAME_MAX: usize = 40;

/// The pages that asked, by the names that they gave themselves.
#[derive(Debug, Default)]
pub struct Readers {
    by_name: Mutex<HashMap<String, Reader>>,
}

#[derive(Debug)]
struct Reader {
    asked: Instant,
    has_last: bool,
}

impl Readers {
    /// Notes that a page has asked, and whether it has the last numbers with the answer.
    pub fn asked(&self, name: &str, has_last: bool) {
        let mut readers = self.readers();
        readers.retain(|_, reader| reader.asked.elapsed() < PRESENT);
        if name.len() <= NAME_MAX && (readers.len() < READERS_MAX || readers.contains_key(name)) {
            readers.insert(name.to_owned(), Reader { asked: Instant::now(), has_last });
        }
    }

    /// Returns true when no page is left that has not got the last numbers.
    pub fn all_have_the_last(&self) -> bool {
        self.readers().values().all(|reader| reader.has_last || reader.asked.elapsed() >= PRESENT)
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<String, Reader>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_waited_for_until_it_has_the_last_numbers() {
        let readers = Readers::default();
        assert!(readers.all_have_the_last());
        readers.asked("a", false);
        readers.asked("b", true);
        assert!(!readers.all_have_the_last());
        readers.asked("a", true);
        assert!(readers.all_have_the_last());
    }

    #[test]
    fn names_are_bounded() {
        let readers = Readers::default();
        (0..2 * READERS_MAX).for_each(|name| readers.asked(&name.to_string(), true));
        readers.asked(&"x".repeat(NAME_MAX + 1), true);
        assert_eq!(readers.readers().len(), READERS_MAX);
    }
}
