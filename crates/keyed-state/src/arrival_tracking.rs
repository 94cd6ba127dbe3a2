//! Which of the entries that are numbered as they arrive differ from the last checkpoint.

/// Entries that do not change until they go, by their numbers in order of arrival: the last checkpoint has those below one
/// number. `N` is what an entry in a checkpoint is named by.
#[derive(Debug)]
pub struct ArrivalTracking<N> {
    is_on: bool,
    saved_below: u64,
    /// Entries that the last checkpoint has and that are gone.
    gone: Vec<N>,
}

impl<N> Default for ArrivalTracking<N> {
    /// Notes nothing before the first checkpoint, unless [`ArrivalTracking::begin`] says that there will be one.
    fn default() -> ArrivalTracking<N> {
        ArrivalTracking { is_on: false, saved_below: 0, gone: Vec::new() }
    }
}

impl<N> ArrivalTracking<N> {
    /// There will be checkpoints.
    pub fn begin(&mut self) {
        self.is_on = true;
    }

    /// The state comes out of a checkpoint that has the entries below this number.
    pub fn restored(&mut self, saved_below: u64) {
        *self = ArrivalTracking { is_on: true, saved_below, gone: Vec::new() };
    }

    /// Returns true if there was a checkpoint, or will be one.
    #[inline]
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Returns the number below which no entry has to be written into a checkpoint any more. Without checkpoints it is above all.
    #[inline]
    #[must_use]
    pub fn settled_below(&self) -> u64 {
        if self.is_on { self.saved_below } else { u64::MAX }
    }

    /// The entry with this number is gone; true if the last checkpoint has it, under this name.
    #[inline]
    pub fn forget(&mut self, number: u64, name: impl FnOnce() -> N) -> bool {
        let is_saved = number < self.saved_below;
        if is_saved {
            self.gone.push(name());
        }
        is_saved
    }

    /// Takes what the next checkpoint has to remove, and the number from which on it has to save entries. It has those below
    /// `next` then.
    pub fn take(&mut self, next: u64) -> (Vec<N>, u64) {
        self.is_on = true;
        (std::mem::take(&mut self.gone), std::mem::replace(&mut self.saved_below, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_has_what_arrived_since_the_last_one_and_what_went_of_that() {
        let mut tracking = ArrivalTracking::default();
        assert!(!tracking.forget(0, || "a"), "no checkpoint has it");
        assert_eq!(tracking.take(3), (vec![], 0));
        assert!(tracking.forget(2, || "c"));
        assert!(!tracking.forget(3, || "d"));
        assert_eq!(tracking.take(5), (vec!["c"], 3));
        assert_eq!(tracking.take(5), (vec![], 5));
    }

    #[test]
    fn without_checkpoints_all_is_settled_and_with_them_what_is_saved() {
        let mut tracking = ArrivalTracking::<u64>::default();
        assert_eq!((tracking.is_on(), tracking.settled_below()), (false, u64::MAX));
        tracking.begin();
        assert_eq!((tracking.is_on(), tracking.settled_below()), (true, 0));
        tracking.restored(7);
        assert_eq!(tracking.settled_below(), 7);
        assert!(tracking.forget(6, || 6));
    }
}
