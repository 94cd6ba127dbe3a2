//! The pages of the tools are what the tools say now.
#![allow(clippy::unwrap_used)]

use std::fs;

use manual::{for_all, page, root, tools};

#[test]
fn every_tool_has_a_page_made_from_its_help() {
    for_all(tools(), |tool| {
        let path = page::path(&tool);
        if fs::read_to_string(root().join(&path)).ok() == Some(page::render(&tool)) {
            return Ok(());
        }
        Err(format!("{path} is stale; renew it with: cargo run --release -p manual -- write"))
    });
}

#[test]
fn every_page_belongs_to_a_tool() {
    let known: Vec<String> = tools().iter().map(page::path).collect();
    for_all(fs::read_dir(root().join("docs/tools")).unwrap(), |file| {
        let path = format!("docs/tools/{}", file.unwrap().file_name().to_string_lossy());
        if known.contains(&path) { Ok(()) } else { Err(format!("{path} is the page of no tool")) }
    });
}

#[test]
fn the_readme_names_every_tool_and_every_tool_is_a_crate() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for_all(tools(), |tool| {
        let name = tool.get_name();
        if readme.contains(&format!("[{name}](docs/tools/{name}.md)")) {
            return Ok(());
        }
        Err(format!("README.md has no link to docs/tools/{name}.md"))
    });
    for_all(fs::read_dir(root().join("crates")).unwrap(), |folder| {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let is_tool = folder.join("src/cli.rs").exists();
        if is_tool && !tools().iter().any(|tool| tool.get_name() == name) {
            return Err(format!("crates/{name} has a command line and is missing in manual::tools"));
        }
        Ok(())
    });
}
