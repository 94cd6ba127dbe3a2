//! Where each partition starts and ends, from the flags and what the broker says.

use std::time::Duration;

use kafka_ends::group_offsets::{Place, list};
use kafka_ends::partition_count;
use millpipe::Error;
use rdkafka::client::{Client, ClientContext};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use regex::Regex;

use crate::context::InContext;
use crate::ends::high_watermarks;
use crate::instance::{Instance, Sharing};
use crate::partition_set::PartitionSet;
use crate::position::{From, Until};

/// The topics that flags name.
#[derive(Clone, Debug)]
pub enum Topics {
    Named(Vec<String>),
    /// Names and expressions, as written, for all names to be matched against.
    Matching(Vec<String>, Vec<Regex>),
}

impl Topics {
    /// # Errors
    /// Usage: no regular expression behind `^`.
    pub fn new(names: &[String]) -> Result<Self, Error> {
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

    /// As flags wrote them: the client takes `^` expressions too.
    pub fn written(&self) -> &[String] {
        match self {
            Self::Named(names) | Self::Matching(names, _) => names,
        }
    }
}

/// Topics with their numbers of partitions, in order of their names.
///
/// # Errors
/// What the client says; a named topic that does not exist is one.
pub fn find_topics<C: ClientContext>(
    client: &Client<C>,
    topics: &Topics,
    timeout: Duration,
) -> KafkaResult<Vec<(String, i32)>> {
    let mut found = Vec::new();
    match topics {
        Topics::Named(names) => {
            for name in names {
                found.push((name.clone(), partition_count(client, name, timeout)?));
            }
        }
        Topics::Matching(_, expressions) => {
            for topic in client.fetch_metadata(None, timeout)?.topics() {
                // Kafka's own topics are meant only when somebody says so.
                let is_meant =
                    |e: &Regex| e.is_match(topic.name()) && (!is_internal(topic.name()) || is_internal(e.as_str()));
                if expressions.iter().any(is_meant) {
                    found.push((topic.name().to_owned(), i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX)));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn is_internal(name: &str) -> bool {
    name.trim_start_matches('^').starts_with("__")
}

/// The partitions that the flags mean.
///
/// # Errors
/// When nothing matches, a topic has no such partition, topics that are shared by number have not as many of them, or there
/// are fewer partitions than instances.
pub fn choose(
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

/// Where one partition is read from and up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub topic: String,
    pub number: i32,
    pub start: i64,
    /// Not beyond this offset.
    pub end: Option<i64>,
    /// What is there and committed: the first offset, and the one behind the last.
    pub low: i64,
    pub high: i64,
    /// The wanted start, when it is not there: a warning is due.
    pub missed: Option<i64>,
}

/// What decides on the start of partitions.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub from: &'a From,
    pub until: Option<&'a Until>,
    /// Not beyond the end as it is now.
    pub exits: bool,
    pub has_group: bool,
    pub now_ms: i64,
}

/// Asks the broker for what the wish needs, and decides.
///
/// # Errors
/// What the client says.
pub fn plan(
    consumer: &BaseConsumer<InContext>,
    places: &[Place],
    wish: &Wish<'_>,
    timeout: Duration,
) -> KafkaResult<Vec<Plan>> {
    let stored = if wish.has_group { stored_offsets(consumer, places, timeout)? } else { vec![None; places.len()] };
    let timed = match wish.from {
        From::Time(ms) => timed_offsets(consumer, places, *ms, timeout)?,
        From::Ago(ms) => timed_offsets(consumer, places, wish.now_ms.saturating_sub(*ms), timeout)?,
        _ => vec![None; places.len()],
    };
    let ends = if wish.exits || wish.until == Some(&Until::End) {
        high_watermarks(consumer, places, timeout)?.into_iter().map(Some).collect()
    } else {
        vec![None; places.len()]
    };
    let mut plans = Vec::with_capacity(places.len());
    for (index, (topic, number)) in places.iter().enumerate() {
        let (low, high) = consumer.fetch_watermarks(topic, *number, timeout)?;
        let wanted = stored[index].unwrap_or_else(|| wanted_start(wish.from, low, high, timed[index]));
        let start = wanted.clamp(low, high);
        let end = match wish.until {
            Some(Until::Committed) => Some(high),
            Some(Until::Offset(offset)) => Some(ends[index].map_or(*offset, |end| end.min(*offset))),
            _ => ends[index],
        };
        let missed = (start != wanted).then_some(wanted);
        plans.push(Plan { topic: topic.clone(), number: *number, start, end, low, high, missed });
    }
    Ok(plans)
}

fn wanted_start(from: &From, low: i64, high: i64, timed: Option<i64>) -> i64 {
    match from {
        From::Beginning | From::Stored => low,
        From::End => high,
        From::Offset(offset) => *offset,
        From::Last(count) => high.saturating_sub(*count).max(low),
        From::Time(_) | From::Ago(_) => timed.unwrap_or(high),
    }
}

fn stored_offsets(
    consumer: &BaseConsumer<InContext>,
    places: &[Place],
    timeout: Duration,
) -> KafkaResult<Vec<Option<i64>>> {
    let answer = consumer.committed_offsets(list(places, Offset::Invalid)?, timeout)?;
    offsets(&answer, places)
}

/// The first message of each partition at or after a time; none where there is none yet.
fn timed_offsets(
    consumer: &BaseConsumer<InContext>,
    places: &[Place],
    time_ms: i64,
    timeout: Duration,
) -> KafkaResult<Vec<Option<i64>>> {
    let answer = consumer.offsets_for_times(list(places, Offset::Offset(time_ms.max(0)))?, timeout)?;
    offsets(&answer, places)
}

fn offsets(answer: &TopicPartitionList, places: &[Place]) -> KafkaResult<Vec<Option<i64>>> {
    let find = |(topic, number): &Place| {
        let Some(found) = answer.find_partition(topic, *number) else { return Ok(None) };
        found.error()?;
        match found.offset() {
            Offset::Offset(offset) => Ok(Some(offset)),
            _ => Ok(None),
        }
    };
    places.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_found_between_the_ends_of_the_partition() {
        let cases = [
            (From::Beginning, None, 10),
            (From::Stored, None, 10),
            (From::End, None, 50),
            (From::Offset(17), None, 17),
            (From::Last(5), None, 45),
            (From::Last(500), None, 10),
            (From::Time(1), Some(33), 33),
            (From::Ago(1), None, 50),
        ];
        for (from, timed, expected) in cases {
            assert_eq!(wanted_start(&from, 10, 50, timed), expected, "{from}");
        }
    }

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
