//! The source of a pipe with checkpoints: what is committed, where each partition goes on, what the sink is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kafka_ends::group_offsets::{self, GroupOffsets, Isolation, Place, part_name};
use kafka_ends::{ATTEMPT, failure};
use millpipe::{Error, Fault, Out, Positions, Truth};
use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer};
use serde_json::Value;

use crate::cli::Cli;
use crate::makings::Makings;
use crate::open::Attempt;
use crate::plan::Plan;
use crate::source::{KafkaSource, Phase};

const PAUSE: Duration = Duration::from_millis(20);

/// What such a source knows besides.
pub(crate) struct ExactlyOnce {
    group: String,
    transactional_id: String,
    config: ClientConfig,
    cluster: Option<String>,
    /// The partitions of this pipe, as they were when the group was asked.
    pub places: Vec<Place>,
    /// A checkpoint is gone on from: a partition that it does not know is new.
    pub restores: bool,
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

impl KafkaSource {
    /// What the group's offsets say, without waiting for a transaction that may still be open.
    pub(crate) fn ask_group(&mut self) -> Result<Option<Truth>, Error> {
        let Some(exactly_once) = &self.exactly_once else { return Ok(None) };
        let offsets = GroupOffsets::new(&exactly_once.config, &exactly_once.group, Isolation::Uncommitted)?;
        let places = self.find_places_patiently(&offsets)?;
        let stored = offsets.read(&places, &mut self.patience)?;
        let Some(exactly_once) = &mut self.exactly_once else { return Ok(None) };
        let truth = group_offsets::truth(&exactly_once.group, &stored)?;
        exactly_once.cluster = offsets.client().fetch_cluster_id(ATTEMPT);
        exactly_once.places = places;
        self.resume = stored.into_iter().filter_map(|entry| Some((entry.part, entry.offset?))).collect();
        exactly_once.in_group = truth.id.is_some().then(|| self.resume.keys().cloned().collect());
        Ok(Some(truth))
    }

    fn find_places_patiently(&mut self, offsets: &GroupOffsets) -> Result<Vec<Place>, Error> {
        loop {
            match self.find_places(offsets.client()) {
                Ok(places) => {
                    self.patience.answered();
                    return Ok(places);
                }
                Err(Attempt::Over(error)) => return Err(error),
                Err(Attempt::Again(error)) => {
                    offsets.serve();
                    self.patience.after("cannot read", &error, offsets.client().context())?;
                }
            }
            self.bell.wait(PAUSE);
        }
    }

    /// Opens before the first poll: the first barrier needs the positions of all partitions.
    pub(crate) fn open_before_the_first_barrier(&mut self, out: &mut Out) -> Result<(), Fault> {
        while self.exactly_once.is_some() && self.phase == Phase::Opening {
            self.serve(out)?;
            if !self.open(out)? {
                if let Some(text) = self.patience.complaint() {
                    out.warn(text);
                }
                self.bell.wait(PAUSE);
            }
        }
        Ok(())
    }

    /// Another sink than Kafka has committed: tools that show how far a group is look here.
    pub(crate) fn tell_group(&mut self, positions: &Positions) -> Result<(), Error> {
        if let Some(code) = self.consumer.context().take_commit_failure()
            && !failure::is_passing(code)
        {
            return Err(failure::from_code("cannot commit offsets", code));
        }
        let list = group_offsets::offsets_of(positions, None)?;
        let told = self.consumer.commit(&list, CommitMode::Async);
        told.map_err(|error| failure::error("cannot commit offsets", &error))
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
