//! What the group is told: the offsets of what was written.

use kafka_ends::group_offsets::{self, Place};
use millpipe::{Error, Positions};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client::KafkaClient;
use crate::partition::Partition;
use crate::partition_list::PartitionList;

/// How much work a crash can make come twice.
const COMMIT_EVERY_MS: i64 = 1000;

/// Commits of a stream without checkpoints.
pub(crate) struct OffsetCommits {
    /// There is a group to tell.
    is_on: bool,
    due_at_ms: i64,
}

impl OffsetCommits {
    pub fn new(is_on: bool) -> Self {
        Self { is_on, due_at_ms: 0 }
    }

    /// Tells the group, in the background, what was written.
    ///
    /// # Errors
    /// When the group does not take it.
    pub fn now_and_then(
        &mut self,
        partitions: &mut PartitionList,
        client: &KafkaClient,
        now_ms: i64,
    ) -> Result<(), Error> {
        if !self.is_on || now_ms < self.due_at_ms {
            return Ok(());
        }
        self.due_at_ms = now_ms + COMMIT_EVERY_MS;
        client.check_commits()?;
        commit(partitions, client, CommitMode::Async)
    }

    /// Tells the group the last of it, and waits for its answer.
    ///
    /// # Errors
    /// When the group does not take it.
    pub fn at_stop(&self, partitions: &mut PartitionList, client: &KafkaClient) -> Result<(), Error> {
        if self.is_on { commit(partitions, client, CommitMode::Sync) } else { Ok(()) }
    }
}

fn commit(partitions: &mut PartitionList, client: &KafkaClient, mode: CommitMode) -> Result<(), Error> {
    let list = uncommitted(partitions.iter());
    if list.count() == 0 {
        return Ok(());
    }
    client.commit(&list, mode)?;
    partitions.iter_mut().for_each(Partition::note_committed);
    Ok(())
}

/// Tells the group what was written of partitions that it takes away. A failure is no reason to stop: the next owner reads
/// those lines again.
pub(crate) fn commit_gone(gone: &[Place], partitions: &PartitionList, client: &KafkaClient) {
    let is_gone = |p: &&Partition| gone.iter().any(|(topic, number)| p.is(topic, *number));
    let list = uncommitted(partitions.iter().filter(is_gone));
    if list.count() > 0 && !client.consumer().assignment_lost() {
        let _ = client.commit(&list, CommitMode::Sync);
    }
}

/// Another sink than Kafka has committed a checkpoint: tools that show how far a group is look here.
///
/// # Errors
/// When the group did not take the last one, or a position is not that of a partition.
pub(crate) fn commit_checkpoint(positions: &Positions, client: &KafkaClient) -> Result<(), Error> {
    client.check_commits()?;
    client.commit(&group_offsets::offsets_of(positions, None)?, CommitMode::Async)
}

fn uncommitted<'a>(partitions: impl Iterator<Item = &'a Partition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        if let Some(offset) = partition.uncommitted() {
            // An offset that was read can always be said.
            let _ = list.add_partition_offset(partition.topic(), partition.number(), Offset::Offset(offset));
        }
    }
    list
}
