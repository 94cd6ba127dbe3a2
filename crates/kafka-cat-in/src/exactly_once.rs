//! The source of a pipe with checkpoints: what is committed, where each partition goes on, what the sink is told.

use std::collections::{BTreeMap, BTreeSet};

use kafka_ends::ATTEMPT;
use kafka_ends::group_offsets::{self, GroupOffsets, Isolation, Place, part_name};
use millpipe::{Error, Truth};
use rdkafka::ClientConfig;
use serde_json::Value;

use crate::cli::Cli;
use crate::client::{Attempt, KafkaClient, PAUSE};
use crate::makings::Makings;
use crate::plan::Plan;
use crate::topic_choice::TopicChoice;

/// What such a source knows besides.
pub(crate) struct ExactlyOnce {
    group: String,
    transactional_id: String,
    config: ClientConfig,
    cluster: Option<String>,
    /// The partitions of this pipe, as they were when the group was asked.
    places: Vec<Place>,
    /// A checkpoint is gone on from: a partition that it does not know is new.
    restores: bool,
    /// The partitions that the group has offsets of, when these are of a checkpoint.
    in_group: Option<BTreeSet<String>>,
    reset: Reset,
}

/// What is known of the place where one partition goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// There is no checkpoint yet: where the flags say.
    Nothing,
    /// The checkpoint does not have it.
    IsNew,
    At(i64),
    /// The checkpoint was at this offset, and the group has forgotten it: it does so with the topic.
    Forgotten(i64),
    /// The checkpoint was at this offset of another topic, which had the same name.
    MadeAnew(i64),
}

/// What `-X auto.offset.reset` says of an offset that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reset {
    Error,
    Earliest,
    Latest,
}

impl ExactlyOnce {
    pub fn new(cli: &Cli, config: &ClientConfig) -> Option<Self> {
        let (group, transactional_id) = cli.names()?;
        Some(Self {
            group,
            transactional_id,
            config: config.clone(),
            cluster: None,
            places: Vec::new(),
            restores: false,
            in_group: None,
            reset: Reset::of(config.get("auto.offset.reset").unwrap_or_default()),
        })
    }

    /// The sink begins transactions under this name, and commits offsets for this group of this cluster.
    pub fn for_sink(&self) -> Value {
        let Self { transactional_id, group, cluster, .. } = self;
        serde_json::json!({ "transactional_id": transactional_id, "group": group, "cluster": cluster })
    }

    /// Returns the partitions of this pipe, as they were when the group was asked.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// A checkpoint is gone on from.
    pub fn restore(&mut self) {
        self.restores = true;
    }

    /// Returns what the group's offsets say, without waiting for a transaction that may still be open, and the offsets to go
    /// on from.
    ///
    /// # Errors
    /// When no broker answers, or the offsets are not those of one pipe.
    pub fn ask_group(
        &mut self,
        choice: &TopicChoice,
        client: &mut KafkaClient,
    ) -> Result<(Truth, BTreeMap<String, i64>), Error> {
        let offsets = GroupOffsets::new(&self.config, &self.group, Isolation::Uncommitted)?;
        let places = find_patiently(choice, &offsets, client)?;
        let stored = offsets.read(&places, client.patience())?;
        let truth = group_offsets::truth(&self.group, &stored)?;
        self.cluster = offsets.client().fetch_cluster_id(ATTEMPT);
        self.places = places;
        let resume: BTreeMap<String, i64> =
            stored.into_iter().filter_map(|entry| Some((entry.part, entry.offset?))).collect();
        self.in_group = truth.id.is_some().then(|| resume.keys().cloned().collect());
        Ok((truth, resume))
    }

    /// Puts the starts of partitions where the checkpoint says.
    ///
    /// # Errors
    /// When what comes next there is gone.
    pub fn go_on(&self, plans: &mut [Plan], resume: &BTreeMap<String, i64>, makings: &Makings) -> Result<(), Error> {
        if let Some(part) = resume.keys().find(|part| !self.places.iter().any(|place| part_name(place) == **part)) {
            return Err(Error::data(format_args!("partition {part} of the checkpoint is not there any more")).hint(
                "a topic that was made anew, or another instance's state: a new -G and an empty --state begin anew",
            ));
        }
        for plan in plans {
            let known = match self.known(&format!("{}/{}", plan.topic, plan.number), resume) {
                Known::At(offset) | Known::Forgotten(offset) if makings.is_another(&plan.topic) => {
                    Known::MadeAnew(offset)
                }
                known => known,
            };
            go_on(plan, known, self.reset)?;
        }
        Ok(())
    }

    fn known(&self, part: &str, resume: &BTreeMap<String, i64>) -> Known {
        match resume.get(part) {
            None if self.restores => Known::IsNew,
            None => Known::Nothing,
            Some(offset) if self.in_group.as_ref().is_some_and(|parts| !parts.contains(part)) => {
                Known::Forgotten(*offset)
            }
            Some(offset) => Known::At(*offset),
        }
    }
}

impl Reset {
    fn of(property: &str) -> Self {
        match property {
            "smallest" | "earliest" | "beginning" => Self::Earliest,
            "largest" | "latest" | "end" => Self::Latest,
            _ => Self::Error,
        }
    }
}

fn go_on(plan: &mut Plan, known: Known, reset: Reset) -> Result<(), Error> {
    let offset = match known {
        Known::Nothing => return Ok(()),
        Known::IsNew => {
            (plan.start, plan.missed) = (plan.low, None);
            return Ok(());
        }
        Known::At(offset) if (plan.low..=plan.high).contains(&offset) => {
            (plan.start, plan.missed) = (offset, None);
            return Ok(());
        }
        Known::At(offset) | Known::Forgotten(offset) | Known::MadeAnew(offset) => offset,
    };
    plan.start = match reset {
        Reset::Earliest => plan.low,
        Reset::Latest => plan.high,
        Reset::Error => return Err(gone(plan, known, offset)),
    };
    plan.missed = Some(offset);
    Ok(())
}

fn gone(plan: &Plan, known: Known, offset: i64) -> Error {
    let Plan { topic, number, low, high, .. } = plan;
    let what = match known {
        Known::MadeAnew(_) => "the topic was made anew since: that is an offset of the one before".to_owned(),
        _ if offset < *low => format!("it begins at {low}: what lies between is gone (retention)"),
        _ if offset > *high => format!("it ends at {high}: it was made anew, or has lost messages"),
        _ => "the group has forgotten that: the topic was made anew".to_owned(),
    };
    Error::data(format_args!("topic {topic}, partition {number}: to go on at offset {offset}, but {what}"))
        .hint("-X auto.offset.reset=earliest goes on with what is there; a new -G and an empty --state begin anew")
}

fn find_patiently(choice: &TopicChoice, offsets: &GroupOffsets, client: &mut KafkaClient) -> Result<Vec<Place>, Error> {
    loop {
        match choice.find(offsets.client()) {
            Ok(places) => {
                client.answered();
                return Ok(places);
            }
            Err(Attempt::Over(error)) => return Err(error),
            Err(Attempt::Again(error)) => {
                offsets.serve();
                client.patience().after("cannot read", &error, offsets.client().context())?;
            }
        }
        client.wait(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan { topic: "t".to_owned(), number: 3, start: 20, end: None, low: 10, high: 30, missed: Some(7) }
    }

    fn start(known: Known, reset: Reset) -> Result<(i64, Option<i64>), Error> {
        let mut plan = plan();
        go_on(&mut plan, known, reset)?;
        Ok((plan.start, plan.missed))
    }

    #[test]
    fn a_partition_goes_on_where_the_checkpoint_was() {
        for offset in [10, 17, 30] {
            assert_eq!(start(Known::At(offset), Reset::Error), Ok((offset, None)));
        }
    }

    #[test]
    fn a_partition_that_the_checkpoint_does_not_know_is_read_from_its_beginning() {
        assert_eq!(start(Known::IsNew, Reset::Error), Ok((10, None)));
        assert_eq!(start(Known::Nothing, Reset::Error), Ok((20, Some(7))), "without a checkpoint: as -o says");
    }

    #[test]
    fn an_offset_that_is_gone_is_an_error_with_both_offsets_and_the_way_on() {
        let error = start(Known::At(9), Reset::Error).unwrap_err();
        assert_eq!(error.exit, millpipe::Exit::Data);
        let said = "topic t, partition 3: to go on at offset 9, but it begins at 10: ";
        assert!(error.message.starts_with(said), "{error}");
        assert!(error.hint.unwrap().contains("-X auto.offset.reset=earliest"));
        let error = start(Known::At(31), Reset::Error).unwrap_err();
        assert!(error.message.contains("at offset 31, but it ends at 30"), "{error}");
        let error = start(Known::Forgotten(17), Reset::Error).unwrap_err();
        assert!(error.message.contains("at offset 17, but the group has forgotten that"), "{error}");
        for offset in [9, 17, 31] {
            let error = start(Known::MadeAnew(offset), Reset::Error).unwrap_err();
            assert!(error.message.contains("but the topic was made anew since"), "{error}");
        }
    }

    #[test]
    fn who_says_so_goes_on_with_what_is_there() {
        assert_eq!(start(Known::At(9), Reset::of("earliest")), Ok((10, Some(9))));
        assert_eq!(start(Known::At(31), Reset::of("latest")), Ok((30, Some(31))));
        assert_eq!(start(Known::MadeAnew(17), Reset::of("earliest")), Ok((10, Some(17))));
        assert_eq!(Reset::of("error"), Reset::Error);
    }
}
