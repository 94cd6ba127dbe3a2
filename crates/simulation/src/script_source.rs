//! A source that plays a [`Script`], as much at a time as chance has it.

use std::sync::Arc;

use protocol::{Out, Polled, Positions, Source, Truth};
use serde_json::Value;
use stream::{Error, Fault, Mark};

use crate::broker::Broker;
use crate::process::Process;
use crate::script::{Script, part_name};

/// The first stage of a simulated pipe.
pub struct ScriptSource {
    process: Arc<Process>,
    script: Arc<Script>,
    /// Asked for its truth, where the source sees the target, as `kafka-cat-in` does.
    seen: Option<Arc<Broker>>,
    /// How many lines of each partition have been written.
    at: Vec<usize>,
    /// The partition that the last `from` mark names.
    part: Option<usize>,
    lines_max: usize,
}

impl ScriptSource {
    pub fn new(process: &Arc<Process>, script: &Arc<Script>, seen: Option<Arc<Broker>>, lines_max: usize) -> Self {
        let at = vec![0; script.partitions.len()];
        Self { process: Arc::clone(process), script: Arc::clone(script), seen, at, part: None, lines_max }
    }

    fn has_ended(&self, part: usize) -> bool {
        self.at[part] == self.script.partitions[part].len()
    }

    fn write(&mut self, part: usize, lines: usize, out: &mut Out) {
        if self.part.replace(part) != Some(part) {
            out.mark(&Mark::from_part(&part_name(part)));
        }
        for item in self.script.partitions[part].iter().skip(self.at[part]).take(lines) {
            out.line(&item.line);
        }
        self.at[part] = (self.at[part] + lines).min(self.script.partitions[part].len());
        if self.has_ended(part) {
            out.mark(&Mark::idle(&part_name(part), true));
        }
    }
}

impl Source for ScriptSource {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        for part in 0..self.at.len() {
            out.mark(&Mark::from_part(&part_name(part)));
        }
        self.part = self.at.len().checked_sub(1);
        for part in (0..self.at.len()).filter(|part| self.has_ended(*part)) {
            out.mark(&Mark::idle(&part_name(part), true));
        }
        Ok(())
    }

    fn poll(&mut self, wait_ms: u64, out: &mut Out) -> Result<Polled, Fault> {
        let open: Vec<usize> = (0..self.at.len()).filter(|part| !self.has_ended(*part)).collect();
        let (part, lines) = {
            let mut dice = self.process.world.dice();
            (dice.pick(&open).copied(), dice.below(self.lines_max + 1))
        };
        let Some(part) = part else { return Ok(Polled::Done) };
        if lines > 0 {
            self.write(part, lines, out);
            return Ok(Polled::More);
        }
        let wait_ms = self.process.world.dice().below(usize::try_from(wait_ms).unwrap_or(0) + 1);
        Ok(Polled::WaitUntil(out.now_ms() + i64::try_from(wait_ms).unwrap_or(0)))
    }

    fn position(&self) -> String {
        serde_json::to_string(&self.at).unwrap_or_default()
    }

    fn seek(&mut self, position: &str) -> Result<(), Error> {
        let at: Option<Vec<usize>> = serde_json::from_str(position).ok();
        self.at = at.filter(|at| at.len() == self.script.partitions.len()).ok_or_else(|| {
            Error::data(format_args!("\"{position}\" is no position of {} partitions", self.script.partitions.len()))
        })?;
        Ok(())
    }

    fn truth(&mut self) -> Result<Option<Truth>, Fault> {
        let Some(broker) = &self.seen else { return Ok(None) };
        self.process.step().map_err(|error| Error::io("broker", &error))?;
        let mut truth = broker.seen();
        for part in 0..self.at.len() {
            truth.positions.entry(part_name(part)).or_insert(Value::Null);
        }
        Ok(Some(truth))
    }

    fn sees(&self, target: &str) -> bool {
        target == "kafka"
    }

    fn positions(&self) -> Positions {
        self.at.iter().enumerate().map(|(part, at)| (part_name(part), Value::from(*at))).collect()
    }

    /// Only a position that this source has given, and not before the last one.
    fn committed(&mut self, positions: &Positions) -> Result<(), Fault> {
        let is_behind = |(part, at): (usize, &usize)| positions[&part_name(part)].as_u64() <= Some(*at as u64);
        if !self.at.iter().enumerate().all(is_behind) {
            self.process.world.is_wrong("a commit ahead of the source");
        }
        Ok(())
    }
}
