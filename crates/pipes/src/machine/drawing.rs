//! Draws pipelines: which stages belong together, and in which order lines pass them.
//!
//! Two stages are of one pipeline when one writes the pipe that the other reads, when one holds a pipe of the other open (`shard` and
//! `merge` do with their sub-pipes), or when both are of one run.

use std::collections::BTreeMap;

use crate::machine::stage::Stage;

/// A sub-pipe is followed for so many stages.
const CHAIN_MAX: usize = 1_000;

/// Returns the stages of each pipeline in their order, the pipeline that began first at the front.
pub fn draw(stages: Vec<Stage>) -> Vec<Vec<Stage>> {
    let edges = Edges::of(&stages);
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut union = Union((0..stages.len()).collect());
    edges.all_pairs(&stages, |a, b| union.join(a, b));
    for at in 0..stages.len() {
        groups.entry(union.root(at)).or_default().push(at);
    }
    let mut drawn: Vec<Vec<(usize, usize)>> =
        groups.into_values().map(|members| Order::new(&stages, &edges, members).all()).collect();
    let began = |group: &Vec<(usize, usize)>| {
        let first = group.iter().filter_map(|(at, _)| stages.get(*at)?.started_ms()).min();
        (first.unwrap_or(i64::MAX), group.iter().filter_map(|(at, _)| stages.get(*at)).map(|stage| stage.pid).min())
    };
    drawn.sort_by_key(began);
    let mut stages: Vec<Option<Stage>> = stages.into_iter().map(Some).collect();
    let mut take = |(at, depth): (usize, usize)| {
        let stage = stages.get_mut(at).and_then(Option::take)?;
        Some(Stage { depth, ..stage })
    };
    drawn.into_iter().map(|group| group.into_iter().filter_map(&mut take).collect()).collect()
}

/// Who writes, reads and holds each pipe.
#[derive(Default)]
struct Edges {
    writers: BTreeMap<u64, Vec<usize>>,
    readers: BTreeMap<u64, Vec<usize>>,
    holders: BTreeMap<u64, Vec<usize>>,
}

impl Edges {
    fn of(stages: &[Stage]) -> Self {
        let mut edges = Self::default();
        for (at, stage) in stages.iter().enumerate() {
            if let Some(pipe) = &stage.output {
                edges.writers.entry(pipe.pipe).or_default().push(at);
            }
            if let Some(pipe) = &stage.input {
                edges.readers.entry(pipe.pipe).or_default().push(at);
            }
            for pipe in &stage.held {
                edges.holders.entry(*pipe).or_default().push(at);
            }
        }
        edges
    }

    /// Calls `join` for stages that belong together.
    fn all_pairs(&self, stages: &[Stage], mut join: impl FnMut(usize, usize)) {
        for ends in [&self.writers, &self.readers] {
            for (pipe, some) in ends {
                let others = [&self.writers, &self.readers, &self.holders].map(|ends| at(ends, *pipe));
                for other in others.into_iter().flatten() {
                    join(some.first().copied().unwrap_or(*other), *other);
                }
            }
        }
        let mut runs: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, stage) in stages.iter().enumerate() {
            if let Some(run) = stage.facts.as_ref().and_then(|facts| facts.run.as_deref()) {
                join(*runs.entry(run).or_insert(index), index);
            }
        }
    }

    fn before<'a>(&'a self, stage: &Stage) -> &'a [usize] {
        stage.input.map_or(&[], |pipe| at(&self.writers, pipe.pipe))
    }

    fn after<'a>(&'a self, stage: &Stage) -> &'a [usize] {
        stage.output.map_or(&[], |pipe| at(&self.readers, pipe.pipe))
    }

    /// The stage in whose sub-pipe this one is an end.
    fn owner(&self, of: usize, stage: &Stage) -> Option<usize> {
        let pipes = [stage.input, stage.output].into_iter().flatten();
        let mut holders = pipes.flat_map(|pipe| at(&self.holders, pipe.pipe));
        holders.find(|holder| **holder != of).copied()
    }
}

fn at(ends: &BTreeMap<u64, Vec<usize>>, pipe: u64) -> &[usize] {
    ends.get(&pipe).map_or(&[], Vec::as_slice)
}

/// Sets of stages that belong together.
struct Union(Vec<usize>);

impl Union {
    fn root(&mut self, of: usize) -> usize {
        let mut root = of;
        while let Some(parent) = self.0.get(root).copied().filter(|parent| *parent != root) {
            root = parent;
        }
        if let Some(parent) = self.0.get_mut(of) {
            *parent = root;
        }
        root
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(parent) = self.0.get_mut(a.max(b)) {
            *parent = a.min(b);
        }
    }
}

/// Puts the stages of one pipeline into their order.
struct Order<'s> {
    stages: &'s [Stage],
    edges: &'s Edges,
    /// All, the ones that are to come first in front.
    members: Vec<usize>,
    /// Before it all members have their place.
    first_open: usize,
    /// Those that have no place yet, and how many of those that write into their inputs have none.
    open: BTreeMap<usize, usize>,
    placed: Vec<(usize, usize)>,
}

impl<'s> Order<'s> {
    fn new(stages: &'s [Stage], edges: &'s Edges, mut members: Vec<usize>) -> Self {
        let rank = |at: &usize| {
            let stage = stages.get(*at);
            let hop = stage.and_then(|stage| stage.facts.as_ref()?.hop);
            let began = stage.and_then(Stage::started_ms);
            (hop.unwrap_or(u32::MAX), began.unwrap_or(i64::MAX), stage.map(|stage| stage.pid))
        };
        members.sort_by_key(rank);
        let before = |at: usize| stages.get(at).map_or(&[][..], |stage| edges.before(stage));
        let waits_for = |at: usize| before(at).iter().filter(|writer| **writer != at).count();
        let open = members.iter().map(|at| (*at, waits_for(*at))).collect();
        Self { stages, edges, members, first_open: 0, open, placed: Vec::new() }
    }

    /// Each stage with its depth.
    fn all(mut self) -> Vec<(usize, usize)> {
        while let Some(next) = self.next_head() {
            self.place_chain(next, 0);
        }
        self.placed
    }

    /// A stage of the outermost pipe before which nothing is open; where there is none, whichever is first.
    fn next_head(&mut self) -> Option<usize> {
        let rest = self.members.get(self.first_open..).unwrap_or_default();
        self.first_open += rest.iter().take_while(|at| !self.open.contains_key(at)).count();
        let rest = self.members.get(self.first_open..).unwrap_or_default();
        let is_head = |at: &&usize| self.is_ready(**at) && !self.leads_into(**at, |_| true);
        let ready = || rest.iter().find(|at| self.is_ready(**at));
        rest.iter().find(is_head).or_else(ready).or(rest.first()).copied()
    }

    /// Places a stage, its sub-pipes, and those that read from it.
    fn place_chain(&mut self, head: usize, depth: usize) {
        let mut next = Some(head);
        while let Some(at) = next {
            self.place(at, depth);
            while let Some(inner) = self.inner_head(at) {
                self.place_chain(inner, depth + 1);
            }
            next = self.after(at).iter().find(|reader| self.is_ready(**reader)).copied();
        }
    }

    fn place(&mut self, at: usize, depth: usize) {
        self.open.remove(&at);
        self.placed.push((at, depth));
        for reader in self.after(at) {
            if let Some(waits_for) = self.open.get_mut(reader) {
                *waits_for = waits_for.saturating_sub(1);
            }
        }
    }

    fn after(&self, at: usize) -> &'s [usize] {
        let edges = self.edges;
        self.stages.get(at).map_or(&[], |stage| edges.after(stage))
    }

    /// The next open stage with which a sub-pipe of this one begins.
    fn inner_head(&self, of: usize) -> Option<usize> {
        if self.stages.get(of)?.held.is_empty() {
            return None;
        }
        let rest = self.members.get(self.first_open..)?.iter().copied();
        let is_inner = |at: usize| self.leads_into(at, |owner| owner == of);
        rest.into_iter().find(|at| self.is_ready(*at) && is_inner(*at))
    }

    /// It begins a chain that ends in a pipe which such a stage holds, as an input of `merge` does.
    fn leads_into(&self, from: usize, is_meant: impl Fn(usize) -> bool) -> bool {
        let mut at = from;
        for _ in 0..CHAIN_MAX {
            if self.owner(at).is_some_and(&is_meant) {
                return true;
            }
            match self.after(at) {
                [next, ..] => at = *next,
                [] => return false,
            }
        }
        false
    }

    fn owner(&self, of: usize) -> Option<usize> {
        self.edges.owner(of, self.stages.get(of)?)
    }

    /// It has no place, and all that write into its input have theirs.
    fn is_ready(&self, at: usize) -> bool {
        self.open.get(&at) == Some(&0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::facts::{Facts, Pipe};
    use crate::machine::pipeline::Pipeline;

    fn stage(name: &str, input: u64, output: u64) -> Stage {
        let pipe = |pipe: u64| (pipe > 0).then_some(Pipe { pipe, ..Pipe::default() });
        let facts = Some(Facts { stage: name.to_owned(), ..Facts::default() }.into());
        Stage { name: name.to_owned(), input: pipe(input), output: pipe(output), facts, ..Stage::default() }
    }

    fn pictures(stages: Vec<Stage>) -> Vec<String> {
        draw(stages).into_iter().map(|stages| Pipeline { name: String::new(), stages }.picture()).collect()
    }

    #[test]
    fn stages_stand_in_the_order_of_their_pipes() {
        let stages = vec![stage("c", 2, 3), stage("x", 0, 9), stage("a", 0, 1), stage("b", 1, 2), stage("y", 9, 0)];
        assert_eq!(pictures(stages), ["a | b | c", "x | y"]);
    }

    #[test]
    fn sub_pipes_stand_behind_the_stage_that_holds_them() {
        let mut shard = stage("shard", 1, 2);
        shard.held = vec![11, 12, 21, 22];
        let inner = [stage("w", 11, 15), stage("a", 15, 12), stage("w", 21, 25), stage("a", 25, 22)];
        let outer = vec![stage("out", 2, 0), shard, stage("in", 0, 1)];
        let stages: Vec<Stage> = inner.into_iter().chain(outer).collect();
        assert_eq!(pictures(stages), ["in | shard [w | a; w | a] | out"]);
    }

    #[test]
    fn inputs_of_a_merge_belong_to_it() {
        let mut merge = stage("merge", 0, 5);
        merge.held = vec![1, 2];
        let stages = vec![stage("a", 0, 7), stage("f", 7, 1), stage("b", 0, 2), merge, stage("out", 5, 0)];
        assert_eq!(pictures(stages), ["merge [a | f; b] | out"]);
    }

    #[test]
    fn stages_of_one_run_belong_together_when_a_pipe_between_them_is_not_known() {
        let mut stages = vec![stage("out", 3, 0), stage("in", 0, 1), stage("other", 0, 0)];
        for (stage, hop) in stages.iter_mut().zip([2, 0]) {
            let facts = Arc::make_mut(stage.facts.as_mut().unwrap());
            (facts.run, facts.hop) = (Some("r".to_owned()), Some(hop));
        }
        assert_eq!(pictures(stages).len(), 2);
    }

    #[test]
    fn pipes_in_a_circle_and_many_writers_come_to_an_end() {
        assert_eq!(pictures(vec![stage("a", 2, 1), stage("b", 1, 2)]), ["a | b"]);
        assert_eq!(pictures(vec![stage("w", 1, 0), stage("a", 0, 1), stage("a", 0, 1)]), ["a | a | w"]);
        let mut own = stage("a", 0, 1);
        own.held = vec![1];
        assert_eq!(pictures(vec![own]), ["a"]);
    }

    #[test]
    fn ten_thousand_pipelines_are_drawn_at_once() {
        let stages = (0..10_000).map(|at| stage("a", 2 * at, 2 * at + 1)).collect();
        assert_eq!(draw(stages).len(), 10_000);
        let writers = (0..10_000).map(|_| stage("a", 0, 1)).chain([stage("w", 1, 0)]).collect();
        assert_eq!(draw(writers)[0].len(), 10_001);
        let chain = (0..10_000).map(|at| stage("a", at, at + 1)).collect();
        assert_eq!(draw(chain)[0].len(), 10_000);
    }
}
