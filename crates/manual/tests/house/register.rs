//! Every list of tools has every tool. The register is `crates/manual/Cargo.toml`; see `docs/adding-a-tool.md`.

use std::fs;

use manual::{for_all, root, tools};

/// Tools with state that the simulation cannot run, and why.
const NOT_SIMULATED: [(&str, &str); 2] = [
    ("throttle", "needs a loop that waits for room in the output"),
    ("merge", "has several inputs; tests/exactly_once_files.rs kills it"),
];

/// Tools that are not in a pipe.
const APART: [&str; 4] = ["state", "pipes", "crash-test", "pipetest"];

#[test]
fn every_crate_with_a_command_line_is_in_the_register() {
    for_all(fs::read_dir(root().join("crates")).unwrap(), |folder| {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let is_tool = folder.join("src/cli.rs").exists();
        if is_tool && !names().contains(&name) {
            return Err(format!("crates/{name} has a command line and is missing in crates/manual/Cargo.toml"));
        }
        Ok(())
    });
}

#[test]
fn the_readme_has_a_row_for_every_tool() {
    let readme = text("README.md");
    for_all(names(), |name| {
        let row = format!("| [{name}](docs/tools/{name}.md) | ");
        if readme.contains(&row) { Ok(()) } else { Err(format!("README.md has no row {row}")) }
    });
}

#[test]
fn the_changelog_names_every_tool() {
    let changelog = text("CHANGELOG.md");
    // As a command: many names are words too.
    let names_it = |name: &str| [format!("`{name}`"), format!("`{name} ")].iter().any(|code| changelog.contains(code));
    for_all(names(), |name| if names_it(&name) { Ok(()) } else { Err(format!("CHANGELOG.md: no `{name}`")) });
}

#[test]
fn every_tool_of_a_pipe_is_held_to_the_contract() {
    for_all(names().into_iter().filter(|name| !APART.contains(&name.as_str())), |name| {
        let places = ["tests", "tests/all"].map(|folder| format!("crates/{name}/{folder}/conformance.rs"));
        let is_there = places.iter().any(|path| root().join(path).exists());
        if is_there { Ok(()) } else { Err(format!("there is no {}", places[0])) }
    });
}

/// `pipetest` gives a tool that it does not know no cut input, and keeps nothing of it.
#[test]
fn pipetest_knows_every_tool_of_a_pipe() {
    let wrapper = text("crates/pipetest/src/stand_in/wrapper.rs");
    for_all(names().into_iter().filter(|name| !APART.contains(&name.as_str())), |name| {
        if wrapper.contains(&format!("\"{name}\"")) {
            Ok(())
        } else {
            Err(format!("wrapper.rs of pipetest: no {name}"))
        }
    });
}

#[test]
fn every_tool_with_state_is_crashed_kept_and_sharded() {
    let lists = ["crates/simulation/src/pipelines.rs", "scripts/keep-state", "tests/shards.rs"];
    let code = lists.map(|list| without_comments(&text(list)));
    for_all(names().into_iter().filter(|name| has_state(name)), |name| {
        let is_simulated = NOT_SIMULATED.iter().all(|(excused, _)| *excused != name);
        let wanted = lists.into_iter().zip(&code).skip(usize::from(!is_simulated));
        let missing: Vec<&str> = wanted.filter(|(_, code)| !runs_it(code, &name)).map(|(list, _)| list).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("no pipeline with {name}, which has state: {}", missing.join(", ")))
        }
    });
}

/// The name is a command there, in a quoted command line or in a pipe. So the code of a test says it, not a field of that name.
fn runs_it(code: &str, name: &str) -> bool {
    let is_command = |at: usize| {
        let before = code[..at].trim_end_matches([' ', '\\', '\n']);
        before.ends_with(['"', '\'', '|', '{']) || before.ends_with("exec") || before.ends_with("&&")
    };
    code.match_indices(&format!("{name} ")).any(|(at, _)| is_command(at)) || code.contains(&format!("\"{name}\""))
}

fn names() -> Vec<String> {
    tools().iter().map(|tool| tool.get_name().to_owned()).collect()
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn without_comments(code: &str) -> String {
    code.lines().filter(|line| !line.trim_start().starts_with(['/', '#'])).map(|line| format!("{line}\n")).collect()
}

/// Some file of the tool gives its state to checkpoints.
fn has_state(name: &str) -> bool {
    let folder = root().join(format!("crates/{name}/src"));
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.is_file()).any(|file| fs::read_to_string(file).unwrap().contains("impl Stateful for "))
}
