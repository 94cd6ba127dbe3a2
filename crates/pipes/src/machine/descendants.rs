//! Processes that stages have started: the programs of `parallel-map`, the shells of `shard`.

use std::collections::{BTreeMap, BTreeSet};

use crate::machine::processes::Process;

/// A process that a stage has started, itself or through others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descendant {
    /// The process of the stage.
    pub of: u32,
    /// The command's name.
    pub name: String,
}

/// Returns those that descend from `stages`, each with the nearest one that it descends from, but not the stages themselves.
pub fn descendants(stages: &BTreeSet<u32>, all: &[Process]) -> BTreeMap<u32, Descendant> {
    let parents: BTreeMap<u32, u32> = all.iter().map(|process| (process.pid, process.parent)).collect();
    let others = all.iter().filter(|process| !stages.contains(&process.pid));
    let found = others.filter_map(|process| {
        let of = nearest(process.parent, stages, &parents)?;
        Some((process.pid, Descendant { of, name: process.name.clone() }))
    });
    found.collect()
}

/// The processes are not asked all at once: a walk in a circle comes to an end.
fn nearest(from: u32, stages: &BTreeSet<u32>, parents: &BTreeMap<u32, u32>) -> Option<u32> {
    let mut next = Some(from);
    for _ in 0..parents.len() {
        let pid = next?;
        if stages.contains(&pid) {
            return Some(pid);
        }
        next = parents.get(&pid).copied();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_of_the_nearest_stage_above_it() {
        let process = |pid, parent, name: &str| Process { pid, parent, name: name.to_owned(), ..Process::default() };
        let all = [
            process(1, 0, "init"),
            process(5, 1, "shard"),
            process(6, 5, "bash"),
            process(7, 6, "parallel-map"),
            process(8, 7, "jq"),
            process(9, 1, "cat"),
            process(20, 21, "a"),
            process(21, 20, "b"),
        ];
        let found = descendants(&BTreeSet::from([5, 7]), &all);
        let found: Vec<(u32, u32, &str)> = found.iter().map(|(pid, one)| (*pid, one.of, one.name.as_str())).collect();
        assert_eq!(found, [(6, 5, "bash"), (8, 7, "jq")]);
    }
}
