//! Marks that went to several streams and come back from each of them: passed on once.

use std::collections::VecDeque;

/// So many different marks are counted at a time. One that only some of the streams give back is forgotten when so many
/// others have come since; a copy that comes even later would be passed on once more.
const PENDING_MAX: usize = 4096;

/// When a mark is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// With its first copy: it announces what follows it in any of the streams.
    First,
    /// With its last copy: it says that something is over in all of them.
    Last,
}

struct Pending {
    text: String,
    /// How often each stream has given it.
    given: Vec<u32>,
    passed: u32,
}

/// Counts copies.
pub struct Copies {
    when: When,
    pending: VecDeque<Pending>,
}

impl Copies {
    pub fn new(when: When) -> Self {
        Self { when, pending: VecDeque::new() }
    }

    /// A stream gives this mark: is it to be passed on now? `live` says for each stream whether more can come from it.
    pub fn is_due(&mut self, stream: usize, text: String, live: &[bool]) -> bool {
        let at = match self.pending.iter().position(|pending| pending.text == text) {
            Some(at) => at,
            None => {
                if self.pending.len() >= PENDING_MAX {
                    self.pending.pop_front();
                }
                self.pending.push_back(Pending { text, given: vec![0; live.len()], passed: 0 });
                self.pending.len() - 1
            }
        };
        let pending = &mut self.pending[at];
        pending.given[stream] += 1;
        let of_live = || pending.given.iter().zip(live).filter(|(_, live)| **live).map(|(given, _)| *given);
        let least = of_live().min().unwrap_or(0);
        let reached = match self.when {
            When::First => pending.given[stream],
            When::Last => least,
        };
        let is_due = reached > pending.passed;
        pending.passed = pending.passed.max(reached);
        if of_live().all(|given| given == pending.passed) {
            self.pending.remove(at);
        }
        is_due
    }

    /// A stream has ended: the marks that waited for it alone, in the order in which they came first.
    pub fn due_without(&mut self, live: &[bool]) -> Vec<String> {
        let mut due = Vec::new();
        for pending in &mut self.pending {
            let of_live = pending.given.iter().zip(live).filter(|(_, live)| **live).map(|(given, _)| *given);
            let least = of_live.min().unwrap_or(0);
            if self.when == When::Last && least > pending.passed {
                pending.passed = least;
                due.push(pending.text.clone());
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(copies: &mut Copies, given: &[(usize, &str)]) -> Vec<bool> {
        given.iter().map(|(stream, text)| copies.is_due(*stream, (*text).to_owned(), &[true, true])).collect()
    }

    #[test]
    fn a_mark_passes_with_its_first_copy_and_each_time_that_it_was_given() {
        let mut copies = Copies::new(When::First);
        let given = [(0, "a"), (0, "a"), (1, "b"), (1, "a"), (1, "a"), (0, "b"), (1, "a")];
        assert_eq!(due(&mut copies, &given), [true, true, true, false, false, false, true]);
        assert_eq!(copies.pending.len(), 1, "what all have given is forgotten");
    }

    #[test]
    fn an_end_passes_with_its_last_copy() {
        let mut copies = Copies::new(When::Last);
        assert_eq!(due(&mut copies, &[(0, "a"), (0, "a"), (1, "a"), (1, "a")]), [false, false, true, true]);
        assert_eq!(copies.pending.len(), 0);
        assert_eq!(due(&mut copies, &[(0, "a")]), [false]);
        assert_eq!(copies.due_without(&[true, false]), ["a"]);
        assert!(copies.due_without(&[true, false]).is_empty());
    }

    #[test]
    fn marks_that_only_one_stream_gives_do_not_fill_the_memory() {
        let mut copies = Copies::new(When::First);
        for n in 0..2 * PENDING_MAX {
            assert!(copies.is_due(0, n.to_string(), &[true, true]));
        }
        assert_eq!(copies.pending.len(), PENDING_MAX);
    }
}
