//! Names of pipelines.
//!
//! A pipeline is called by its consumer group (`-G`), else by the last part of its folder of state (`--state`), else by its first
//! tool and that one's process, as in `generate-4711`. Names of the first two kinds stay over restarts.

use std::collections::BTreeMap;
use std::path::Path;

use crate::machine::pipeline::Pipeline;

/// Names all. Of several with the same name, one that runs keeps it; the others get their process in it.
pub fn name_all(pipelines: &mut [Pipeline]) {
    let mut keepers: BTreeMap<String, usize> = BTreeMap::new();
    for (at, pipeline) in pipelines.iter_mut().enumerate() {
        pipeline.name = own_name(pipeline).unwrap_or_else(|| with_pid("", pipeline));
        keepers.entry(pipeline.name.clone()).or_insert(at);
    }
    for (at, pipeline) in pipelines.iter().enumerate().filter(|(_, pipeline)| pipeline.is_running()) {
        let keeper = keepers.entry(pipeline.name.clone()).or_insert(at);
        *keeper = if pipelines.get(*keeper).is_some_and(Pipeline::is_running) { *keeper } else { at };
    }
    for (at, pipeline) in pipelines.iter_mut().enumerate() {
        if keepers.get(&pipeline.name) != Some(&at) {
            pipeline.name = with_pid(&pipeline.name, pipeline);
        }
    }
}

fn own_name(pipeline: &Pipeline) -> Option<String> {
    let group = pipeline.ours().find_map(|(_, facts)| facts.flag(&["-G", "--group"]));
    let state = || pipeline.ours().find_map(|(_, facts)| facts.flag(&["--state"]));
    let folder = || state().and_then(|dir| Path::new(dir).file_name()?.to_str());
    group.or_else(folder).map(str::to_owned)
}

fn with_pid(name: &str, pipeline: &Pipeline) -> String {
    let Some((first, _)) = pipeline.ours().next() else { return name.to_owned() };
    let name = if name.is_empty() { &first.name } else { name };
    format!("{name}-{}", first.pid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use crate::machine::stage::{Life, Stage};

    fn pipeline(pid: u32, args: &str, life: Life) -> Pipeline {
        let facts = Facts { args: args.split(' ').map(str::to_owned).collect(), ..Facts::default() };
        let stage = Stage { name: "generate".to_owned(), pid, facts: Some(facts.into()), life, ..Stage::default() };
        Pipeline { name: String::new(), stages: vec![stage] }
    }

    fn names(mut pipelines: Vec<Pipeline>) -> Vec<String> {
        name_all(&mut pipelines);
        pipelines.into_iter().map(|pipeline| pipeline.name).collect()
    }

    #[test]
    fn the_group_names_it_then_the_state_then_the_first_tool() {
        let of = |pid, args| pipeline(pid, args, Life::Running);
        let told = names(vec![of(1, "-G job --state s"), of(2, "--state a/clicks/"), of(3, "--lines 7")]);
        assert_eq!(told, ["job", "clicks", "generate-3"]);
    }

    #[test]
    fn one_that_runs_keeps_its_name() {
        let dead = Life::Killed { seen_ms: 1 };
        let told = names(vec![
            pipeline(1, "-G job", dead),
            pipeline(2, "-G job", Life::Running),
            pipeline(3, "-G job", Life::Running),
        ]);
        assert_eq!(told, ["job-1", "job", "job-3"]);
    }
}
