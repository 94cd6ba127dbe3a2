//! Reading: turns over the partitions' queues, and from a message to a line.

use std::ops::ControlFlow;
use std::sync::Arc;

use kafka_ends::envelope::{self, Envelope};
use millpipe::{BLOCK_BYTES, Fault, Out};
use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::partition::{Pace, Stand, State, horizon, may_read};
use crate::queue::{Event, Message};
use crate::source::{Form, KafkaSource};
use crate::value::{write_json, write_text};

/// What an event counts for beside its bytes, so that many small ones end a turn too.
const MESSAGE_BYTES_MIN: usize = 32;

impl KafkaSource {
    /// Reads what is there, about 64 KiB, from one partition if it has so much. False: there was nothing.
    pub(crate) fn read(&mut self, out: &mut Out) -> Result<bool, Fault> {
        self.end_by_clock(out)?;
        let count = self.partitions.len();
        let mut taken = 0;
        let mut has_read = false;
        for _ in 0..count {
            let index = self.turn % count;
            let before = taken;
            self.read_partition(index, &mut taken, out)?;
            has_read |= taken > before;
            self.turn = (index + 1) % count;
            if taken >= BLOCK_BYTES || self.lines_left == Some(0) {
                break;
            }
        }
        Ok(has_read)
    }

    fn read_partition(&mut self, index: usize, taken: &mut usize, out: &mut Out) -> Result<(), Fault> {
        let horizon = self.horizon();
        let queue = Arc::clone(&self.partitions[index].queue);
        let mut result = Ok(());
        while self.goes_on(index, horizon, *taken) {
            let served = queue.serve(|event| {
                result = self.take(index, event, taken, out);
                if result.is_ok() && self.goes_on(index, horizon, *taken) {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
            if served == 0 && self.partitions[index].is_at_its_end() {
                self.finish(index, out);
            }
            if served == 0 || result.is_err() {
                break;
            }
        }
        result
    }

    /// Whether this turn of the partition is not over yet.
    fn goes_on(&self, index: usize, horizon: Option<Option<i64>>, taken: usize) -> bool {
        let partition = &self.partitions[index];
        taken < BLOCK_BYTES
            && self.lines_left != Some(0)
            && partition.state != State::Finished
            && horizon.is_none_or(|horizon| may_read(partition.newest_ms, horizon))
    }

    fn take(&mut self, index: usize, event: Event<'_>, taken: &mut usize, out: &mut Out) -> Result<(), Fault> {
        *taken += MESSAGE_BYTES_MIN;
        match event {
            Event::Message(message) => {
                *taken += message.value().map_or(0, <[u8]>::len) + message.key().map_or(0, <[u8]>::len);
                self.give(index, message, out);
            }
            Event::End(offset) => self.at_end(index, offset, out),
            Event::Failed(error) => {
                let partition = &self.partitions[index];
                let place = format!("topic {}, partition {}", partition.topic, partition.number);
                self.judge(&place, &error, out)?;
            }
        }
        Ok(())
    }

    fn horizon(&self) -> Option<Option<i64>> {
        let paces = self.partitions.iter().map(|p| Pace { state: p.state, newest_ms: p.newest_ms });
        self.wanted.align_ms.map(|align_ms| horizon(paces, align_ms))
    }

    /// A message that came by the common queue all the same.
    pub(crate) fn give_from_common_queue(&mut self, message: Message<'_>, out: &mut Out) {
        let is_it = |p: &crate::partition::Partition| p.topic == message.topic() && p.number == message.partition();
        match self.partitions.iter().position(is_it) {
            Some(index) if self.lines_left != Some(0) => self.give(index, message, out),
            _ => {}
        }
    }

    fn give(&mut self, index: usize, message: Message<'_>, out: &mut Out) {
        self.patience.answered();
        let looks_at_time = self.until_ms.is_some() || self.wanted.align_ms.is_some();
        let partition = &mut self.partitions[index];
        if partition.state == State::Finished {
            return;
        }
        let offset = message.offset();
        let time_ms = if looks_at_time { message.time_ms() } else { None };
        let is_beyond = partition.end.is_some_and(|end| offset >= end)
            || self.until_ms.is_some_and(|until_ms| time_ms.is_some_and(|ms| ms >= until_ms));
        if is_beyond {
            self.finish(index, out);
            return;
        }
        partition.state = State::Live;
        partition.stand = None;
        partition.given = Some(offset + 1);
        partition.newest_ms = partition.newest_ms.max(time_ms);
        let is_last = partition.end == Some(offset + 1);
        self.write(index, message, out);
        if is_last {
            self.finish(index, out);
        }
    }

    /// Writes the line, or sends the value the way of bad ones.
    fn write(&mut self, index: usize, message: Message<'_>, out: &mut Out) {
        let value = message.value();
        if value.is_none() && self.wanted.form != Form::Envelope {
            self.tombstones += 1;
            return;
        }
        self.mark_from(index, out);
        let bytes = value.unwrap_or_default();
        let written = match self.wanted.form {
            _ if bytes.len() > self.wanted.line_bytes_max => {
                Err(format!("a value longer than {} bytes", self.wanted.line_bytes_max))
            }
            Form::Json => match &mut self.tagger {
                Some(tagger) => tagger.write(bytes, message.topic(), out.buffer()),
                None => write_json(bytes, &mut self.checker, out.buffer()),
            },
            Form::Text => write_text(bytes, out.buffer()),
            Form::Envelope => {
                write_envelope(message, out.buffer());
                Ok(())
            }
        };
        match written {
            Ok(()) => {
                out.end_line();
                self.lines_left = self.lines_left.map(|left| left - 1);
            }
            Err(why) => {
                let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
                out.bad(format_args!("topic {topic}, partition {partition}, offset {offset}"), why, bytes);
            }
        }
    }

    /// All that is there was read, or all that is committed.
    fn at_end(&mut self, index: usize, offset: i64, out: &mut Out) {
        self.patience.answered();
        // What lies before an end that was seen is still to come, and holds time back.
        let more_is_there = self.end_was_seen(&self.partitions[index]);
        let partition = &mut self.partitions[index];
        partition.stand = Some(Stand { offset, since_ms: out.now_ms() });
        if partition.is_at_its_end() {
            self.finish(index, out);
        } else if partition.state == State::Live && !more_is_there {
            partition.state = State::AtEnd;
            self.mark_idle(index, false, out);
        }
    }

    /// Nothing more of this partition.
    pub(crate) fn finish(&mut self, index: usize, out: &mut Out) {
        let partition = &mut self.partitions[index];
        if partition.state == State::Finished {
            return;
        }
        partition.state = State::Finished;
        let mut list = TopicPartitionList::new();
        list.add_partition(&partition.topic, partition.number);
        // Only to spare the network: its queue is not looked at any more.
        let _ = self.consumer.pause(&list);
        self.mark_idle(index, true, out);
    }
}

fn write_envelope(message: Message<'_>, out: &mut Vec<u8>) {
    let envelope = Envelope {
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.time_ms(),
        key: message.key(),
        value: message.value(),
    };
    envelope::write(&envelope, message.headers(), out);
}
