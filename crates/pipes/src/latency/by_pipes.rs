//! Estimates how long a line takes to each stage of a plain pipeline, from what is in the pipes.
//!
//! A pipe is a queue, first in, first out: what is in it, divided by the bytes that are read from it in a second, is how long the
//! next line will wait (Little: A Proof for the Queuing Formula L = λW, 1961). Nothing has to be written into the stream for that,
//! and foreign programs may stand in it.

use crate::facts::{Facts, Rates, Spans};
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::Stage;

/// Returns the process of each stage with the milliseconds that a line takes to it now, as far as that is known: beyond a pipe
/// that is read by nobody it is not.
pub fn delays_ms(pipeline: &Pipeline) -> Vec<(u32, u64)> {
    let mut path = Path::default();
    let mut delays = Vec::new();
    let mut before = None;
    for stage in &pipeline.stages {
        let Some(delay_ms) = path.reach(stage, before) else { break };
        if stage.is_ours() && stage.is_running() {
            delays.push((stage.pid, delay_ms.round() as u64));
        }
        before = Some(stage);
    }
    delays
}

/// What a line has waited so far, at each depth of sub-pipes.
#[derive(Default)]
struct Path(Vec<Level>);

#[derive(Clone, Copy, Default)]
struct Level {
    here_ms: f64,
    /// On the slowest of the sub-pipes that lie beside each other.
    slowest_ms: f64,
}

impl Path {
    /// Goes on to a stage.
    fn reach(&mut self, stage: &Stage, before: Option<&Stage>) -> Option<f64> {
        let so_far_ms = self.so_far_ms(stage, before);
        let slowest_ms = self.0.get(stage.depth).map_or(0.0, |level| level.slowest_ms);
        let reached_ms = so_far_ms + if stage.is_source() { 0.0 } else { wait_in_pipe_ms(stage, before)? };
        let here_ms = reached_ms + wait_in_queue_ms(stage)?;
        self.0.resize(stage.depth + 1, Level::default());
        self.0[stage.depth] = Level { here_ms, slowest_ms: slowest_ms.max(here_ms) };
        Some(reached_ms)
    }

    fn so_far_ms(&self, stage: &Stage, before: Option<&Stage>) -> f64 {
        let follows = before.is_some_and(|before| is_read_by(before, stage));
        let of_sub_pipes = self.0.iter().skip(stage.depth + 1).map(|level| level.slowest_ms).fold(0.0, f64::max);
        match stage.depth.checked_sub(1).and_then(|above| self.0.get(above)) {
            // The first stage of a sub-pipe: the stage that has it comes before.
            Some(above) if !follows => above.here_ms,
            _ => self.0.get(stage.depth).map_or(0.0, |level| level.here_ms).max(of_sub_pipes),
        }
    }
}

fn is_read_by(writer: &Stage, reader: &Stage) -> bool {
    writer.output.is_some_and(|output| reader.input.is_some_and(|input| input.pipe == output.pipe))
}

fn wait_in_pipe_ms(stage: &Stage, before: Option<&Stage>) -> Option<f64> {
    let bytes = stage.input.and_then(|pipe| pipe.bytes)?;
    let read = rate(stage.facts.as_deref(), |rates| rates.bytes_in);
    wait_ms(bytes, read.or_else(|| rate(before?.facts.as_deref(), |rates| rates.bytes_out)))
}

/// Of throttle.
fn wait_in_queue_ms(stage: &Stage) -> Option<f64> {
    let lines = stage.facts.as_ref().and_then(|facts| facts.facts.queue_lines).unwrap_or_default();
    wait_ms(lines, rate(stage.facts.as_deref(), |rates| rates.lines_out))
}

fn wait_ms(amount: u64, per_second: Option<f64>) -> Option<f64> {
    if amount == 0 { Some(0.0) } else { Some(amount as f64 * 1000.0 / per_second?) }
}

/// The rate of the shortest span that has one.
fn rate(facts: Option<&Facts>, of: impl Fn(&Rates) -> Option<f64>) -> Option<f64> {
    let Spans { s1, s10, s60 } = &facts?.rates;
    [s1, s10, s60].into_iter().filter_map(of).find(|rate| *rate > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{OfTool, Pipe, Role};

    /// Reads pipe `pid - 1` and writes pipe `pid`.
    fn stage(pid: u32, depth: usize, in_pipe: u64, rate: f64) -> Stage {
        let role = if pid == 1 { Role::Source } else { Role::Stage };
        let rates = Rates { bytes_in: Some(rate), bytes_out: Some(rate), lines_out: Some(rate), ..Rates::default() };
        let rates = Spans { s1: Rates { bytes_in: Some(0.0), ..Rates::default() }, s10: rates, ..Spans::default() };
        let facts = Facts { role: Some(role), rates, ..Facts::default() };
        let [input, output] = [pid - 1, pid].map(|pipe| Some(Pipe { pipe: pipe.into(), ..Pipe::default() }));
        let input = input.map(|pipe| Pipe { bytes: Some(in_pipe), ..pipe });
        Stage { pid, depth, input, output, facts: Some(facts.into()), ..Stage::default() }
    }

    fn delays(stages: Vec<Stage>) -> Vec<(u32, u64)> {
        delays_ms(&Pipeline { name: String::new(), stages })
    }

    #[test]
    fn delays_add_up_along_the_pipe() {
        let stages = vec![stage(1, 0, 9, 1.0), stage(2, 0, 1000, 500.0), stage(3, 0, 0, 0.0), stage(4, 0, 10, 1000.0)];
        assert_eq!(delays(stages), [(1, 0), (2, 2000), (3, 2000), (4, 2010)]);
    }

    #[test]
    fn beyond_a_pipe_that_nobody_reads_nothing_is_known() {
        let stages = vec![stage(1, 0, 0, 0.0), stage(2, 0, 0, 0.0), stage(3, 0, 5, 0.0), stage(4, 0, 0, 1.0)];
        assert_eq!(delays(stages), [(1, 0), (2, 0)]);
    }

    #[test]
    fn a_foreign_reader_is_measured_by_the_writer_before_it() {
        let mut jq = stage(2, 0, 100, 1.0);
        jq.facts = None;
        let stages = vec![stage(1, 0, 0, 1000.0), jq, stage(3, 0, 0, 1.0)];
        assert_eq!(delays(stages), [(1, 0), (3, 100)]);
    }

    #[test]
    fn sub_pipes_lie_beside_each_other_and_the_slowest_counts() {
        let [mut one, two, mut other] = [(3, 1000), (4, 10), (6, 10)].map(|(pid, bytes)| stage(pid, 1, bytes, 100.0));
        one.input = one.input.map(|pipe| Pipe { pipe: 101, ..pipe });
        other.input = other.input.map(|pipe| Pipe { pipe: 102, ..pipe });
        let stages = vec![stage(1, 0, 0, 1.0), stage(2, 0, 1, 100.0), one, two, other, stage(7, 0, 0, 1.0)];
        assert_eq!(delays(stages), [(1, 0), (2, 10), (3, 10_010), (4, 10_110), (6, 110), (7, 10_110)]);
    }

    #[test]
    fn a_queue_is_waited_in() {
        let mut throttle = stage(2, 0, 0, 100.0);
        let facts = throttle.facts.as_deref().unwrap().clone();
        let queue = OfTool { queue_lines: Some(50), ..OfTool::default() };
        throttle.facts = Some(Facts { facts: queue, ..facts }.into());
        assert_eq!(delays(vec![stage(1, 0, 0, 1.0), throttle, stage(3, 0, 0, 1.0)]), [(1, 0), (2, 0), (3, 500)]);
    }
}
