//! The sink: sends, waits where the buffer is full, counts what is acknowledged.

use std::time::Duration;

use kafka_ends::{Headers, Patience, Properties, Reserved, TopicAdmin, failure};
use millpipe::{Barrier, Error, Fault, Hello, Out, Sink, Truth};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, PurgeConfig};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::cli::Cli;
use crate::context::OutContext;
use crate::message::{Draft, Reader};
use crate::topics::Topics;

/// How often the client's reports are looked at while lines come.
const SERVE_EVERY_LINES: u64 = 256;
/// How long one look takes while we wait for room or for acknowledgements.
const LOOK: Duration = Duration::from_millis(2);
/// After an error: how many looks what was sent before may still take.
const LAST_LOOKS: u32 = 2500;
/// The client takes limits of messages between these.
const MESSAGE_BYTES_MAX: std::ops::RangeInclusive<usize> = 1000..=1_000_000_000;
const BATCH_BYTES: usize = 1_000_000;

const RESERVED: &[Reserved] = &[
    Reserved { property: "delivery.report.only.error", hint: "every message is counted" },
    Reserved { property: "partitioner", hint: "use --partitioner" },
    Reserved { property: "queue.buffering.max.kbytes", hint: "use --buffer" },
    Reserved { property: "transactional.id", hint: "kafka-cat-out uses no transactions yet" },
];

const DEFAULTS: &[(&str, &str)] = &[
    ("client.id", "kafka-cat-out"),
    ("enable.idempotence", "true"),
    ("compression.type", "lz4"),
    ("linger.ms", "20"),
    ("batch.num.messages", "10000"),
    ("batch.size", "1000000"),
    // What brokers take unless they are told otherwise.
    ("message.max.bytes", "1048588"),
    ("queue.buffering.max.messages", "500000"),
    ("reconnect.backoff.max.ms", "1000"),
];

/// The last stage of a pipe: writes to topics.
pub struct KafkaSink {
    producer: BaseProducer<OutContext>,
    reader: Reader,
    /// Where lines go that name no topic; with an envelope, where all go.
    topic: Option<String>,
    is_copy: bool,
    topics: Topics,
    patience: Patience,
    message_bytes_max: String,
    sent: u64,
    acknowledged: u64,
    /// Sent, and refused by the broker for their size.
    too_large: u64,
    failed: bool,
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
        let mut producer = client(&config)?;
        if let Some(topic) = &cli.topic {
            must_exist(&mut topics, topic, &producer, &mut patience, cli)?;
            if limit_sizes(&mut config, topic, &properties, timeout_ms)? {
                producer = client(&config)?;
            }
        }
        Ok(Self {
            reader: Reader::new(cli),
            topic: cli.topic.clone(),
            is_copy: cli.envelope,
            topics,
            patience,
            message_bytes_max: config.get("message.max.bytes").unwrap_or_default().to_owned(),
            producer,
            sent: 0,
            acknowledged: 0,
            too_large: 0,
            failed: false,
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

    /// Hands the message to the client, waiting while its buffer is full.
    fn send(&mut self, topic: &str, draft: &Draft<'_>, out: &mut Out) -> Result<(), Fault> {
        loop {
            let Err((error, _)) = self.producer.send(record(topic, draft)) else {
                self.sent += 1;
                return Ok(());
            };
            match error.rdkafka_error_code() {
                Some(Code::QueueFull) => {
                    self.producer.poll(LOOK);
                    self.look(out)?;
                }
                Some(Code::MessageSizeTooLarge) => return Err(Fault::Bad(self.too_large_text(draft))),
                Some(Code::UnknownPartition | Code::InvalidArgument) => {
                    return Err(Fault::bad(format_args!("topic \"{topic}\": {}", describe(&error))));
                }
                _ => return Err(self.fail(&describe(&error), out)),
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
        if let Some(error) = refused.or(gone) {
            return Err(self.fail(&error.message, out));
        }
        Ok(())
    }

    /// Takes note of reports; failures stay in `failed` and `reason`.
    fn count(&mut self, out: &mut Out) {
        let deliveries = self.producer.context().take_deliveries();
        self.acknowledged += deliveries.acknowledged;
        out.settle(deliveries.acknowledged);
        if deliveries.acknowledged > 0 {
            self.patience.answered();
        }
        for (topic, value) in deliveries.too_large {
            self.too_large += 1;
            let at = format!("a message of {} bytes for topic \"{topic}\"", value.len());
            out.bad(at, "too large for the broker", &value);
        }
        if deliveries.failed > 0 && !self.failed {
            let reason = deliveries.reason.map_or_else(|| "unknown".to_owned(), failure::describe);
            let fault = self.fail(&reason, out);
            out.fail(fault);
        }
    }

    /// The end of a run that went wrong: waits a little for what is under way, and says how much is not there.
    fn fail(&mut self, reason: &str, out: &mut Out) -> Fault {
        self.failed = true;
        self.drain_briefly(out);
        let missing = self.sent - self.acknowledged - self.too_large;
        Error::temporary(format_args!("{missing} of {} messages not acknowledged: {reason}", self.sent)).into()
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

    fn flush(&mut self, out: &mut Out) -> Result<(), Fault> {
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
        self.send(&topic, &draft, out)?;
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
        if !self.failed {
            self.drain_briefly(out);
        }
    }

    fn open(&mut self, _hello: &Hello, _out: &mut Out) -> Result<Truth, Fault> {
        Ok(Truth::default())
    }

    fn commit(&mut self, _barrier: &Barrier, out: &mut Out) -> Result<(), Fault> {
        self.flush(out)
    }

    fn target(&self) -> &'static str {
        "kafka"
    }

    fn held(&self) -> u64 {
        self.sent - self.acknowledged - self.too_large
    }
}

fn client(config: &ClientConfig) -> Result<BaseProducer<OutContext>, Error> {
    config
        .create_with_context(OutContext::default())
        .map_err(|error| failure::error("cannot make a Kafka client", &error))
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

/// The topic says how large its messages may be: so one that is too large is found here, with its line, and a
/// batch of small ones is never refused for its size. True when the properties changed.
fn limit_sizes(config: &mut ClientConfig, topic: &str, said: &Properties, timeout_ms: i64) -> Result<bool, Error> {
    let Some(bytes_max) = TopicAdmin::new(config, timeout_ms)?.message_bytes_max(topic) else { return Ok(false) };
    let bytes_max = bytes_max.clamp(*MESSAGE_BYTES_MAX.start(), *MESSAGE_BYTES_MAX.end());
    let mut changed = false;
    for (property, bytes) in [("message.max.bytes", bytes_max), ("batch.size", bytes_max.min(BATCH_BYTES))] {
        let bytes = bytes.to_string();
        if !said.contains(property) && config.get(property) != Some(&bytes) {
            config.set(property, bytes);
            changed = true;
        }
    }
    Ok(changed)
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
