//! The sink: what it keeps, and the turns of its life.

use std::sync::Arc;
use std::time::Duration;

use kafka_ends::{Patience, Properties};
use millpipe::{Barrier, Error, Fault, Hello, Mark, Out, Sink, Truth, no_dead_letter};
use rdkafka::ClientConfig;
use rdkafka::producer::BaseProducer;

use crate::cli::Cli;
use crate::client::{self, DEFAULTS, RESERVED};
use crate::context::OutContext;
use crate::epochs::Epochs;
use crate::message::{Draft, Reader};
use crate::rules::name_fault;
use crate::topics::{Sizes, Topic, Topics};

const MESSAGES_MAX: &str = "queue.buffering.max.messages";
const MESSAGE_BYTES: &str = "message.max.bytes";
const BATCH_BYTES: &str = "batch.size";

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
    pub(crate) message_bytes_max: usize,
    /// The user says so: then what the topic takes shows when it is compressed.
    pub(crate) message_size_is_said: bool,
    /// How many messages may wait for Kafka, if the user says so.
    pub(crate) messages_max: Option<i32>,
    /// Where [`KafkaSink::topic`] is among the topics.
    default_topic: Option<usize>,
    /// Messages that the client has taken, rejected lines of other stages too.
    pub(crate) handed: u64,
    /// Those among them that are no lines.
    pub(crate) letters: u64,
    /// Those that were reported as failed.
    pub(crate) failures: u64,
    pub(crate) acknowledged: u64,
    /// When lines were last sent without lingering, because none were there to come.
    pub(crate) sent_now_at_ms: i64,
    /// Lines that were taken.
    pub(crate) sent: u64,
    /// Those that are acknowledged; with checkpoints, committed.
    pub(crate) settled: u64,
    /// Sent, and refused by the broker for their size.
    pub(crate) too_large: u64,
    pub(crate) failed: bool,
    /// What is still to be done before the first message.
    connecting: Option<Connecting>,
    /// `--transactional-id`
    pub(crate) transactional_id: Option<String>,
    /// The name that transactions are made under, in a stream with checkpoints.
    pub(crate) fenced_as: Option<String>,
    pub(crate) epochs: Option<Arc<Epochs>>,
}

/// What the user said of topics and client.
struct Connecting {
    can_create: bool,
    /// Lines may name further topics.
    routes: bool,
    properties: Properties,
}

impl KafkaSink {
    /// Makes the client, and asks nobody yet.
    ///
    /// # Errors
    /// Usage.
    pub fn new(cli: &Cli, environment: impl Iterator<Item = (String, String)>) -> Result<Self, Error> {
        cli.check()?;
        let properties = cli.kafka.properties(environment)?;
        properties.refuse(RESERVED)?;
        let mut config = properties.over(DEFAULTS);
        config.set("partitioner", &cli.partitioner);
        config.set("queue.buffering.max.kbytes", (cli.buffer.as_usize() / 1024).to_string());
        let timeout_ms = cli.kafka.broker_timeout.0;
        let brokers = config.get("bootstrap.servers").unwrap_or_default().to_owned();
        let patience = Patience::new(&brokers, timeout_ms);
        let topics = Topics::new(&config, cli.create, sizes(&config, &properties), timeout_ms);
        let producer = client::client(&config)?;
        Ok(Self {
            reader: Reader::new(cli),
            topic: cli.topic.clone(),
            dead_letter: cli.dead_letter.clone(),
            is_copy: cli.envelope,
            topics,
            patience,
            message_bytes_max: client::limit(&config, MESSAGE_BYTES),
            message_size_is_said: properties.contains(MESSAGE_BYTES),
            messages_max: properties.get(MESSAGES_MAX).and_then(|text| text.parse().ok()),
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
            connecting: Some(Connecting {
                can_create: cli.create.is_some(),
                routes: cli.topic.is_none() || cli.topic_field.is_some(),
                properties,
            }),
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
}

impl Sink for KafkaSink {
    /// Finds out whether there is a broker and the topic, and what that takes.
    fn connect(&mut self) -> Result<(), Fault> {
        let Some(Connecting { can_create, routes, properties }) = self.connecting.take() else { return Ok(()) };
        let Self { topics, producer, patience, config, .. } = self;
        let mut must_exist = |topic: &String| must_exist(topics, topic, producer, patience, can_create);
        let to = self.topic.as_ref().map(&mut must_exist).transpose()?;
        if let Some(found) = self.dead_letter.as_ref().map(&mut must_exist).transpose()? {
            must_take_letters(topics.get(found))?;
        }
        let bytes_max = to.and_then(|found| topics.get(found).rules.batch_bytes_max);
        if client::limit_sizes(config, bytes_max, &properties) {
            topics.let_go();
            *producer = client::client(config)?;
            topics.set_sizes(sizes(config, &properties));
        }
        if !routes {
            topics.close();
        }
        self.message_bytes_max = client::limit(config, MESSAGE_BYTES);
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let mut draft = self.reader.read(line).map_err(Fault::Bad)?;
        let topic = self.topic_of(&mut draft)?;
        if self.must_be_taken(topic, &draft, out)? {
            self.gather(topic, &draft, out)?;
        } else {
            self.send(topic, &draft, out)?;
        }
        self.sent += 1;
        Ok(())
    }

    fn chunk_over(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.send_batches(out)
    }

    fn rest(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.send_what_lingers(out)
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
                let _ = self.send_batches(out);
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
        self.letters += 1;
        match self.send_letter(&topic, reject, out) {
            Err(Fault::Bad(why)) => Err(Error::data(format_args!("topic \"{topic}\": {why}")).into()),
            sent => sent,
        }
    }

    fn target(&self) -> &'static str {
        "kafka"
    }

    fn remark(&self) -> Option<String> {
        self.reader.remark()
    }

    fn held(&self) -> u64 {
        self.sent - self.settled - self.too_large
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

fn must_take_letters(topic: &Topic) -> Result<(), Error> {
    if !topic.rules.needs_key {
        return Ok(());
    }
    let name = &topic.name;
    Err(Error::data(format_args!("--dead-letter: topic \"{name}\" is compacted, and rejected lines have no key"))
        .hint("a topic with cleanup.policy=delete"))
}

fn must_exist(
    topics: &mut Topics,
    topic: &str,
    producer: &BaseProducer<OutContext>,
    patience: &mut Patience,
    can_create: bool,
) -> Result<usize, Error> {
    match topics.find(topic, producer, patience) {
        Err(Fault::Stop(error)) => Err(error),
        Err(Fault::Bad(why)) if !can_create && name_fault(topic).is_none() => {
            Err(Error::data(why).hint("--create 4 makes it"))
        }
        Err(Fault::Bad(why)) => Err(Error::data(why)),
        Err(_) => Err(Error::data(format_args!("topic \"{topic}\" cannot be made"))),
        Ok(found) => Ok(found),
    }
}
