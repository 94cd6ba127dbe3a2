//! The source: what it is made of, and the turns of its life (opening, reading, done).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_ends::ATTEMPT;
use kafka_ends::group_offsets::Place;
use millpipe::{Error, Facts, Fault, Goal, Out, Polled, Positions, Source, Truth};
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use serde_json::Value;

use crate::cli::Cli;
use crate::client::{Attempt, KafkaClient, PAUSE, ReadError};
use crate::commits::{OffsetCommits, commit_checkpoint, commit_gone};
use crate::context::Rebalance;
use crate::exactly_once::ExactlyOnce;
use crate::makings::Makings;
use crate::partition::Partition;
use crate::partition_list::PartitionList;
use crate::plan::{Plan, Wish};
use crate::queue::Message;
use crate::reader::PartitionReader;
use crate::settings::Settings;
use crate::topic_choice::TopicChoice;
use crate::topic_ids::topic_ids;
use crate::transactions::EndWait;

/// Events of the client that are served between two reads.
const EVENTS_MAX: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    /// Waiting for the group to give us partitions.
    Joining,
    Reading,
}

/// So many partitions are told of one by one to those who watch.
const PARTITIONS_SHOWN_MAX: usize = 200;

/// The first stage of a pipe: reads topics.
pub struct KafkaSource {
    phase: Phase,
    choice: TopicChoice,
    wish: Wish,
    /// Has queues of the client's: declared before it, which must go last.
    partitions: PartitionList,
    client: KafkaClient,
    reader: PartitionReader,
    end_wait: EndWait,
    commits: OffsetCommits,
    makings: Makings,
    /// Positions of an earlier run, by part.
    resume: BTreeMap<String, i64>,
    exactly_once: Option<ExactlyOnce>,
    /// The flags that a position depends on.
    flags: String,
    verbose: bool,
}

impl KafkaSource {
    /// Checks the flags and makes the client; nothing is asked over the network yet.
    ///
    /// # Errors
    /// Usage.
    pub fn new(cli: &Cli, environment: impl Iterator<Item = (String, String)>) -> Result<Self, Error> {
        cli.check()?;
        let settings = Settings::new(cli, &cli.kafka.properties(environment)?)?;
        let choice = TopicChoice::new(cli)?;
        let wish = Wish::new(cli);
        let broker_timeout_ms = cli.kafka.broker_timeout.0;
        let exactly_once = ExactlyOnce::new(cli, &settings.config);
        Ok(Self {
            phase: Phase::Opening,
            partitions: PartitionList::new(cli.marks || exactly_once.is_some()),
            client: KafkaClient::new(settings, broker_timeout_ms, wish.uses_group())?,
            reader: PartitionReader::new(cli),
            end_wait: EndWait::new(broker_timeout_ms, wish.until_offset()),
            commits: OffsetCommits::new(wish.uses_group()),
            makings: Makings::default(),
            resume: BTreeMap::new(),
            exactly_once,
            flags: cli.position_flags(),
            verbose: cli.run.verbose,
            choice,
            wish,
        })
    }

    /// One attempt; tried again, between looks at signals and at the reader, until a broker answers.
    fn open(&mut self, out: &mut Out) -> Result<bool, Fault> {
        self.reader.end_at(self.wish.until_ms(out.now_ms()));
        match self.try_to_open(out) {
            Ok(()) => {}
            Err(Attempt::Again(error)) => self.client.retry("cannot read", &error)?,
            Err(Attempt::Over(error)) => return Err(error.into()),
        }
        Ok(self.phase != Phase::Opening)
    }

    fn try_to_open(&mut self, out: &mut Out) -> Result<(), Attempt> {
        let places = match &self.exactly_once {
            Some(exactly_once) => exactly_once.places().to_vec(),
            None => self.choice.find(self.client.consumer().client())?,
        };
        self.client.read_ahead_for(places.len()).map_err(Attempt::Over)?;
        if self.joins_group() {
            debug_assert!(!places.is_empty());
            self.client.subscribe(&self.choice.written()).map_err(Attempt::Over)?;
            self.phase = Phase::Joining;
            return Ok(());
        }
        let plans = self.plan(&places, out.now_ms())?;
        self.begin(&plans, out).map_err(Attempt::Over)
    }

    /// The group shares its partitions out, unless the flags say which ones to read.
    fn joins_group(&self) -> bool {
        self.wish.uses_group() && !self.choice.names_partitions()
    }

    fn plan(&mut self, places: &[Place], now_ms: i64) -> Result<Vec<Plan>, Attempt> {
        let consumer = self.client.consumer();
        if self.exactly_once.is_some() {
            // Before anything else: what is read later is of these, or that is found out.
            let topics = places.iter().map(|(topic, _)| topic.clone()).collect();
            self.makings.begin(topic_ids(consumer, &topics, ATTEMPT).map_err(Attempt::Again)?);
        }
        let mut plans = self.wish.plans(consumer, places, now_ms, ATTEMPT).map_err(Attempt::Again)?;
        if let Some(exactly_once) = &self.exactly_once {
            exactly_once.go_on(&mut plans, &self.resume, &self.makings).map_err(Attempt::Over)?;
        }
        Ok(plans)
    }

    /// Starts reading these partitions, and no others: the flags chose them.
    fn begin(&mut self, plans: &[Plan], out: &mut Out) -> Result<(), Error> {
        let starts = self.partitions.take_up(plans, &self.client, out)?;
        self.client.assign(&starts)?;
        self.partitions.announce(plans, &self.client, out);
        self.phase = Phase::Reading;
        Ok(())
    }

    /// Between two reads, when all that was read is written: the client's events, the group's changes.
    fn serve(&mut self, out: &mut Out) -> Result<(), Fault> {
        let consumer = Arc::clone(self.client.consumer());
        for _ in 0..EVENTS_MAX {
            match consumer.poll(Duration::ZERO) {
                None => break,
                Some(Ok(message)) => {
                    let Self { reader, partitions, client, .. } = self;
                    reader.take_from_common_queue(Message::of(&message), partitions, client, out);
                }
                // Its partition is not said here; each partition's queue says its own.
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => {
                    self.client.check("read", &error, out).map_err(|error| self.explained(error, out.now_ms()))?;
                }
            }
        }
        self.follow_group(out)?;
        self.commits.now_and_then(&mut self.partitions, &self.client, out.now_ms())?;
        if self.exactly_once.is_none() && self.phase == Phase::Reading {
            self.makings.look_now_and_then(&self.partitions, &mut self.client, out.now_ms())?;
        }
        if self.phase != Phase::Opening {
            self.client.probe(self.partitions.iter().next().map(Partition::topic))?;
        }
        Ok(())
    }

    /// Follows changes of the group. All that was read is written here, so what we lose can be committed first.
    fn follow_group(&mut self, out: &mut Out) -> Result<(), Error> {
        while let Some(change) = self.client.next_rebalance() {
            match change {
                Rebalance::Assigned(list) => self.assigned(&list, out)?,
                Rebalance::Revoked(list) => self.revoked(&list, out),
            }
        }
        Ok(())
    }

    fn assigned(&mut self, list: &TopicPartitionList, out: &mut Out) -> Result<(), Error> {
        let mut places = places(list);
        places.sort();
        let plans = self.plan_patiently(&places, out.now_ms())?;
        let starts = self.partitions.take_up(&plans, &self.client, out)?;
        self.client.accept(&starts)?;
        self.partitions.announce(&plans, &self.client, out);
        self.phase = Phase::Reading;
        Ok(())
    }

    /// As [`KafkaSource::plan`], waiting: for partitions that the group has just given us. There are no checkpoints here.
    fn plan_patiently(&mut self, places: &[Place], now_ms: i64) -> Result<Vec<Plan>, Error> {
        loop {
            match self.wish.plans(self.client.consumer(), places, now_ms, ATTEMPT) {
                Ok(plans) => {
                    self.client.answered();
                    return Ok(plans);
                }
                Err(error) => self.client.retry("cannot read", &error)?,
            }
            self.client.wait(PAUSE);
        }
    }

    fn revoked(&mut self, list: &TopicPartitionList, out: &mut Out) {
        let gone = places(list);
        commit_gone(&gone, &self.partitions, &self.client);
        self.partitions.let_go(&gone, out);
        let keeps_some = self.client.is_cooperative() && !self.partitions.is_empty();
        self.phase = if keeps_some { Phase::Reading } else { Phase::Joining };
        self.client.give_back(list);
    }

    fn read(&mut self, out: &mut Out) -> Result<bool, Error> {
        let read = self.reader.read(&mut self.partitions, &mut self.client, out);
        read.map_err(|error| self.explained(error, out.now_ms()))
    }

    /// Returns the error to end with: messages that are not there may be of a topic that is another one now.
    fn explained(&mut self, error: ReadError, now_ms: i64) -> Error {
        match error {
            ReadError::Failed(error) => error,
            ReadError::Gone(error) => {
                let looked = self.makings.look_again(&self.partitions, &mut self.client, now_ms);
                looked.err().unwrap_or(error)
            }
        }
    }

    fn is_done(&self) -> bool {
        let is_at_end = || self.phase == Phase::Reading && self.wish.ends() && self.partitions.are_all_finished();
        self.reader.has_enough() || is_at_end()
    }
}

impl Source for KafkaSource {
    /// With checkpoints it opens before the first poll: the first barrier needs the positions of all partitions.
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        while self.exactly_once.is_some() && self.phase == Phase::Opening {
            self.serve(out)?;
            if !self.open(out)? {
                if let Some(text) = self.client.patience().complaint() {
                    out.warn(text);
                }
                self.client.wait(PAUSE);
            }
        }
        Ok(())
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
        self.end_wait.check_transactions(&mut self.partitions, &mut self.client, out)?;
        self.end_wait.tell_of_short_partitions(&self.partitions, out);
        out.waits().for_input(|| self.client.wait(Duration::from_millis(wait_ms)));
        Ok(Polled::Nothing)
    }

    fn written(&mut self) -> Result<(), Fault> {
        self.partitions.iter_mut().for_each(Partition::note_written);
        Ok(())
    }

    fn stop(&mut self, out: &mut Out) -> Result<(), Fault> {
        let tombstones = self.reader.tombstones();
        if self.verbose && tombstones > 0 {
            out.warn(format_args!("{tombstones} tombstones left out"));
        }
        self.commits.at_stop(&mut self.partitions, &self.client)?;
        self.client.close();
        Ok(())
    }

    /// None while a partition is read for as long as more comes.
    fn goal(&mut self) -> Option<Goal> {
        let parts = self.partitions.iter().map(Partition::span);
        let (done, total) = parts.reduce(|sum, part| {
            let ((sum_done, sum_total), (done, total)) = (sum?, part?);
            Some((sum_done + done, sum_total + total))
        })??;
        Some(Goal { done, total, of: "messages" })
    }

    fn facts(&mut self, now_ms: i64, to: &mut Facts) {
        let partitions: Vec<Value> =
            self.partitions.iter().take(PARTITIONS_SHOWN_MAX).map(|partition| partition.facts(now_ms)).collect();
        let lags = || partitions.iter().map(|partition| partition["lag"].as_i64());
        if !partitions.is_empty() && lags().all(|lag| lag.is_some()) {
            let lag: i64 = lags().flatten().sum();
            to.insert("lag".to_owned(), lag.into());
            to.insert("caught_up".to_owned(), (lag == 0).into());
        }
        to.insert("partitions".to_owned(), partitions.into());
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
            exactly_once.restore();
        }
        Ok(())
    }

    fn flags(&self) -> String {
        self.flags.clone()
    }

    fn truth(&mut self) -> Result<Option<Truth>, Fault> {
        let Some(exactly_once) = &mut self.exactly_once else { return Ok(None) };
        let (truth, resume) = exactly_once.ask_group(&self.choice, &mut self.client)?;
        self.resume = resume;
        Ok(Some(truth))
    }

    /// The sink commits the group's offsets in its own transaction.
    fn sees(&self, target: &str) -> bool {
        target == "kafka"
    }

    /// Of all partitions, also those where nothing was read yet.
    fn positions(&self) -> Positions {
        let remembered = self.resume.iter().map(|(part, offset)| (part.clone(), *offset));
        let reached = self.partitions.iter().map(|partition| (partition.part().to_owned(), partition.next()));
        let positions: BTreeMap<String, i64> = remembered.chain(reached).collect();
        positions.into_iter().map(|(part, offset)| (part, offset.into())).collect()
    }

    fn may_commit(&mut self, now_ms: i64) -> Result<bool, Fault> {
        Ok(self.makings.are_the_same(&self.partitions, &mut self.client, now_ms)?)
    }

    fn why_forgotten(&mut self, position: &str) -> Result<Option<Error>, Fault> {
        Ok(self.makings.why_forgotten(position, &mut self.client)?)
    }

    fn for_sink(&self) -> Value {
        self.exactly_once.as_ref().map_or(Value::Null, ExactlyOnce::for_sink)
    }

    fn committed(&mut self, positions: &Positions) -> Result<(), Fault> {
        Ok(commit_checkpoint(positions, &self.client)?)
    }
}

fn places(list: &TopicPartitionList) -> Vec<Place> {
    list.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect()
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
