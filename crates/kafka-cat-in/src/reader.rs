//! Reading: turns over the partitions' queues, and what of a message counts before it is a line.

use std::ops::ControlFlow;

use kafka_ends::ATTEMPT;
use kafka_ends::group_offsets::Place;
use millpipe::{BLOCK_BYTES, Error, Out};

use crate::cli::Cli;
use crate::client::{KafkaClient, ReadError};
use crate::ends::high_watermarks;
use crate::partition::{Partition, horizon};
use crate::partition_list::PartitionList;
use crate::queue::{Event, Message};
use crate::value_writer::ValueWriter;

/// What an event counts for beside its bytes, so that many small ones end a turn too.
const MESSAGE_BYTES_MIN: usize = 32;

/// Reads partitions in turns, up to where the flags say.
pub(crate) struct PartitionReader {
    writer: ValueWriter,
    align_ms: Option<i64>,
    lines_left: Option<u64>,
    /// Nothing with this Kafka timestamp or a later one.
    until_ms: Option<i64>,
}

impl PartitionReader {
    pub fn new(cli: &Cli) -> Self {
        Self {
            writer: ValueWriter::new(cli),
            align_ms: cli.align.map(|align| align.0),
            lines_left: cli.count,
            until_ms: None,
        }
    }

    /// Ends partitions at this time.
    pub fn end_at(&mut self, until_ms: Option<i64>) {
        self.until_ms = until_ms;
    }

    /// Returns true when as many lines were written as there should be.
    pub fn has_enough(&self) -> bool {
        self.lines_left == Some(0)
    }

    /// Returns how many messages without a value were left out.
    pub fn tombstones(&self) -> u64 {
        self.writer.tombstones()
    }

    /// Reads what is there, about 64 KiB, from one partition if it has so much. False: there was nothing.
    ///
    /// # Errors
    /// When reading cannot go on.
    pub fn read(
        &mut self,
        partitions: &mut PartitionList,
        client: &mut KafkaClient,
        out: &mut Out,
    ) -> Result<bool, ReadError> {
        self.end_by_clock(partitions, client, out.now_ms())?;
        let mut taken = 0;
        let mut has_read = false;
        for _ in 0..partitions.len() {
            let index = partitions.next_turn();
            let before = taken;
            self.read_partition(index, &mut taken, partitions, client, out)?;
            has_read |= taken > before;
            if taken >= BLOCK_BYTES || self.has_enough() {
                break;
            }
        }
        Ok(has_read)
    }

    /// Takes a message that came by the common queue all the same.
    pub fn take_from_common_queue(
        &mut self,
        message: Message<'_>,
        partitions: &mut PartitionList,
        client: &mut KafkaClient,
        out: &mut Out,
    ) {
        match partitions.find(message.topic(), message.partition()) {
            Some(index) if !self.has_enough() => self.give(index, message, partitions, client, out),
            _ => {}
        }
    }

    fn read_partition(
        &mut self,
        index: usize,
        taken: &mut usize,
        partitions: &mut PartitionList,
        client: &mut KafkaClient,
        out: &mut Out,
    ) -> Result<(), ReadError> {
        let horizon = self.align_ms.map(|align_ms| horizon(partitions.iter().map(Partition::pace), align_ms));
        let queue = partitions.get(index).queue();
        let mut result = Ok(());
        while self.goes_on(partitions.get(index), horizon, *taken) {
            let served = queue.serve(|event| {
                result = self.take(index, event, taken, partitions, client, out);
                if result.is_ok() && self.goes_on(partitions.get(index), horizon, *taken) {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
            if served == 0 && partitions.get(index).is_at_its_end() {
                partitions.finish(index, client, out);
            }
            if served == 0 || result.is_err() {
                break;
            }
        }
        result
    }

    /// Returns true while this turn of the partition is not over yet.
    fn goes_on(&self, partition: &Partition, horizon: Option<Option<i64>>, taken: usize) -> bool {
        taken < BLOCK_BYTES
            && !self.has_enough()
            && !partition.is_finished()
            && horizon.is_none_or(|horizon| partition.may_read(horizon))
    }

    fn take(
        &mut self,
        index: usize,
        event: Event<'_>,
        taken: &mut usize,
        partitions: &mut PartitionList,
        client: &mut KafkaClient,
        out: &mut Out,
    ) -> Result<(), ReadError> {
        *taken += MESSAGE_BYTES_MIN;
        match event {
            Event::Message(message) => {
                *taken += message.value().map_or(0, <[u8]>::len) + message.key().map_or(0, <[u8]>::len);
                self.give(index, message, partitions, client, out);
            }
            Event::End(offset) => {
                client.answered();
                partitions.at_end(index, offset, client, out);
            }
            Event::Failed(error) => {
                let partition = partitions.get(index);
                let place = format!("topic {}, partition {}", partition.topic(), partition.number());
                client.check(&place, &error, out)?;
            }
        }
        Ok(())
    }

    fn give(
        &mut self,
        index: usize,
        message: Message<'_>,
        partitions: &mut PartitionList,
        client: &mut KafkaClient,
        out: &mut Out,
    ) {
        client.answered();
        let looks_at_time = self.until_ms.is_some() || self.align_ms.is_some();
        let partition = partitions.get_mut(index);
        if partition.is_finished() {
            return;
        }
        let offset = message.offset();
        let time_ms = if looks_at_time { message.time_ms() } else { None };
        let is_beyond = partition.ends_before(offset)
            || self.until_ms.is_some_and(|until_ms| time_ms.is_some_and(|ms| ms >= until_ms));
        if is_beyond {
            partitions.finish(index, client, out);
            return;
        }
        let is_last = partition.advance(offset, time_ms);
        self.write(index, message, partitions, out);
        if is_last {
            partitions.finish(index, client, out);
        }
    }

    fn write(&mut self, index: usize, message: Message<'_>, partitions: &mut PartitionList, out: &mut Out) {
        if self.writer.leaves_out(&message) {
            return;
        }
        partitions.mark_from(index, out);
        if self.writer.write(&message, out) {
            self.lines_left = self.lines_left.map(|left| left - 1);
        }
    }

    /// When the time of `--until` has come, partitions end where they end then: what comes later is later.
    fn end_by_clock(&self, partitions: &mut PartitionList, client: &mut KafkaClient, now_ms: i64) -> Result<(), Error> {
        if self.until_ms.is_none_or(|until_ms| now_ms < until_ms) {
            return Ok(());
        }
        let endless: Vec<&mut Partition> = partitions.iter_mut().filter(|partition| partition.is_endless()).collect();
        if endless.is_empty() {
            return Ok(());
        }
        let places: Vec<Place> = endless.iter().map(|partition| partition.place()).collect();
        match high_watermarks(client.consumer(), &places, ATTEMPT) {
            Ok(ends) => {
                client.answered();
                endless.into_iter().zip(ends).for_each(|(partition, end)| partition.end_at(end));
                Ok(())
            }
            Err(error) => client.retry("cannot read", &error),
        }
    }
}
