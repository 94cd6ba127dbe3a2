//! Opening: finding the partitions, deciding where each starts, and starting.

use std::sync::Arc;
use std::time::Duration;

use kafka_ends::group_offsets::Place;
use kafka_ends::{ATTEMPT, failure};
use millpipe::{Error, Fault, Out};
use rdkafka::client::{Client, ClientContext};
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::partition::Partition;
use crate::plan::{self, Plan, Wish};
use crate::source::{KafkaSource, Phase};
use crate::topic_ids::topic_ids;

impl KafkaSource {
    /// One attempt; tried again, between looks at signals and at the reader, until a broker answers.
    pub(crate) fn open(&mut self, out: &mut Out) -> Result<bool, Fault> {
        self.until_ms = self.wanted.until.as_ref().and_then(|until| until.time_ms(&self.wanted.from, out.now_ms()));
        let found = match &self.exactly_once {
            Some(exactly_once) => Ok(exactly_once.places.clone()),
            None => self.find_places(self.consumer.client()),
        };
        if let Ok(places) = &found
            && self.settings.read_ahead_for(places.len())
        {
            self.consumer = self.settings.consumer(&self.bell)?;
        }
        let opened = match found {
            Ok(places) if self.wanted.joins_group() => {
                self.subscribe(&places)?;
                Ok(())
            }
            Ok(places) => match self.plan(&places, out.now_ms(), ATTEMPT) {
                Ok(plans) => {
                    self.begin(&plans, out)?;
                    Ok(())
                }
                Err(attempt) => Err(attempt),
            },
            Err(attempt) => Err(attempt),
        };
        match opened {
            Ok(()) => {}
            Err(Attempt::Again(error)) => self.not_yet(&error)?,
            Err(Attempt::Over(error)) => return Err(error.into()),
        }
        Ok(self.phase != Phase::Opening)
    }

    fn not_yet(&mut self, error: &KafkaError) -> Result<(), Error> {
        let context = self.consumer.context();
        self.patience.after("cannot read", error, &context.end)
    }

    pub(crate) fn find_places<C: ClientContext>(&self, client: &Client<C>) -> Result<Vec<Place>, Attempt> {
        let found = plan::find_topics(client, &self.wanted.topics, ATTEMPT);
        let topics = found.map_err(|error| match error.rdkafka_error_code() {
            Some(code @ (Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::InvalidTopic)) => {
                Attempt::Over(self.no_such_topic(client, code))
            }
            _ => Attempt::Again(error),
        })?;
        let share = self.wanted.instance.map(|instance| (instance, self.wanted.sharing));
        plan::choose(&topics, self.wanted.partitions.as_ref(), share).map_err(Attempt::Over)
    }

    /// Names the topic that is not there: the client's error does not.
    fn no_such_topic<C: ClientContext>(&self, client: &Client<C>, code: Code) -> Error {
        let exists = |name: &String| kafka_ends::partition_count(client, name, ATTEMPT).is_ok();
        let missing = self.wanted.topics.written().iter().find(|name| !name.starts_with('^') && !exists(name));
        match missing {
            Some(name) if code != Code::InvalidTopic => Error::data(format_args!("topic \"{name}\" does not exist")),
            Some(name) => failure::from_code(format_args!("topic \"{name}\""), code),
            None => failure::from_code("cannot read", code),
        }
    }

    fn plan(&mut self, places: &[Place], now_ms: i64, timeout: Duration) -> Result<Vec<Plan>, Attempt> {
        let wish = Wish {
            from: &self.wanted.from,
            until: self.wanted.until.as_ref(),
            exits: self.wanted.exits,
            has_group: self.wanted.has_group,
            now_ms,
        };
        if self.exactly_once.is_some() {
            // Before anything else: what is read later is of these, or that is found out.
            let topics = places.iter().map(|(topic, _)| topic.clone()).collect();
            self.makings.begin(topic_ids(&self.consumer, &topics, timeout).map_err(Attempt::Again)?);
        }
        let mut plans = plan::plan(&self.consumer, places, &wish, timeout).map_err(Attempt::Again)?;
        if let Some(exactly_once) = &self.exactly_once {
            exactly_once.go_on(&mut plans, &self.resume, &self.makings).map_err(Attempt::Over)?;
        }
        Ok(plans)
    }

    /// Starts reading these partitions, and no others: the flags chose them.
    fn begin(&mut self, plans: &[Plan], out: &mut Out) -> Result<(), Error> {
        let list = self.take_up(plans, out)?;
        self.consumer.assign(&list).map_err(|error| failure::error("cannot read", &error))?;
        self.announce(plans, out);
        self.phase = Phase::Reading;
        Ok(())
    }

    /// Makes a queue for each partition, before it is assigned: so nothing of it comes by the common queue.
    pub(crate) fn take_up(&mut self, plans: &[Plan], out: &mut Out) -> Result<TopicPartitionList, Error> {
        let mut list = TopicPartitionList::with_capacity(plans.len());
        for plan in plans {
            let place = format!("topic {}, partition {}", plan.topic, plan.number);
            if let Some(missed) = plan.missed {
                out.warn(format_args!("{place}: offset {missed} is not there, reading from {}", plan.start));
            }
            let partition = Partition::new(&self.consumer, &self.bell, plan)
                .ok_or_else(|| Error::data(format_args!("{place}: no such partition")))?;
            self.partitions.retain(|old| old.part != partition.part);
            self.partitions.push(partition);
            list.add_partition_offset(&plan.topic, plan.number, Offset::Offset(plan.start))
                .map_err(|error| failure::error(&place, &error))?;
        }
        self.partitions.sort_by(|a, b| (&a.topic, a.number).cmp(&(&b.topic, b.number)));
        self.turn = 0;
        Ok(list)
    }

    /// Says which partitions there are, before any line of theirs; those with nothing to read are finished.
    pub(crate) fn announce(&mut self, plans: &[Plan], out: &mut Out) {
        let is_new = |p: &Partition| plans.iter().any(|plan| plan.topic == p.topic && plan.number == p.number);
        let new: Vec<usize> = (0..self.partitions.len()).filter(|&i| is_new(&self.partitions[i])).collect();
        for &index in &new {
            self.mark_from(index, out);
        }
        for index in new {
            let partition = &self.partitions[index];
            let found = plans.iter().find(|plan| plan.topic == partition.topic && plan.number == partition.number);
            if found.is_some_and(|plan| plan.end.is_some_and(|end| plan.start >= end)) {
                self.finish(index, out);
            }
        }
    }

    fn subscribe(&mut self, places: &[Place]) -> Result<(), Error> {
        debug_assert!(!places.is_empty());
        let topics: Vec<&str> = self.wanted.topics.written().iter().map(String::as_str).collect();
        self.consumer.subscribe(&topics).map_err(|error| failure::error("cannot join the group", &error))?;
        self.patience.answered();
        self.phase = Phase::Joining;
        Ok(())
    }

    /// The same, waiting: for partitions that the group has just given us.
    pub(crate) fn plan_patiently(&mut self, places: &[Place], now_ms: i64) -> Result<Vec<Plan>, Error> {
        let consumer = Arc::clone(&self.consumer);
        loop {
            match self.plan(places, now_ms, ATTEMPT) {
                Ok(plans) => {
                    self.patience.answered();
                    return Ok(plans);
                }
                Err(Attempt::Over(error)) => return Err(error),
                Err(Attempt::Again(error)) => self.patience.after("cannot read", &error, &consumer.context().end)?,
            }
            self.bell.wait(Duration::from_millis(20));
        }
    }
}

/// Why it is not open yet.
pub(crate) enum Attempt {
    Again(KafkaError),
    Over(Error),
}
