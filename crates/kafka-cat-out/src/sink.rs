//! The sink: sends, waits where the buffer is full, counts what is acknowledged.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use kafka_ends::{Headers, Patience, Properties, failure};
use millpipe::{Barrier, Error, Fault, Hello, Mark, Out, Sink, Truth, no_dead_letter};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, PurgeConfig};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::cli::Cli;
use crate::client::{self, DEFAULTS, RESERVED};
use crate::context::{LETTER, LINE, OutContext};
use crate::epochs::Epochs;
use crate::message::{Draft, Reader};
use crate::topics::Topics;

/// How often the client's reports are looked at while lines come.
const SERVE_EVERY_LINES: u64 = 256;
/// How long one look takes while we wait for room or for acknowledgements.
const LOOK: Duration = Duration::from_millis(1);
/// After an error: how many looks what was sent before may still take.
const LAST_LOOKS: u32 = 5000;
/// The last stage of a pipe: writes to topics.
pub struct KafkaSink {
    pub(crate) producer: BaseProducer<OutContext>,
    pub(crate) patience: Patience,
    pub(crate) config: ClientConfig,
    pub(crate) properties: Properties,
    reader: Reader,
    /// Where lines go that name no topic; with an envelope, where all go.
    pub(crate) topic: Option<String>,
    /// Where rejected lines go.
    pub(crate) dead_letter: Option<String>,
    is_copy: bool,
    topics: Topics,
    message_bytes_max: String,
    /// Lines that were handed to the client.
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
            message_bytes_max: config.get("message.max.bytes").unwrap_or_default().to_owned(),
            producer,
            config,
            properties,
            sent: 0,
            settled: 0,
            too_large: 0,
            failed: false,
            transactional_id: cli.transactional_id.clone(),
            fenced_as: None,
            epochs: None,
        })
    }

    /// Which topic a message goes to, when that and the partition exist.
    fn topic_of(&mut self, draft: &mut Draft<'_>) -> Result<String, Fault> {
        let said = draft.topic.take();
        let topic = match (self.topic.clone(), said) {
            (Some(topic), Some(_)) if self.is_copy => topic,
            (_, Some(said)) => said,
            (Some(topic), None) => topic,
            (None, None) => return Err(Fault::bad("the line names no topic, and there is no -t")),
        };
        let partitions = self.topics.partitions(&topic, &self.producer, &mut self.patience)?;
        match draft.partition {
            Some(partition) if partition >= partitions => {
                Err(Fault::bad(format_args!("topic \"{topic}\" has no partition {partition}: it has {partitions}")))
            }
            _ => Ok(topic),
        }
    }

    /// Hands the message to the client, waiting while its buffer is full. `kind` is what its report will count.
    fn send(&mut self, topic: &str, draft: &Draft<'_>, kind: usize, out: &mut Out) -> Result<(), Fault> {
        loop {
            let Err((error, _)) = self.producer.send(record(topic, draft, kind)) else { return Ok(()) };
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

    /// Takes note of reports. A failure ends the run.
    fn count(&mut self, out: &mut Out) {
        let deliveries = self.producer.context().take_deliveries();
        if deliveries.messages > 0 {
            self.patience.answered();
        }
        if self.fenced_as.is_none() {
            self.settled += deliveries.lines;
            out.settle(deliveries.lines);
        }
        for (topic, value) in deliveries.too_large {
            let at = format!("a message of {} bytes for topic \"{topic}\"", value.len());
            if self.fenced_as.is_some() {
                let fault = self.fail(Error::data(format_args!("{at}: too large for the broker")), out);
                out.fail(fault);
            } else {
                self.too_large += 1;
                out.bad(at, "too large for the broker", &value);
            }
        }
        if deliveries.failed > 0 && !self.failed {
            let reason = failure::from_bare_code(deliveries.reason.unwrap_or(Code::Unknown));
            let fault = self.fail(reason, out);
            out.fail(fault);
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

    pub(crate) fn flush(&mut self, out: &mut Out) -> Result<(), Fault> {
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(LOOK);
            self.look(out)?;
        }
        self.look(out)
    }
}

impl Sink for KafkaSink {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let mut draft = self.reader.read(line).map_err(Fault::Bad)?;
        let topic = self.topic_of(&mut draft)?;
        self.send(&topic, &draft, LINE, out)?;
        self.sent += 1;
        if self.sent.is_multiple_of(SERVE_EVERY_LINES) {
            self.producer.poll(Duration::ZERO);
            self.look(out)?;
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
            None => self.drain_briefly(out),
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
        match self.send(&topic, &draft, LETTER, out) {
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
    match topics.partitions(topic, producer, patience) {
        Err(Fault::Stop(error)) => Err(error),
        Err(_) if cli.create.is_none() => {
            Err(Error::data(format_args!("topic \"{topic}\" does not exist")).hint("--create 4 makes it"))
        }
        Err(_) => Err(Error::data(format_args!("topic \"{topic}\" cannot be made"))),
        Ok(_) => Ok(()),
    }
}

fn record<'a>(topic: &'a str, draft: &'a Draft<'_>, kind: usize) -> BaseRecord<'a, [u8], [u8], usize> {
    let mut record = BaseRecord::with_opaque_to(topic, kind);
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
