//! The source of a pipe with checkpoints: what is committed, where each partition goes on, what the sink is told.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka_ends::group_offsets::{self, GroupOffsets, Isolation, Place, part_name};
use kafka_ends::{ATTEMPT, failure};
use millpipe::{Error, Fault, Out, Positions, Truth};
use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer};
use serde_json::Value;

use crate::cli::Cli;
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
    reset: Reset,
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
    pub fn go_on(&self, plans: &mut [Plan], resume: &BTreeMap<String, i64>) -> Result<(), Error> {
        if let Some(part) = resume.keys().find(|part| !self.places.iter().any(|place| part_name(place) == **part)) {
            return Err(Error::data(format_args!("partition {part} of the checkpoint is not there any more")).hint(
                "a topic that was made anew, or another instance's state: a new -G and an empty --state begin anew",
            ));
        }
        for plan in plans {
            let remembered = resume.get(&format!("{}/{}", plan.topic, plan.number)).copied();
            go_on(plan, remembered, self.restores, self.reset)?;
        }
        Ok(())
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

/// Where one partition goes on: at the offset that is remembered, at its beginning when it is new, or as the flags say
/// when there is no checkpoint yet.
fn go_on(plan: &mut Plan, remembered: Option<i64>, restores: bool, reset: Reset) -> Result<(), Error> {
    let Some(offset) = remembered else {
        if restores {
            (plan.start, plan.missed) = (plan.low, None);
        }
        return Ok(());
    };
    let is_there = (plan.low..=plan.high).contains(&offset);
    (plan.start, plan.missed) = match reset {
        _ if is_there => (offset, None),
        Reset::Earliest => (plan.low, Some(offset)),
        Reset::Latest => (plan.high, Some(offset)),
        Reset::Error => return Err(gone(plan, offset)),
    };
    Ok(())
}

fn gone(plan: &Plan, offset: i64) -> Error {
    let Plan { topic, number, low, high, .. } = plan;
    let what = if offset < *low {
        format!("begins at {low}: what lies between is gone (retention)")
    } else {
        format!("ends at {high}: it was made anew, or has lost messages")
    };
    Error::data(format_args!("topic {topic}, partition {number}: to go on at offset {offset}, but it {what}"))
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

    fn start(remembered: Option<i64>, restores: bool, reset: Reset) -> Result<(i64, Option<i64>), Error> {
        let mut plan = plan();
        go_on(&mut plan, remembered, restores, reset)?;
        Ok((plan.start, plan.missed))
    }

    #[test]
    fn a_partition_goes_on_where_the_checkpoint_was() {
        for offset in [10, 17, 30] {
            assert_eq!(start(Some(offset), true, Reset::Error), Ok((offset, None)));
        }
    }

    #[test]
    fn a_partition_that_the_checkpoint_does_not_know_is_read_from_its_beginning() {
        assert_eq!(start(None, true, Reset::Error), Ok((10, None)));
        assert_eq!(start(None, false, Reset::Error), Ok((20, Some(7))), "without a checkpoint: as -o says");
    }

    #[test]
    fn an_offset_that_is_gone_is_an_error_with_both_offsets_and_the_way_on() {
        let error = start(Some(9), true, Reset::Error).unwrap_err();
        assert_eq!(error.exit, millpipe::Exit::Data);
        assert!(
            error.message.starts_with("topic t, partition 3: to go on at offset 9, but it begins at 10"),
            "{error}"
        );
        assert!(error.hint.unwrap().contains("-X auto.offset.reset=earliest"));
        let error = start(Some(31), true, Reset::Error).unwrap_err();
        assert!(error.message.contains("at offset 31, but it ends at 30"), "{error}");
    }

    #[test]
    fn who_says_so_goes_on_with_what_is_there() {
        assert_eq!(start(Some(9), true, Reset::of("earliest")), Ok((10, Some(9))));
        assert_eq!(start(Some(31), true, Reset::of("latest")), Ok((30, Some(31))));
        assert_eq!(Reset::of("error"), Reset::Error);
    }
}
