//! Watermarks: from the times of lines, what time it is in the stream.
//!
//! Per partition the largest time seen less the lateness; over all of them the least, so that a
//! partition that is read slowly makes no line late. A partition counts from its announcement and
//! holds time back until its first line, or until it is idle. It is the bounded-out-of-orderness
//! generator of Akidau et al., "The Dataflow Model" (2015), as Flink has it per Kafka partition.

use crate::partition_minimum::PartitionMinimum;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// So many partitions are kept apart; one more is an error.
pub const PARTITIONS_MAX: usize = 100_000;

/// More partitions than [`PARTITIONS_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("partition {0:?} is one more than the {PARTITIONS_MAX} that can be kept apart")]
pub struct TooManyPartitions(pub String);

/// In place of a partition's largest time: it has no line yet.
const UNSEEN: i64 = i64::MIN;
/// In place of a partition's largest time, in the minimum: it holds nothing back.
const FREE: i64 = i64::MAX;

/// The name of the partition of lines that no mark announced; no source writes it.
const UNNAMED: &str = "";

#[derive(Debug, Clone)]
struct Partition {
    name: String,
    max_ms: i64,
    idle: bool,
    /// Idle for now, and free at this time unless a line comes before.
    free_at_ms: Option<i64>,
}

/// The partition that holds a watermark back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder<'a> {
    /// Its name; empty for lines that no mark announced.
    pub part: &'a str,
    /// The largest time of its lines; none before the first one.
    pub newest_ms: Option<i64>,
    /// The largest time of any line.
    pub newest_of_all_ms: Option<i64>,
    /// It has said that it is idle, and holds nothing back from this time of the clock on.
    pub free_at_ms: Option<i64>,
}

/// The watermark generator. Its clock is an argument, and only the idle rule looks at it.
#[derive(Debug, Clone)]
pub struct Watermarks {
    lateness_ms: i64,
    idle_ms: i64,
    partitions: Vec<Partition>,
    by_name: HashMap<String, usize>,
    /// The partition that lines come from now; none before the first line or mark.
    current: Option<usize>,
    /// A line of the current partition with a time up to this one changes nothing: its largest
    /// time, or `UNSEEN` when it is idle (so that any line revives it).
    current_max_ms: i64,
    /// The largest times of all partitions but the current one; `FREE` for the idle ones.
    others: PartitionMinimum,
    /// `others.minimum()`, where the hot path finds it.
    others_min_ms: i64,
    max_ms: i64,
    watermark_ms: Option<i64>,
    free_at: BTreeSet<(i64, usize)>,
    named: bool,
}

impl Watermarks {
    /// Lines may come `lateness_ms` behind the latest one; a partition that is said to be idle
    /// (not for ever) stops holding time back after `idle_ms`.
    pub fn new(lateness_ms: i64, idle_ms: i64) -> Self {
        Self {
            lateness_ms,
            idle_ms,
            partitions: Vec::new(),
            by_name: HashMap::new(),
            current: None,
            current_max_ms: UNSEEN,
            others: PartitionMinimum::default(),
            others_min_ms: FREE,
            max_ms: UNSEEN,
            watermark_ms: None,
            free_at: BTreeSet::new(),
            named: false,
        }
    }

    /// The watermark: no line with an earlier time is expected. None before it is known.
    pub fn watermark_ms(&self) -> Option<i64> {
        self.watermark_ms
    }

    /// Returns the partition that holds the watermark back: of those that are not idle the one whose lines are oldest. None
    /// where all are idle, or nothing has come.
    #[must_use]
    pub fn holder(&self) -> Option<Holder<'_>> {
        let slowest =
            self.partitions.iter().filter(|partition| !partition.idle).min_by_key(|partition| partition.max_ms)?;
        Some(Holder {
            part: &slowest.name,
            newest_ms: (slowest.max_ms != UNSEEN).then_some(slowest.max_ms),
            newest_of_all_ms: (self.max_ms != UNSEEN).then_some(self.max_ms),
            free_at_ms: slowest.free_at_ms,
        })
    }

    /// Whether partitions were announced. If not, all lines are taken as one partition.
    pub fn has_partitions(&self) -> bool {
        self.named
    }

    /// The lines that follow come from `part`; it is known (and not idle) from now on.
    pub fn from(&mut self, part: &str) -> Result<(), TooManyPartitions> {
        let index = self.index_of(part)?;
        self.switch_to(Some(index));
        self.revive(index);
        self.load_current();
        Ok(())
    }

    /// A line came from the current partition. Returns the watermark if this moved it.
    #[inline]
    pub fn observe(&mut self, time_ms: i64) -> Option<i64> {
        if time_ms <= self.current_max_ms {
            return None;
        }
        self.observe_later(time_ms)
    }

    /// There is nothing to read in `part` now (`is_final`: nor ever again). Returns the watermark
    /// if this moved it.
    pub fn idle(&mut self, part: &str, is_final: bool, now_ms: i64) -> Result<Option<i64>, TooManyPartitions> {
        let index = self.index_of(part)?;
        let partition = &mut self.partitions[index];
        if is_final {
            self.set_idle(index);
        } else if !partition.idle && partition.free_at_ms.is_none() {
            let free_at_ms = now_ms.saturating_add(self.idle_ms);
            partition.free_at_ms = Some(free_at_ms);
            self.free_at.insert((free_at_ms, index));
        }
        self.load_current();
        Ok(self.wake(now_ms))
    }

    /// Frees the partitions whose idle time is over. Returns the watermark if this moved it.
    pub fn wake(&mut self, now_ms: i64) -> Option<i64> {
        while let Some(&(free_at_ms, index)) = self.free_at.first() {
            if free_at_ms > now_ms {
                break;
            }
            self.set_idle(index);
        }
        self.load_current();
        self.advance()
    }

    /// When to call [`wake`](Self::wake) next, if ever.
    pub fn wake_at(&self) -> Option<i64> {
        self.free_at.first().map(|(free_at_ms, _)| *free_at_ms)
    }

    fn observe_later(&mut self, time_ms: i64) -> Option<i64> {
        let index = match self.current {
            Some(index) => index,
            None => self.add_unnamed(),
        };
        self.revive(index);
        let partition = &mut self.partitions[index];
        partition.max_ms = partition.max_ms.max(time_ms);
        self.current_max_ms = partition.max_ms;
        self.max_ms = self.max_ms.max(time_ms);
        self.advance()
    }

    /// The least of the partitions that are not idle; if all are, the latest time seen.
    fn advance(&mut self) -> Option<i64> {
        let mut reached_ms = self.others_min_ms;
        if let Some(index) = self.current
            && !self.partitions[index].idle
        {
            reached_ms = reached_ms.min(self.partitions[index].max_ms);
        }
        if reached_ms == FREE {
            reached_ms = self.max_ms;
        }
        if reached_ms == UNSEEN {
            return None;
        }
        let watermark_ms = reached_ms.saturating_sub(self.lateness_ms);
        if self.watermark_ms.is_some_and(|old_ms| watermark_ms <= old_ms) {
            return None;
        }
        self.watermark_ms = Some(watermark_ms);
        self.watermark_ms
    }

    fn index_of(&mut self, part: &str) -> Result<usize, TooManyPartitions> {
        self.named = true;
        self.retire_unnamed();
        if let Some(index) = self.by_name.get(part) {
            return Ok(*index);
        }
        if self.partitions.len() >= PARTITIONS_MAX {
            return Err(TooManyPartitions(part.to_owned()));
        }
        let index = self.add(part);
        self.others.set(index, UNSEEN);
        self.others_min_ms = self.others.minimum();
        Ok(index)
    }

    fn add(&mut self, name: &str) -> usize {
        let index = self.partitions.len();
        self.by_name.insert(name.to_owned(), index);
        self.partitions.push(Partition { name: name.to_owned(), max_ms: UNSEEN, idle: false, free_at_ms: None });
        index
    }

    /// The one partition of lines that no mark announced.
    fn add_unnamed(&mut self) -> usize {
        let index = match self.by_name.get(UNNAMED) {
            Some(index) => *index,
            None => self.add(UNNAMED),
        };
        self.switch_to(Some(index));
        index
    }

    /// Lines that came before the first mark belong to no partition that could still get some.
    fn retire_unnamed(&mut self) {
        if let Some(index) = self.current
            && self.partitions[index].name == UNNAMED
        {
            self.switch_to(None);
            self.set_idle(index);
        }
    }

    fn switch_to(&mut self, next: Option<usize>) {
        if self.current == next {
            return;
        }
        if let Some(index) = self.current {
            self.others.set(index, self.partitions[index].held_ms());
        }
        if let Some(index) = next {
            self.others.set(index, FREE);
        }
        self.current = next;
        self.others_min_ms = self.others.minimum();
    }

    /// Brings `current_max_ms` in line with the current partition.
    fn load_current(&mut self) {
        self.current_max_ms = match self.current.map(|index| &self.partitions[index]) {
            Some(partition) if !partition.idle && partition.free_at_ms.is_none() => partition.max_ms,
            _ => UNSEEN,
        };
    }

    fn set_idle(&mut self, index: usize) {
        self.cancel_free_at(index);
        self.partitions[index].idle = true;
        self.store(index);
    }

    fn revive(&mut self, index: usize) {
        self.cancel_free_at(index);
        if self.partitions[index].idle {
            self.partitions[index].idle = false;
            self.store(index);
        }
    }

    fn cancel_free_at(&mut self, index: usize) {
        if let Some(free_at_ms) = self.partitions[index].free_at_ms.take() {
            self.free_at.remove(&(free_at_ms, index));
        }
    }

    fn store(&mut self, index: usize) {
        if self.current != Some(index) {
            self.others.set(index, self.partitions[index].held_ms());
            self.others_min_ms = self.others.minimum();
        }
    }

    /// Everything that [`restore`](Self::restore) needs, but for the two settings.
    pub fn snapshot(&self) -> Value {
        let partitions: Vec<Value> = self.partitions.iter().map(Partition::snapshot).collect();
        json!({
            "watermark_ms": self.watermark_ms,
            "current": self.current,
            "named": self.named,
            "partitions": partitions,
        })
    }

    /// The generator that [`snapshot`](Self::snapshot) was taken of; none if `value` is not one.
    pub fn restore(lateness_ms: i64, idle_ms: i64, value: &Value) -> Option<Self> {
        let mut restored = Self::new(lateness_ms, idle_ms);
        restored.named = value.get("named")?.as_bool()?;
        for entry in value.get("partitions")?.as_array()? {
            let partition = Partition::restore(entry)?;
            let index = restored.add(&partition.name);
            restored.max_ms = restored.max_ms.max(partition.max_ms);
            if let Some(free_at_ms) = partition.free_at_ms {
                restored.free_at.insert((free_at_ms, index));
            }
            restored.others.set(index, partition.held_ms());
            restored.partitions[index] = partition;
        }
        let current = optional(value.get("current")?, Value::as_u64)?;
        let current = current.map(|index| usize::try_from(index).unwrap_or(usize::MAX));
        if current.is_some_and(|index| index >= restored.partitions.len()) {
            return None;
        }
        restored.others_min_ms = restored.others.minimum();
        restored.switch_to(current);
        restored.watermark_ms = optional(value.get("watermark_ms")?, Value::as_i64)?;
        restored.load_current();
        Some(restored)
    }
}

impl Partition {
    /// How far it holds the others back.
    fn held_ms(&self) -> i64 {
        if self.idle { FREE } else { self.max_ms }
    }

    fn snapshot(&self) -> Value {
        json!({
            "part": self.name,
            "max_ms": (self.max_ms != UNSEEN).then_some(self.max_ms),
            "idle": self.idle,
            "free_at_ms": self.free_at_ms,
        })
    }

    fn restore(value: &Value) -> Option<Self> {
        Some(Self {
            name: value.get("part")?.as_str()?.to_owned(),
            max_ms: optional(value.get("max_ms")?, Value::as_i64)?.unwrap_or(UNSEEN),
            idle: value.get("idle")?.as_bool()?,
            free_at_ms: optional(value.get("free_at_ms")?, Value::as_i64)?,
        })
    }
}

/// Null or a value of the wanted type; none for one of another type.
fn optional<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}

#[cfg(test)]
mod tests;
