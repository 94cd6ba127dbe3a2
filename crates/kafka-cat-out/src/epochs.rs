//! A stream with checkpoints: one transaction for each epoch, with the checkpoint's id beside the offsets.

use std::sync::Arc;
use std::time::Duration;

use kafka_ends::failure;
use kafka_ends::group_offsets::{self, GroupOffsets, Isolation, Place};
use millpipe::{Barrier, Error, Fault, Hello, Out, Truth};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::{BaseProducer, Producer, PurgeConfig};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaErrorCode as Code;
use serde_json::Value;

use crate::client;
use crate::context::OutContext;
use crate::deliver::pause;
use crate::sink::KafkaSink;
use crate::verdict::{Facts, Verdict, is_taken_over};

/// The client asks anew with each call; by itself it would wait half a second while an old transaction is aborted.
const FENCE_ATTEMPT: Duration = Duration::from_millis(50);
/// After a failure: how long aborting may take. The next run does it otherwise.
const ABORT: Duration = Duration::from_secs(1);
const ABORT_LOOKS: u32 = 500;

/// Under which names transactions are made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Names {
    transactional_id: String,
    group: String,
    /// The source reads Kafka: its offsets are committed, for this group.
    offsets_are_the_sources: bool,
    cluster: Option<String>,
}

impl Names {
    /// The flag, else what the source says, else what the state folder is called.
    fn new(hello: &Hello, flag: Option<&str>) -> Self {
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

/// What the transactions need.
pub(crate) struct Epochs {
    group: ConsumerGroupMetadata,
    /// Where the id is kept when the source has no offsets of this cluster: beside an offset of the output.
    shelf: Option<Place>,
    interval_ms: u64,
}

impl Epochs {
    /// What is stored in an epoch's transaction.
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

impl KafkaSink {
    /// Ends every older run of this pipe, aborts what it left open, and looks at what is committed.
    pub(crate) fn begin_epochs(&mut self, hello: &Hello, out: &mut Out) -> Result<Truth, Fault> {
        let names = Names::new(hello, self.transactional_id.as_deref());
        self.must_be_the_same_cluster(&names)?;
        let shelf = if names.offsets_are_the_sources { None } else { Some(self.shelf()?) };
        self.fence(&names.transactional_id, hello.interval_ms, out)?;
        let offsets = GroupOffsets::new(&self.config, &names.group, Isolation::Committed)?;
        let places: Vec<Place> = match &shelf {
            Some(place) => vec![place.clone()],
            None => hello.restore.positions.keys().filter_map(|part| group_offsets::read_part(part)).collect(),
        };
        let stored = offsets.read(&places, &mut self.patience)?;
        let mut truth = group_offsets::truth(&names.group, &stored)?;
        if shelf.is_some() {
            truth.positions.clear();
        }
        self.epochs = Some(Arc::new(Epochs { group: offsets.metadata()?, shelf, interval_ms: hello.interval_ms }));
        self.insist("begin a transaction", out, |producer, _| producer.begin_transaction())?;
        Ok(truth)
    }

    /// From here on no older run can commit, and what it left open is aborted.
    fn fence(&mut self, transactional_id: &str, interval_ms: u64, out: &mut Out) -> Result<(), Fault> {
        let config = client::transactional(&self.config, transactional_id, interval_ms)?;
        let producer = client::client(&config)?;
        self.topics.let_go();
        self.producer = producer;
        self.fenced_as = Some(transactional_id.to_owned());
        let what = format!("begin transactions as \"{transactional_id}\"");
        self.insist(&what, out, |producer, _| producer.init_transactions(FENCE_ATTEMPT))
    }

    /// Offsets cannot be committed in another cluster's transactions.
    fn must_be_the_same_cluster(&mut self, names: &Names) -> Result<(), Error> {
        let Some(theirs) = &names.cluster else { return Ok(()) };
        let producer = &self.producer;
        let unknown = KafkaError::MetadataFetch(Code::OperationTimedOut);
        let ours = self.patience.ask(
            "which cluster this is",
            &producer.context().end,
            || producer.poll(Duration::ZERO),
            |timeout| producer.client().fetch_cluster_id(timeout).ok_or_else(|| unknown.clone()),
        )?;
        if *theirs == ours {
            return Ok(());
        }
        Err(Error::usage(format_args!(
            "the source reads cluster \"{theirs}\", this is cluster \"{ours}\": no transaction spans both"
        ))
        .hint("exactly-once is from a Kafka cluster to the same one, or from files"))
    }

    fn shelf(&self) -> Result<Place, Error> {
        let topic = self.topic.as_ref().or(self.dead_letter.as_ref());
        let none =
            || Error::usage("a source that is not Kafka needs -t: checkpoints are noted at that topic's offsets");
        Ok((topic.ok_or_else(none)?.clone(), 0))
    }

    /// Commits what was sent since the last commit, with offsets and id.
    pub(crate) fn commit_epoch(&mut self, epochs: &Epochs, barrier: &Barrier, out: &mut Out) -> Result<(), Fault> {
        let offsets = epochs.offsets(barrier)?;
        self.flush(out)?;
        self.has_lost_a_connection();
        self.insist("commit offsets", out, |producer, timeout| {
            producer.send_offsets_to_transaction(&offsets, &epochs.group, timeout)
        })?;
        // Nothing is in flight any more: otherwise the client's call polls in steps of 100 ms.
        self.insist("commit", out, |producer, timeout| producer.commit_transaction(timeout))?;
        out.settle(self.sent - self.settled);
        self.settled = self.sent;
        self.leave_stray_requests(epochs, out)?;
        self.insist("begin a transaction", out, |producer, _| producer.begin_transaction())
    }

    /// What was asked over a connection that was lost may still be on its way, and the client has asked it once more: with
    /// the same epoch of the producer, it would be carried out in the next transaction, and commit a part of that. A new
    /// producer has another epoch, and no older one is heard any more.
    fn leave_stray_requests(&mut self, epochs: &Epochs, out: &mut Out) -> Result<(), Fault> {
        if !self.has_lost_a_connection() {
            return Ok(());
        }
        let id = self.fenced_as.clone().unwrap_or_default();
        self.fence(&id, epochs.interval_ms, out)
    }

    /// Whether one was lost since the last look. Nothing else is the client's then, so its log lines are all there is.
    fn has_lost_a_connection(&mut self) -> bool {
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::ZERO);
        }
        self.producer.context().take_lost_connection()
    }

    /// Makes a call until it has succeeded, or there is no use in it.
    fn insist(
        &mut self,
        what: &str,
        out: &mut Out,
        mut call: impl FnMut(&BaseProducer<OutContext>, Duration) -> KafkaResult<()>,
    ) -> Result<(), Fault> {
        loop {
            let Err(error) = call(&self.producer, kafka_ends::ATTEMPT) else {
                self.patience.answered();
                return Ok(());
            };
            let facts = Facts::of(&error);
            let judged = match facts.verdict() {
                Verdict::Again => self.patience.after(what, &error, &self.producer.context().end),
                Verdict::TakenOver => Err(self.taken_over()),
                Verdict::Over => Err(failure::from_code(what, facts.code)),
            };
            if let Err(error) = judged {
                return Err(self.fail(error, out));
            }
            if let Some(text) = self.patience.complaint() {
                out.warn(text);
            }
            pause();
            self.producer.poll(Duration::ZERO);
        }
    }

    fn taken_over(&self) -> Error {
        let id = self.fenced_as.as_deref().unwrap_or_default();
        Error::temporary(format_args!("another run of this pipeline has taken over (transactional id \"{id}\")")).hint(
            "or this one stood still for longer than transaction.timeout.ms; or two pipelines have one --transactional-id",
        )
    }

    /// Why the client can do no more transactions, if that is so.
    pub(crate) fn fatal_error(&self) -> Option<Error> {
        self.fenced_as.as_ref()?;
        let (code, _) = self.producer.client().fatal_error()?;
        Some(if is_taken_over(code) { self.taken_over() } else { failure::from_bare_code(code) })
    }

    /// Readers of committed messages need not wait for the next run to do this.
    pub(crate) fn abort_epoch(&mut self) {
        if self.epochs.is_none() || self.patience.is_silent() || self.fatal_error().is_some() {
            return;
        }
        self.producer.purge(PurgeConfig::default().queue().inflight());
        for _ in 0..ABORT_LOOKS {
            if self.producer.in_flight_count() == 0 {
                break;
            }
            pause();
            self.producer.poll(Duration::ZERO);
        }
        // What does not succeed here the next run does.
        let _ = self.producer.abort_transaction(ABORT);
    }
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
