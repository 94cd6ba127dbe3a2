//! The stand-in for `kafka-cat-out`: the same flags, written to a broker in a folder.
//!
//! What a line says of its message (`Reader`), the partition of a key, names of transactions and letters are the tool's own.
//! A message without a key, for which the tool would choose a partition at random, goes to the next one in turn: so that a
//! test gives the same twice.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kafka_cat_out::cli::Cli;
use kafka_cat_out::{Draft, Names, Reader, batch_bytes, letter, name_fault, partition_of};
use kafka_ends::group_offsets::{self, Place, part_name};
use millpipe::{Barrier, Error, Fault, Hello, Mark, Out, Sink, Truth, no_dead_letter};

use crate::broker::{Broker, Outgoing, Transaction};

/// The largest batch of a topic, as brokers have it by default.
const MESSAGE_BYTES_MAX: usize = 1_048_588;

/// The stand-in.
pub struct StandInSink {
    broker: Broker,
    reader: Reader,
    topic: Option<String>,
    is_copy: bool,
    dead_letter: Option<String>,
    create: Option<i32>,
    partitioner: String,
    message_bytes_max: usize,
    transactional_id: Option<String>,
    topics: BTreeMap<String, i32>,
    /// Whose turn it is among a topic's partitions.
    turns: BTreeMap<String, i32>,
    waiting: Vec<Outgoing>,
    /// Lines among those that are not settled.
    lines: u64,
    epoch: Option<Epoch>,
}

/// A stream with checkpoints.
struct Epoch {
    names: Names,
    transaction: Transaction,
    /// Where the id is kept when the source has no offsets here.
    shelf: Option<Place>,
}

impl StandInSink {
    /// # Errors
    /// Usage.
    pub fn new(cli: &Cli, environment: impl Iterator<Item = (String, String)>, broker: Broker) -> Result<Self, Error> {
        cli.check()?;
        let properties = cli.kafka.properties(environment)?;
        let said = properties.get("message.max.bytes").and_then(|bytes| bytes.parse().ok());
        Ok(Self {
            broker,
            reader: Reader::new(cli),
            topic: cli.topic.clone(),
            is_copy: cli.envelope,
            dead_letter: cli.dead_letter.clone(),
            create: cli.create.map(|create| create.partitions),
            partitioner: cli.partitioner.clone(),
            message_bytes_max: said.unwrap_or(MESSAGE_BYTES_MAX),
            transactional_id: cli.transactional_id.clone(),
            topics: BTreeMap::new(),
            turns: BTreeMap::new(),
            waiting: Vec::new(),
            lines: 0,
            epoch: None,
        })
    }

    /// Returns how many partitions a topic has; makes the topic if that is wanted.
    fn find(&mut self, topic: &str) -> Result<i32, Fault> {
        if let Some(partitions) = self.topics.get(topic) {
            return Ok(*partitions);
        }
        if let Some(fault) = name_fault(topic) {
            return Err(Fault::Bad(fault));
        }
        let mut partitions = self.broker.count(topic);
        if let (0, Some(wanted)) = (partitions, self.create) {
            self.broker.create(topic, wanted)?;
            partitions = wanted;
        }
        if partitions == 0 {
            return Err(Fault::bad(format_args!("topic \"{topic}\" does not exist")));
        }
        self.topics.insert(topic.to_owned(), partitions);
        Ok(partitions)
    }

    fn must_exist(&mut self, topic: &str) -> Result<(), Error> {
        match self.find(topic) {
            Err(Fault::Stop(error)) => Err(error),
            Err(Fault::Bad(why)) if self.create.is_none() && name_fault(topic).is_none() => {
                Err(Error::data(why).hint("--create 4 makes it"))
            }
            Err(Fault::Bad(why)) => Err(Error::data(why)),
            Err(Fault::ReaderGone) | Ok(_) => Ok(()),
        }
    }

    fn outgoing(&mut self, topic: String, draft: &Draft<'_>, now_ms: i64) -> Result<Outgoing, Fault> {
        let partitions = self.find(&topic)?;
        let partition = match draft.partition {
            Some(partition) if partition >= partitions => {
                return Err(Fault::bad(format_args!(
                    "topic \"{topic}\" has no partition {partition}: it has {partitions}"
                )));
            }
            Some(partition) => partition,
            None => partition_of(&self.partitioner, draft.key.as_deref(), partitions)
                .unwrap_or_else(|| self.next_turn(&topic, partitions)),
        };
        let time_ms = match draft.timestamp_ms {
            None => Some(now_ms),
            Some(ms) => Some(ms).filter(|ms| *ms >= 0),
        };
        Ok(Outgoing {
            topic,
            partition,
            time_ms,
            key: draft.key.as_ref().map(|key| key.to_vec()),
            headers: draft.headers.clone(),
            value: draft.value.as_ref().map(|value| value.to_vec()),
        })
    }

    fn next_turn(&mut self, topic: &str, partitions: i32) -> i32 {
        let turn = self.turns.entry(topic.to_owned()).or_insert(0);
        let partition = *turn % partitions;
        *turn = (partition + 1) % partitions;
        partition
    }

    /// Writes what waits. Without checkpoints the lines are settled.
    fn send(&mut self, out: &mut Out) -> Result<(), Fault> {
        if !self.waiting.is_empty() {
            self.broker.append(&self.waiting, self.epoch.as_ref().map(|epoch| &epoch.transaction))?;
            self.waiting.clear();
        }
        if self.epoch.is_none() {
            out.settle(std::mem::take(&mut self.lines));
        }
        Ok(())
    }
}

impl Sink for StandInSink {
    fn connect(&mut self) -> Result<(), Fault> {
        for topic in [self.topic.clone(), self.dead_letter.clone()].into_iter().flatten() {
            self.must_exist(&topic)?;
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let mut draft = self.reader.read(line).map_err(Fault::Bad)?;
        let topic = topic_of(&mut draft, self.topic.as_deref(), self.is_copy)?;
        if batch_bytes(&draft) > self.message_bytes_max {
            let limit = self.message_bytes_max;
            let len = |part: &Option<Cow<'_, [u8]>>| part.as_ref().map_or(0, |bytes| bytes.len());
            let bytes = len(&draft.key) + len(&draft.value);
            return Err(Fault::bad(format_args!(
                "a message of {bytes} bytes is too large: the limit is {limit} with Kafka's own part (message.max.bytes)"
            )));
        }
        let message = self.outgoing(topic, &draft, out.now_ms())?;
        self.waiting.push(message);
        self.lines += 1;
        Ok(())
    }

    fn chunk_over(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.send(out)
    }

    fn finish(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.send(out)
    }

    fn give_up(&mut self, out: &mut Out) {
        // If this fails too, that has been said.
        let _ = match &self.epoch {
            Some(epoch) => self.broker.abort(&epoch.transaction).map_err(Fault::from),
            None => self.send(out),
        };
    }

    fn open(&mut self, hello: &Hello, _out: &mut Out) -> Result<Truth, Fault> {
        let names = Names::new(hello, self.transactional_id.as_deref());
        let shelf = match (names.offsets_are_the_sources, self.topic.as_ref().or(self.dead_letter.as_ref())) {
            (true, _) => None,
            (false, Some(topic)) => Some((topic.clone(), 0)),
            (false, None) => {
                return Err(Error::usage(
                    "a source that is not Kafka needs -t: checkpoints are noted at that topic's offsets",
                )
                .into());
            }
        };
        let id = names.transactional_id.clone();
        let transaction = Transaction { epoch: self.broker.fence(&id)?, id, number: 1 };
        let places: Vec<Place> = match &shelf {
            Some(place) => vec![place.clone()],
            None => hello.restore.positions.keys().filter_map(|part| group_offsets::read_part(part)).collect(),
        };
        let mut ledger = self.broker.ledger();
        ledger.look()?;
        let mut truth = group_offsets::truth(&names.group, &ledger.stored(&names.group, &places))?;
        if shelf.is_some() {
            truth.positions.clear();
        }
        self.epoch = Some(Epoch { names, transaction, shelf });
        Ok(truth)
    }

    fn commit(&mut self, barrier: &Barrier, out: &mut Out) -> Result<(), Fault> {
        self.send(out)?;
        let Some(epoch) = &mut self.epoch else { return Ok(()) };
        let positions = match &epoch.shelf {
            None => barrier.positions.clone(),
            Some(place) => std::iter::once((part_name(place), 0.into())).collect(),
        };
        self.broker.commit(&epoch.transaction, &epoch.names.group, &positions, &barrier.id.to_string())?;
        epoch.transaction.number += 1;
        out.settle(std::mem::take(&mut self.lines));
        Ok(())
    }

    fn target(&self) -> &'static str {
        "kafka"
    }

    fn reject(&mut self, reject: &Mark, out: &mut Out) -> Result<(), Fault> {
        let Some(topic) = self.dead_letter.clone() else { return Err(no_dead_letter(reject).into()) };
        let value = letter(reject, self.message_bytes_max.saturating_sub(128));
        let draft = Draft { value: Some(value.into()), ..Draft::default() };
        let message = self.outgoing(topic, &draft, out.now_ms())?;
        self.waiting.push(message);
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.reader.remark()
    }

    fn held(&self) -> u64 {
        self.lines
    }
}

/// As the tool routes: with an envelope and -t all goes there, else where the line says, else to -t.
fn topic_of(draft: &mut Draft<'_>, topic: Option<&str>, is_copy: bool) -> Result<String, Fault> {
    match (topic, draft.topic.take()) {
        (Some(topic), said) if is_copy || said.is_none() => Ok(topic.to_owned()),
        (_, Some(said)) => Ok(said.into_owned()),
        (_, None) => Err(Fault::bad("the line names no topic, and there is no -t")),
    }
}
