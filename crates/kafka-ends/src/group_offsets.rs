//! A group's stored offsets, and the checkpoint that they belong to.
//!
//! A sink that commits offsets in its transaction writes the checkpoint's id beside each, as its metadata. So the
//! group's books say where a pipe goes on, and with which state.

use std::time::Duration;

use millpipe::{CheckpointId, Error, Positions, Truth};
use rdkafka::ClientConfig;
use rdkafka::client::Client;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::context::EndContext;
use crate::failure;
use crate::patience::Patience;

/// One partition: its topic and number.
pub type Place = (String, i32);

/// `topic/number`, as marks and positions have it.
pub fn part_name((topic, number): &Place) -> String {
    format!("{topic}/{number}")
}

/// The partition that a name means.
pub fn read_part(name: &str) -> Option<Place> {
    let (topic, number) = name.rsplit_once('/')?;
    Some((topic.to_owned(), number.parse().ok()?))
}

/// Which offsets are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Those of finished transactions; never waits for one that is not.
    Uncommitted,
    /// The same; but while a transaction is open that will change them, there is no answer.
    Committed,
}

/// What the group says of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// `topic/number`
    pub part: String,
    pub offset: Option<i64>,
    /// The offset's metadata: a checkpoint's id, or what another program wrote.
    pub note: String,
}

/// A client that looks into a group's books, and is no member.
pub struct GroupOffsets {
    consumer: BaseConsumer<EndContext>,
    group: String,
}

impl GroupOffsets {
    /// Makes the client; nothing is asked over the network yet.
    ///
    /// # Errors
    /// When the properties do not make a client.
    pub fn new(config: &ClientConfig, group: &str, isolation: Isolation) -> Result<Self, Error> {
        let level = match isolation {
            Isolation::Uncommitted => "read_uncommitted",
            Isolation::Committed => "read_committed",
        };
        let mut config = config.clone();
        config.set("group.id", group).set("isolation.level", level).set("enable.auto.commit", "false");
        let consumer = config
            .create_with_context(EndContext::default())
            .map_err(|error| failure::error("cannot make a Kafka client", &error))?;
        Ok(Self { consumer, group: group.to_owned() })
    }

    pub fn client(&self) -> &Client<EndContext> {
        self.consumer.client()
    }

    /// Lets the client hand over its errors, and renew what it logs in with.
    pub fn serve(&self) {
        // Nothing is assigned, so no message is lost here.
        let _ = self.consumer.poll(Duration::ZERO);
    }

    /// What is stored for these partitions.
    ///
    /// # Errors
    /// As [`Patience::after`].
    pub fn read(&self, places: &[Place], patience: &mut Patience) -> Result<Vec<Stored>, Error> {
        let ask = |timeout| stored(&self.consumer.committed_offsets(list(places, Offset::Invalid)?, timeout)?);
        let what = format!("offsets of group \"{}\"", self.group);
        patience.ask(what, self.client().context(), || self.serve(), ask)
    }

    /// What a producer needs to store offsets for the group.
    ///
    /// # Errors
    /// When the client has none.
    pub fn metadata(&self) -> Result<ConsumerGroupMetadata, Error> {
        let none = || Error::temporary(format_args!("no metadata of group \"{}\"", self.group));
        self.consumer.group_metadata().ok_or_else(none)
    }
}

impl Drop for GroupOffsets {
    /// The client's own way of closing waits in steps of 100 ms.
    fn drop(&mut self) {
        if self.consumer.close_queue().is_ok() {
            while !self.consumer.closed() {
                let _ = self.consumer.poll(Duration::from_millis(1));
            }
        }
    }
}

/// Partitions with one offset for all.
///
/// # Errors
/// When an offset cannot be said.
pub fn list(places: &[Place], offset: Offset) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(places.len());
    for (topic, number) in places {
        list.add_partition_offset(topic, *number, offset)?;
    }
    Ok(list)
}

/// The offsets to store for a checkpoint; without an id, for the sake of tools that show them.
///
/// # Errors
/// When a position is not that of a partition.
pub fn offsets_of(positions: &Positions, id: Option<&CheckpointId>) -> Result<TopicPartitionList, Error> {
    let note = id.map(ToString::to_string).unwrap_or_default();
    let mut list = TopicPartitionList::with_capacity(positions.len());
    for (part, offset) in positions {
        let broken = || Error::data(format_args!("\"{part}\": {offset} is no offset of a partition"));
        let (topic, number) = read_part(part).ok_or_else(broken)?;
        let offset = offset.as_i64().filter(|offset| *offset >= 0).ok_or_else(broken)?;
        let mut element = list.add_partition(&topic, number);
        element.set_offset(Offset::Offset(offset)).map_err(|_| broken())?;
        if !note.is_empty() {
            element.set_metadata(&note);
        }
    }
    Ok(list)
}

fn stored(answer: &TopicPartitionList) -> KafkaResult<Vec<Stored>> {
    let read = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
        element.error()?;
        let offset = match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        let part = part_name(&(element.topic().to_owned(), element.partition()));
        Ok(Stored { part, offset, note: element.metadata().to_owned() })
    };
    answer.elements().iter().map(read).collect()
}

/// What is committed, as the group says it. Offsets of partitions that are new to it say nothing.
///
/// # Errors
/// When the offsets are of different checkpoints: they are not those of one pipe.
pub fn truth(group: &str, stored: &[Stored]) -> Result<Truth, Error> {
    let mut ids = stored.iter().filter(|entry| entry.offset.is_some()).map(|entry| (&entry.part, id_of(entry)));
    let first = ids.next();
    if let Some((part, id)) = &first
        && let Some((other, another)) = ids.find(|(_, another)| another != id)
    {
        return Err(disagreement(group, (part, id.as_ref()), (other, another.as_ref())));
    }
    let positions = stored.iter().map(|entry| (entry.part.clone(), entry.offset.into())).collect();
    Ok(Truth { id: first.and_then(|(_, id)| id), positions })
}

/// Offsets that were stored without a checkpoint have no metadata, or another program's.
fn id_of(entry: &Stored) -> Option<CheckpointId> {
    entry.note.parse().ok()
}

fn disagreement(group: &str, one: (&str, Option<&CheckpointId>), other: (&str, Option<&CheckpointId>)) -> Error {
    let shown = |id: Option<&CheckpointId>| id.map_or_else(|| "no checkpoint".to_owned(), ToString::to_string);
    let ((one, id), (other, another)) = (one, other);
    Error::data(format_args!(
        "group \"{group}\" has offsets of different checkpoints: {one} of {}, {other} of {}",
        shown(id),
        shown(another)
    ))
    .hint(
        "the number of instances or the partitions were changed, or another program uses the group: go on as it was \
         before (several topics with --instance that began without --spread in an older release: with it), or begin with a \
         new -G and an empty --state",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use millpipe::Exit;
    use serde_json::json;

    fn entry(part: &str, offset: Option<i64>, note: &str) -> Stored {
        Stored { part: part.to_owned(), offset, note: note.to_owned() }
    }

    #[test]
    fn the_truth_is_the_id_beside_all_offsets() {
        let stored = [entry("t/0", Some(17), "r-1.3"), entry("t/1", Some(0), "r-1.3"), entry("t/2", None, "")];
        let truth = truth("g", &stored).unwrap();
        assert_eq!(truth.id, Some(CheckpointId::new("r-1", 3)));
        assert_eq!(json!(truth.positions), json!({"t/0": 17, "t/1": 0, "t/2": null}));
    }

    #[test]
    fn offsets_that_another_program_stored_are_of_no_checkpoint() {
        let stored = [entry("t/0", Some(17), ""), entry("t/1", Some(5), "somebody's note")];
        let truth = truth("g", &stored).unwrap();
        assert_eq!((truth.id, truth.positions["t/0"].as_i64()), (None, Some(17)));
        assert_eq!(super::truth("g", &[]).unwrap(), Truth::default());
    }

    #[test]
    fn offsets_of_different_checkpoints_are_an_error_that_names_them() {
        let stored = [entry("t/0", Some(17), "a.3"), entry("t/1", Some(5), "b.4")];
        let error = truth("g", &stored).unwrap_err();
        assert_eq!(error.exit, Exit::Data);
        assert_eq!(error.message, "group \"g\" has offsets of different checkpoints: t/0 of a.3, t/1 of b.4");
        let mixed = [entry("t/0", Some(17), "a.3"), entry("t/1", Some(5), "")];
        assert!(truth("g", &mixed).unwrap_err().message.ends_with("t/0 of a.3, t/1 of no checkpoint"));
    }

    #[test]
    fn offsets_are_stored_with_the_checkpoints_id() {
        let positions = json!({"a.b/0": 17, "t/12": 0}).as_object().cloned().unwrap();
        let list = offsets_of(&positions, Some(&CheckpointId::new("r", 3))).unwrap();
        assert_eq!(stored(&list).unwrap(), [entry("a.b/0", Some(17), "r.3"), entry("t/12", Some(0), "r.3")]);
        for broken in [json!({"t/0": null}), json!({"t/0": -1}), json!({"t": 1}), json!({"t/x": 1})] {
            assert!(offsets_of(broken.as_object().unwrap(), None).is_err(), "{broken}");
        }
    }
}
