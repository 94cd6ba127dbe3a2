//! The pages of the tools are what the tools say now.

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
fn the_readme_has_no_figure_of_its_own() {
    let read = |path| fs::read_to_string(root().join(path)).unwrap();
    let (readme, performance) = (read("README.md"), read("docs/performance.md"));
    let rows: Vec<&str> = readme.lines().filter(|line| line.ends_with("--rounds 3` |")).collect();
    assert!(rows.len() > 1, "{rows:?}");
    for_all(rows, |row| {
        if performance.contains(row) {
            Ok(())
        } else {
            Err(format!("docs/performance.md does not have README's row {row}"))
        }
    });
}
