//! The sink: sends, waits where the buffer is full, counts what is acknowledged.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use kafka_ends::{Headers, Patience, failure};
use millpipe::{Barrier, Error, Fault, Hello, Mark, Out, Sink, Truth, no_dead_letter};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, PurgeConfig};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::batch::{self, Batch, Handed};
use crate::cli::Cli;
use crate::client::{self, DEFAULTS, RESERVED};
use crate::context::OutContext;
use crate::epochs::Epochs;
use crate::message::{Draft, Reader};
use crate::topics::{Topic, Topics};

/// How often the client's reports are looked at while messages are handed over one by one.
const SERVE_EVERY: u64 = 256;
/// What Kafka adds to a message at most, and a little more.
const OVERHEAD_BYTES: usize = 128;
/// How long one look takes while we wait for room or for acknowledgements.
const LOOK: Duration = Duration::from_millis(1);
/// The same, where we wait for the last acknowledgement: it is told at once.
const FLUSH_LOOK: Duration = Duration::from_millis(5);
/// How often, at most, messages are sent early when there is nothing more to read, and how long we look at it.
const REST_EVERY_MS: i64 = 5;
const REST_LOOK: Duration = Duration::from_millis(1);
/// After an error: how many looks what was sent before may still take.
const LAST_LOOKS: u32 = 5000;

/// The last stage of a pipe: writes to topics.
pub struct KafkaSink {
    /// Has handles of the client's: declared before it, which must go last.
    pub(crate) topics: Topics,
    pub(crate) producer: BaseProducer<OutContext>,
    pub(crate) patience: Patience,
    pub(crate) config: ClientConfig,
    reader: Reader,
    /// Where lines go that name no topic; with an envelope, where all go.
    pub(crate) topic: Option<String>,
    /// Where rejected lines go.
    pub(crate) dead_letter: Option<String>,
    is_copy: bool,
    message_bytes_max: usize,
    /// Lines that wait for the end of the chunk, for the topic at this place of `topics`.
    batch: Batch,
    batch_topic: usize,
    /// Where [`KafkaSink::topic`] is among the topics.
    default_topic: Option<usize>,
    /// Messages that the client has taken, rejected lines of other stages too.
    handed: u64,
    /// Those among them that are no lines.
    letters: u64,
    /// Those that were reported as failed.
    failures: u64,
    acknowledged: u64,
    /// When lines were last sent without lingering, because none were there to come.
    sent_now_at_ms: i64,
    /// Lines that were taken.
    pub(crate) sent: u64,
    /// Those that are acknowledged; with checkpoints, committed.
    pub(crate) settled: u64,
    /// Sent, and refused by the broker for their size.
    too_large: u64,
    failed: bool,
    /// `--transactional-id`
    pub(crate) transactional_id: Option<String>,
    /// The name that transactions are made under, in a stream with checkpoints.
    pub(crate) fenced_as: Option<String>,
    pub(crate) epochs: Option<Arc<Epochs>>,
}

impl KafkaSink {
    /// Makes the client, and finds out whether there is a broker and the topic.
    ///
    /// # Errors
    /// Usage; no broker; no such topic.
    pub fn new(cli: &Cli, environment: impl Iterator<Item = (String, String)>) -> Result<Self, Error> {
        cli.check()?;
        let properties = cli.kafka.properties(environment)?;
        properties.refuse(RESERVED)?;
        let mut config = properties.over(DEFAULTS);
        config.set("partitioner", &cli.partitioner);
        config.set("queue.buffering.max.kbytes", (cli.buffer.as_usize() / 1024).to_string());
        let timeout_ms = cli.kafka.broker_timeout.0;
        let brokers = config.get("bootstrap.servers").unwrap_or_default().to_owned();
        let mut patience = Patience::new(&brokers, timeout_ms);
        let mut topics = Topics::new(&config, cli.create, timeout_ms);
        let mut producer = client::client(&config)?;
        for topic in cli.topic.iter().chain(&cli.dead_letter) {
            must_exist(&mut topics, topic, &producer, &mut patience, cli)?;
        }
        if let Some(topic) = &cli.topic
            && client::limit_sizes(&mut config, topic, &properties, timeout_ms)?
        {
            producer = client::client(&config)?;
        }
        Ok(Self {
            reader: Reader::new(cli),
            topic: cli.topic.clone(),
            dead_letter: cli.dead_letter.clone(),
            is_copy: cli.envelope,
            topics,
            patience,
            message_bytes_max: config.get("message.max.bytes").and_then(|text| text.parse().ok()).unwrap_or(0),
            batch: Batch::default(),
            batch_topic: 0,
            default_topic: None,
            handed: 0,
            letters: 0,
            failures: 0,
            acknowledged: 0,
            sent_now_at_ms: 0,
            producer,
            config,
            sent: 0,
            settled: 0,
            too_large: 0,
            failed: false,
            transactional_id: cli.transactional_id.clone(),
            fenced_as: None,
            epochs: None,
        })
    }

    /// Which topic a message goes to, by its place in `topics`, when that and the partition exist.
    fn topic_of(&mut self, draft: &mut Draft<'_>) -> Result<usize, Fault> {
        let index = match (&self.topic, draft.topic.take()) {
            (Some(_), said) if self.is_copy || said.is_none() => self.default_topic()?,
            (_, Some(said)) => self.topics.find(&said, &self.producer, &mut self.patience)?,
            (_, None) => return Err(Fault::bad("the line names no topic, and there is no -t")),
        };
        let Topic { name, partitions, .. } = self.topics.get(index);
        match draft.partition {
            Some(partition) if partition >= *partitions => {
                Err(Fault::bad(format_args!("topic \"{name}\" has no partition {partition}: it has {partitions}")))
            }
            _ => Ok(index),
        }
    }

    fn default_topic(&mut self) -> Result<usize, Fault> {
        if let Some(index) = self.default_topic {
            return Ok(index);
        }
        let topic = self.topic.as_deref().unwrap_or_default();
        let index = self.topics.find(topic, &self.producer, &mut self.patience)?;
        self.default_topic = Some(index);
        Ok(index)
    }

    /// Takes a message that is no more than value, key and partition into the batch.
    fn gather(&mut self, topic: usize, draft: &Draft<'_>, out: &mut Out) -> Result<(), Fault> {
        if self.batch.is_full() || topic != self.batch_topic {
            self.send_batch(out)?;
            self.batch_topic = topic;
        }
        self.batch.add(draft.partition, draft.key.as_deref(), draft.value.as_deref());
        Ok(())
    }

    /// Whether the batch can take it: the client will not refuse it for its size either.
    fn is_simple(&self, draft: &Draft<'_>) -> bool {
        let len = |part: &Option<Cow<'_, [u8]>>| part.as_ref().map_or(0, |bytes| bytes.len());
        draft.headers.0.is_empty()
            && draft.timestamp_ms.is_none()
            && len(&draft.key) + len(&draft.value) + OVERHEAD_BYTES <= self.message_bytes_max
    }

    /// Hands the batch to the client, waiting while its buffer is full.
    fn send_batch(&mut self, out: &mut Out) -> Result<(), Fault> {
        while !self.batch.is_empty() {
            let handle = self.topics.handle(self.batch_topic, &self.producer)?;
            let Handed { messages, refused, is_full } = self.batch.hand_over(handle);
            self.handed += messages;
            for message in refused {
                let topic = &self.topics.get(self.batch_topic).name;
                let at = format!("a message of {} bytes for topic \"{topic}\"", message.value.len());
                match message.code {
                    Code::MessageSizeTooLarge | Code::UnknownPartition | Code::InvalidArgument => {
                        self.too_large += 1;
                        out.bad(at, failure::describe(message.code), &message.value);
                    }
                    code => return Err(self.fail(failure::from_bare_code(code), out)),
                }
            }
            self.producer.poll(if is_full { LOOK } else { Duration::ZERO });
            self.look(out)?;
        }
        Ok(())
    }

    /// Hands one message to the client, behind the batch, waiting while its buffer is full.
    fn send(&mut self, topic: usize, draft: &Draft<'_>, out: &mut Out) -> Result<(), Fault> {
        self.send_batch(out)?;
        loop {
            let topic = &self.topics.get(topic).name;
            let Err((error, _)) = self.producer.send(record(topic, draft)) else { break };
            match error.rdkafka_error_code() {
                Some(Code::QueueFull) => {
                    self.producer.poll(LOOK);
                    self.look(out)?;
                }
                Some(Code::MessageSizeTooLarge) => return Err(Fault::Bad(self.too_large_text(draft))),
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
        }
        Ok(())
    }

    fn too_large_text(&self, draft: &Draft<'_>) -> String {
        let key = draft.key.as_ref().map_or(0, |key| key.len());
        let bytes = key + draft.value.as_ref().map_or(0, |value| value.len());
        let limit = &self.message_bytes_max;
        format!(
            "a message of {bytes} bytes is too large: the limit is {limit} with Kafka's own part (message.max.bytes)"
        )
    }

    /// Looks at what the client has reported, and whether there still is a broker.
    fn look(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.count(out);
        let producer = &self.producer;
        let ask = |timeout| producer.client().fetch_metadata(self.topic.as_deref(), timeout).map(|_| ());
        let gone = self.patience.probe("write", &producer.context().end, ask).err();
        let refused = self.producer.context().end.refusal();
        match self.fatal_error().or(refused).or(gone) {
            Some(error) => Err(self.fail(error, out)),
            None => Ok(()),
        }
    }

    /// Takes note of what is acknowledged, and of failures. A failure ends the run.
    fn count(&mut self, out: &mut Out) {
        let failures = self.producer.context().take_failures();
        self.failures += failures.failed + failures.too_large.len() as u64;
        self.settle(out);
        for (topic, value) in failures.too_large {
            let at = format!("a message of {} bytes for topic \"{topic}\"", value.len());
            if self.fenced_as.is_some() {
                let fault = self.fail(Error::data(format_args!("{at}: too large for the broker")), out);
                out.fail(fault);
            } else {
                self.too_large += 1;
                out.bad(at, "too large for the broker", &value);
            }
        }
        if failures.failed > 0 && !self.failed {
            let reason = failure::from_bare_code(failures.reason.unwrap_or(Code::Unknown));
            let fault = self.fail(reason, out);
            out.fail(fault);
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
        Error::temporary(format_args!("{} of {} messages not acknowledged: {}", self.held(), self.sent, error.message))
            .into()
    }

    fn drain_briefly(&mut self, out: &mut Out) {
        for _ in 0..LAST_LOOKS {
            // Nobody will answer any more: waiting is in vain.
            if self.producer.in_flight_count() == 0 || self.patience.is_silent() {
                break;
            }
            self.producer.poll(LOOK);
            self.count(out);
        }
        self.producer.purge(PurgeConfig::default().queue().inflight());
        self.producer.poll(LOOK);
        self.count(out);
    }

    /// Returns when all is acknowledged. Nothing lingers meanwhile.
    pub(crate) fn flush(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.send_batch(out)?;
        while self.producer.in_flight_count() > 0 {
            batch::send_now(&self.producer, FLUSH_LOOK);
            self.producer.poll(Duration::ZERO);
            self.look(out)?;
        }
        self.look(out)
    }
}

impl Sink for KafkaSink {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let mut draft = self.reader.read(line).map_err(Fault::Bad)?;
        let topic = self.topic_of(&mut draft)?;
        if self.is_simple(&draft) {
            self.gather(topic, &draft, out)?;
        } else {
            self.send(topic, &draft, out)?;
        }
        self.sent += 1;
        Ok(())
    }

    fn chunk_over(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.send_batch(out)
    }

    /// Lingering is for lines that may come soon, and none do. Each time it is a request more for the brokers: so not
    /// more often than lingering itself would make one.
    fn rest(&mut self, out: &mut Out) -> Result<(), Fault> {
        let is_due = !(self.sent_now_at_ms..self.sent_now_at_ms + REST_EVERY_MS).contains(&out.now_ms());
        // What is in a transaction is seen at its end only, and sent there.
        if self.fenced_as.is_none() && is_due && self.producer.in_flight_count() > 0 {
            self.sent_now_at_ms = out.now_ms();
            batch::send_now(&self.producer, REST_LOOK);
            return self.look(out);
        }
        Ok(())
    }

    fn idle(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.producer.poll(Duration::ZERO);
        self.look(out)
    }

    fn finish(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.flush(out)
    }

    fn give_up(&mut self, out: &mut Out) {
        if self.failed {
            return;
        }
        match &self.fenced_as {
            Some(_) => self.abort_epoch(),
            None => {
                // What was taken before the error. If this fails too, that has been said.
                let _ = self.send_batch(out);
                if !self.failed {
                    self.drain_briefly(out);
                }
            }
        }
    }

    fn open(&mut self, hello: &Hello, out: &mut Out) -> Result<Truth, Fault> {
        self.begin_epochs(hello, out)
    }

    fn commit(&mut self, barrier: &Barrier, out: &mut Out) -> Result<(), Fault> {
        match self.epochs.clone() {
            Some(epochs) => self.commit_epoch(&epochs, barrier, out),
            None => self.flush(out),
        }
    }

    fn reject(&mut self, reject: &Mark, out: &mut Out) -> Result<(), Fault> {
        let Some(topic) = self.dead_letter.clone() else {
            return Err(no_dead_letter(reject).into());
        };
        let draft = Draft { value: Some(Cow::Owned(reject.as_data().into_bytes())), ..Draft::default() };
        let place = self.topics.find(&topic, &self.producer, &mut self.patience);
        self.letters += 1;
        match place.and_then(|place| self.send(place, &draft, out)) {
            Err(Fault::Bad(why)) => Err(Error::data(format_args!("topic \"{topic}\": {why}")).into()),
            sent => sent,
        }
    }

    fn target(&self) -> &'static str {
        "kafka"
    }

    fn held(&self) -> u64 {
        self.sent - self.settled - self.too_large
    }
}

fn must_exist(
    topics: &mut Topics,
    topic: &str,
    producer: &BaseProducer<OutContext>,
    patience: &mut Patience,
    cli: &Cli,
) -> Result<(), Error> {
    match topics.find(topic, producer, patience) {
        Err(Fault::Stop(error)) => Err(error),
        Err(_) if cli.create.is_none() => {
            Err(Error::data(format_args!("topic \"{topic}\" does not exist")).hint("--create 4 makes it"))
        }
        Err(_) => Err(Error::data(format_args!("topic \"{topic}\" cannot be made"))),
        Ok(_) => Ok(()),
    }
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
