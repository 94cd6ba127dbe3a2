//! Which rows are due when: their numbers by time, as lists in buckets of 64 ms.

use std::collections::BTreeMap;

use crate::row_number::{NONE, Timed};

/// 2^6 = 64 ms.
const BUCKET_BITS: u32 = 6;

/// Buckets that are at hand: lines come about in the order of their times, and out of order by less than 4 s mostly.
const NEAR: usize = 64;

/// The rows of one side. Each has its place in a list until it is due, also when it was removed before.
#[derive(Debug)]
pub struct Calendar {
    /// The first row of each bucket's list, but for those at hand.
    buckets: BTreeMap<i64, u32>,
    near: [Bucket; NEAR],
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    number: i64,
    head: u32,
}

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar { buckets: BTreeMap::new(), near: [Bucket { number: i64::MIN, head: NONE }; NEAR] }
    }
}

impl Calendar {
    /// A row is due when the watermark is beyond `until`.
    #[inline]
    pub fn add(&mut self, row: u32, timed: &mut [Timed]) {
        let number = timed[row as usize].until >> BUCKET_BITS;
        let bucket = &mut self.near[number.rem_euclid(NEAR as i64) as usize];
        if bucket.number != number {
            turn_to(bucket, number, &mut self.buckets);
        }
        timed[row as usize].next_due = std::mem::replace(&mut bucket.head, row);
    }

    /// Takes out the rows that are due at this watermark, in no order that means something.
    pub fn take_due(&mut self, watermark_ms: i64, timed: &mut [Timed], due: &mut Vec<u32>) {
        let last_due = watermark_ms.saturating_sub(1) >> BUCKET_BITS;
        let mut left = Vec::new();
        for bucket in self.near.iter_mut().filter(|bucket| bucket.number <= last_due) {
            take_list(std::mem::replace(&mut bucket.head, NONE), watermark_ms, timed, due, &mut left);
        }
        if self.buckets.first_key_value().is_some_and(|(first, _)| *first <= last_due) {
            let later = self.buckets.split_off(&last_due.saturating_add(1));
            for head in std::mem::replace(&mut self.buckets, later).into_values() {
                take_list(head, watermark_ms, timed, due, &mut left);
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

#[cold]
fn turn_to(bucket: &mut Bucket, number: i64, buckets: &mut BTreeMap<i64, u32>) {
    if bucket.head != NONE {
        buckets.insert(bucket.number, bucket.head);
    }
    *bucket = Bucket { number, head: buckets.remove(&number).unwrap_or(NONE) };
}

fn take_list(head: u32, watermark_ms: i64, timed: &[Timed], due: &mut Vec<u32>, left: &mut Vec<u32>) {
    let mut row = head;
    while row != NONE {
        let Timed { until, next_due, .. } = timed[row as usize];
        if until < watermark_ms {
            due.push(row);
        } else {
            left.push(row);
        }
        row = next_due;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_due_once_the_watermark_is_beyond_them(
            steps in proptest::collection::vec((-9000..9000i64, any::<bool>()), 1..300)
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
