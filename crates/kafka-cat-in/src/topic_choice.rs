//! Which topics and partitions the flags mean.

use std::time::Duration;

use kafka_ends::group_offsets::Place;
use kafka_ends::{ATTEMPT, failure, partition_count};
use millpipe::Error;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::KafkaResult;
use rdkafka::types::RDKafkaErrorCode as Code;
use regex::Regex;

use crate::cli::Cli;
use crate::client::Attempt;
use crate::instance::{Instance, Sharing};
use crate::partition_set::PartitionSet;

/// The flags that say which partitions are read.
pub struct TopicChoice {
    topics: Topics,
    partitions: Option<PartitionSet>,
    share: Option<(Instance, Sharing)>,
}

impl TopicChoice {
    /// # Errors
    /// Usage: no regular expression after `^`.
    pub fn new(cli: &Cli) -> Result<Self, Error> {
        let instance = cli.instance.filter(|instance| instance.of > 1);
        Ok(Self {
            topics: Topics::new(&cli.topics)?,
            partitions: cli.partitions.clone(),
            share: instance.map(|instance| (instance, cli.sharing())),
        })
    }

    /// Returns true if partitions are named; otherwise a group may share all out.
    #[must_use]
    pub fn names_partitions(&self) -> bool {
        self.partitions.is_some() || self.share.is_some()
    }

    /// Returns the topics as flags wrote them: the client takes `^` expressions too.
    #[must_use]
    pub fn written(&self) -> Vec<&str> {
        self.topics.written().iter().map(String::as_str).collect()
    }

    /// Returns the partitions that are meant, where these are all topics that there are, with their numbers of partitions.
    ///
    /// # Errors
    /// When a topic does not exist, or the flags do not fit what there is.
    pub fn among(&self, all: &[(String, i32)]) -> Result<Vec<Place>, Error> {
        let count_of = |name: &String| {
            let found = all.iter().find(|(topic, _)| topic == name);
            found.cloned().ok_or_else(|| Error::data(format_args!("topic \"{name}\" does not exist")))
        };
        let mut topics = match &self.topics {
            Topics::Named(names) => names.iter().map(count_of).collect::<Result<Vec<_>, _>>()?,
            Topics::Matching(_, expressions) => {
                all.iter().filter(|(topic, _)| is_meant(expressions, topic)).cloned().collect()
            }
        };
        topics.sort();
        topics.dedup();
        choose(&topics, self.partitions.as_ref(), self.share)
    }

    /// Finds the partitions that are meant.
    ///
    /// # Errors
    /// Again: no answer. Over: a topic does not exist, or the flags do not fit what there is.
    pub(crate) fn find<C: ClientContext>(&self, client: &Client<C>) -> Result<Vec<Place>, Attempt> {
        let topics = self.topics.find(client, ATTEMPT).map_err(|error| match error.rdkafka_error_code() {
            Some(code @ (Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::InvalidTopic)) => {
                Attempt::Over(self.no_such_topic(client, code))
            }
            _ => Attempt::Again(error),
        })?;
        choose(&topics, self.partitions.as_ref(), self.share).map_err(Attempt::Over)
    }

    /// Names the topic that is not there: the client's error does not.
    fn no_such_topic<C: ClientContext>(&self, client: &Client<C>, code: Code) -> Error {
        let exists = |name: &str| partition_count(client, name, ATTEMPT).is_ok();
        let missing = self.written().into_iter().find(|name| !name.starts_with('^') && !exists(name));
        match missing {
            Some(name) if code != Code::InvalidTopic => Error::data(format_args!("topic \"{name}\" does not exist")),
            Some(name) => failure::from_code(format_args!("topic \"{name}\""), code),
            None => failure::from_code("cannot read", code),
        }
    }
}

/// The topics that flags name.
enum Topics {
    Named(Vec<String>),
    /// Names and expressions, as written, for all names to be matched against.
    Matching(Vec<String>, Vec<Regex>),
}

impl Topics {
    fn new(names: &[String]) -> Result<Self, Error> {
        if !names.iter().any(|name| name.starts_with('^')) {
            return Ok(Self::Named(names.to_vec()));
        }
        let expressions = names.iter().map(|name| {
            let plain = || format!("^{}$", regex::escape(name));
            let expression = if name.starts_with('^') { name.clone() } else { plain() };
            Regex::new(&expression).map_err(|error| Error::usage(format_args!("--topic \"{name}\": {error}")))
        });
        Ok(Self::Matching(names.to_vec(), expressions.collect::<Result<_, _>>()?))
    }

    fn written(&self) -> &[String] {
        match self {
            Self::Named(names) | Self::Matching(names, _) => names,
        }
    }

    /// Returns topics with their numbers of partitions, in order of their names. A named one that does not exist is an error.
    fn find<C: ClientContext>(&self, client: &Client<C>, timeout: Duration) -> KafkaResult<Vec<(String, i32)>> {
        let mut found = Vec::new();
        match self {
            Self::Named(names) => {
                for name in names {
                    found.push((name.clone(), partition_count(client, name, timeout)?));
                }
            }
            Self::Matching(_, expressions) => {
                for topic in client.fetch_metadata(None, timeout)?.topics() {
                    if is_meant(expressions, topic.name()) {
                        let count = i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX);
                        found.push((topic.name().to_owned(), count));
                    }
                }
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// Kafka's own topics are meant only when somebody says so.
fn is_meant(expressions: &[Regex], topic: &str) -> bool {
    let means = |e: &Regex| e.is_match(topic) && (!is_internal(topic) || is_internal(e.as_str()));
    expressions.iter().any(means)
}

fn is_internal(name: &str) -> bool {
    name.trim_start_matches('^').starts_with("__")
}

/// Chooses the partitions that the flags mean.
///
/// # Errors
/// When nothing matches, a topic has no such partition, topics that are shared by number have not as many of them, or there
/// are fewer partitions than instances.
fn choose(
    topics: &[(String, i32)],
    wanted: Option<&PartitionSet>,
    instance: Option<(Instance, Sharing)>,
) -> Result<Vec<Place>, Error> {
    if topics.is_empty() {
        return Err(Error::data("no topic matches"));
    }
    for (topic, count) in topics {
        if let Some(missing) = wanted.and_then(|set| set.beyond(*count)) {
            return Err(Error::data(format_args!("topic \"{topic}\" has no partition {missing}: it has {count}")));
        }
    }
    if matches!(instance, Some((_, Sharing::ByNumber))) {
        must_have_as_many(topics)?;
    }
    let is_meant = |rank: usize, number: i32| {
        wanted.is_none_or(|set| set.contains(number))
            && instance.is_none_or(|(instance, sharing)| instance.owns(rank, number, sharing))
    };
    let mut places = Vec::new();
    for (rank, (topic, count)) in topics.iter().enumerate() {
        places.extend((0..*count).filter(|number| is_meant(rank, *number)).map(|number| (topic.clone(), number)));
    }
    if let (true, Some((instance, _))) = (places.is_empty(), instance) {
        let all: i32 = topics.iter().map(|(_, count)| count).sum();
        return Err(Error::data(format_args!("instance {instance} has nothing to read: there are {all} partitions")));
    }
    Ok(places)
}

/// A key is in partitions of one number where all topics have as many.
fn must_have_as_many(topics: &[(String, i32)]) -> Result<(), Error> {
    let Some((first, count)) = topics.first() else { return Ok(()) };
    let Some((other, another)) = topics.iter().find(|(_, another)| another != count) else { return Ok(()) };
    Err(Error::data(format_args!(
        "--instance: topic \"{first}\" has {count} partitions, topic \"{other}\" has {another}: lines of one key would \
         come to different instances"
    ))
    .hint("give them as many; or --spread, where no instance needs all lines of a key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_partition_is_told_with_what_there_is() {
        let topics = [("a".to_owned(), 4), ("b".to_owned(), 2)];
        let chosen = choose(&topics, Some(&"0-1".parse().unwrap()), None).unwrap();
        assert_eq!(chosen.len(), 4);
        let error = choose(&topics, Some(&"1-3".parse().unwrap()), None).unwrap_err();
        assert_eq!(error.message, "topic \"b\" has no partition 2: it has 2");
        assert_eq!(choose(&[], None, None).unwrap_err().message, "no topic matches");
    }

    #[test]
    fn an_instance_without_a_partition_is_an_error() {
        let topics = [("a".to_owned(), 2)];
        let share = |text: &str| choose(&topics, None, Some((text.parse().unwrap(), Sharing::ByNumber)));
        assert_eq!(share("2/2").unwrap(), [("a".to_owned(), 1)]);
        let error = share("3/3").unwrap_err();
        assert_eq!(error.message, "instance 3/3 has nothing to read: there are 2 partitions");
    }

    #[test]
    fn topics_that_are_shared_by_number_have_as_many_partitions() {
        let topics = |second: i32| [("a".to_owned(), 4), ("b".to_owned(), second)];
        let share = |second: i32, sharing| choose(&topics(second), None, Some(("2/4".parse().unwrap(), sharing)));
        assert_eq!(share(4, Sharing::ByNumber).unwrap(), [("a".to_owned(), 1), ("b".to_owned(), 1)]);
        assert_eq!(share(4, Sharing::Spread).unwrap(), [("a".to_owned(), 1), ("b".to_owned(), 0)]);
        let error = share(2, Sharing::ByNumber).unwrap_err();
        assert!(error.message.contains("topic \"a\" has 4 partitions, topic \"b\" has 2"), "{error}");
        assert!(share(2, Sharing::Spread).is_ok());
    }

    #[test]
    fn a_topic_beside_an_expression_is_a_plain_name() {
        let Topics::Matching(_, expressions) = Topics::new(&["a.b".to_owned(), "^x".to_owned()]).unwrap() else {
            panic!("expressions");
        };
        assert!(expressions[0].is_match("a.b") && !expressions[0].is_match("axb"));
        assert!(Topics::new(&["^(".to_owned()]).is_err());
    }
}
