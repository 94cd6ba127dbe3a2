//! The stand-in for `kafka-cat-in`: the same flags, read from a broker in a folder.
//!
//! What it has in common with the tool it takes from there: what is read (`TopicChoice`, `Wish`), how a message becomes a line
//! (`ValueWriter`), how far a partition may be ahead. What it does by itself is what brokers do. It does not share a group's
//! partitions: a second member waits until the first has gone.

use std::thread;
use std::time::Duration;

use kafka_cat_in::cli::Cli;
use kafka_cat_in::{TopicChoice, Wish};
use kafka_ends::group_offsets::{self, Place, part_name};
use millpipe::{Error, Fault, Out, Polled, Positions, Source, Truth};
use rustix::process::{Signal, getpid, kill_process};
use serde_json::Value;

use crate::broker::{Broker, Member};
use crate::stand_in::environment::{STOP, TELL_READ};
use crate::stand_in::partitions::{Partitions, STEP};

/// How often files are looked at, when there is nothing to read.
const LOOK: Duration = Duration::from_millis(2);
/// What every broker of the tests is, for who compares.
pub const CLUSTER: &str = "pipetest";

/// The signal to itself at the end of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Unwanted,
    Wanted,
    Sent,
}

/// The stand-in.
pub struct StandInSource {
    broker: Broker,
    choice: TopicChoice,
    wish: Wish,
    partitions: Partitions,
    is_open: bool,
    group: Option<String>,
    member: Option<Member>,
    /// The group and the name of the transactions, of a pipe with checkpoints.
    names: Option<(String, String)>,
    resume: Positions,
    until_ms: Option<i64>,
    flags: String,
    verbose: bool,
    tells_read: bool,
    stop: Stop,
}

impl StandInSource {
    /// # Errors
    /// Usage.
    pub fn new(cli: &Cli, environment: impl Iterator<Item = (String, String)>, broker: Broker) -> Result<Self, Error> {
        cli.check()?;
        let properties = cli.kafka.properties(environment)?;
        let sees_all = properties.get("isolation.level") == Some("read_uncommitted");
        let wants_stop = std::env::var_os(STOP).is_some() && cli.end().is_none() && cli.count.is_none();
        let kills = std::env::var("CRASH_TEST_KILLS_LEFT").ok().and_then(|kills| kills.parse().ok()).unwrap_or(0);
        Ok(Self {
            choice: TopicChoice::new(cli)?,
            wish: Wish::new(cli),
            partitions: Partitions::new(cli, &broker, sees_all, kills),
            broker,
            is_open: false,
            group: cli.group.clone(),
            member: None,
            names: cli.names(),
            resume: Positions::new(),
            until_ms: None,
            flags: cli.position_flags(),
            verbose: cli.run.verbose,
            tells_read: std::env::var_os(TELL_READ).is_some(),
            stop: if wants_stop { Stop::Wanted } else { Stop::Unwanted },
        })
    }

    fn places(&self) -> Result<Vec<Place>, Error> {
        self.choice.among(&self.broker.topics()?)
    }

    /// False: the group has another member.
    fn open(&mut self, out: &mut Out) -> Result<bool, Error> {
        let places = self.places()?;
        let group = self.group.clone().filter(|_| self.wish.uses_group());
        if let Some(group) = &group
            && !self.choice.names_partitions()
        {
            self.member = self.broker.join(group)?;
            if self.member.is_none() {
                return Ok(false);
            }
        }
        self.until_ms = self.wish.until_ms(out.now_ms());
        self.partitions.begin(&self.broker, &places, &self.wish, group.as_deref(), &self.resume, out)?;
        self.is_open = true;
        Ok(true)
    }

    fn tell(&mut self) -> Result<(), Error> {
        let stores = self.wish.uses_group();
        if !stores && !self.tells_read {
            return Ok(());
        }
        let told = self.partitions.untold();
        if let (true, Some(group)) = (stores && !told.is_empty(), &self.group) {
            let positions = told.iter().map(|(place, offset)| (part_name(place), Value::from(*offset))).collect();
            self.broker.store(group, &positions)?;
        }
        if self.tells_read {
            told.iter().try_for_each(|((topic, number), offset)| self.broker.note_read(topic, *number, *offset))?;
        }
        Ok(())
    }

    /// Its input has ended; as by a signal, if that is wanted.
    fn end(&mut self) -> Result<Polled, Error> {
        match self.stop {
            Stop::Unwanted => return Ok(Polled::Done),
            Stop::Sent => {}
            Stop::Wanted => {
                self.stop = Stop::Sent;
                kill_process(getpid(), Signal::TERM).map_err(|error| Error::io("SIGTERM", &error.into()))?;
            }
        }
        thread::sleep(LOOK);
        Ok(Polled::Nothing)
    }
}

impl Source for StandInSource {
    /// With checkpoints it opens before the first poll: the first barrier needs the positions of all partitions.
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.names.is_some() {
            self.open(out)?;
        }
        Ok(())
    }

    fn poll(&mut self, wait_ms: u64, out: &mut Out) -> Result<Polled, Fault> {
        let wait = if self.partitions.is_slow() { STEP } else { LOOK }.min(Duration::from_millis(wait_ms));
        if !self.is_open && !self.open(out)? {
            out.waits().for_input(|| thread::sleep(wait));
            return Ok(Polled::Nothing);
        }
        let has_read = self.partitions.read(&self.broker, self.until_ms, out)?;
        if self.partitions.has_enough() || self.partitions.are_all_finished() {
            return Ok(self.end()?);
        }
        if has_read && !self.partitions.is_slow() {
            return Ok(Polled::More);
        }
        out.waits().for_input(|| thread::sleep(wait));
        Ok(if has_read { Polled::More } else { Polled::Nothing })
    }

    fn written(&mut self) -> Result<(), Fault> {
        self.partitions.note_written();
        Ok(self.tell()?)
    }

    fn stop(&mut self, out: &mut Out) -> Result<(), Fault> {
        let tombstones = self.partitions.tombstones();
        if self.verbose && tombstones > 0 {
            out.warn(format_args!("{tombstones} tombstones left out"));
        }
        self.tell()?;
        self.member = None;
        Ok(())
    }

    fn position(&self) -> String {
        Value::Object(self.positions()).to_string()
    }

    fn seek(&mut self, position: &str) -> Result<(), Error> {
        let broken = || Error::data(format_args!("\"{position}\" is no position of kafka-cat-in"));
        self.resume = serde_json::from_str(position).map_err(|_| broken())?;
        if self.resume.values().any(|offset| !offset.is_i64()) {
            return Err(broken());
        }
        Ok(())
    }

    fn flags(&self) -> String {
        self.flags.clone()
    }

    fn truth(&mut self) -> Result<Option<Truth>, Fault> {
        let Some((group, _)) = self.names.clone() else { return Ok(None) };
        let places = self.places()?;
        let stored = self.partitions.ledger()?.stored(&group, &places);
        let truth = group_offsets::truth(&group, &stored)?;
        let known = truth.positions.iter().filter(|(_, offset)| !offset.is_null());
        self.resume = known.map(|(part, offset)| (part.clone(), offset.clone())).collect();
        Ok(Some(truth))
    }

    fn sees(&self, target: &str) -> bool {
        target == "kafka"
    }

    fn positions(&self) -> Positions {
        let mut positions = self.resume.clone();
        positions.extend(self.partitions.positions());
        positions
    }

    fn for_sink(&self) -> Value {
        match &self.names {
            None => Value::Null,
            Some((group, id)) => serde_json::json!({ "transactional_id": id, "group": group, "cluster": CLUSTER }),
        }
    }

    /// Another sink has committed: tools that show how far a group is look here.
    fn committed(&mut self, positions: &Positions) -> Result<(), Fault> {
        match &self.names {
            Some((group, _)) => Ok(self.broker.store(group, positions)?),
            None => Ok(()),
        }
    }
}
