//! Which entries differ from the last checkpoint.

/// Entries by number. Nothing is noted before the first checkpoint, and a plain stream has none.
#[derive(Debug, Default)]
pub struct Tracking {
    is_on: bool,
    marks: Vec<u8>,
    /// Entries that were touched, among them some that are gone since.
    touched: Vec<u32>,
}

const TOUCHED: u8 = 1;
const SAVED: u8 = 2;

impl Tracking {
    /// The entry's value changes.
    #[inline]
    pub fn touch(&mut self, id: u32) {
        if self.is_on {
            self.note(id);
        }
    }

    #[inline]
    fn note(&mut self, id: u32) {
        let mark = self.mark(id);
        if *mark & TOUCHED == 0 {
            *mark |= TOUCHED;
            self.touched.push(id);
        }
    }

    #[inline]
    fn mark(&mut self, id: u32) -> &mut u8 {
        let at = id as usize;
        if at >= self.marks.len() {
            self.marks.resize(at + 1, 0);
        }
        &mut self.marks[at]
    }

    /// The entry is gone; true if the last checkpoint has it.
    #[inline]
    pub fn forget(&mut self, id: u32) -> bool {
        self.marks.get_mut(id as usize).is_some_and(|mark| std::mem::take(mark) & SAVED != 0)
    }

    /// The entry came out of a checkpoint.
    pub fn restored(&mut self, id: u32) {
        self.is_on = true;
        *self.mark(id) = SAVED;
    }

    /// Whether the last checkpoint has some of the entries.
    #[inline]
    #[must_use]
    pub fn has_saved(&self) -> bool {
        !self.marks.is_empty()
    }

    /// The last checkpoint has the entry as it is.
    #[inline]
    #[must_use]
    pub fn is_clean(&self, id: u32) -> bool {
        self.marks.get(id as usize).is_some_and(|mark| *mark == SAVED)
    }

    #[inline]
    #[must_use]
    pub fn is_saved(&self, id: u32) -> bool {
        self.marks.get(id as usize).is_some_and(|mark| mark & SAVED != 0)
    }

    /// The entries that the next checkpoint has to save: the first one all, a later one those touched since.
    pub fn take(&mut self, all: impl Iterator<Item = u32>) -> Vec<u32> {
        let mut due: Vec<u32> = if self.is_on { std::mem::take(&mut self.touched) } else { all.collect() };
        let is_first = !std::mem::replace(&mut self.is_on, true);
        due.retain(|id| {
            let mark = self.mark(*id);
            let is_due = is_first || *mark & TOUCHED != 0;
            if is_due {
                *mark = SAVED;
            }
            is_due
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_checkpoint_has_all_and_later_ones_what_was_touched_once() {
        let mut tracking = Tracking::default();
        tracking.touch(1);
        assert_eq!(tracking.take([0, 1, 2].into_iter()), [0, 1, 2]);
        [2, 3, 2].into_iter().for_each(|id| tracking.touch(id));
        assert_eq!(tracking.take(std::iter::empty()), [2, 3]);
        assert!(tracking.take(std::iter::empty()).is_empty());
    }

    #[test]
    fn a_number_that_is_used_again_is_saved_once() {
        let mut tracking = Tracking::default();
        tracking.restored(0);
        assert!(tracking.forget(0), "the checkpoint has it");
        tracking.touch(0);
        assert!(!tracking.forget(0), "the checkpoint has not its successor");
        tracking.touch(0);
        assert_eq!(tracking.take(std::iter::empty()), [0]);
        assert!(tracking.is_saved(0));
    }
}
