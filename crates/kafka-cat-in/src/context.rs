//! What the client calls us with: errors, rebalances, and that there is something to read.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use kafka_ends::EndContext;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

/// A change of the group's that waits for us to follow it.
#[derive(Debug)]
pub enum Rebalance {
    Assigned(TopicPartitionList),
    Revoked(TopicPartitionList),
}

#[derive(Debug, Default)]
pub struct InContext {
    pub end: EndContext,
    /// Without a group of our own we ask nothing of groups, and may be forbidden to.
    has_group: bool,
    rebalances: Mutex<VecDeque<Rebalance>>,
    commit_failure: Mutex<Option<RDKafkaErrorCode>>,
    closing: AtomicBool,
}

impl InContext {
    pub fn new(has_group: bool) -> Self {
        Self { has_group, ..Self::default() }
    }

    /// The oldest change that was not followed yet.
    pub fn next_rebalance(&self) -> Option<Rebalance> {
        lock(&self.rebalances).pop_front()
    }

    /// Why the last commit in the background failed, once.
    pub fn take_commit_failure(&self) -> Option<RDKafkaErrorCode> {
        lock(&self.commit_failure).take()
    }

    /// From now on changes are followed at once: nobody reads any more.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientContext for InContext {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn stats(&self, _statistics: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::GroupAuthorizationFailed) if !self.has_group => {}
            Some(code) => self.end.note(code, reason),
            None => {}
        }
    }
}

impl ConsumerContext for InContext {
    /// Only notes the change: the reader follows it between two reads, when it knows what was written.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if self.closing.load(Ordering::Relaxed) {
            // An error here changes nothing: the consumer goes.
            let _ = match consumer.rebalance_protocol() {
                RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
                _ => consumer.unassign(),
            };
            return;
        }
        let change = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assigned(list.clone()),
            _ => Rebalance::Revoked(list.clone()),
        };
        lock(&self.rebalances).push_back(change);
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Some(code) = result.err().and_then(|error| error.rdkafka_error_code()) {
            // Nothing new to commit is no failure.
            if code != RDKafkaErrorCode::NoOffset {
                *lock(&self.commit_failure) = Some(code);
            }
        }
    }
}

/// Rung by the client's threads when a queue is no longer empty.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<bool>,
    ringing: Condvar,
}

impl Bell {
    pub fn ring(&self) {
        *lock(&self.rung) = true;
        self.ringing.notify_one();
    }

    /// Returns at the next ring, or at once when it rang since the last wait, or after this long.
    pub fn wait(&self, at_most: Duration) {
        let rung = lock(&self.rung);
        let waited = self.ringing.wait_timeout_while(rung, at_most, |rung| !*rung);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}
