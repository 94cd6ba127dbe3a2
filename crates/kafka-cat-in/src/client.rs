//! The client: its errors, the partitions that it reads, and how long its brokers are silent.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use kafka_ends::{Patience, failure};
use millpipe::{Error, Out};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::context::{Bell, InContext, Rebalance};
use crate::settings::Settings;

/// How long we wait before a question that failed is asked again.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// Why a question has no answer.
pub(crate) enum Attempt {
    /// It may have one soon.
    Again(KafkaError),
    Over(Error),
}

/// Why reading cannot go on.
pub(crate) enum ReadError {
    /// The next messages are not there: by retention, or because the topic is another one now.
    Gone(Error),
    Failed(Error),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The client of one source.
pub(crate) struct KafkaClient {
    settings: Settings,
    consumer: Arc<BaseConsumer<InContext>>,
    bell: Arc<Bell>,
    patience: Patience,
    /// The group's offsets are read and stored here; otherwise it does not matter that the group refuses us.
    uses_group: bool,
}

impl KafkaClient {
    /// Makes the client; nothing is asked over the network yet.
    ///
    /// # Errors
    /// When the properties do not make one.
    pub fn new(settings: Settings, broker_timeout_ms: i64, uses_group: bool) -> Result<Self, Error> {
        let bell = Arc::new(Bell::default());
        let consumer = settings.consumer(&bell)?;
        let patience = Patience::new(&settings.brokers(), broker_timeout_ms);
        Ok(Self { settings, consumer, bell, patience, uses_group })
    }

    /// Returns the client's own handle, for questions to brokers and for what partitions have to read.
    pub fn consumer(&self) -> &Arc<BaseConsumer<InContext>> {
        &self.consumer
    }

    /// Returns what rings when there is something to read.
    pub fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// Waits for something to read, at most this long.
    pub fn wait(&self, at_most: Duration) {
        self.bell.wait(at_most);
    }

    /// This many partitions will be read. Makes the client anew when it reads ahead by less for it.
    ///
    /// # Errors
    /// As [`KafkaClient::new`].
    pub fn read_ahead_for(&mut self, partitions: usize) -> Result<(), Error> {
        if self.settings.read_ahead_for(partitions) {
            self.consumer = self.settings.consumer(&self.bell)?;
        }
        Ok(())
    }

    /// Returns how long the brokers may still be silent, for a question by another client.
    pub fn patience(&mut self) -> &mut Patience {
        &mut self.patience
    }

    /// A broker has answered.
    pub fn answered(&mut self) {
        self.patience.answered();
    }

    /// Returns true while no broker answers.
    pub fn is_silent(&self) -> bool {
        self.patience.is_silent()
    }

    /// A question failed: `Ok` says to ask again.
    ///
    /// # Errors
    /// As [`Patience::after`].
    pub fn retry(&mut self, what: impl Display, error: &KafkaError) -> Result<(), Error> {
        self.patience.after(what, error, &self.consumer.context().end)
    }

    /// Asks until there is an answer. Only where nothing is read: messages that come meanwhile are lost.
    ///
    /// # Errors
    /// As [`Patience::after`].
    pub fn ask<T>(
        &mut self,
        what: impl Display,
        mut attempt: impl FnMut(&BaseConsumer<InContext>, Duration) -> KafkaResult<T>,
    ) -> Result<T, Error> {
        let Self { consumer, patience, .. } = self;
        let serve = || {
            let _ = consumer.poll(Duration::ZERO);
        };
        patience.ask(what, &consumer.context().end, serve, |timeout| attempt(consumer, timeout))
    }

    /// While no broker answers, asks now and then for this topic, and gives up in the end.
    ///
    /// # Errors
    /// As [`Patience::after`].
    pub fn probe(&mut self, topic: Option<&str>) -> Result<(), Error> {
        let Self { consumer, patience, .. } = self;
        let ask = |timeout| consumer.client().fetch_metadata(topic, timeout).map(|_| ());
        patience.probe("read", &consumer.context().end, ask)
    }

    /// Returns what an error of the client means: the end, or nothing that it does not mend itself.
    ///
    /// # Errors
    /// The end.
    pub fn check(&mut self, what: &str, error: &KafkaError, out: &mut Out) -> Result<(), ReadError> {
        if let Some(refusal) = self.consumer.context().end.refusal() {
            return Err(refusal.into());
        }
        match error.rdkafka_error_code() {
            Some(Code::GroupAuthorizationFailed) if !self.uses_group => Ok(()),
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
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => Err(ReadError::Gone(
                Error::data(format_args!(
                    "{what}: the next messages are gone (the topic's retention), or its offsets began anew"
                ))
                .hint("-X auto.offset.reset=earliest goes on with what is there"),
            )),
            Some(code) if failure::is_passing(code) => Ok(()),
            _ => Err(failure::error(what, error).into()),
        }
    }

    /// Joins the group for topics of these names.
    ///
    /// # Errors
    /// What the client says.
    pub fn subscribe(&mut self, topics: &[&str]) -> Result<(), Error> {
        self.consumer.subscribe(topics).map_err(|error| failure::error("cannot join the group", &error))?;
        self.patience.answered();
        Ok(())
    }

    /// Returns the group's oldest change that was not followed yet.
    pub fn next_rebalance(&self) -> Option<Rebalance> {
        self.consumer.context().next_rebalance()
    }

    /// Returns true where the group takes away single partitions, and not all at once.
    pub fn is_cooperative(&self) -> bool {
        matches!(self.consumer.rebalance_protocol(), RebalanceProtocol::Cooperative)
    }

    /// Reads these partitions, and no others.
    ///
    /// # Errors
    /// What the client says.
    pub fn assign(&self, starts: &TopicPartitionList) -> Result<(), Error> {
        self.consumer.assign(starts).map_err(|error| failure::error("cannot read", &error))
    }

    /// Reads these partitions, which the group has given us.
    ///
    /// # Errors
    /// What the client says.
    pub fn accept(&self, starts: &TopicPartitionList) -> Result<(), Error> {
        if self.is_cooperative() {
            return self.consumer.incremental_assign(starts).map_err(|error| failure::error("cannot read", &error));
        }
        self.assign(starts)
    }

    /// Reads these partitions no more, which the group has taken away. A failure is no reason to stop.
    pub fn give_back(&self, gone: &TopicPartitionList) {
        let _ = if self.is_cooperative() { self.consumer.incremental_unassign(gone) } else { self.consumer.unassign() };
    }

    /// Fetches no more of a partition that is read to its end. Only to spare the network: its queue is not looked at any more.
    pub fn pause(&self, topic: &str, number: i32) {
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, number);
        let _ = self.consumer.pause(&list);
    }

    /// Stores offsets for the group.
    ///
    /// # Errors
    /// What the client says; of a commit in the background, [`KafkaClient::check_commits`] says it later.
    pub fn commit(&self, offsets: &TopicPartitionList, mode: CommitMode) -> Result<(), Error> {
        self.consumer.commit(offsets, mode).map_err(|error| failure::error("cannot commit offsets", &error))
    }

    /// Checks that no commit in the background has failed since the last call.
    ///
    /// # Errors
    /// When one has, and the next would fail too.
    pub fn check_commits(&self) -> Result<(), Error> {
        match self.consumer.context().take_commit_failure() {
            Some(code) if !failure::is_passing(code) => Err(failure::from_code("cannot commit offsets", code)),
            _ => Ok(()),
        }
    }

    /// From now on changes of the group are followed at once: nobody reads any more.
    pub fn close(&self) {
        self.consumer.context().close();
    }
}

impl Drop for KafkaClient {
    fn drop(&mut self) {
        self.close();
    }
}
