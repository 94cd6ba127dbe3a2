//! A stream with checkpoints: one transaction for each epoch, with the checkpoint's id beside the offsets.

use kafka_ends::group_offsets::{self, GroupOffsets, Isolation, Place};
use millpipe::{Barrier, Error, Fault, Hello, Out, Truth};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::KafkaError;
use rdkafka::producer::Producer;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaErrorCode as Code;
use serde_json::Value;

use crate::delivery::Delivery;
use crate::producer::KafkaProducer;

/// The names that transactions are made under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    pub transactional_id: String,
    pub group: String,
    /// The source reads Kafka: its offsets are committed, for this group.
    pub offsets_are_the_sources: bool,
    pub cluster: Option<String>,
}

impl Names {
    /// The flag, else what the source says, else what the state folder is called.
    #[must_use]
    pub fn new(hello: &Hello, flag: Option<&str>) -> Self {
        let said = |field: &str| hello.sink.get(field).and_then(Value::as_str).map(str::to_owned);
        let transactional_id = flag
            .map(str::to_owned)
            .or_else(|| said("transactional_id"))
            .unwrap_or_else(|| format!("millpipe-{}", hello.state.display()));
        let group = said("group");
        Self {
            offsets_are_the_sources: group.is_some(),
            group: group.unwrap_or_else(|| transactional_id.clone()),
            cluster: said("cluster"),
            transactional_id,
        }
    }
}

/// The transactions of one stream.
pub(crate) struct Epochs {
    transactional_id: String,
    group: ConsumerGroupMetadata,
    /// Where the id is kept when the source has no offsets of this cluster: beside an offset of the output.
    shelf: Option<Place>,
    interval_ms: u64,
}

impl Epochs {
    /// Ends every older run of this pipe, aborts what it left open, and looks at what is committed.
    ///
    /// `flag` is `--transactional-id`; `topic` is where checkpoints of a source that is not Kafka are noted.
    ///
    /// # Errors
    /// Usage; no broker; the offsets are not those of one pipe.
    pub fn begin(
        hello: &Hello,
        flag: Option<&str>,
        topic: Option<&str>,
        delivery: &mut Delivery,
        out: &mut Out,
    ) -> Result<(Self, Truth), Fault> {
        let names = Names::new(hello, flag);
        must_be_the_same_cluster(&names, delivery.in_flight().producer())?;
        let shelf = if names.offsets_are_the_sources { None } else { Some(shelf_at(topic)?) };
        delivery.fence(&names.transactional_id, hello.interval_ms, out)?;
        let producer = delivery.in_flight().producer();
        let offsets = GroupOffsets::new(producer.config(), &names.group, Isolation::Committed)?;
        let places: Vec<Place> = match &shelf {
            Some(place) => vec![place.clone()],
            None => hello.restore.positions.keys().filter_map(|part| group_offsets::read_part(part)).collect(),
        };
        let stored = offsets.read(&places, producer.patience())?;
        let mut truth = group_offsets::truth(&names.group, &stored)?;
        if shelf.is_some() {
            truth.positions.clear();
        }
        let (transactional_id, group) = (names.transactional_id, offsets.metadata()?);
        delivery.in_flight().begin_epoch(out)?;
        Ok((Self { transactional_id, group, shelf, interval_ms: hello.interval_ms }, truth))
    }

    /// Commits what was sent since the last commit, with offsets and id.
    ///
    /// # Errors
    /// Stop: the epoch is lost, or nobody knows.
    pub fn commit(&self, barrier: &Barrier, delivery: &mut Delivery, out: &mut Out) -> Result<(), Fault> {
        let offsets = self.offsets(barrier)?;
        delivery.flush(out)?;
        delivery.in_flight().producer().has_lost_a_connection();
        delivery.in_flight().transact("commit offsets", out, |client, timeout| {
            client.send_offsets_to_transaction(&offsets, &self.group, timeout)
        })?;
        // Nothing is in flight any more: otherwise the client's call polls in steps of 100 ms.
        delivery.in_flight().transact("commit", out, |client, timeout| client.commit_transaction(timeout))?;
        delivery.in_flight().settle_all(out);
        self.leave_stray_requests(delivery, out)?;
        delivery.in_flight().begin_epoch(out)
    }

    /// What was asked over a connection that was lost may still be on its way, and the client has asked it once more: with
    /// the same epoch of the producer, it would be carried out in the next transaction, and commit a part of that. A new
    /// producer has another epoch, and no older one is heard any more.
    fn leave_stray_requests(&self, delivery: &mut Delivery, out: &mut Out) -> Result<(), Fault> {
        if !delivery.in_flight().producer().has_lost_a_connection() {
            return Ok(());
        }
        delivery.fence(&self.transactional_id, self.interval_ms, out)
    }

    /// Returns what is stored in an epoch's transaction.
    fn offsets(&self, barrier: &Barrier) -> Result<TopicPartitionList, Error> {
        match &self.shelf {
            None => group_offsets::offsets_of(&barrier.positions, Some(&barrier.id)),
            Some(place) => {
                let position = std::iter::once((group_offsets::part_name(place), Value::from(0))).collect();
                group_offsets::offsets_of(&position, Some(&barrier.id))
            }
        }
    }
}

/// Offsets cannot be committed in another cluster's transactions.
fn must_be_the_same_cluster(names: &Names, producer: &mut KafkaProducer) -> Result<(), Error> {
    let Some(theirs) = &names.cluster else { return Ok(()) };
    let unknown = KafkaError::MetadataFetch(Code::OperationTimedOut);
    let ours = producer.ask("which cluster this is", |client, timeout| {
        client.client().fetch_cluster_id(timeout).ok_or_else(|| unknown.clone())
    })?;
    if *theirs == ours {
        return Ok(());
    }
    Err(Error::usage(format_args!(
        "the source reads cluster \"{theirs}\", this is cluster \"{ours}\": no transaction spans both"
    ))
    .hint("exactly-once is from a Kafka cluster to the same one, or from files"))
}

fn shelf_at(topic: Option<&str>) -> Result<Place, Error> {
    let none = || Error::usage("a source that is not Kafka needs -t: checkpoints are noted at that topic's offsets");
    Ok((topic.ok_or_else(none)?.to_owned(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(sink: Value, flag: Option<&str>) -> Names {
        let restore = Truth::default();
        let state = "/var/lib/clicks".into();
        Names::new(
            &Hello { run: "r".to_owned(), hop: 3, state, restore, sink, interval_ms: 1000, shard: String::new() },
            flag,
        )
    }

    #[test]
    fn the_source_says_the_names_and_the_flag_wins() {
        let sink = json!({"transactional_id": "millpipe-g-2", "group": "g", "cluster": "c"});
        let said = names(sink.clone(), None);
        assert_eq!((said.transactional_id.as_str(), said.group.as_str()), ("millpipe-g-2", "g"));
        assert!(said.offsets_are_the_sources);
        let flagged = names(sink, Some("mine"));
        assert_eq!((flagged.transactional_id.as_str(), flagged.group.as_str()), ("mine", "g"));
    }

    #[test]
    fn behind_another_source_the_state_folder_gives_the_name() {
        let named = names(Value::Null, None);
        assert_eq!(named.transactional_id, "millpipe-/var/lib/clicks");
        assert_eq!(named.group, named.transactional_id);
        assert!(!named.offsets_are_the_sources);
    }
}
