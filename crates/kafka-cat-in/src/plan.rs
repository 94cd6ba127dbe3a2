//! Where each partition starts and ends, from the flags and what the broker says.

use std::time::Duration;

use kafka_ends::group_offsets::{Place, list};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::cli::Cli;
use crate::context::InContext;
use crate::ends::high_watermarks;
use crate::position::{From, Until};

/// The end of what is read of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The offset after the last message.
    pub offset: i64,
    /// All that lies before it was there when the end was decided on: it will come, or be aborted.
    pub was_there: bool,
}

/// Where one partition is read from and up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub topic: String,
    pub number: i32,
    pub start: i64,
    /// Not beyond this end.
    pub end: Option<End>,
    /// What is there and committed: the first offset, and the one behind the last.
    pub low: i64,
    pub high: i64,
    /// The wanted start, when it is not there: a warning is due.
    pub missed: Option<i64>,
}

/// What is known of a partition before it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The first offset.
    pub low: i64,
    /// The offset after the last message that is committed.
    pub high: i64,
    /// The offset that the group has stored.
    pub stored: Option<i64>,
    /// The first message at or after the time of `--from`.
    pub timed: Option<i64>,
    /// The end with transactions that are not finished, if it was asked for ([`Wish::wants_end`]).
    pub there: Option<i64>,
}

/// What the flags say of where partitions start and end.
pub struct Wish {
    from: From,
    until: Option<Until>,
    /// Not beyond the end as it is now, whatever `until` says.
    exits: bool,
    /// The group says where to start, and is told what was written. In a pipe with checkpoints the sink commits.
    uses_group: bool,
}

impl Wish {
    #[must_use]
    pub fn new(cli: &Cli) -> Self {
        Self {
            from: cli.start(),
            until: cli.end(),
            exits: cli.exit,
            uses_group: cli.group.is_some() && !cli.exactly_once.exactly_once,
        }
    }

    /// Returns true if the group says where to start, and is told what was written.
    #[must_use]
    pub fn uses_group(&self) -> bool {
        self.uses_group
    }

    /// Returns true if reading ends somewhere.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.until.is_some()
    }

    /// Returns the time of `--until`, if it is one.
    #[must_use]
    pub fn until_ms(&self, now_ms: i64) -> Option<i64> {
        self.until.as_ref()?.time_ms(&self.from, now_ms)
    }

    /// Returns the offset of `--until`, if partitions are to be read up to there although they may be shorter.
    #[must_use]
    pub fn until_offset(&self) -> Option<i64> {
        match self.until {
            Some(Until::Offset(offset)) if !self.exits => Some(offset),
            _ => None,
        }
    }

    /// Returns the time that reading starts at, if the flags say one.
    #[must_use]
    pub fn from_ms(&self, now_ms: i64) -> Option<i64> {
        match self.from {
            From::Time(ms) => Some(ms),
            From::Ago(ms) => Some(now_ms.saturating_sub(ms)),
            _ => None,
        }
    }

    /// Returns true if the end of partitions must be known, transactions that are not finished included.
    #[must_use]
    pub fn wants_end(&self) -> bool {
        self.exits || self.until == Some(Until::End)
    }

    /// Decides where one partition starts and ends.
    #[must_use]
    pub fn plan(&self, (topic, number): &Place, bounds: Bounds) -> Plan {
        let Bounds { low, high, stored, timed, there } = bounds;
        let wanted = stored.unwrap_or_else(|| wanted_start(&self.from, low, high, timed));
        let start = wanted.clamp(low, high);
        let missed = (start != wanted).then_some(wanted);
        Plan { topic: topic.clone(), number: *number, start, end: self.end(high, there), low, high, missed }
    }

    /// Asks the broker for what is needed, and decides.
    ///
    /// # Errors
    /// What the client says.
    pub(crate) fn plans(
        &self,
        consumer: &BaseConsumer<InContext>,
        places: &[Place],
        now_ms: i64,
        timeout: Duration,
    ) -> KafkaResult<Vec<Plan>> {
        let none = || vec![None; places.len()];
        let stored = if self.uses_group { stored_offsets(consumer, places, timeout)? } else { none() };
        let timed = match self.from_ms(now_ms) {
            Some(ms) => timed_offsets(consumer, places, ms, timeout)?,
            None => none(),
        };
        let ends = if self.wants_end() {
            high_watermarks(consumer, places, timeout)?.into_iter().map(Some).collect()
        } else {
            none()
        };
        let mut plans = Vec::with_capacity(places.len());
        for (index, place) in places.iter().enumerate() {
            let (low, high) = consumer.fetch_watermarks(&place.0, place.1, timeout)?;
            let bounds = Bounds { low, high, stored: stored[index], timed: timed[index], there: ends[index] };
            plans.push(self.plan(place, bounds));
        }
        Ok(plans)
    }

    /// Returns where a partition ends, of which this is committed and, if it was asked, this is there.
    fn end(&self, committed: i64, there: Option<i64>) -> Option<End> {
        let offset = match self.until {
            Some(Until::Committed) => Some(committed),
            Some(Until::Offset(offset)) => Some(there.map_or(offset, |there| there.min(offset))),
            _ => there,
        };
        offset.map(|offset| End { offset, was_there: self.until_offset().is_none() })
    }
}

fn wanted_start(from: &From, low: i64, high: i64, timed: Option<i64>) -> i64 {
    match from {
        From::Beginning | From::Stored => low,
        From::End => high,
        From::Offset(offset) => *offset,
        From::Last(count) => high.saturating_sub(*count).max(low),
        From::Time(_) | From::Ago(_) => timed.unwrap_or(high),
    }
}

fn stored_offsets(
    consumer: &BaseConsumer<InContext>,
    places: &[Place],
    timeout: Duration,
) -> KafkaResult<Vec<Option<i64>>> {
    let answer = consumer.committed_offsets(list(places, Offset::Invalid)?, timeout)?;
    offsets(&answer, places)
}

/// The first message of each partition at or after a time; none where there is none yet.
fn timed_offsets(
    consumer: &BaseConsumer<InContext>,
    places: &[Place],
    time_ms: i64,
    timeout: Duration,
) -> KafkaResult<Vec<Option<i64>>> {
    let answer = consumer.offsets_for_times(list(places, Offset::Offset(time_ms.max(0)))?, timeout)?;
    offsets(&answer, places)
}

fn offsets(answer: &TopicPartitionList, places: &[Place]) -> KafkaResult<Vec<Option<i64>>> {
    let find = |(topic, number): &Place| {
        let Some(found) = answer.find_partition(topic, *number) else { return Ok(None) };
        found.error()?;
        match found.offset() {
            Offset::Offset(offset) => Ok(Some(offset)),
            _ => Ok(None),
        }
    };
    places.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_found_between_the_ends_of_the_partition() {
        let cases = [
            (From::Beginning, None, 10),
            (From::Stored, None, 10),
            (From::End, None, 50),
            (From::Offset(17), None, 17),
            (From::Last(5), None, 45),
            (From::Last(500), None, 10),
            (From::Time(1), Some(33), 33),
            (From::Ago(1), None, 50),
        ];
        for (from, timed, expected) in cases {
            assert_eq!(wanted_start(&from, 10, 50, timed), expected, "{from}");
        }
    }
}
