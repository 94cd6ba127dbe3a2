//! Delivering: messages to the client, what it says became of them, and the end of a run that went wrong.

use std::borrow::Cow;
use std::thread;
use std::time::Duration;

use kafka_ends::{Headers, failure};
use millpipe::{Error, Fault, Mark, Out, Sink};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, PurgeConfig};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::batch::{self, Handed};
use crate::letters::letter;
use crate::message::Draft;
use crate::rules::batch_bytes;
use crate::sink::KafkaSink;
use crate::topics::Topic;

/// How often the client's reports are looked at while messages are handed over one by one.
const SERVE_EVERY: u64 = 256;
/// What Kafka adds to a message at most, and a little more.
pub(crate) const OVERHEAD_BYTES: usize = 128;
/// How long one look takes while we wait for room or for acknowledgements.
const LOOK: Duration = Duration::from_millis(1);
/// The same, where we wait for the last acknowledgement: it is told at once.
const FLUSH_LOOK: Duration = Duration::from_millis(5);
/// Events of the client that are served at a time.
const EVENTS_MAX: u32 = 100;
/// How often, at most, messages are sent early when there is nothing more to read, and how long we look at it.
const REST_EVERY_MS: i64 = 5;
const REST_LOOK: Duration = Duration::from_millis(1);
/// After an error: how many looks what was sent before may still take.
const LAST_LOOKS: u32 = 5000;

impl KafkaSink {
    /// Takes a message that is no more than value, key and partition into the batch.
    pub(crate) fn gather(&mut self, topic: usize, draft: &Draft<'_>, out: &mut Out) -> Result<(), Fault> {
        if self.topics.get(topic).is_full() {
            self.send_batch(topic, out)?;
        }
        self.topics.batch(topic).add(draft.partition, draft.key.as_deref(), draft.value.as_deref());
        Ok(())
    }

    /// Whether the topic takes the message, as far as we know it: what the broker refuses costs all of a transaction. True
    /// when a batch can take it: the client will not refuse it for its size either.
    pub(crate) fn must_be_taken(&mut self, topic: usize, draft: &Draft<'_>, out: &mut Out) -> Result<bool, Fault> {
        let Topic { name, rules, batch_bytes_max, is_narrow, .. } = self.topics.get(topic);
        if let Some(why) = rules.refusal(draft, out.now_ms()) {
            return Err(Fault::bad(format_args!("topic \"{name}\": {why}")));
        }
        let is_bare = draft.headers.0.is_empty() && draft.timestamp_ms.is_none();
        if is_bare && !is_narrow && is_smaller(draft, *batch_bytes_max) {
            return Ok(true);
        }
        let bytes = batch_bytes(draft);
        if bytes > *batch_bytes_max && !self.message_size_is_said {
            return Err(Fault::Bad(too_large_text(draft, *batch_bytes_max)));
        }
        if *is_narrow && !self.topics.takes_along(topic, bytes) {
            self.flush(out)?;
            self.topics.takes_along(topic, bytes);
        }
        Ok(false)
    }

    /// Sends a rejected line, cut where it would be too large for a message itself.
    pub(crate) fn send_letter(&mut self, topic: &str, reject: &Mark, out: &mut Out) -> Result<(), Fault> {
        let index = self.topics.find(topic, &self.producer, &mut self.patience)?;
        let Topic { batch_bytes_max, rules, .. } = self.topics.get(index);
        let room = rules.batch_bytes_max.unwrap_or(usize::MAX).min(*batch_bytes_max).saturating_sub(OVERHEAD_BYTES);
        let draft = Draft { value: Some(Cow::Owned(letter(reject, room))), ..Draft::default() };
        self.must_be_taken(index, &draft, out)?;
        self.send(index, &draft, out)
    }

    /// Hands all that waits to the client.
    pub(crate) fn send_batches(&mut self, out: &mut Out) -> Result<(), Fault> {
        while let Some(topic) = self.topics.waiting() {
            self.send_batch(topic, out)?;
        }
        Ok(())
    }

    /// Hands a topic's batch to the client, waiting while its buffer is full.
    fn send_batch(&mut self, index: usize, out: &mut Out) -> Result<(), Fault> {
        while !self.topics.get(index).is_empty() {
            self.wait_for_room(out)?;
            let Handed { messages, refused, is_full } = self.topics.hand_over(index, &self.producer)?;
            self.handed += messages;
            for message in refused {
                let topic = &self.topics.get(index).name;
                let at = format!("a message of {} bytes for topic \"{topic}\"", message.value.len());
                match message.code {
                    Code::MessageSizeTooLarge | Code::UnknownPartition | Code::InvalidArgument
                        if self.fenced_as.is_none() =>
                    {
                        self.too_large += 1;
                        out.bad(at, failure::describe(message.code), &message.value);
                    }
                    code => return Err(self.fail(failure::from_bare_code(code), out)),
                }
            }
            if is_full {
                pause();
            }
            self.producer.poll(Duration::ZERO);
            self.look(out)?;
        }
        Ok(())
    }

    /// Hands one message to the client, behind those of its topic that wait, waiting while its buffer is full.
    pub(crate) fn send(&mut self, topic: usize, draft: &Draft<'_>, out: &mut Out) -> Result<(), Fault> {
        self.send_batch(topic, out)?;
        loop {
            let topic = &self.topics.get(topic).name;
            let Err((error, _)) = self.producer.send(record(topic, draft)) else { break };
            match error.rdkafka_error_code() {
                Some(Code::QueueFull) => {
                    pause();
                    self.producer.poll(Duration::ZERO);
                    self.look(out)?;
                }
                Some(Code::MessageSizeTooLarge) => {
                    return Err(Fault::Bad(too_large_text(draft, self.message_bytes_max)));
                }
                Some(Code::UnknownPartition | Code::InvalidArgument) => {
                    return Err(Fault::bad(format_args!("topic \"{topic}\": {}", describe(&error))));
                }
                _ => return Err(self.fail(failure::plain(&error), out)),
            }
        }
        self.handed += 1;
        if self.handed.is_multiple_of(SERVE_EVERY) {
            self.producer.poll(Duration::ZERO);
            self.look(out)?;
            self.wait_for_room(out)?;
        }
        Ok(())
    }

    /// Returns when so few messages wait for Kafka that there may be more.
    fn wait_for_room(&mut self, out: &mut Out) -> Result<(), Fault> {
        let max = self.messages_max.unwrap_or_else(|| self.topics.messages_max());
        while self.producer.in_flight_count() >= max {
            pause();
            self.producer.poll(Duration::ZERO);
            self.look(out)?;
        }
        Ok(())
    }

    /// Looks at what the client has reported, and whether there still is a broker.
    pub(crate) fn look(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.count(out)?;
        let producer = &self.producer;
        let ask = |timeout| producer.client().fetch_metadata(self.topic.as_deref(), timeout).map(|_| ());
        let gone = self.patience.probe("write", &producer.context().end, ask).err();
        let refused = self.producer.context().end.refusal();
        match self.fatal_error().or(refused).or(gone) {
            Some(error) => Err(self.fail(error, out)),
            None => Ok(()),
        }
    }

    /// Takes note of what is acknowledged, and of failures. A failure ends the run, and here is its reason: what is called
    /// after it only says that something failed before.
    fn count(&mut self, out: &mut Out) -> Result<(), Fault> {
        let failures = self.producer.context().take_failures();
        self.failures += failures.failed + failures.too_large.len() as u64;
        self.settle(out);
        for (topic, value) in failures.too_large {
            let at = format!("a message of {} bytes for topic \"{topic}\"", value.len());
            if self.fenced_as.is_some() {
                let error = Error::data(format_args!("{at}: too large for the broker"));
                return Err(self.fail(error.hint("max.message.bytes of the topic says how large one may be"), out));
            }
            self.too_large += 1;
            out.bad(at, "too large for the broker", &value);
        }
        match failures.first {
            Some(first) if !self.failed => Err(self.fail(first.error(), out)),
            _ => Ok(()),
        }
    }

    /// What was handed over, is not the client's any more, and was not reported as failed is acknowledged.
    ///
    /// The client counts a failed message as its own until its report was served, and we serve them: so none is taken
    /// for acknowledged between the two.
    fn settle(&mut self, out: &mut Out) {
        let in_flight = u64::try_from(self.producer.in_flight_count()).unwrap_or(0);
        let acknowledged = self.handed.saturating_sub(in_flight + self.failures);
        if acknowledged > self.acknowledged {
            self.acknowledged = acknowledged;
            self.patience.answered();
        }
        // Whether lines or letters came first is not known; in the end it makes no difference.
        let lines = self.acknowledged.saturating_sub(self.letters);
        if self.fenced_as.is_none() && lines > self.settled {
            out.settle(lines - self.settled);
            self.settled = lines;
        }
    }

    /// The end of a run that went wrong. A transaction is aborted; otherwise waits a little for what is under way, and
    /// says how much is not there.
    pub(crate) fn fail(&mut self, error: Error, out: &mut Out) -> Fault {
        if std::mem::replace(&mut self.failed, true) {
            return error.into();
        }
        if self.fenced_as.is_some() {
            let error = self.fatal_error().unwrap_or(error);
            self.abort_epoch();
            return error.into();
        }
        self.drain_briefly(out);
        let message = format!("{} of {} messages not acknowledged: {}", self.held(), self.sent, error.message);
        Error { message, ..error }.into()
    }

    pub(crate) fn drain_briefly(&mut self, out: &mut Out) {
        for _ in 0..LAST_LOOKS {
            // Nobody will answer any more: waiting is in vain.
            if self.producer.in_flight_count() == 0 || self.patience.is_silent() {
                break;
            }
            pause();
            self.poll_and_count(out);
        }
        self.producer.purge(PurgeConfig::default().queue().inflight());
        pause();
        self.poll_and_count(out);
    }

    /// Where the run ends anyway: a failure is only told.
    fn poll_and_count(&mut self, out: &mut Out) {
        self.producer.poll(Duration::ZERO);
        if let Err(fault) = self.count(out) {
            out.fail(fault);
        }
    }

    /// Lingering is for lines that may come soon, and none do. Each time it is a request more for the brokers: so not
    /// more often than lingering itself would make one.
    pub(crate) fn send_what_lingers(&mut self, out: &mut Out) -> Result<(), Fault> {
        let is_due = !(self.sent_now_at_ms..self.sent_now_at_ms + REST_EVERY_MS).contains(&out.now_ms());
        // What is in a transaction is seen at its end only, and sent there.
        if self.fenced_as.is_none() && is_due && self.producer.in_flight_count() > 0 {
            self.sent_now_at_ms = out.now_ms();
            batch::send_now(&self.producer, REST_LOOK);
            return self.look(out);
        }
        Ok(())
    }

    /// Takes the client's events, which count as in flight until then: one at least comes with each flush, where it says what
    /// it does.
    fn serve(&self) {
        for _ in 0..EVENTS_MAX {
            if self.producer.in_flight_count() == 0 {
                break;
            }
            self.producer.poll(Duration::ZERO);
        }
    }

    /// Returns when all is acknowledged. Nothing lingers meanwhile.
    pub(crate) fn flush(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.send_batches(out)?;
        while self.producer.in_flight_count() > 0 {
            batch::send_now(&self.producer, FLUSH_LOOK);
            self.serve();
            self.look(out)?;
        }
        self.topics.all_is_sent();
        self.look(out)
    }
}

fn len(part: Option<&Cow<'_, [u8]>>) -> usize {
    part.map_or(0, |bytes| bytes.len())
}

/// Whether a message without headers is surely no larger than this, with what Kafka adds.
fn is_smaller(draft: &Draft<'_>, bytes_max: usize) -> bool {
    len(draft.key.as_ref()) + len(draft.value.as_ref()) + OVERHEAD_BYTES <= bytes_max
}

fn too_large_text(draft: &Draft<'_>, limit: usize) -> String {
    let bytes = len(draft.key.as_ref()) + len(draft.value.as_ref());
    format!("a message of {bytes} bytes is too large: the limit is {limit} with Kafka's own part (message.max.bytes)")
}

/// While we wait for room or for acknowledgements. The client's own wait for reports asks again and again in the last
/// millisecond of it.
#[allow(clippy::disallowed_methods, reason = "what is waited for is the client's, which wakes nobody")]
pub(crate) fn pause() {
    thread::sleep(LOOK);
}

fn record<'a>(topic: &'a str, draft: &'a Draft<'_>) -> BaseRecord<'a, [u8], [u8]> {
    let mut record = BaseRecord::to(topic);
    record.partition = draft.partition;
    record.timestamp = draft.timestamp_ms;
    record.key = draft.key.as_deref();
    record.payload = draft.value.as_deref();
    record.headers = native_headers(&draft.headers);
    record
}

fn native_headers(headers: &Headers) -> Option<OwnedHeaders> {
    if headers.0.is_empty() {
        return None;
    }
    let with_room = OwnedHeaders::new_with_capacity(headers.0.len());
    let insert = |list: OwnedHeaders, (name, value): &(String, Option<Vec<u8>>)| {
        list.insert(Header { key: name, value: value.as_ref() })
    };
    Some(headers.0.iter().fold(with_room, insert))
}

fn describe(error: &KafkaError) -> String {
    error.rdkafka_error_code().map_or_else(|| error.to_string(), failure::describe)
}
