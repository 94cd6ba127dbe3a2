//! One partition that is being read: where it is, where it ends, whether it may be read now.

use std::sync::Arc;

use kafka_ends::group_offsets::Place;
use serde_json::{Value, json};

use crate::client::KafkaClient;
use crate::plan::{End, Plan};
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

pub(crate) struct Partition {
    topic: String,
    number: i32,
    /// `topic/number`, as marks have it.
    part: String,
    state: State,
    /// The offset that reading began at.
    start: i64,
    /// The offset after the last message that was given to the output.
    given: Option<i64>,
    /// The same for the last message that was written to the pipe.
    written: Option<i64>,
    /// What the group was told.
    committed: Option<i64>,
    /// Read no message from this offset on.
    end: Option<End>,
    /// Where there was nothing more to read, until there was.
    stand: Option<Stand>,
    /// The largest Kafka timestamp so far.
    newest_ms: Option<i64>,
    /// Shared with whoever reads from it, so that the partition can change meanwhile.
    queue: Arc<Queue>,
}

impl Partition {
    /// Takes the partition's messages out of the common queue, before it is assigned. None: no such partition.
    pub fn new(client: &KafkaClient, plan: &Plan) -> Option<Self> {
        let queue = Queue::new(client.consumer(), client.bell(), &plan.topic, plan.number)?;
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

    pub fn topic(&self) -> &str {
        &self.topic
    }

    pub fn number(&self) -> i32 {
        self.number
    }

    /// Returns `topic/number`, as marks and positions have it.
    pub fn part(&self) -> &str {
        &self.part
    }

    pub fn place(&self) -> Place {
        (self.topic.clone(), self.number)
    }

    pub fn is(&self, topic: &str, number: i32) -> bool {
        self.number == number && self.topic == topic
    }

    /// Returns the queue, for reading from it while the partition changes.
    pub fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }

    /// Returns the offset to go on from.
    pub fn next(&self) -> i64 {
        self.given.unwrap_or(self.start)
    }

    /// Returns the offset that reading has come to, after what gives no line: marks of transactions, and aborted ones.
    fn reached(&self) -> i64 {
        let stand = self.stand.map_or(0, |stand| stand.offset);
        self.next().max(self.queue.position().unwrap_or(0)).max(stand)
    }

    pub fn is_finished(&self) -> bool {
        self.state == State::Finished
    }

    pub fn is_at_its_end(&self) -> bool {
        !self.is_finished() && self.end.is_some_and(|end| self.reached() >= end.offset)
    }

    /// Returns true if nothing from this offset on is to be read.
    pub fn ends_before(&self, offset: i64) -> bool {
        self.end.is_some_and(|end| offset >= end.offset)
    }

    /// Returns true if it is to be read as long as more comes.
    pub fn is_endless(&self) -> bool {
        !self.is_finished() && self.end.is_none()
    }

    /// Ends before this offset, which the partition has now.
    pub fn end_at(&mut self, offset: i64) {
        self.end = Some(End { offset, was_there: true });
    }

    /// The message at this offset goes to the output. True: it is the last one.
    pub fn advance(&mut self, offset: i64, time_ms: Option<i64>) -> bool {
        self.state = State::Live;
        self.stand = None;
        self.given = Some(offset + 1);
        self.newest_ms = self.newest_ms.max(time_ms);
        self.end.is_some_and(|end| end.offset == offset + 1)
    }

    /// All that is there was read, or all that is committed.
    pub fn stand_at(&mut self, offset: i64, now_ms: i64) {
        self.stand = Some(Stand { offset, since_ms: now_ms });
    }

    /// Holds time back no longer, until more comes. False: it did not before, or what lies before an end that was there is
    /// still to come.
    pub fn rest(&mut self) -> bool {
        let rests = self.state == State::Live && !self.end.is_some_and(|end| end.was_there);
        if rests {
            self.state = State::AtEnd;
        }
        rests
    }

    /// Nothing more of it is read. False: it was finished before.
    pub fn finish(&mut self) -> bool {
        std::mem::replace(&mut self.state, State::Finished) != State::Finished
    }

    /// Returns where a transaction of another program begins that is not finished, and lies before an end that was there.
    pub fn open_transaction(&self) -> Option<Stand> {
        let stand = self.stand.filter(|_| !self.is_finished() && self.end.is_some_and(|end| end.was_there))?;
        (self.reached() <= stand.offset).then_some(stand)
    }

    /// Returns where it stands, if it has no more now, and is to be read up to this offset.
    pub fn short_of(&self, offset: i64) -> Option<Stand> {
        self.stand.filter(|_| !self.is_finished() && self.reached() < offset)
    }

    /// What is committed ends here by now. True: that is further than where it stood, and the wait begins anew.
    pub fn move_on(&mut self, offset: i64, now_ms: i64) -> bool {
        match &mut self.stand {
            Some(stand) if offset > stand.offset => {
                stand.since_ms = now_ms;
                true
            }
            _ => false,
        }
    }

    /// All that was given to the output is in the pipe.
    pub fn note_written(&mut self) {
        self.written = self.given;
    }

    /// The group was told all that was written.
    pub fn note_committed(&mut self) {
        self.committed = self.written;
    }

    /// Returns the offset that the group is still to be told.
    pub fn uncommitted(&self) -> Option<i64> {
        self.written.filter(|_| self.written != self.committed)
    }

    /// How many offsets were read, and how many there are to be read; none where it has no end.
    pub fn span(&self) -> Option<(u64, u64)> {
        let count = |offset: i64| u64::try_from(offset.saturating_sub(self.start)).unwrap_or(0);
        let total = count(self.end?.offset);
        Some((count(self.reached()).min(total), total))
    }

    /// Says where it is, and how much is before it as far as is known: `lag` in messages, `behind_ms` from the time of its
    /// last message to now, 0 where nothing more is there.
    pub fn facts(&self, now_ms: i64) -> Value {
        let position = self.reached();
        let end = self.queue.known_end();
        let lag = end.map(|end| end.saturating_sub(position).max(0));
        let behind_ms = match lag {
            Some(0) => Some(0),
            _ => self.newest_ms.map(|newest_ms| now_ms.saturating_sub(newest_ms).max(0)),
        };
        json!({ "partition": self.part, "position": position, "end": end, "lag": lag, "behind_ms": behind_ms })
    }

    pub fn pace(&self) -> Pace {
        Pace { state: self.state, newest_ms: self.newest_ms }
    }

    /// Returns true if it may be read, by the horizon that [`horizon`] gave.
    pub fn may_read(&self, horizon: Option<i64>) -> bool {
        may_read(self.newest_ms, horizon)
    }
}

/// What `--align` needs of a partition.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub state: State,
    /// The largest Kafka timestamp so far.
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

/// Returns true if a partition whose newest message is of this time may be read, by the horizon that [`horizon`] gave.
#[must_use]
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
    use crate::cli::Cli;
    use crate::settings::Settings;
    use clap::Parser;

    /// Of a client that finds no broker.
    fn partition(end: Option<End>) -> Partition {
        let cli = Cli::try_parse_from(["kafka-cat-in", "-b", "127.0.0.1:1", "-t", "t"]).unwrap();
        let settings = Settings::new(&cli, &cli.kafka.properties(std::iter::empty()).unwrap()).unwrap();
        let client = KafkaClient::new(settings, 1000, false).unwrap();
        let plan = Plan { topic: "t".to_owned(), number: 0, start: 10, end, low: 0, high: 20, missed: None };
        Partition::new(&client, &plan).unwrap()
    }

    fn end(offset: i64, was_there: bool) -> Option<End> {
        Some(End { offset, was_there })
    }

    #[test]
    fn what_lies_before_an_end_that_was_there_holds_time_back() {
        for (end, rests) in [(None, true), (end(20, false), true), (end(20, true), false)] {
            let mut partition = partition(end);
            partition.stand_at(15, 1000);
            assert_eq!(partition.rest(), rests, "{end:?}");
            assert!(!partition.rest(), "it is said once");
            assert_eq!(partition.open_transaction().is_some(), !rests, "{end:?}");
        }
    }

    #[test]
    fn a_partition_ends_with_the_last_message_before_its_end_or_after_it() {
        let mut partition = partition(end(13, true));
        assert!(!partition.advance(10, None) && partition.advance(12, None));
        assert!(partition.ends_before(13) && !partition.ends_before(12));
        partition.stand_at(12, 1000);
        assert!(partition.is_at_its_end());
        assert!(partition.finish() && !partition.finish());
        assert!(!partition.is_at_its_end(), "that is over");
    }

    #[test]
    fn a_wait_begins_anew_when_more_is_committed() {
        let mut partition = partition(end(30, true));
        partition.stand_at(15, 1000);
        assert!(!partition.move_on(15, 2000));
        assert_eq!(partition.open_transaction(), Some(Stand { offset: 15, since_ms: 1000 }));
        assert!(partition.move_on(16, 2000));
        assert_eq!(partition.open_transaction(), Some(Stand { offset: 15, since_ms: 2000 }));
        partition.advance(15, None);
        assert_eq!(partition.open_transaction(), None);
    }

    #[test]
    fn the_group_is_told_what_is_in_the_pipe_and_once() {
        let mut partition = partition(None);
        assert_eq!(partition.next(), 10);
        partition.advance(16, None);
        assert_eq!((partition.next(), partition.uncommitted()), (17, None));
        partition.note_written();
        assert_eq!(partition.uncommitted(), Some(17));
        partition.note_committed();
        assert_eq!(partition.uncommitted(), None);
    }

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
