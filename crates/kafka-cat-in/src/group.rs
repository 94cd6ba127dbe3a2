//! Following the group: which partitions are ours, and what it is told of what was written.

use kafka_ends::failure;
use kafka_ends::group_offsets::Place;
use millpipe::{Error, Out};
use rdkafka::consumer::{CommitMode, Consumer, RebalanceProtocol};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::context::Rebalance;
use crate::partition::Partition;
use crate::source::{KafkaSource, Phase};

/// How much work a crash can make come twice.
const COMMIT_EVERY_MS: i64 = 1000;

impl KafkaSource {
    /// Follows changes of the group. All that was read is written here, so what we lose can be committed first.
    pub(crate) fn follow_group(&mut self, out: &mut Out) -> Result<(), Error> {
        while let Some(change) = self.consumer.context().next_rebalance() {
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
        let starts = self.take_up(&plans, out)?;
        let followed = match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_assign(&starts),
            _ => self.consumer.assign(&starts),
        };
        followed.map_err(|error| failure::error("cannot read", &error))?;
        self.announce(&plans, out);
        self.phase = Phase::Reading;
        Ok(())
    }

    /// A failure to commit or to let go is no reason to stop: the next owner reads those lines again.
    fn revoked(&mut self, list: &TopicPartitionList, out: &mut Out) {
        let gone = places(list);
        let is_gone = |p: &Partition| gone.iter().any(|(topic, number)| *topic == p.topic && *number == p.number);
        let written = self.uncommitted(is_gone);
        if written.count() > 0 && !self.consumer.assignment_lost() {
            let _ = self.consumer.commit(&written, CommitMode::Sync);
        }
        for index in 0..self.partitions.len() {
            if is_gone(&self.partitions[index]) {
                self.mark_idle(index, false, out);
            }
        }
        self.partitions.retain(|partition| !is_gone(partition));
        self.current.clear();
        self.turn = 0;
        self.phase = Phase::Joining;
        let _ = match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => {
                if !self.partitions.is_empty() {
                    self.phase = Phase::Reading;
                }
                self.consumer.incremental_unassign(list)
            }
            _ => self.consumer.unassign(),
        };
    }

    /// Tells the group, in the background, what was written.
    pub(crate) fn commit_now_and_then(&mut self, out: &mut Out) -> Result<(), Error> {
        if !self.wanted.has_group || out.now_ms() < self.commit_at_ms {
            return Ok(());
        }
        self.commit_at_ms = out.now_ms() + COMMIT_EVERY_MS;
        if let Some(code) = self.consumer.context().take_commit_failure()
            && !failure::is_passing(code)
        {
            return Err(failure::from_code("cannot commit offsets", code));
        }
        self.commit(CommitMode::Async)
    }

    /// Tells the group the last of it, and waits for its answer.
    pub(crate) fn commit_at_stop(&mut self, _out: &mut Out) -> Result<(), Error> {
        if self.wanted.has_group { self.commit(CommitMode::Sync) } else { Ok(()) }
    }

    fn commit(&mut self, mode: CommitMode) -> Result<(), Error> {
        let list = self.uncommitted(|_| true);
        if list.count() == 0 {
            return Ok(());
        }
        self.consumer.commit(&list, mode).map_err(|error| failure::error("cannot commit offsets", &error))?;
        for partition in &mut self.partitions {
            partition.committed = partition.written;
        }
        Ok(())
    }

    fn uncommitted(&self, which: impl Fn(&Partition) -> bool) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in self.partitions.iter().filter(|p| which(p) && p.written != p.committed) {
            if let Some(offset) = partition.written {
                // An offset that was read can always be said.
                let _ = list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(offset));
            }
        }
        list
    }
}

fn places(list: &TopicPartitionList) -> Vec<Place> {
    list.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect()
}
