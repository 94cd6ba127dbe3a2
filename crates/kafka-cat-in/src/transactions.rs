//! Ends that lie in transactions of other programs, which are not finished yet: waiting for them, and for how long.
//!
//! Brokers give what is committed up to the first transaction that is not finished. A commit is answered before its marks
//! are in the partitions; so what somebody committed before we began can still look unfinished.

use std::sync::Arc;

use kafka_ends::ATTEMPT;
use kafka_ends::group_offsets::Place;
use millpipe::{Error, Out};
use rdkafka::consumer::Consumer;
use units::format_duration;

use crate::ends::high_watermarks;
use crate::partition::{Partition, Stand, State};
use crate::position::Until;
use crate::source::KafkaSource;

/// A wait longer than this is told.
const TELL_AFTER_MS: i64 = 5000;

impl KafkaSource {
    /// All that lies before the partition's end was there when the end was asked for: it will come, or be aborted.
    pub(crate) fn end_was_seen(&self, partition: &Partition) -> bool {
        partition.end.is_some() && (self.wanted.exits || !matches!(self.wanted.until, Some(Until::Offset(_))))
    }

    /// Says once that an offset of `--until` is waited for which is not there yet.
    pub(crate) fn tell_of_short_partitions(&mut self, out: &mut Out) {
        let Some(Until::Offset(until)) = self.wanted.until else { return };
        if self.told_of_until || self.wanted.exits {
            return;
        }
        let stands = |p: &Partition| p.stand.filter(|_| p.state != State::Finished && p.reached() < until);
        let short = self.partitions.iter().filter_map(|p| Some((p, stands(p)?)));
        let is_long = |stand: &Stand| out.now_ms().saturating_sub(stand.since_ms) >= TELL_AFTER_MS;
        let Some((partition, stand)) = short.clone().find(|(_, stand)| is_long(stand)) else { return };
        let others = match short.count() {
            1 => String::new(),
            count => format!(", {} more likewise", count - 1),
        };
        let (topic, number, offset) = (&partition.topic, partition.number, stand.offset);
        self.told_of_until = true;
        out.warn(format_args!(
            "topic {topic}, partition {number} ends at offset {offset}{others}: waiting for --until {until}; with -e it ends \
             with what is there"
        ));
    }

    /// When the time of `--until` has come, partitions end where they end then: what comes later is later.
    pub(crate) fn end_by_clock(&mut self, out: &mut Out) -> Result<(), Error> {
        if self.until_ms.is_none_or(|until_ms| out.now_ms() < until_ms) {
            return Ok(());
        }
        let without = |p: &&mut Partition| p.state != State::Finished && p.end.is_none();
        let endless: Vec<&mut Partition> = self.partitions.iter_mut().filter(without).collect();
        if endless.is_empty() {
            return Ok(());
        }
        let places: Vec<Place> = endless.iter().map(|p| (p.topic.clone(), p.number)).collect();
        match high_watermarks(&self.consumer, &places, ATTEMPT) {
            Ok(ends) => {
                self.patience.answered();
                endless.into_iter().zip(ends).for_each(|(partition, end)| partition.end = Some(end));
                Ok(())
            }
            Err(error) => self.patience.after("cannot read", &error, &self.consumer.context().end),
        }
    }

    /// Says what is waited for when that takes long, and gives up when it takes too long.
    pub(crate) fn heed_transactions(&mut self, out: &mut Out) -> Result<(), Error> {
        let stands = |p: &Partition| {
            let stand = p.stand.filter(|_| p.state != State::Finished && self.end_was_seen(p))?;
            (p.reached() <= stand.offset).then_some(stand)
        };
        let longest = self.partitions.iter().enumerate().filter_map(|(index, p)| Some((index, stands(p)?)));
        let Some((index, stand)) = longest.min_by_key(|(_, stand)| stand.since_ms) else { return Ok(()) };
        let waited_ms = out.now_ms().saturating_sub(stand.since_ms);
        let limit_ms = self.wanted.broker_timeout_ms;
        let partition = &self.partitions[index];
        let what = format!(
            "topic {}, partition {}: the transaction that began at offset {}",
            partition.topic, partition.number, stand.offset
        );
        if waited_ms >= limit_ms {
            return self.give_up_or_go_on(index, &what, out);
        }
        if waited_ms >= TELL_AFTER_MS && self.told_of != Some((index, stand)) {
            self.told_of = Some((index, stand));
            out.warn(format_args!("{what} is not finished: waiting for it, up to {}", format_duration(limit_ms)));
        }
        Ok(())
    }

    /// Looks once more: it may have been we who stood still.
    fn give_up_or_go_on(&mut self, index: usize, what: &str, out: &mut Out) -> Result<(), Error> {
        let consumer = Arc::clone(&self.consumer);
        let partition = &mut self.partitions[index];
        let committed = match consumer.fetch_watermarks(&partition.topic, partition.number, ATTEMPT) {
            Ok((_, committed)) => committed,
            Err(error) => return self.patience.after("cannot read", &error, &consumer.context().end),
        };
        match &mut partition.stand {
            Some(stand) if committed > stand.offset => {
                stand.since_ms = out.now_ms();
                Ok(())
            }
            _ => Err(Error::temporary(format_args!(
                "{what} is still not finished after {}",
                format_duration(self.wanted.broker_timeout_ms)
            ))
            .hint("--until committed ends before it, --broker-timeout waits longer")),
        }
    }
}
