//! Every shell block of README and docs is run, and prints what the page says.
//!
//! After a change of a page, `MANUAL=write cargo test --release -p manual --test documents` puts what was printed in
//! the place of what is no longer right; read the difference before it is committed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use manual::markdown::{Block, Section, matches, sections};
use manual::shell::{Folder, wants_broker};
use manual::{for_all, none_failed, root, try_scripts};
use testkit::Broker;

/// Blocks that are not run here, and what runs them.
const RUN_ELSEWHERE: [(&str, &str); 5] = [
    ("cargo test --release -p thin\n", "scripts/test runs those tests"),
    ("git clone ", "who reads it has it"),
    ("scripts/test\n", "it is what runs this test"),
    ("scripts/bench\n", "it takes minutes; the page runs a small one too"),
    ("scripts/nexmark --bench", "it fetches Flink and takes minutes"),
];

#[test]
fn the_readme_does_what_it_says() {
    page("README.md");
}

#[test]
fn the_cookbook_does_what_it_says() {
    page("docs/cookbook.md");
}

#[test]
fn the_contract_does_what_it_says() {
    page("docs/contract.md");
}

#[test]
fn the_other_pages_do_what_they_say() {
    let own_test = ["README.md", "docs/cookbook.md", "docs/contract.md"];
    let in_root = ["CONTRIBUTING.md", "CHANGELOG.md"].map(str::to_owned);
    for path in in_root.into_iter().chain(in_folder("docs")).filter(|path| path.ends_with(".md")) {
        if !own_test.contains(&path.as_str()) {
            page(&path);
        }
    }
}

#[test]
fn the_guide_does_what_it_says() {
    in_folder("docs/guide").iter().for_each(|path| page(path));
}

fn in_folder(folder: &str) -> Vec<String> {
    let files = fs::read_dir(root().join(folder)).unwrap();
    files.map(|file| format!("{folder}/{}", file.unwrap().file_name().to_string_lossy())).collect()
}

fn page(path: &str) {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let sections = sections(&text);
    let needs_broker = |section: &&Section| section.blocks.iter().any(|block| wants_broker(&block.script));
    let broker = sections.iter().any(|section| needs_broker(&section)).then(Broker::start);
    let corrections = Mutex::new(Vec::new());
    let failures = try_scripts(sections.iter().collect(), needs_broker, |section| {
        run_section(path, section, broker.as_ref(), &corrections)
    });
    let corrections = corrections.into_inner().unwrap();
    if !corrections.is_empty() {
        fs::write(root().join(path), corrected(&text, &corrections)).unwrap();
    }
    none_failed(&failures);
}

/// The files that docs/adding-a-tool.md shows are those of the tool that is built and tested; the page shows all of them.
#[test]
fn the_tool_that_a_page_builds_is_the_one_that_is_tested() {
    let page = fs::read_to_string(root().join("docs/adding-a-tool.md")).unwrap();
    for_all(files_below(&root().join("examples/thin")), |file| {
        let text = fs::read_to_string(&file).unwrap();
        let language = if file.extension().is_some_and(|ending| ending == "rs") { "rust" } else { "toml" };
        if page.contains(&format!("```{language}\n{text}```\n")) {
            return Ok(());
        }
        Err(format!("docs/adding-a-tool.md does not show {} as it is", file.display()))
    });
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

type Correction<'a> = (&'a Block, String);

fn run_section<'a>(
    path: &str,
    section: &'a Section,
    broker: Option<&Broker>,
    corrections: &Mutex<Vec<Correction<'a>>>,
) -> Result<(), String> {
    let folder = Folder::new(broker);
    for block in &section.blocks {
        if RUN_ELSEWHERE.iter().any(|(script, _)| block.script.starts_with(script)) {
            continue;
        }
        let ran = folder.run(&block.script);
        let place = format!("{path}:{}: ({})\n{}", block.line, section.title, block.script);
        if !ran.is_good() {
            return Err(format!("{place}--- ended with {:?} and showed:\n{}", ran.status, ran.shown));
        }
        let Some(output) = &block.output else { continue };
        if matches(&output.text, &ran.shown) {
            continue;
        }
        if std::env::var_os("MANUAL").is_some_and(|mode| mode == "write") {
            corrections.lock().unwrap().push((block, ran.shown));
        } else {
            return Err(format!("{place}--- the page says:\n{}--- it showed:\n{}", output.text, ran.shown));
        }
    }
    Ok(())
}

/// The page with these outputs in the place of its own, the last first, so that line numbers hold.
fn corrected(text: &str, corrections: &[Correction<'_>]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut corrections: Vec<_> = corrections.iter().collect();
    corrections.sort_by_key(|(block, _)| std::cmp::Reverse(block.line));
    for (block, shown) in corrections {
        let output = block.output.as_ref().unwrap();
        lines.splice(output.lines.clone(), shown.lines());
    }
    lines.join("\n") + "\n"
}
