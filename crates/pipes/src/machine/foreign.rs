//! Foreign programs that stand before, between or after stages of ours: jq, awk, head.

use std::collections::{BTreeMap, BTreeSet};

use crate::machine::processes::Process;
use crate::machine::stage::Stage;

/// A walk along pipes ends after so many foreign programs.
const FOREIGN_MAX: usize = 100;

/// Returns the foreign processes of the pipes that `ours` stand in, by process number.
///
/// Of a shell and the program that it runs with the same pipe it is the program. A process from which a stage descends is no part of its
/// pipe, though it may read it: it is what has started it.
pub fn around<'p>(ours: &[Stage], all: &'p [Process]) -> BTreeMap<u32, &'p Process> {
    let walk = Walk::new(ours, all);
    let mut found = BTreeMap::new();
    for stage in ours.iter().filter(|stage| stage.is_running()) {
        let [input, output] = [&stage.input, &stage.output].map(|pipe| pipe.as_ref().map(|pipe| pipe.pipe));
        walk.follow(stage.pid, input, Side::Writers, &mut found);
        walk.follow(stage.pid, output, Side::Readers, &mut found);
        // Of a sub-pipe the stage holds both ends.
        for pipe in &stage.held {
            walk.follow(stage.pid, Some(*pipe), Side::Readers, &mut found);
            walk.follow(stage.pid, Some(*pipe), Side::Writers, &mut found);
        }
    }
    found
}

#[derive(Clone, Copy)]
enum Side {
    Readers,
    Writers,
}

struct Walk<'p> {
    processes: BTreeMap<u32, &'p Process>,
    readers: BTreeMap<u64, Vec<&'p Process>>,
    writers: BTreeMap<u64, Vec<&'p Process>>,
    ours: BTreeSet<u32>,
}

impl<'p> Walk<'p> {
    fn new(ours: &[Stage], all: &'p [Process]) -> Self {
        let by = |pipe: fn(&Process) -> Option<u64>| {
            let mut ends: BTreeMap<u64, Vec<&Process>> = BTreeMap::new();
            for process in all {
                if let Some(pipe) = pipe(process) {
                    ends.entry(pipe).or_default().push(process);
                }
            }
            ends
        };
        Self {
            processes: all.iter().map(|process| (process.pid, process)).collect(),
            readers: by(|process| process.input),
            writers: by(|process| process.output),
            ours: ours.iter().filter(|stage| stage.is_running()).map(|stage| stage.pid).collect(),
        }
    }

    /// Goes from one foreign process to the next, until one of ours or an end comes.
    fn follow(&self, from: u32, pipe: Option<u64>, side: Side, found: &mut BTreeMap<u32, &'p Process>) {
        let (mut from, mut pipe) = (from, pipe);
        for _ in 0..FOREIGN_MAX {
            let Some(next) = pipe.and_then(|pipe| self.neighbour(from, pipe, side)) else { return };
            if found.insert(next.pid, next).is_some() {
                return;
            }
            from = next.pid;
            pipe = match side {
                Side::Readers => next.output,
                Side::Writers => next.input,
            };
        }
    }

    fn neighbour(&self, of: u32, pipe: u64, side: Side) -> Option<&'p Process> {
        let ends = match side {
            Side::Readers => self.readers.get(&pipe)?,
            Side::Writers => self.writers.get(&pipe)?,
        };
        if ends.iter().any(|process| self.ours.contains(&process.pid)) {
            return None;
        }
        let session = self.processes.get(&of)?.session;
        let ancestors = self.ancestors(of);
        let mine = |process: &&&Process| process.session == session && !ancestors.contains(&process.pid);
        let ends: Vec<&Process> = ends.iter().filter(mine).copied().collect();
        let is_shell_of_another = |process: &Process| ends.iter().any(|other| other.parent == process.pid);
        ends.iter().filter(|process| !is_shell_of_another(process)).min_by_key(|process| process.pid).copied()
    }

    fn ancestors(&self, of: u32) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        let mut next = self.processes.get(&of).map(|process| process.parent);
        while let Some(process) = next.filter(|pid| found.insert(*pid)).and_then(|pid| self.processes.get(&pid)) {
            next = Some(process.parent);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Pipe;

    fn process(pid: u32, parent: u32, name: &str, input: u64, output: u64) -> Process {
        let pipe = |pipe: u64| (pipe > 0).then_some(pipe);
        Process {
            pid,
            parent,
            session: 1,
            name: name.to_owned(),
            input: pipe(input),
            output: pipe(output),
            ..Process::default()
        }
    }

    fn ours(pid: u32, input: u64, output: u64) -> Stage {
        let pipe = |pipe: u64| (pipe > 0).then_some(Pipe { pipe, ..Pipe::default() });
        Stage { pid, input: pipe(input), output: pipe(output), ..Stage::default() }
    }

    fn found(ours: &[Stage], all: &[Process]) -> Vec<String> {
        around(ours, all).values().map(|process| process.name.clone()).collect()
    }

    #[test]
    fn programs_between_before_and_after_are_found() {
        let all = [
            process(2, 1, "bash", 0, 0),
            process(10, 2, "cat", 0, 100),
            process(11, 2, "sed", 100, 101),
            process(12, 2, "window", 101, 102),
            process(13, 2, "jq", 102, 103),
            process(14, 2, "aggregate", 103, 104),
            process(15, 2, "head", 104, 0),
            process(16, 2, "other", 7, 8),
        ];
        assert_eq!(found(&[ours(12, 101, 102), ours(14, 103, 104)], &all), ["cat", "sed", "jq", "head"]);
    }

    #[test]
    fn of_a_shell_and_its_program_it_is_the_program() {
        let all = [process(12, 2, "window", 0, 102), process(13, 2, "bash", 102, 0), process(14, 13, "jq", 102, 0)];
        assert_eq!(found(&[ours(12, 0, 102)], &all), ["jq"]);
    }

    #[test]
    fn programs_of_a_sub_pipe_are_found() {
        let all = [
            process(12, 2, "shard", 1, 2),
            process(13, 12, "bash", 77, 78),
            process(14, 13, "perl", 77, 79),
            process(15, 13, "sed", 79, 78),
        ];
        let shard = Stage { held: vec![77, 78], ..ours(12, 1, 2) };
        assert_eq!(found(&[shard], &all), ["perl", "sed"]);
    }

    #[test]
    fn who_has_started_it_and_other_sessions_are_no_part() {
        let all = [process(2, 1, "runner", 102, 0), process(3, 2, "bash", 0, 0), process(12, 3, "window", 0, 102)];
        assert!(found(&[ours(12, 0, 102)], &all).is_empty());
        let mut all = [process(12, 3, "window", 0, 102), process(14, 1, "logger", 102, 0)];
        assert_eq!(found(&[ours(12, 0, 102)], &all), ["logger"]);
        all[1].session = 9;
        assert!(found(&[ours(12, 0, 102)], &all).is_empty());
    }
}
