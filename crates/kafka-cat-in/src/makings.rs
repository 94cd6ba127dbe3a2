//! Which making of its topics a source reads: a topic that is deleted and made anew has its name and its offsets again.
//!
//! The ids of topics are kept with the positions. They are looked at when reading begins, and before each barrier with
//! lines read since the last: so no line of another making is committed. In a plain stream they are looked at now and then.

use std::collections::BTreeSet;

use kafka_ends::ATTEMPT;
use millpipe::Error;
use serde_json::{Map, Value};

use crate::client::KafkaClient;
use crate::partition_list::PartitionList;
use crate::topic_ids::{Ids, topic_ids};

/// The member of a position that has them. No partition is called so: its name has a slash.
const MEMBER: &str = "topics";
/// How often a plain stream looks, and one from whose topics nothing comes: of one that is another now, the client may read
/// nothing at all.
const LOOK_EVERY_MS: i64 = 5_000;

/// The ids of topics, as far as they are known: then and now.
#[derive(Debug, Default)]
pub(crate) struct Makings {
    /// Those that the restored position was of.
    then: Ids,
    /// Those that are read.
    now: Ids,
    /// How far partitions were read, all together, when the ids were looked at.
    looked_at: Option<i64>,
    look_at_ms: i64,
}

impl Makings {
    /// Takes the ids out of a position.
    pub fn restore(&mut self, position: &mut Map<String, Value>) {
        let ids = position.remove(MEMBER);
        let text = |(topic, id): (&String, &Value)| Some((topic.clone(), id.as_str()?.to_owned()));
        self.then = ids.as_ref().and_then(Value::as_object).into_iter().flatten().filter_map(text).collect();
    }

    /// Puts the ids into a position.
    pub fn save(&self, position: &mut Map<String, Value>) {
        // What a run that has not begun to read knows is what it was told.
        let ids = if self.now.is_empty() { &self.then } else { &self.now };
        if !ids.is_empty() {
            position.insert(
                MEMBER.to_owned(),
                ids.iter().map(|(topic, id)| (topic.clone(), Value::from(id.as_str()))).collect(),
            );
        }
    }

    /// The topics are read as they are now.
    pub fn begin(&mut self, ids: Ids) {
        self.now = ids;
    }

    /// Whether the topic is another one than the restored position was of. Unknown is no: brokers before Kafka 2.8 and
    /// states of older tools know no ids.
    pub fn is_another(&self, topic: &str) -> bool {
        differs(&self.then, &self.now, topic)
    }

    /// Returns true when all that was read is of the topics as they were when reading began; false when nobody knows just now.
    ///
    /// # Errors
    /// When it is not, or no broker has answered for too long.
    pub fn are_the_same(
        &mut self,
        partitions: &PartitionList,
        client: &mut KafkaClient,
        now_ms: i64,
    ) -> Result<bool, Error> {
        let read = partitions.offsets_sum();
        if self.now.is_empty() || (self.looked_at == Some(read) && !self.is_due(now_ms)) {
            return Ok(true);
        }
        self.look_at_ms = now_ms + LOOK_EVERY_MS;
        let topics = self.now.keys().cloned().collect();
        let now = match topic_ids(client.consumer(), &topics, ATTEMPT) {
            Ok(ids) => ids,
            Err(error) => {
                client.retry("read", &error)?;
                return Ok(false);
            }
        };
        client.answered();
        // One that is deleted has no id: all that was read is from before.
        if let Some(topic) = topics.iter().find(|topic| differs(&self.now, &now, topic)) {
            return Err(made_anew_meanwhile(topic));
        }
        self.looked_at = Some(read);
        Ok(true)
    }

    /// An offset is not there: is that because the topic is another one?
    ///
    /// # Errors
    /// If so.
    pub fn look_again(
        &mut self,
        partitions: &PartitionList,
        client: &mut KafkaClient,
        now_ms: i64,
    ) -> Result<(), Error> {
        self.looked_at = None;
        self.are_the_same(partitions, client, now_ms).map(|_| ())
    }

    /// The same in a plain stream, now and then.
    ///
    /// # Errors
    /// As [`Makings::look_again`].
    pub fn look_now_and_then(
        &mut self,
        partitions: &PartitionList,
        client: &mut KafkaClient,
        now_ms: i64,
    ) -> Result<(), Error> {
        if client.is_silent() || !self.is_due(now_ms) {
            return Ok(());
        }
        self.look_at_ms = now_ms + LOOK_EVERY_MS;
        let topics: BTreeSet<String> = partitions.iter().map(|partition| partition.topic().to_owned()).collect();
        if self.now.keys().eq(topics.iter()) {
            return self.look_again(partitions, client, now_ms);
        }
        if let Ok(ids) = topic_ids(client.consumer(), &topics, ATTEMPT) {
            self.begin(ids);
        }
        Ok(())
    }

    fn is_due(&self, now_ms: i64) -> bool {
        !(self.look_at_ms - LOOK_EVERY_MS..self.look_at_ms).contains(&now_ms)
    }

    /// Returns why the group has forgotten a checkpoint at this position, if it is for the topic.
    ///
    /// # Errors
    /// When no broker answers.
    pub fn why_forgotten(&mut self, position: &str, client: &mut KafkaClient) -> Result<Option<Error>, Error> {
        let Ok(mut position) = serde_json::from_str(position) else { return Ok(None) };
        self.restore(&mut position);
        let topics = self.then.keys().cloned().collect();
        let ids = client.ask("cannot read", |consumer, timeout| topic_ids(consumer, &topics, timeout))?;
        let topic = topics.iter().find(|topic| differs(&self.then, &ids, topic));
        Ok(topic.map(|topic| {
            Error::data(format_args!(
                "topic {topic} was made anew: the group has forgotten the offsets of the one before"
            ))
            .hint("a new -G and an empty --state begin anew")
        }))
    }
}

fn differs(then: &Ids, now: &Ids, topic: &str) -> bool {
    matches!((then.get(topic), now.get(topic)), (Some(then), Some(now)) if then != now)
}

fn made_anew_meanwhile(topic: &str) -> Error {
    Error::data(format_args!(
        "topic {topic} was deleted and made anew while it was read: its first messages would be missing"
    ))
    .hint("-X auto.offset.reset=earliest goes on with what is there; a new -G and an empty --state begin anew")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ids(text: &[(&str, &str)]) -> Ids {
        text.iter().map(|(topic, id)| ((*topic).to_owned(), (*id).to_owned())).collect()
    }

    fn restored(position: &Value) -> (Makings, Value) {
        let mut makings = Makings::default();
        let mut position = position.as_object().cloned().unwrap();
        makings.restore(&mut position);
        (makings, Value::Object(position))
    }

    #[test]
    fn ids_are_kept_beside_the_offsets() {
        let mut makings = Makings::default();
        makings.begin(ids(&[("t", "a1")]));
        let mut position = json!({ "t/0": 17 }).as_object().cloned().unwrap();
        makings.save(&mut position);
        let position = Value::Object(position);
        assert_eq!(position, json!({ "t/0": 17, "topics": { "t": "a1" } }));
        let (makings, rest) = restored(&position);
        assert_eq!((makings.then, rest), (ids(&[("t", "a1")]), json!({ "t/0": 17 })));
    }

    #[test]
    fn a_topic_is_another_one_when_both_ids_are_known_and_differ() {
        let (mut makings, _) = restored(&json!({ "topics": { "same": "a", "other": "b", "gone": "c" } }));
        makings.begin(ids(&[("same", "a"), ("other", "x"), ("new", "d")]));
        let others: Vec<&str> =
            ["same", "other", "gone", "new"].into_iter().filter(|t| makings.is_another(t)).collect();
        assert_eq!(others, ["other"]);
    }

    #[test]
    fn a_state_without_ids_goes_on() {
        let (mut makings, rest) = restored(&json!({ "t/0": 17 }));
        makings.begin(ids(&[("t", "a")]));
        assert!(!makings.is_another("t"));
        assert_eq!(rest, json!({ "t/0": 17 }));
    }
}
