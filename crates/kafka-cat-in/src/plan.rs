//! Where each partition starts and ends, from the flags and what the broker says.

use std::time::Duration;

use kafka_ends::partition_count;
use millpipe::Error;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use regex::Regex;

use crate::context::InContext;
use crate::partition_set::PartitionSet;
use crate::position::{From, Until};

/// One partition to read: its topic and number.
pub type Place = (String, i32);

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
pub fn find_topics(
    consumer: &BaseConsumer<InContext>,
    topics: &Topics,
    timeout: Duration,
) -> KafkaResult<Vec<(String, i32)>> {
    let mut found = Vec::new();
    match topics {
        Topics::Named(names) => {
            for name in names {
                found.push((name.clone(), partition_count(consumer.client(), name, timeout)?));
            }
        }
        Topics::Matching(_, expressions) => {
            for topic in consumer.fetch_metadata(None, timeout)?.topics() {
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
/// When nothing matches, or a topic has no such partition.
pub fn choose(topics: &[(String, i32)], wanted: Option<&PartitionSet>) -> Result<Vec<Place>, Error> {
    if topics.is_empty() {
        return Err(Error::data("no topic matches"));
    }
    for (topic, count) in topics {
        if let Some(missing) = wanted.and_then(|set| set.beyond(*count)) {
            return Err(Error::data(format_args!("topic \"{topic}\" has no partition {missing}: it has {count}")));
        }
    }
    let all = topics.iter().flat_map(|(topic, count)| (0..*count).map(move |number| (topic.clone(), number)));
    Ok(all.filter(|(_, number)| wanted.is_none_or(|set| set.contains(*number))).collect())
}

/// Where one partition is read from and up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub topic: String,
    pub number: i32,
    pub start: i64,
    /// Not beyond this offset.
    pub end: Option<i64>,
    /// The wanted start, when it is not there: a warning is due.
    pub missed: Option<i64>,
}

/// What decides on the start of partitions.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub from: &'a From,
    pub until: Option<&'a Until>,
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
    let mut plans = Vec::with_capacity(places.len());
    for (index, (topic, number)) in places.iter().enumerate() {
        let (low, high) = consumer.fetch_watermarks(topic, *number, timeout)?;
        let wanted = stored[index].unwrap_or_else(|| wanted_start(wish.from, low, high, timed[index]));
        let start = wanted.clamp(low, high);
        let end = match wish.until {
            Some(Until::End) => Some(high),
            Some(Until::Offset(offset)) => Some(*offset),
            _ => None,
        };
        let missed = (start != wanted).then_some(wanted);
        plans.push(Plan { topic: topic.clone(), number: *number, start, end, missed });
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

/// # Errors
/// When an offset cannot be said.
pub fn list(places: &[Place], offset: Offset) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(places.len());
    for (topic, number) in places {
        list.add_partition_offset(topic, *number, offset)?;
    }
    Ok(list)
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
        let chosen = choose(&topics, Some(&"0-1".parse().unwrap())).unwrap();
        assert_eq!(chosen.len(), 4);
        let error = choose(&topics, Some(&"1-3".parse().unwrap())).unwrap_err();
        assert_eq!(error.message, "topic \"b\" has no partition 2: it has 2");
        assert_eq!(choose(&[], None).unwrap_err().message, "no topic matches");
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
