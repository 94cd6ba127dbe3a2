//! Which rows are due when: their numbers by time, as lists in buckets of 64 ms.

use std::collections::BTreeMap;

use crate::rows::{NONE, Timed};

/// 2^6 = 64 ms.
const BUCKET_BITS: u32 = 6;

/// The rows of one side. Each has its place in a list until it is due, also when it was removed before.
#[derive(Debug)]
pub struct Calendar {
    /// The first row of each bucket's list.
    buckets: BTreeMap<i64, u32>,
    /// The bucket used last, which is in no map: rows come about in the order of their times.
    last: i64,
    last_head: u32,
}

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar { buckets: BTreeMap::new(), last: i64::MIN, last_head: NONE }
    }
}

impl Calendar {
    /// A row is due when the watermark is beyond `until`.
    #[inline]
    pub fn add(&mut self, row: u32, timed: &mut [Timed]) {
        let bucket = timed[row as usize].until >> BUCKET_BITS;
        if bucket != self.last {
            self.turn_to(bucket);
        }
        timed[row as usize].next_due = std::mem::replace(&mut self.last_head, row);
    }

    fn turn_to(&mut self, bucket: i64) {
        if self.last_head != NONE {
            self.buckets.insert(self.last, self.last_head);
        }
        self.last = bucket;
        self.last_head = self.buckets.remove(&bucket).unwrap_or(NONE);
    }

    /// Takes out the rows that are due at this watermark, in no order that means something.
    pub fn take_due(&mut self, watermark_ms: i64, timed: &mut [Timed], due: &mut Vec<u32>) {
        let first = self.buckets.first_key_value().map_or(i64::MAX, |(bucket, _)| *bucket);
        let first = if self.last_head == NONE { first } else { first.min(self.last) };
        let last_due = watermark_ms.saturating_sub(1) >> BUCKET_BITS;
        if first > last_due {
            return;
        }
        self.turn_to(i64::MIN);
        let later = self.buckets.split_off(&last_due.saturating_add(1));
        let mut left = Vec::new();
        for head in std::mem::replace(&mut self.buckets, later).into_values() {
            let mut row = head;
            while row != NONE {
                let Timed { until, next_due, .. } = timed[row as usize];
                if until < watermark_ms {
                    due.push(row)
                } else {
                    left.push(row)
                }
                row = next_due;
            }
        }
        for row in left {
            self.add(row, timed);
        }
    }

    /// Takes out all rows.
    pub fn take_all(&mut self, timed: &mut [Timed], due: &mut Vec<u32>) {
        self.take_due(i64::MAX, timed, due);
    }

    pub fn bytes(&self) -> usize {
        self.buckets.len() * 24
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_due_once_the_watermark_is_beyond_them(
            steps in proptest::collection::vec((-5000..5000i64, any::<bool>()), 1..300)
        ) {
            let (mut calendar, mut timed, mut waiting) = (Calendar::default(), Vec::new(), Vec::new());
            for (time, is_mark) in steps {
                if is_mark {
                    let mut due = Vec::new();
                    calendar.take_due(time, &mut timed, &mut due);
                    due.sort_unstable();
                    let (expected, rest) = waiting.into_iter().partition(|row: &u32| timed[*row as usize].until < time);
                    waiting = rest;
                    prop_assert_eq!(due, expected as Vec<u32>);
                } else {
                    waiting.push(timed.len() as u32);
                    timed.push(Timed { time: 0, until: time, next_due: NONE });
                    calendar.add(timed.len() as u32 - 1, &mut timed);
                }
            }
            let mut due = Vec::new();
            calendar.take_all(&mut timed, &mut due);
            due.sort_unstable();
            prop_assert_eq!(due, waiting);
        }
    }
}
