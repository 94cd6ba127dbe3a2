//! Delivering: messages to the client, as it and their topics take them.

use std::borrow::Cow;
use std::time::Duration;

use kafka_ends::{Properties, failure};
use millpipe::{Error, Fault, Mark, Out};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::Producer;
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::batch::Handed;
use crate::cli::Cli;
use crate::client;
use crate::in_flight::InFlight;
use crate::letters::letter;
use crate::message::Draft;
use crate::producer::KafkaProducer;
use crate::rules::{batch_bytes, name_fault};
use crate::topics::{Sizes, Topic, Topics};

const MESSAGES_MAX: &str = "queue.buffering.max.messages";
const MESSAGE_BYTES: &str = "message.max.bytes";
const BATCH_BYTES: &str = "batch.size";

/// How often the client's reports are looked at while messages are handed over one by one.
const SERVE_EVERY: u64 = 256;
/// What Kafka adds to a message at most, and a little more.
const OVERHEAD_BYTES: usize = 128;
/// How often, at most, messages are sent early when there is nothing more to read.
const REST_EVERY_MS: i64 = 5;
/// The client asks anew with each call; by itself it would wait half a second while an old transaction is aborted.
const FENCE_ATTEMPT: Duration = Duration::from_millis(50);

/// Hands messages to the client, in order for each topic, as far as topics and client take them.
pub(crate) struct Delivery {
    /// Has handles of the client's: declared before it, which must go last.
    topics: Topics,
    in_flight: InFlight,
    message_bytes_max: usize,
    /// The user says so: then what the topic takes shows when it is compressed.
    message_size_is_said: bool,
    /// How many messages may wait for Kafka, if the user says so.
    messages_max: Option<i32>,
    /// When lines were last sent without lingering, because none were there to come.
    sent_now_at_ms: i64,
}

impl Delivery {
    /// Makes the client, and asks nobody yet.
    ///
    /// # Errors
    /// When the properties do not make one.
    pub fn new(cli: &Cli, config: ClientConfig, said: &Properties) -> Result<Self, Error> {
        let timeout_ms = cli.kafka.broker_timeout.0;
        Ok(Self {
            topics: Topics::new(&config, cli.create, sizes(&config, said), timeout_ms),
            message_bytes_max: client::limit(&config, MESSAGE_BYTES),
            message_size_is_said: said.contains(MESSAGE_BYTES),
            messages_max: said.get(MESSAGES_MAX).and_then(|text| text.parse().ok()),
            sent_now_at_ms: 0,
            in_flight: InFlight::new(KafkaProducer::new(config, timeout_ms)?, cli.topic.clone()),
        })
    }

    /// Returns what the client has taken, and the client.
    pub fn in_flight(&mut self) -> &mut InFlight {
        &mut self.in_flight
    }

    /// Returns how many lines are neither delivered nor refused yet.
    pub fn held(&self) -> u64 {
        self.in_flight.held()
    }

    pub fn topic(&self, index: usize) -> &Topic {
        self.topics.get(index)
    }

    /// Returns the index of a topic that a message is for; makes the topic if that is wanted.
    ///
    /// # Errors
    /// As [`Topics::find`].
    pub fn find(&mut self, topic: &str) -> Result<usize, Fault> {
        self.topics.find(topic, self.in_flight.producer())
    }

    /// Returns the index of a topic that a flag names.
    ///
    /// # Errors
    /// When it does not exist or cannot be made.
    pub fn must_exist(&mut self, topic: &str, can_create: bool) -> Result<usize, Error> {
        match self.find(topic) {
            Err(Fault::Stop(error)) => Err(error),
            Err(Fault::Bad(why)) if !can_create && name_fault(topic).is_none() => {
                Err(Error::data(why).hint("--create 4 makes it"))
            }
            Err(Fault::Bad(why)) => Err(Error::data(why)),
            Err(_) => Err(Error::data(format_args!("topic \"{topic}\" cannot be made"))),
            Ok(found) => Ok(found),
        }
    }

    /// No further topics will come.
    pub fn close_topics(&mut self) {
        self.topics.close();
    }

    /// The main topic takes batches of this size, if it says so: where the user does not, that is the client's limit too.
    ///
    /// # Errors
    /// When the properties do not make a client.
    pub fn limit_sizes(&mut self, bytes_max: Option<usize>, said: &Properties) -> Result<(), Error> {
        let mut config = self.in_flight.producer().config().clone();
        if client::limit_sizes(&mut config, bytes_max, said) {
            self.topics.let_go();
            self.topics.set_sizes(sizes(&config, said));
            self.message_bytes_max = client::limit(&config, MESSAGE_BYTES);
            self.in_flight.producer().set_config(config)?;
        }
        Ok(())
    }

    /// Takes a line's message.
    ///
    /// # Errors
    /// Bad: its topic does not take it. Stop: nothing can be delivered.
    pub fn send_line(&mut self, topic: usize, draft: &Draft<'_>, out: &mut Out) -> Result<(), Fault> {
        if self.must_be_taken(topic, draft, out)? {
            self.gather(topic, draft, out)?;
        } else {
            self.send(topic, draft, out)?;
        }
        self.in_flight.counts().add_line();
        Ok(())
    }

    /// Sends a rejected line, cut where it would be too large for a message itself.
    ///
    /// # Errors
    /// As [`Delivery::send_line`].
    pub fn send_letter(&mut self, topic: &str, reject: &Mark, out: &mut Out) -> Result<(), Fault> {
        self.in_flight.counts().add_letter();
        let index = self.find(topic)?;
        let Topic { batch_bytes_max, rules, .. } = self.topics.get(index);
        let room = rules.batch_bytes_max.unwrap_or(usize::MAX).min(*batch_bytes_max).saturating_sub(OVERHEAD_BYTES);
        let draft = Draft { value: Some(Cow::Owned(letter(reject, room))), ..Draft::default() };
        self.must_be_taken(index, &draft, out)?;
        self.send(index, &draft, out)
    }

    /// Takes a message that is no more than value, key and partition into the batch.
    fn gather(&mut self, topic: usize, draft: &Draft<'_>, out: &mut Out) -> Result<(), Fault> {
        if self.topics.get(topic).is_full() {
            self.send_batch(topic, out)?;
        }
        self.topics.batch(topic).add(draft.partition, draft.key.as_deref(), draft.value.as_deref());
        Ok(())
    }

    /// Checks that the topic takes the message, as far as we know it: what the broker refuses costs all of a transaction. True
    /// when a batch can take it: the client will not refuse it for its size either.
    fn must_be_taken(&mut self, topic: usize, draft: &Draft<'_>, out: &mut Out) -> Result<bool, Fault> {
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

    /// Hands all that waits to the client.
    ///
    /// # Errors
    /// Stop: nothing can be delivered.
    pub fn send_batches(&mut self, out: &mut Out) -> Result<(), Fault> {
        while let Some(topic) = self.topics.waiting() {
            self.send_batch(topic, out)?;
        }
        Ok(())
    }

    /// Hands a topic's batch to the client, waiting while its buffer is full.
    fn send_batch(&mut self, index: usize, out: &mut Out) -> Result<(), Fault> {
        while !self.topics.get(index).is_empty() {
            self.wait_for_room(out)?;
            let Handed { messages, refused, is_full } =
                self.topics.hand_over(index, self.in_flight.producer().client())?;
            self.in_flight.counts().add_handed(messages);
            for message in refused {
                match message.code {
                    Code::MessageSizeTooLarge | Code::UnknownPartition | Code::InvalidArgument
                        if !self.in_flight.is_transactional() =>
                    {
                        let topic = &self.topics.get(index).name;
                        self.in_flight.refuse(topic, &message.value, failure::describe(message.code), out);
                    }
                    code => return Err(self.in_flight.fail(failure::from_bare_code(code), out)),
                }
            }
            if is_full {
                self.in_flight.wait(out)?;
            } else {
                self.in_flight.poll(out)?;
            }
        }
        Ok(())
    }

    /// Hands one message to the client, after those of its topic that wait, waiting while its buffer is full.
    fn send(&mut self, topic: usize, draft: &Draft<'_>, out: &mut Out) -> Result<(), Fault> {
        self.send_batch(topic, out)?;
        loop {
            let topic = &self.topics.get(topic).name;
            let Err((error, _)) = self.in_flight.producer().client().send(draft.record(topic)) else { break };
            match error.rdkafka_error_code() {
                Some(Code::QueueFull) => self.in_flight.wait(out)?,
                Some(Code::MessageSizeTooLarge) => {
                    return Err(Fault::Bad(too_large_text(draft, self.message_bytes_max)));
                }
                Some(Code::UnknownPartition | Code::InvalidArgument) => {
                    return Err(Fault::bad(format_args!("topic \"{topic}\": {}", describe(&error))));
                }
                _ => return Err(self.in_flight.fail(failure::plain(&error), out)),
            }
        }
        self.in_flight.counts().add_handed(1);
        if self.in_flight.counts().handed().is_multiple_of(SERVE_EVERY) {
            self.in_flight.poll(out)?;
            self.wait_for_room(out)?;
        }
        Ok(())
    }

    /// Returns when so few messages wait for Kafka that there may be more.
    fn wait_for_room(&mut self, out: &mut Out) -> Result<(), Fault> {
        let max = self.messages_max.unwrap_or_else(|| self.topics.messages_max());
        while self.in_flight.len() >= max {
            self.in_flight.wait(out)?;
        }
        Ok(())
    }

    /// Sends what lingers: that is for lines that may come soon, and none do. Each time it is a request more for the brokers: so not
    /// more often than lingering itself would make one.
    ///
    /// # Errors
    /// Stop: nothing can be delivered.
    pub fn send_what_lingers(&mut self, out: &mut Out) -> Result<(), Fault> {
        let is_due = !(self.sent_now_at_ms..self.sent_now_at_ms + REST_EVERY_MS).contains(&out.now_ms());
        // What is in a transaction is seen at its end only, and sent there.
        if !self.in_flight.is_transactional() && is_due && !self.in_flight.is_empty() {
            self.sent_now_at_ms = out.now_ms();
            return self.in_flight.send_now(out);
        }
        Ok(())
    }

    /// Returns when all is acknowledged. Nothing lingers meanwhile.
    ///
    /// # Errors
    /// Stop: nothing can be delivered.
    pub fn flush(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.send_batches(out)?;
        self.in_flight.flush(out)?;
        self.topics.all_is_sent();
        self.in_flight.look(out)
    }

    /// The run ends with an error: delivers what was taken before it, as far as that goes. An epoch is aborted.
    pub fn give_up(&mut self, out: &mut Out) {
        if self.in_flight.has_failed() {
            return;
        }
        if self.in_flight.is_transactional() {
            self.in_flight.producer().abort_epoch();
            return;
        }
        // If this fails too, that has been said.
        let _ = self.send_batches(out);
        if !self.in_flight.has_failed() {
            self.in_flight.drain_briefly(out);
        }
    }

    /// Makes transactions under this name. From here on no older run can commit, and what it left open is aborted.
    ///
    /// # Errors
    /// Usage, and as [`InFlight::transact`].
    pub fn fence(&mut self, transactional_id: &str, interval_ms: u64, out: &mut Out) -> Result<(), Fault> {
        let config = client::transactional(self.in_flight.producer().config(), transactional_id, interval_ms)?;
        let client = client::client(&config)?;
        self.topics.let_go();
        self.in_flight.producer().set_transactional(client, transactional_id);
        let what = format!("begin transactions as \"{transactional_id}\"");
        self.in_flight.transact(&what, out, |client, _| client.init_transactions(FENCE_ATTEMPT))
    }
}

fn sizes(config: &ClientConfig, said: &Properties) -> Sizes {
    Sizes {
        message_bytes_max: client::limit(config, MESSAGE_BYTES),
        batch_bytes: client::limit(config, BATCH_BYTES),
        message_is_said: said.contains(MESSAGE_BYTES),
        batch_is_said: said.contains(BATCH_BYTES),
    }
}

fn len(part: Option<&Cow<'_, [u8]>>) -> usize {
    part.map_or(0, |bytes| bytes.len())
}

/// Returns true if a message without headers is surely no larger than this, with what Kafka adds.
fn is_smaller(draft: &Draft<'_>, bytes_max: usize) -> bool {
    len(draft.key.as_ref()) + len(draft.value.as_ref()) + OVERHEAD_BYTES <= bytes_max
}

fn too_large_text(draft: &Draft<'_>, limit: usize) -> String {
    let bytes = len(draft.key.as_ref()) + len(draft.value.as_ref());
    format!("a message of {bytes} bytes is too large: the limit is {limit} with Kafka's own part (message.max.bytes)")
}

fn describe(error: &KafkaError) -> String {
    error.rdkafka_error_code().map_or_else(|| error.to_string(), failure::describe)
}
