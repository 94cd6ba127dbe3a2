//! The partitions that are read now, and the marks that name them.

use kafka_ends::failure;
use kafka_ends::group_offsets::Place;
use millpipe::{Error, Mark, Out};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client::KafkaClient;
use crate::partition::Partition;
use crate::plan::Plan;

/// Partitions by their index, which lasts until some are taken up or let go.
pub(crate) struct PartitionList {
    /// In the order of topics and numbers.
    partitions: Vec<Partition>,
    /// Whose turn it is to be read.
    turn: usize,
    /// Lines come with marks that name their partition.
    has_marks: bool,
    /// The part that the last `from` mark named.
    current: String,
}

impl PartitionList {
    pub fn new(has_marks: bool) -> Self {
        Self { partitions: Vec::new(), turn: 0, has_marks, current: String::new() }
    }

    pub fn len(&self) -> usize {
        self.partitions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Partition> + Clone {
        self.partitions.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Partition> {
        self.partitions.iter_mut()
    }

    pub fn get(&self, index: usize) -> &Partition {
        &self.partitions[index]
    }

    pub fn get_mut(&mut self, index: usize) -> &mut Partition {
        &mut self.partitions[index]
    }

    pub fn find(&self, topic: &str, number: i32) -> Option<usize> {
        self.partitions.iter().position(|partition| partition.is(topic, number))
    }

    /// Returns the partition that is to be read next; after it comes the one that follows. There must be one.
    pub fn next_turn(&mut self) -> usize {
        let index = self.turn % self.len();
        self.turn = (index + 1) % self.len();
        index
    }

    pub fn are_all_finished(&self) -> bool {
        self.iter().all(Partition::is_finished)
    }

    /// Returns the sum of the offsets that partitions were read up to: it changes with each message.
    pub fn offsets_sum(&self) -> i64 {
        self.iter().fold(0, |sum, partition| sum.saturating_add(partition.next()))
    }

    /// Makes a queue for each partition, before it is assigned: so nothing of it comes by the common queue. Returns what is
    /// to be assigned.
    ///
    /// # Errors
    /// When there is no such partition.
    pub fn take_up(
        &mut self,
        plans: &[Plan],
        client: &KafkaClient,
        out: &mut Out,
    ) -> Result<TopicPartitionList, Error> {
        let mut list = TopicPartitionList::with_capacity(plans.len());
        for plan in plans {
            let place = format!("topic {}, partition {}", plan.topic, plan.number);
            if let Some(missed) = plan.missed {
                out.warn(format_args!("{place}: offset {missed} is not there, reading from {}", plan.start));
            }
            let partition =
                Partition::new(client, plan).ok_or_else(|| Error::data(format_args!("{place}: no such partition")))?;
            self.partitions.retain(|old| old.part() != partition.part());
            self.partitions.push(partition);
            list.add_partition_offset(&plan.topic, plan.number, Offset::Offset(plan.start))
                .map_err(|error| failure::error(&place, &error))?;
        }
        self.partitions.sort_by(|a, b| (a.topic(), a.number()).cmp(&(b.topic(), b.number())));
        self.turn = 0;
        Ok(list)
    }

    /// Says which partitions there are, before any line of theirs; those with nothing to read are finished.
    pub fn announce(&mut self, plans: &[Plan], client: &KafkaClient, out: &mut Out) {
        let plan_of = |p: &Partition| plans.iter().find(|plan| p.is(&plan.topic, plan.number));
        let new: Vec<usize> = (0..self.len()).filter(|&index| plan_of(self.get(index)).is_some()).collect();
        for &index in &new {
            self.mark_from(index, out);
        }
        for index in new {
            let is_over = |plan: &Plan| plan.end.is_some_and(|end| plan.start >= end.offset);
            if plan_of(self.get(index)).is_some_and(is_over) {
                self.finish(index, client, out);
            }
        }
    }

    /// Lets partitions go that are read elsewhere from now on.
    pub fn let_go(&mut self, gone: &[Place], out: &mut Out) {
        let is_gone = |p: &Partition| gone.iter().any(|(topic, number)| p.is(topic, *number));
        for partition in self.iter().filter(|partition| is_gone(partition)) {
            self.mark_idle(partition, false, out);
        }
        self.partitions.retain(|partition| !is_gone(partition));
        self.current.clear();
        self.turn = 0;
    }

    /// Says that the lines that follow are of this partition.
    pub fn mark_from(&mut self, index: usize, out: &mut Out) {
        let part = self.partitions[index].part();
        if self.has_marks && *part != self.current {
            out.mark(&Mark::from_part(part));
            part.clone_into(&mut self.current);
        }
    }

    /// All that is there of the partition was read, or all that is committed.
    pub fn at_end(&mut self, index: usize, offset: i64, client: &KafkaClient, out: &mut Out) {
        let partition = &mut self.partitions[index];
        partition.stand_at(offset, out.now_ms());
        if partition.is_at_its_end() {
            self.finish(index, client, out);
        } else if partition.rest() {
            self.mark_idle(&self.partitions[index], false, out);
        }
    }

    /// Nothing more of this partition.
    pub fn finish(&mut self, index: usize, client: &KafkaClient, out: &mut Out) {
        let partition = &mut self.partitions[index];
        if !partition.finish() {
            return;
        }
        client.pause(partition.topic(), partition.number());
        self.mark_idle(&self.partitions[index], true, out);
    }

    fn mark_idle(&self, partition: &Partition, is_final: bool, out: &mut Out) {
        if self.has_marks {
            out.mark(&Mark::idle(partition.part(), is_final));
        }
    }
}
