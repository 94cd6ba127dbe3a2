//! Delays that were seen, by the process of a stage.

use std::collections::{BTreeMap, VecDeque};

use crate::latency::by_pipes;
use crate::machine::Look;
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::Stage;

/// Of a stage so many are kept, the last ones.
const SAMPLES_MAX: usize = 3_600;

/// Delays in milliseconds, by process.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    by_barriers: BTreeMap<u32, OfBarriers>,
    by_pipes: BTreeMap<u32, VecDeque<u64>>,
}

/// Each barrier counts once.
#[derive(Clone, Debug, Default)]
struct OfBarriers {
    last: String,
    delays_ms: VecDeque<u64>,
}

/// What delays are known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    ByBarriers,
    ByPipes,
}

impl Known {
    pub fn name(self) -> &'static str {
        match self {
            Self::ByBarriers => "barriers",
            Self::ByPipes => "pipes",
        }
    }
}

impl Samples {
    /// Takes what a look has seen; what was seen of processes that have gone is forgotten.
    pub fn take(&mut self, look: &Look) {
        let running = look.pipelines.iter().flat_map(Pipeline::ours).filter(|(stage, _)| stage.is_running());
        let mut by_barriers = BTreeMap::new();
        for (stage, facts) in running {
            let Some(barrier) = &facts.barrier else { continue };
            let mut of_stage = self.by_barriers.remove(&stage.pid).unwrap_or_default();
            if let Some(latency_ms) = barrier.latency_ms.filter(|_| of_stage.last != barrier.id) {
                of_stage.last.clone_from(&barrier.id);
                push(&mut of_stage.delays_ms, latency_ms);
            }
            by_barriers.insert(stage.pid, of_stage);
        }
        self.by_barriers = by_barriers;
        let mut by_pipes = BTreeMap::new();
        let running = look.pipelines.iter().filter(|pipeline| pipeline.is_running());
        for (pid, delay_ms) in running.flat_map(by_pipes::delays_ms) {
            let mut delays_ms = self.by_pipes.remove(&pid).unwrap_or_default();
            push(&mut delays_ms, delay_ms);
            by_pipes.insert(pid, delays_ms);
        }
        self.by_pipes = by_pipes;
    }

    /// Returns the delays of a stage, the oldest first, and what they are known by: in a pipeline with barriers these alone.
    pub fn of(&self, pipeline: &Pipeline, stage: &Stage) -> Option<(Known, &VecDeque<u64>)> {
        let has_barriers = pipeline.stages.iter().any(|stage| self.by_barriers.contains_key(&stage.pid));
        let (known, delays_ms) = if has_barriers {
            (Known::ByBarriers, self.by_barriers.get(&stage.pid).map(|of_stage| &of_stage.delays_ms)?)
        } else {
            (Known::ByPipes, self.by_pipes.get(&stage.pid)?)
        };
        (!delays_ms.is_empty()).then_some((known, delays_ms))
    }
}

fn push(delays_ms: &mut VecDeque<u64>, delay_ms: u64) {
    if delays_ms.len() == SAMPLES_MAX {
        delays_ms.pop_front();
    }
    delays_ms.push_back(delay_ms);
}
