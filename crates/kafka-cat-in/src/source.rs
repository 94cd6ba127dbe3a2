//! The source: what it keeps, and the turns of its life (opening, reading, done).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_ends::{Patience, failure};
use millpipe::{Error, Fault, Mark, Out, Polled, Positions, Source, Truth};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;
use serde_json::Value;

use crate::cli::Cli;
use crate::consumer::Settings;
use crate::context::{Bell, InContext};
use crate::exactly_once::ExactlyOnce;
use crate::instance::{Instance, Sharing};
use crate::makings::Makings;
use crate::partition::{Partition, Stand, State};
use crate::partition_set::PartitionSet;
use crate::plan::Topics;
use crate::position::{From, Until};
use crate::queue::Message;
use crate::tag::Tagger;
use crate::value::Checker;

/// Events of the client that are served between two reads.
const EVENTS_MAX: usize = 1000;

/// What the flags said.
pub(crate) struct Wanted {
    pub topics: Topics,
    pub partitions: Option<PartitionSet>,
    pub instance: Option<Instance>,
    pub sharing: Sharing,
    /// The group says where to start, and is told what was written. In a pipe with checkpoints the sink commits.
    pub has_group: bool,
    pub from: From,
    pub until: Option<Until>,
    /// Not beyond the end as it was at the start, whatever `until` says.
    pub exits: bool,
    pub form: Form,
    pub marks: bool,
    pub align_ms: Option<i64>,
    pub line_bytes_max: usize,
    pub broker_timeout_ms: i64,
    /// The flags that a position depends on.
    flags: String,
    verbose: bool,
}

/// What a line is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Text,
    Envelope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Opening,
    /// Waiting for the group to give us partitions.
    Joining,
    Reading,
}

/// The first stage of a pipe: reads topics.
pub struct KafkaSource {
    pub(crate) wanted: Wanted,
    pub(crate) phase: Phase,
    /// In the order of topics and numbers. Declared before the consumer, which must go last.
    pub(crate) partitions: Vec<Partition>,
    pub(crate) consumer: Arc<BaseConsumer<InContext>>,
    pub(crate) settings: Settings,
    pub(crate) bell: Arc<Bell>,
    pub(crate) patience: Patience,
    pub(crate) checker: Checker,
    pub(crate) tagger: Option<Tagger>,
    /// The part that the last `from` mark named.
    pub(crate) current: String,
    /// Whose turn it is to be read.
    pub(crate) turn: usize,
    pub(crate) lines_left: Option<u64>,
    pub(crate) until_ms: Option<i64>,
    /// What we wait for, if it was told: a partition, and where it stands.
    pub(crate) told_of: Option<(usize, Stand)>,
    /// That partitions do not reach so far as `--until` was told.
    pub(crate) told_of_until: bool,
    pub(crate) tombstones: u64,
    /// Positions of an earlier run, by part.
    pub(crate) resume: BTreeMap<String, i64>,
    pub(crate) makings: Makings,
    pub(crate) commit_at_ms: i64,
    pub(crate) exactly_once: Option<ExactlyOnce>,
}

impl KafkaSource {
    /// Checks the flags and makes the client; nothing is asked over the network yet.
    ///
    /// # Errors
    /// Usage.
    pub fn new(cli: &Cli, environment: impl Iterator<Item = (String, String)>) -> Result<Self, Error> {
        cli.check()?;
        let settings = Settings::new(cli, &cli.kafka.properties(environment)?)?;
        let bell = Arc::new(Bell::default());
        Ok(Self {
            wanted: Wanted::new(cli)?,
            phase: Phase::Opening,
            partitions: Vec::new(),
            consumer: settings.consumer(&bell)?,
            bell,
            patience: Patience::new(&settings.brokers(), cli.kafka.broker_timeout.0),
            checker: Checker::default(),
            tagger: cli.tag.as_ref().map(Tagger::new),
            current: String::new(),
            turn: 0,
            lines_left: cli.count,
            until_ms: None,
            told_of: None,
            told_of_until: false,
            tombstones: 0,
            resume: BTreeMap::new(),
            makings: Makings::default(),
            commit_at_ms: 0,
            exactly_once: ExactlyOnce::new(cli, &settings.config),
            settings,
        })
    }

    /// Between two reads, when all that was read is written: the client's events, the group's changes.
    pub(crate) fn serve(&mut self, out: &mut Out) -> Result<(), Fault> {
        let consumer = Arc::clone(&self.consumer);
        for _ in 0..EVENTS_MAX {
            match consumer.poll(Duration::ZERO) {
                None => break,
                Some(Ok(message)) => self.give_from_common_queue(Message::of(&message), out),
                // Its partition is not said here; each partition's queue says its own.
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => self.judge("read", &error, out)?,
            }
        }
        self.follow_group(out)?;
        self.commit_now_and_then(out)?;
        self.look_at_topics_now_and_then(out)?;
        self.probe()?;
        Ok(())
    }

    /// What an error of the client means: the end, or nothing that it does not mend itself.
    pub(crate) fn judge(&mut self, what: &str, error: &KafkaError, out: &mut Out) -> Result<(), Error> {
        let context = self.consumer.context();
        if let Some(refusal) = context.end.refusal() {
            return Err(refusal);
        }
        match error.rdkafka_error_code() {
            Some(Code::GroupAuthorizationFailed) if !self.wanted.has_group => Ok(()),
            Some(Code::AllBrokersDown) => {
                self.patience.silent();
                Ok(())
            }
            Some(Code::PollExceeded) => {
                out.warn(
                    "the group gave our partitions away: the pipe stood still for longer than max.poll.interval.ms",
                );
                Ok(())
            }
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => {
                self.look_at_topics_again(out.now_ms())?;
                Err(Error::data(format_args!(
                    "{what}: the next messages are gone (the topic's retention), or its offsets began anew"
                ))
                .hint("-X auto.offset.reset=earliest goes on with what is there"))
            }
            Some(code) if failure::is_passing(code) => Ok(()),
            _ => Err(failure::error(what, error)),
        }
    }

    /// While no broker answers, asks now and then, and gives up in the end.
    fn probe(&mut self) -> Result<(), Error> {
        let consumer = &self.consumer;
        let topic = self.partitions.first().map(|partition| partition.topic.as_str());
        let ask = |timeout| consumer.client().fetch_metadata(topic, timeout).map(|_| ());
        match self.phase {
            Phase::Opening => Ok(()),
            _ => self.patience.probe("read", &consumer.context().end, ask),
        }
    }

    fn is_done(&self) -> bool {
        let all_read = || self.partitions.iter().all(|partition| partition.state == State::Finished);
        self.lines_left == Some(0) || (self.phase == Phase::Reading && self.ends() && all_read())
    }

    fn ends(&self) -> bool {
        self.wanted.until.is_some()
    }

    pub(crate) fn mark_from(&mut self, index: usize, out: &mut Out) {
        let part = &self.partitions[index].part;
        if self.wanted.marks && *part != self.current {
            out.mark(&Mark::from_part(part));
            self.current.clone_from(part);
        }
    }

    pub(crate) fn mark_idle(&self, index: usize, is_final: bool, out: &mut Out) {
        if self.wanted.marks {
            out.mark(&Mark::idle(&self.partitions[index].part, is_final));
        }
    }
}

impl Wanted {
    fn new(cli: &Cli) -> Result<Self, Error> {
        Ok(Self {
            topics: Topics::new(&cli.topics)?,
            partitions: cli.partitions.clone(),
            instance: cli.instance.filter(|instance| instance.of > 1),
            sharing: cli.sharing(),
            has_group: cli.group.is_some() && !cli.exactly_once.exactly_once,
            from: cli.start(),
            until: cli.end(),
            exits: cli.exit,
            form: match (cli.envelope, cli.text) {
                (true, _) => Form::Envelope,
                (false, true) => Form::Text,
                (false, false) => Form::Json,
            },
            marks: cli.marks || cli.exactly_once.exactly_once,
            align_ms: cli.align.map(|align| align.0),
            broker_timeout_ms: cli.kafka.broker_timeout.0,
            line_bytes_max: cli.input.max_line.as_usize(),
            flags: cli.position_flags(),
            verbose: cli.run.verbose,
        })
    }

    /// The group shares its partitions out, unless the flags say which ones to read.
    pub fn joins_group(&self) -> bool {
        self.has_group && self.partitions.is_none() && self.instance.is_none()
    }
}

impl Source for KafkaSource {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.open_before_the_first_barrier(out)
    }

    fn poll(&mut self, wait_ms: u64, out: &mut Out) -> Result<Polled, Fault> {
        self.serve(out)?;
        let read = match self.phase {
            Phase::Opening => self.open(out)?,
            Phase::Joining => false,
            Phase::Reading => self.read(out)?,
        };
        if self.is_done() {
            return Ok(Polled::Done);
        }
        if read {
            return Ok(Polled::More);
        }
        self.heed_transactions(out)?;
        self.tell_of_short_partitions(out);
        out.waits().for_input(|| self.bell.wait(Duration::from_millis(wait_ms)));
        Ok(Polled::Nothing)
    }

    fn written(&mut self) -> Result<(), Fault> {
        for partition in &mut self.partitions {
            partition.written = partition.given;
        }
        Ok(())
    }

    fn stop(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.wanted.verbose && self.tombstones > 0 {
            out.warn(format_args!("{} tombstones left out", self.tombstones));
        }
        self.commit_at_stop(out)?;
        self.consumer.context().close();
        Ok(())
    }

    fn position(&self) -> String {
        let mut position = self.positions();
        self.makings.save(&mut position);
        Value::Object(position).to_string()
    }

    fn seek(&mut self, position: &str) -> Result<(), Error> {
        let broken = || Error::data(format_args!("\"{position}\" is no position of kafka-cat-in"));
        let mut parts: Positions = serde_json::from_str(position).map_err(|_| broken())?;
        self.makings.restore(&mut parts);
        let offset = |(part, offset): (String, Value)| Some((part, offset.as_i64()?));
        self.resume = parts.into_iter().map(|entry| offset(entry).ok_or_else(broken)).collect::<Result<_, _>>()?;
        if let Some(exactly_once) = &mut self.exactly_once {
            exactly_once.restores = true;
        }
        Ok(())
    }

    fn flags(&self) -> String {
        self.wanted.flags.clone()
    }

    fn truth(&mut self) -> Result<Option<Truth>, Fault> {
        Ok(self.ask_group()?)
    }

    /// The sink commits the group's offsets in its own transaction.
    fn sees(&self, target: &str) -> bool {
        target == "kafka"
    }

    /// Of all partitions, also those where nothing was read yet.
    fn positions(&self) -> Positions {
        let remembered = self.resume.iter().map(|(part, offset)| (part.clone(), *offset));
        let reached = self.partitions.iter().map(|partition| (partition.part.clone(), partition.next()));
        let positions: BTreeMap<String, i64> = remembered.chain(reached).collect();
        positions.into_iter().map(|(part, offset)| (part, offset.into())).collect()
    }

    fn may_commit(&mut self, now_ms: i64) -> Result<bool, Fault> {
        Ok(self.reads_the_same_topics(now_ms)?)
    }

    fn why_forgotten(&mut self, position: &str) -> Result<Option<Error>, Fault> {
        Ok(self.made_anew_since(position)?)
    }

    fn for_sink(&self) -> Value {
        self.exactly_once.as_ref().map_or(Value::Null, ExactlyOnce::for_sink)
    }

    fn committed(&mut self, positions: &Positions) -> Result<(), Fault> {
        Ok(self.tell_group(positions)?)
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.consumer.context().close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn a_position_is_given_back_as_it_was_taken() {
        let cli = Cli::try_parse_from(["kafka-cat-in", "-b", "127.0.0.1:1", "-t", "t"]).unwrap();
        let mut source = KafkaSource::new(&cli, std::iter::empty()).unwrap();
        assert_eq!(source.position(), "{}");
        source.seek("{\"t/1\":17,\"t/0\":5}").unwrap();
        assert_eq!(source.position(), "{\"t/0\":5,\"t/1\":17}");
        let with_ids = "{\"t/0\":5,\"topics\":{\"t\":\"a1\"}}";
        source.seek(with_ids).unwrap();
        assert_eq!(source.position(), with_ids);
        for broken in ["17", "{\"t/0\":null}", "{\"t/0\":\"x\"}"] {
            assert!(source.seek(broken).is_err(), "{broken}");
        }
    }
}
