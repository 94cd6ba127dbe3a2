//! The house style, as far as a program can see it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use manual::markdown::{Block, sections};
use manual::{for_all, root};

/// A file beyond this is divided; 400 is the aim.
const LINES_MAX: usize = 450;

const NO_NOUN: [&str; 9] = ["util", "utils", "helper", "helpers", "common", "misc", "core", "types", "manager"];

/// Places of somebody's machine; written in pieces, so that this file has none.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

#[test]
fn no_file_is_longer_than_450_lines() {
    for_all(files(&["rs", "sh", "py"]), |file| {
        let lines = text(&file).lines().count();
        if lines > LINES_MAX { Err(format!("{}: {lines} lines", file.display())) } else { Ok(()) }
    });
}

#[test]
fn a_name_says_what_is_in_it() {
    for_all(files(&[]), |file| {
        let parts = file.iter().map(|part| part.to_string_lossy().into_owned());
        for part in parts {
            let stem = part.split('.').next().unwrap();
            if NO_NOUN.contains(&stem) {
                return Err(format!("{}: \"{stem}\" names nothing", file.display()));
            }
        }
        Ok(())
    });
}

#[test]
fn nothing_is_left_from_a_debugging_session() {
    let left = [concat!("db", "g!("), concat!("to", "do!("), concat!("unimpl", "emented!("), concat!("FIX", "ME")];
    for_all(files(&["rs", "sh", "py", "toml"]), |file| {
        let found = text(&file).lines().enumerate().find_map(|(at, line)| {
            let word = left.iter().find(|word| line.contains(*word))?;
            Some(format!("{}:{}: {word}", file.display(), at + 1))
        });
        found.map_or(Ok(()), Err)
    });
}

#[test]
fn no_page_and_no_script_names_a_place_on_somebodys_machine() {
    for_all(files(&["md", "sh", "py", "toml", "service"]), |file| {
        let text = text(&file);
        let found = MACHINE_PATHS.iter().find(|path| text.contains(*path));
        found.map_or(Ok(()), |path| Err(format!("{}: names {path}", file.display())))
    });
}

#[test]
fn a_link_in_a_page_leads_somewhere() {
    for_all(files(&["md"]), |file| {
        for target in links(&text(&file)) {
            let path = target.split('#').next().unwrap();
            let from = root().join(&file);
            if !path.is_empty() && !path.contains("://") && !from.parent().unwrap().join(path).exists() {
                return Err(format!("{}: no {path}", file.display()));
            }
        }
        Ok(())
    });
}

#[test]
fn a_script_ends_with_the_failure_of_any_stage() {
    for_all(files(&["sh"]), |file| {
        let text = text(&file);
        let is_run = text.starts_with("#!");
        if is_run && !text.contains("pipefail") { Err(format!("{}: no pipefail", file.display())) } else { Ok(()) }
    });
}

/// Whoever pastes the first pipe of a page has pasted `set -o pipefail`; a script that a page writes has it too, or is run with it.
#[test]
fn a_pipe_in_a_page_ends_with_the_failure_of_any_stage() {
    let pages = files(&["md"]).into_iter().filter(|file| !file.starts_with("docs/tools"));
    for_all(pages, |file| {
        let blocks: Vec<Block> = sections(&text(&file)).into_iter().flat_map(|section| section.blocks).collect();
        let has_pipe = |block: &&Block| block.script.split('\'').step_by(2).any(|unquoted| unquoted.contains(" | "));
        let is_set = |block: &Block| block.script.contains("set -o pipefail");
        let first = blocks.iter().position(|block| has_pipe(&block));
        if first.is_some_and(|first| !blocks[..=first].iter().any(is_set)) {
            return Err(format!("{}: no \"set -o pipefail\" before its first pipe", file.display()));
        }
        let writes_script = |block: &&Block| block.script.contains(".sh <<");
        let careless = |block: &&Block| !block.script.contains("pipefail");
        match blocks.iter().filter(has_pipe).filter(writes_script).find(careless) {
            Some(block) => Err(format!("{}:{}: a script without pipefail", file.display(), block.line)),
            None => Ok(()),
        }
    });
}

/// The targets of `[text](target)`.
fn links(page: &str) -> Vec<String> {
    page.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
}

fn text(file: &Path) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// The project's files, known to git or new, with one of these endings (scripts without one count as sh).
fn files(endings: &[&str]) -> Vec<PathBuf> {
    let listed = Command::new("git")
        .current_dir(root())
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()
        .unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let all = String::from_utf8(listed.stdout).unwrap();
    let all: Vec<PathBuf> = all.lines().map(PathBuf::from).filter(|file| root().join(file).is_file()).collect();
    assert!(all.len() > 50, "git lists the project's files: {all:?}");
    let ending = |file: &PathBuf| match file.extension() {
        Some(ending) => ending.to_string_lossy().into_owned(),
        None if file.starts_with("scripts") || file.starts_with(".ci") => "sh".to_owned(),
        None => String::new(),
    };
    all.into_iter().filter(|file| endings.is_empty() || endings.contains(&ending(file).as_str())).collect()
}
