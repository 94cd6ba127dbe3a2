//! A token bucket: so many per time, and so many at once.
//!
//! The generic cell rate algorithm of ITU-T I.371 says the same in other words; RFC 2697 has it with two colours more.
//! Tokens are counted in whole numbers (what a microsecond adds, what one line costs), so that no rate drifts.

/// What a wake-up that came late may make good. Beyond it the consumer was stopped, and does not get it all at once.
const LATENESS_US: i64 = 50_000;

/// So many in so many microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub count: u64,
    pub per_us: u64,
}

/// A bucket that is full at first.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pace: Pace,
    /// What it holds at most.
    full: i128,
    level: i128,
    /// When `level` was right.
    at_us: Option<i64>,
}

impl Bucket {
    pub fn new(pace: Pace, burst: u64) -> Bucket {
        let full = i128::from(burst.max(1)) * i128::from(pace.per_us);
        Bucket { pace, full, level: full, at_us: None }
    }

    /// Of a run that goes on from another: it has no burst of its own.
    pub fn empty(&mut self) {
        self.level = 0;
    }

    /// Time has passed. With lines that `waited` all the while, it may be made good that the clock was looked at late.
    pub fn refill(&mut self, now_us: i64, waited: bool) {
        // A clock that was set back starts anew.
        let passed_us = now_us.saturating_sub(self.at_us.unwrap_or(now_us)).max(0);
        self.at_us = Some(now_us);
        let late_us = if waited { LATENESS_US } else { 0 };
        let most = self.full + self.tokens(late_us);
        self.level = (self.level + self.tokens(passed_us)).min(most);
    }

    /// Whether so many can go now. More than the bucket holds go when it is full.
    pub fn has(&self, count: u64) -> bool {
        self.level >= self.needed(count)
    }

    /// They go; if it was more than there is, others wait the longer.
    pub fn take(&mut self, count: u64) {
        self.level -= self.cost(count);
    }

    /// When so many can go. Before the first look at the clock nobody knows: look now.
    pub fn ready_at_us(&self, count: u64) -> i64 {
        let Some(at_us) = self.at_us else { return i64::MIN };
        let missing = (self.needed(count) - self.level).max(0);
        let wait_us = (missing + i128::from(self.pace.count) - 1) / i128::from(self.pace.count);
        at_us.saturating_add(i64::try_from(wait_us).unwrap_or(i64::MAX))
    }

    fn needed(&self, count: u64) -> i128 {
        self.cost(count).min(self.full)
    }

    fn cost(&self, count: u64) -> i128 {
        i128::from(count) * i128::from(self.pace.per_us)
    }

    fn tokens(&self, us: i64) -> i128 {
        i128::from(us) * i128::from(self.pace.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bucket(count: u64, per_us: u64, burst: u64) -> Bucket {
        let mut bucket = Bucket::new(Pace { count, per_us }, burst);
        bucket.refill(0, false);
        bucket
    }

    /// How many go one by one at this time.
    fn go(bucket: &mut Bucket, now_us: i64, waited: bool) -> u32 {
        bucket.refill(now_us, waited);
        let mut gone = 0;
        while bucket.has(1) {
            bucket.take(1);
            gone += 1;
        }
        gone
    }

    #[test]
    fn a_burst_goes_at_once_and_again_when_it_has_been_saved() {
        let mut bucket = bucket(10, 1_000_000, 5);
        assert_eq!(go(&mut bucket, 0, false), 5);
        assert_eq!((bucket.ready_at_us(1), bucket.ready_at_us(3)), (100_000, 300_000));
        assert_eq!(go(&mut bucket, 250_000, false), 2);
        assert_eq!(go(&mut bucket, 9_000_000, false), 5, "no more than a burst, however long nothing came");
    }

    #[test]
    fn a_late_look_at_the_clock_is_made_good_and_a_stop_is_not() {
        let mut bucket = bucket(1_000, 1_000_000, 1);
        assert_eq!(go(&mut bucket, 0, true), 1);
        assert_eq!(go(&mut bucket, 3_500, true), 3);
        assert_eq!(go(&mut bucket, 4_000, true), 1, "the half is not lost");
        assert_eq!(go(&mut bucket, 9_000_000, true), 51);
    }

    #[test]
    fn what_is_more_than_a_burst_goes_from_a_full_bucket_and_is_paid_later() {
        let mut bucket = bucket(100, 1_000_000, 10);
        assert!(bucket.has(50));
        bucket.take(50);
        assert!(!bucket.has(1));
        assert_eq!(bucket.ready_at_us(1), 410_000);
        assert_eq!(bucket.ready_at_us(50), 500_000);
    }

    #[test]
    fn a_clock_that_was_set_back_costs_at_most_one_wait() {
        let mut bucket = bucket(1_000, 1_000_000, 1);
        go(&mut bucket, 1_000_000_000, true);
        assert_eq!(go(&mut bucket, 5_000, true), 0);
        assert_eq!(bucket.ready_at_us(1), 6_000);
    }

    proptest! {
        #[test]
        fn no_rate_drifts(count in 1u64..100_000, per_us in prop_oneof![Just(1_000_000u64), Just(60_000_000)], steps in 1u32..400) {
            let mut bucket = bucket(count, per_us, 1);
            let (mut now_us, mut gone) = (0, go(&mut bucket, 0, true));
            for _ in 0..steps {
                now_us = bucket.ready_at_us(1).max(now_us + 200);
                gone += go(&mut bucket, now_us, true);
            }
            let due = 1 + i128::from(now_us) * i128::from(count) / i128::from(per_us);
            prop_assert_eq!(i128::from(gone), due);
        }
    }
}
