//! One partition that is being read: where it is, where it ends, whether it may be read now.

use std::sync::Arc;

use rdkafka::consumer::BaseConsumer;

use crate::context::{Bell, InContext};
use crate::plan::Plan;
use crate::queue::Queue;

/// Whether more is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There may be something to read.
    Live,
    /// All that is there was read.
    AtEnd,
    /// Read up to where it was to be read.
    Finished,
}

/// A place where the broker had no more to give, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    pub offset: i64,
    pub since_ms: i64,
}

pub struct Partition {
    pub topic: String,
    pub number: i32,
    /// `topic/number`, as marks have it.
    pub part: String,
    pub state: State,
    /// The offset that reading began at.
    pub start: i64,
    /// The offset behind the last message that was given to the output.
    pub given: Option<i64>,
    /// The same for the last message that was written to the pipe.
    pub written: Option<i64>,
    /// What the group was told.
    pub committed: Option<i64>,
    /// Read no message from this offset on.
    pub end: Option<i64>,
    /// Where there was nothing more to read, until there was.
    pub stand: Option<Stand>,
    /// The largest Kafka timestamp so far.
    pub newest_ms: Option<i64>,
    /// Shared with whoever reads from it, so that the partition can change meanwhile.
    pub queue: Arc<Queue>,
}

impl Partition {
    /// Takes the partition's messages out of the common queue, before it is assigned. None: no such partition.
    pub fn new(consumer: &Arc<BaseConsumer<InContext>>, bell: &Arc<Bell>, plan: &Plan) -> Option<Self> {
        let queue = Queue::new(consumer, bell, &plan.topic, plan.number)?;
        Some(Self {
            topic: plan.topic.clone(),
            number: plan.number,
            part: format!("{}/{}", plan.topic, plan.number),
            state: State::Live,
            start: plan.start,
            given: None,
            written: None,
            committed: None,
            end: plan.end,
            stand: None,
            newest_ms: None,
            queue: Arc::new(queue),
        })
    }

    /// The offset to go on from.
    pub fn next(&self) -> i64 {
        self.given.unwrap_or(self.start)
    }

    /// The offset that reading has come to, behind what gives no line: marks of transactions, and aborted ones.
    pub fn reached(&self) -> i64 {
        let stand = self.stand.map_or(0, |stand| stand.offset);
        self.next().max(self.queue.position().unwrap_or(0)).max(stand)
    }

    pub fn is_at_its_end(&self) -> bool {
        self.state != State::Finished && self.end.is_some_and(|end| self.reached() >= end)
    }
}

/// What `--align` needs of a partition.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub state: State,
    pub newest_ms: Option<i64>,
}

/// The time up to which partitions may be read, so that none is ahead of the slowest by more than `align_ms`.
///
/// Partitions that are at their end do not hold the others back. While one has not shown a message yet, nobody
/// knows how late it is: those that have shown theirs wait (None).
pub fn horizon(paces: impl Iterator<Item = Pace>, align_ms: i64) -> Option<i64> {
    let mut slowest = i64::MAX;
    for pace in paces.filter(|pace| pace.state == State::Live) {
        slowest = slowest.min(pace.newest_ms?);
    }
    Some(slowest.saturating_add(align_ms))
}

/// Whether a partition may be read, by the horizon that [`horizon`] gave.
pub fn may_read(newest_ms: Option<i64>, horizon: Option<i64>) -> bool {
    match (newest_ms, horizon) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(newest_ms), Some(horizon)) => newest_ms <= horizon,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(state: State, newest_ms: Option<i64>) -> Pace {
        Pace { state, newest_ms }
    }

    #[test]
    fn the_slowest_live_partition_sets_the_horizon() {
        let paces = [pace(State::Live, Some(50)), pace(State::Live, Some(20)), pace(State::AtEnd, Some(1))];
        assert_eq!(horizon(paces.into_iter(), 10), Some(30));
        assert!(may_read(Some(20), Some(30)));
        assert!(!may_read(Some(50), Some(30)));
    }

    #[test]
    fn a_partition_not_seen_yet_is_read_and_the_others_wait() {
        let paces = [pace(State::Live, Some(50)), pace(State::Live, None)];
        let horizon = horizon(paces.into_iter(), 10);
        assert_eq!(horizon, None);
        assert!(may_read(None, horizon));
        assert!(!may_read(Some(50), horizon));
    }

    #[test]
    fn the_slowest_partition_itself_may_always_be_read() {
        let paces = [pace(State::Live, Some(i64::MAX)), pace(State::Live, Some(-5))];
        assert!(may_read(Some(-5), horizon(paces.into_iter(), 0)));
    }

    #[test]
    fn partitions_at_their_end_hold_nobody_back() {
        let paces = [pace(State::AtEnd, None), pace(State::Finished, Some(1))];
        assert!(may_read(Some(7), horizon(paces.into_iter(), 0)));
    }
}
