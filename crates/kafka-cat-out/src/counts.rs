//! How many lines and messages are where on their way to Kafka.

/// Counts of one run.
#[derive(Debug, Default)]
pub(crate) struct DeliveryCounts {
    /// Lines that were taken.
    lines: u64,
    /// Those that are acknowledged; with checkpoints, committed.
    settled: u64,
    /// Those that are refused for good after all: too large for the client or for the broker.
    refused: u64,
    /// Rejected lines of other stages.
    letters: u64,
    /// Messages that the client has taken: lines and letters.
    handed: u64,
    /// Those among them that were reported as failed.
    failed: u64,
    acknowledged: u64,
}

impl DeliveryCounts {
    /// Returns how many lines were taken.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Returns how many lines are neither delivered nor refused yet.
    pub fn held(&self) -> u64 {
        self.lines - self.settled - self.refused
    }

    /// Returns how many messages the client has taken.
    pub fn handed(&self) -> u64 {
        self.handed
    }

    pub fn add_line(&mut self) {
        self.lines += 1;
    }

    pub fn add_letter(&mut self) {
        self.letters += 1;
    }

    pub fn add_handed(&mut self, messages: u64) {
        self.handed += messages;
    }

    pub fn add_failed(&mut self, messages: u64) {
        self.failed += messages;
    }

    pub fn add_refused(&mut self) {
        self.refused += 1;
    }

    /// What was handed over, is not the client's any more, and was not reported as failed is acknowledged. True: more is now.
    ///
    /// The client counts a failed message as its own until its report was served, and we serve them: so none is taken
    /// for acknowledged between the two.
    pub fn acknowledge(&mut self, in_flight: u64) -> bool {
        let acknowledged = self.handed.saturating_sub(in_flight + self.failed);
        let is_more = acknowledged > self.acknowledged;
        if is_more {
            self.acknowledged = acknowledged;
        }
        is_more
    }

    /// Settles the lines that are acknowledged, and returns how many those are since the last time.
    pub fn settle_acknowledged(&mut self) -> u64 {
        // Whether lines or letters came first is not known; in the end it makes no difference.
        let lines = self.acknowledged.saturating_sub(self.letters);
        let settled = lines.saturating_sub(self.settled);
        self.settled += settled;
        settled
    }

    /// Settles all lines, and returns how many those are since the last time.
    pub fn settle_all(&mut self) -> u64 {
        let settled = self.lines - self.settled;
        self.settled = self.lines;
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lines: u64, letters: u64) -> DeliveryCounts {
        let mut counts = DeliveryCounts::default();
        (0..lines).for_each(|_| counts.add_line());
        (0..letters).for_each(|_| counts.add_letter());
        counts.add_handed(lines + letters);
        counts
    }

    #[test]
    fn what_is_no_longer_in_flight_and_has_not_failed_is_acknowledged() {
        let mut counts = counts(5, 0);
        counts.add_failed(1);
        assert!(!counts.acknowledge(4));
        assert!(counts.acknowledge(2));
        assert_eq!((counts.settle_acknowledged(), counts.settle_acknowledged(), counts.held()), (2, 0, 3));
        assert!(!counts.acknowledge(3), "it was before");
    }

    #[test]
    fn letters_are_not_settled_as_lines() {
        let mut counts = counts(3, 2);
        counts.acknowledge(3);
        assert_eq!(counts.settle_acknowledged(), 0);
        counts.acknowledge(0);
        assert_eq!((counts.settle_acknowledged(), counts.held()), (3, 0));
    }

    #[test]
    fn what_is_refused_after_all_is_not_held() {
        let mut counts = counts(3, 0);
        counts.add_failed(1);
        counts.add_refused();
        counts.acknowledge(0);
        assert_eq!((counts.settle_acknowledged(), counts.held()), (2, 0));
    }

    #[test]
    fn a_commit_settles_all_lines() {
        let mut counts = counts(3, 1);
        assert_eq!((counts.settle_all(), counts.settle_all(), counts.held()), (3, 0, 0));
    }
}
