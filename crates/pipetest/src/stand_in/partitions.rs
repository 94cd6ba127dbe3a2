//! The partitions that a stand-in source reads: how far each is, and the marks that name it.

use std::time::Duration;

use kafka_cat_in::cli::Cli;
use kafka_cat_in::{Bounds, Incoming, Pace, Plan, State, ValueWriter, Wish, horizon, may_read};
use kafka_ends::group_offsets::{Place, part_name};
use millpipe::{BLOCK_BYTES, Error, Mark, Out, Positions};

use crate::broker::{Broker, Ledger, Log, Record};

/// What a message counts for beside its bytes.
const MESSAGE_BYTES_MIN: usize = 32;

/// One partition.
struct Partition {
    plan: Plan,
    part: String,
    log: Log,
    state: State,
    /// The offset to go on from.
    next: i64,
    /// What was written to the pipe up to.
    written: i64,
    /// What the group, or whoever feeds the partition, was told.
    told: Option<i64>,
    newest_ms: Option<i64>,
}

impl Partition {
    /// Returns the place that the partition has.
    fn place(&self) -> Place {
        (self.plan.topic.clone(), self.plan.number)
    }

    fn is_beyond(&self, record: &Record, until_ms: Option<i64>) -> bool {
        let is_late = until_ms.is_some_and(|until| record.time_ms().is_some_and(|ms| ms >= until));
        is_late || self.plan.end.is_some_and(|end| record.offset() >= end.offset)
    }

    fn pace(&self) -> Pace {
        Pace { state: self.state, newest_ms: self.newest_ms }
    }
}

/// How a disturbed run gives its lines: slowly, as it is to be killed meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Slowness {
    /// How many kills are still to come.
    kills: usize,
    /// How many more messages there may be in this life.
    left: usize,
    at_once: usize,
}

/// In so many steps a life gives its share of the messages.
const STEPS: usize = 40;
pub const STEP: Duration = Duration::from_millis(3);

/// All of them.
pub struct Partitions {
    list: Vec<Partition>,
    ledger: Ledger,
    has_marks: bool,
    sees_all: bool,
    current: Option<usize>,
    writer: ValueWriter,
    align_ms: Option<i64>,
    lines_left: Option<u64>,
    slowness: Option<Slowness>,
}

impl Partitions {
    pub fn new(cli: &Cli, broker: &Broker, sees_all: bool, kills: usize) -> Self {
        Self {
            list: Vec::new(),
            ledger: broker.ledger(),
            has_marks: cli.marks || cli.exactly_once.exactly_once,
            sees_all,
            current: None,
            writer: ValueWriter::new(cli),
            align_ms: cli.align.map(|align| align.0),
            lines_left: cli.count,
            slowness: (kills > 0).then_some(Slowness { kills, left: 0, at_once: 1 }),
        }
    }

    /// Returns what is committed, as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn ledger(&mut self) -> Result<&Ledger, Error> {
        self.ledger.look()?;
        Ok(&self.ledger)
    }

    /// Takes up these partitions: at the offset that `resume` has for them, else where the flags say.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn begin(
        &mut self,
        broker: &Broker,
        places: &[Place],
        wish: &Wish,
        group: Option<&str>,
        resume: &Positions,
        out: &mut Out,
    ) -> Result<(), Error> {
        self.ledger.look()?;
        for place in places {
            let mut log = broker.log(&place.0, place.1, self.sees_all);
            log.look()?;
            let stored = group.and_then(|group| self.ledger.stored(group, std::slice::from_ref(place))[0].offset);
            let bounds = Bounds {
                low: 0,
                high: log.committed(&self.ledger),
                stored,
                timed: wish.from_ms(out.now_ms()).and_then(|ms| log.offset_at(ms)),
                there: wish.wants_end().then(|| log.there()),
            };
            let mut plan = wish.plan(place, bounds);
            let part = part_name(place);
            if let Some(offset) = resume.get(&part).and_then(serde_json::Value::as_i64) {
                (plan.start, plan.missed) = (offset, None);
            }
            log.skip_to(plan.start);
            let start = plan.start;
            self.list.push(Partition {
                plan,
                part,
                log,
                state: State::Live,
                next: start,
                written: start,
                told: None,
                newest_ms: None,
            });
        }
        self.slow_down();
        self.announce(out);
        Ok(())
    }

    /// Divides what there is over this life and those that are still to come.
    fn slow_down(&mut self) {
        let waiting: usize = self.list.iter().map(|partition| partition.log.len()).sum();
        if let Some(slowness) = &mut self.slowness {
            slowness.left = waiting.div_ceil(slowness.kills + 1);
            slowness.at_once = slowness.left.div_ceil(STEPS).max(1);
        }
    }

    /// Says which partitions there are, before any line of theirs; those with nothing to read are finished.
    fn announce(&mut self, out: &mut Out) {
        for index in 0..self.list.len() {
            let Plan { topic, number, start, missed, .. } = &self.list[index].plan;
            if let Some(missed) = missed {
                out.warn(format_args!(
                    "topic {topic}, partition {number}: offset {missed} is not there, reading from {start}"
                ));
            }
            self.mark_from(index, out);
        }
        for index in 0..self.list.len() {
            let plan = &self.list[index].plan;
            if plan.end.is_some_and(|end| plan.start >= end.offset) {
                self.finish(index, out);
            }
        }
    }

    pub fn is_slow(&self) -> bool {
        self.slowness.is_some()
    }

    pub fn has_enough(&self) -> bool {
        self.lines_left == Some(0)
    }

    pub fn are_all_finished(&self) -> bool {
        self.slowness.is_none() && self.list.iter().all(|partition| partition.state == State::Finished)
    }

    pub fn tombstones(&self) -> u64 {
        self.writer.tombstones()
    }

    /// Reads what is there, about 64 KiB. False: there was nothing.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&mut self, broker: &Broker, until_ms: Option<i64>, out: &mut Out) -> Result<bool, Error> {
        self.ledger.look()?;
        let mut taken = 0;
        for index in 0..self.list.len() {
            // The end is looked at first: what was there before it is read.
            let Plan { topic, number, end, .. } = &self.list[index].plan;
            let has_ended = end.is_none() && broker.has_ended(topic, *number);
            self.list[index].log.look()?;
            self.read_partition(index, until_ms, &mut taken, out);
            self.look_at_end(index, has_ended, out);
            if taken >= BLOCK_BYTES || self.has_enough() {
                break;
            }
        }
        Ok(taken > 0)
    }

    fn read_partition(&mut self, index: usize, until_ms: Option<i64>, taken: &mut usize, out: &mut Out) {
        while *taken < BLOCK_BYTES && !self.has_enough() && self.may_read(index) {
            let partition = &mut self.list[index];
            let Some(record) = partition.log.peek(&self.ledger) else { break };
            let record = record.clone();
            if partition.is_beyond(&record, until_ms) {
                self.finish(index, out);
                break;
            }
            if !self.may_go_on(*taken) {
                break;
            }
            let partition = &mut self.list[index];
            partition.log.pop();
            partition.next = record.offset() + 1;
            partition.newest_ms = partition.newest_ms.max(record.time_ms());
            partition.state = State::Live;
            *taken += MESSAGE_BYTES_MIN + record.value().map_or(0, <[u8]>::len);
            self.write(index, &record, out);
        }
    }

    /// Of a run that is to be killed: a few messages a step.
    fn may_go_on(&mut self, taken: usize) -> bool {
        let Some(slowness) = &mut self.slowness else { return true };
        if slowness.left == 0 || taken >= slowness.at_once * MESSAGE_BYTES_MIN {
            return false;
        }
        slowness.left -= 1;
        true
    }

    fn may_read(&self, index: usize) -> bool {
        let partition = &self.list[index];
        let horizon = self.align_ms.map(|align_ms| horizon(self.list.iter().map(Partition::pace), align_ms));
        partition.state != State::Finished && horizon.is_none_or(|horizon| may_read(partition.newest_ms, horizon))
    }

    fn write(&mut self, index: usize, record: &Record, out: &mut Out) {
        if self.writer.leaves_out(record) {
            return;
        }
        self.mark_from(index, out);
        if self.writer.write(record, out) {
            self.lines_left = self.lines_left.map(|left| left - 1);
        }
    }

    /// All that is there was read: the partition is idle, or at its end.
    fn look_at_end(&mut self, index: usize, has_ended: bool, out: &mut Out) {
        let partition = &mut self.list[index];
        if partition.state == State::Finished || partition.log.peek(&self.ledger).is_some() || self.slowness.is_some() {
            return;
        }
        let reached = partition.log.committed(&self.ledger);
        if has_ended || partition.plan.end.is_some_and(|end| reached >= end.offset) {
            self.finish(index, out);
        } else if partition.state == State::Live && !partition.plan.end.is_some_and(|end| end.was_there) {
            partition.state = State::AtEnd;
            self.mark_idle(index, false, out);
        }
    }

    fn finish(&mut self, index: usize, out: &mut Out) {
        if std::mem::replace(&mut self.list[index].state, State::Finished) != State::Finished {
            self.mark_idle(index, true, out);
        }
    }

    fn mark_from(&mut self, index: usize, out: &mut Out) {
        if self.has_marks && self.current != Some(index) {
            out.mark(&Mark::from_part(&self.list[index].part));
            self.current = Some(index);
        }
    }

    fn mark_idle(&self, index: usize, is_final: bool, out: &mut Out) {
        if self.has_marks {
            out.mark(&Mark::idle(&self.list[index].part, is_final));
        }
    }

    /// All that was given is in the pipe.
    pub fn note_written(&mut self) {
        self.list.iter_mut().for_each(|partition| partition.written = partition.next);
    }

    /// Returns the offset of each partition that is read.
    pub fn positions(&self) -> Positions {
        self.list.iter().map(|partition| (partition.part.clone(), partition.next.into())).collect()
    }

    /// Returns what was written since somebody was last told.
    pub fn untold(&mut self) -> Vec<(Place, i64)> {
        let new = self.list.iter_mut().filter(|partition| partition.told != Some(partition.written));
        new.map(|partition| {
            partition.told = Some(partition.written);
            (partition.place(), partition.written)
        })
        .collect()
    }
}
