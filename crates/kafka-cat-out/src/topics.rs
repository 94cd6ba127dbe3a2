//! The topics that lines go to: known ones are remembered, missing ones perhaps made.

use std::collections::BTreeMap;

use kafka_ends::{CreateSpec, TopicAdmin, partition_count};
use millpipe::{Error, Fault};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::batch::{Batch, Handed, TopicHandle};
use crate::context::OutContext;
use crate::producer::KafkaProducer;
use crate::rules::{Rules, name_fault};

/// A stream that routes to more topics than this is taken for a mistake.
const TOPICS_MAX: usize = 10_000;

/// How many messages may wait for each partition: a batch that fills, and some that are under way. With more, the client's
/// thread finds each message gone from the processor's caches, and takes a third more time.
const WAITING_EACH: i32 = 2500;
/// The same for all partitions together. With fewer, few partitions wait for the broker in turns with it.
const WAITING: std::ops::RangeInclusive<i32> = 30_000..=500_000;

/// A topic that exists.
pub struct Topic {
    pub name: String,
    pub partitions: i32,
    pub rules: Rules,
    /// The largest batch that goes there: as the topic says, and the client.
    pub batch_bytes_max: usize,
    /// The client makes larger batches than the topic takes.
    pub is_narrow: bool,
    /// How much, in such a topic, may be in one batch of the client's.
    waiting_bytes: usize,
    /// Lines that wait for the end of the chunk.
    batch: Batch,
    /// Made when it is first wanted; gone before the client is.
    handle: Option<TopicHandle>,
}

impl Topic {
    fn new(name: &str, partitions: i32, rules: Rules, sizes: Sizes) -> Self {
        let name = name.to_owned();
        let (batch, handle) = (Batch::default(), None);
        let mut topic =
            Self { name, partitions, rules, batch_bytes_max: 0, is_narrow: false, waiting_bytes: 0, batch, handle };
        topic.limit(sizes);
        topic
    }

    fn limit(&mut self, sizes: Sizes) {
        let said = self.rules.batch_bytes_max.unwrap_or(usize::MAX);
        let of_messages = if sizes.message_is_said { usize::MAX } else { said };
        self.batch_bytes_max = sizes.message_bytes_max.min(of_messages);
        self.is_narrow = !sizes.batch_is_said && said < sizes.batch_bytes;
    }

    /// No lines wait.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// It is time to hand over those that wait.
    pub fn is_full(&self) -> bool {
        self.batch.is_full()
    }
}

pub struct Topics {
    known: Vec<Topic>,
    /// Those whose batches have lines.
    waiting: Vec<usize>,
    by_name: BTreeMap<String, usize>,
    create: Option<CreateSpec>,
    config: ClientConfig,
    timeout_ms: i64,
    /// Made when it is first wanted.
    admin: Option<TopicAdmin>,
    sizes: Sizes,
}

/// What the client takes.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub message_bytes_max: usize,
    pub batch_bytes: usize,
    /// The user said so: then it is not the topic that says it.
    pub message_is_said: bool,
    pub batch_is_said: bool,
}

impl Topics {
    pub fn new(config: &ClientConfig, create: Option<CreateSpec>, sizes: Sizes, timeout_ms: i64) -> Self {
        Self {
            known: Vec::new(),
            waiting: Vec::new(),
            by_name: BTreeMap::new(),
            create,
            config: config.clone(),
            timeout_ms,
            admin: None,
            sizes,
        }
    }

    /// The client has other limits from now on.
    pub fn set_sizes(&mut self, sizes: Sizes) {
        self.sizes = sizes;
        self.known.iter_mut().for_each(|topic| topic.limit(sizes));
    }

    /// No further topics will come.
    pub fn close(&mut self) {
        self.admin = None;
    }

    /// Where the topic is among the known ones; makes the topic if that is wanted.
    ///
    /// # Errors
    /// Bad: no such topic. Stop: no broker, no permission, too many topics.
    pub fn find(&mut self, topic: &str, producer: &mut KafkaProducer) -> Result<usize, Fault> {
        if let Some(&index) = self.by_name.get(topic) {
            return Ok(index);
        }
        if let Some(fault) = name_fault(topic) {
            return Err(Fault::Bad(fault));
        }
        if self.known.len() >= TOPICS_MAX {
            return Err(Error::data(format_args!("more than {TOPICS_MAX} topics")).into());
        }
        let found = match (find(topic, producer)?, self.create) {
            (None, Some(spec)) => {
                if !self.admin()?.create(topic, spec)? {
                    return Err(Fault::bad(format_args!(
                        "the brokers take no topic \"{topic}\" beside those they have"
                    )));
                }
                find_made(topic, producer)?
            }
            (found, _) => found,
        };
        let partitions = found.ok_or_else(|| Fault::bad(format_args!("topic \"{topic}\" does not exist")))?;
        self.by_name.insert(topic.to_owned(), self.known.len());
        let rules = self.admin()?.settings(topic).map(|settings| Rules::new(&settings)).unwrap_or_default();
        self.known.push(Topic::new(topic, partitions, rules, self.sizes));
        Ok(self.known.len() - 1)
    }

    fn admin(&mut self) -> Result<&TopicAdmin, Error> {
        let admin = match self.admin.take() {
            Some(admin) => admin,
            None => TopicAdmin::new(&self.config, self.timeout_ms)?,
        };
        Ok(self.admin.insert(admin))
    }

    /// Takes note of so many bytes more for a narrow topic. False: they could make a batch too large, with what may
    /// still wait.
    pub fn takes_along(&mut self, index: usize, bytes: usize) -> bool {
        let topic = &mut self.known[index];
        let has_room = topic.waiting_bytes == 0 || topic.waiting_bytes + bytes <= topic.batch_bytes_max;
        if has_room {
            topic.waiting_bytes += bytes;
        }
        has_room
    }

    /// Nothing waits for Kafka any more.
    pub fn all_is_sent(&mut self) {
        self.known.iter_mut().for_each(|topic| topic.waiting_bytes = 0);
    }

    pub fn get(&self, index: usize) -> &Topic {
        &self.known[index]
    }

    /// The topic's waiting lines, for one more.
    pub fn batch(&mut self, index: usize) -> &mut Batch {
        let batch = &mut self.known[index].batch;
        if batch.is_empty() {
            self.waiting.push(index);
        }
        batch
    }

    /// One of the topics that have lines waiting.
    pub fn waiting(&self) -> Option<usize> {
        self.waiting.last().copied()
    }

    /// Gives the topic's waiting lines to the client, as far as it has room.
    ///
    /// # Errors
    /// Bad: a name that the client does not take.
    pub fn hand_over(&mut self, index: usize, producer: &BaseProducer<OutContext>) -> Result<Handed, Fault> {
        let Topic { name, handle, batch, .. } = &mut self.known[index];
        let handle = match handle {
            Some(handle) => handle,
            none => match TopicHandle::new(producer, name) {
                Some(made) => none.insert(made),
                None => return Err(Fault::bad(format_args!("topic \"{name}\" is no name of a topic"))),
            },
        };
        let handed = batch.hand_over(handle);
        if batch.is_empty() {
            self.waiting.retain(|waiting| *waiting != index);
        }
        Ok(handed)
    }

    /// How many messages may wait for Kafka.
    pub fn messages_max(&self) -> i32 {
        messages_max(self.known.iter().map(|topic| topic.partitions))
    }

    /// The client is about to go.
    pub fn let_go(&mut self) {
        for topic in &mut self.known {
            topic.handle = None;
        }
    }
}

fn messages_max(partitions: impl Iterator<Item = i32>) -> i32 {
    let all = partitions.fold(0, i32::saturating_add).saturating_mul(WAITING_EACH);
    all.clamp(*WAITING.start(), *WAITING.end())
}

/// None: there is no such topic.
fn find(topic: &str, producer: &mut KafkaProducer) -> Result<Option<i32>, Error> {
    let missing = [Code::UnknownTopicOrPartition, Code::UnknownTopic, Code::InvalidTopic];
    ask(topic, producer, |error| match error.rdkafka_error_code() {
        Some(code) if missing.contains(&code) => Ok(None),
        _ => Err(error),
    })
}

/// A topic that was just made may take a moment until every broker knows it.
fn find_made(topic: &str, producer: &mut KafkaProducer) -> Result<Option<i32>, Error> {
    ask(topic, producer, |error| match error.rdkafka_error_code() {
        Some(Code::UnknownTopicOrPartition) => Err(KafkaError::MetadataFetch(Code::LeaderNotAvailable)),
        _ => Err(error),
    })
}

/// How many partitions the brokers say there are; `failed` says what their refusal means.
fn ask(
    topic: &str,
    producer: &mut KafkaProducer,
    failed: impl Fn(KafkaError) -> Result<Option<i32>, KafkaError>,
) -> Result<Option<i32>, Error> {
    producer.ask(format!("topic \"{topic}\""), |client, timeout| {
        partition_count(client.client(), topic, timeout).map(Some).or_else(&failed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_messages_may_wait_for_more_partitions() {
        let max = |partitions: &[i32]| messages_max(partitions.iter().copied());
        assert_eq!((max(&[]), max(&[1]), max(&[3, 1])), (30_000, 30_000, 30_000));
        assert_eq!((max(&[12]), max(&[6, 12])), (30_000, 45_000));
        assert_eq!((max(&[1000]), max(&[i32::MAX, 7])), (500_000, 500_000));
    }
}
