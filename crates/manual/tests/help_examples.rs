//! The examples in every tool's `--help` are run as they stand there.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use manual::shell::{Folder, wants_broker};
use manual::{for_all, page, tools};
use testkit::Broker;

/// The files and topics that examples speak of.
const SCENE: &str = include_str!("scene.sh");

#[test]
fn the_examples_of_every_help_work() {
    let examples: Vec<(String, String)> = tools()
        .iter()
        .flat_map(|tool| page::examples(tool).into_iter().map(|example| (tool.get_name().to_owned(), example)))
        .collect();
    assert!(examples.len() >= 2 * tools().len(), "{examples:#?}");
    let broker = examples.iter().any(|(_, example)| wants_broker(example)).then(Broker::start);
    for_all(examples, |(tool, example)| {
        let folder = Folder::new(broker.as_ref());
        let scene = folder.run(SCENE);
        assert!(scene.is_good(), "the scene: {}", scene.shown);
        let ran = folder.run(&example);
        let complaint = ran.shown.lines().find(|line| line.starts_with(&format!("{tool}: ")) && line.contains("hint"));
        if ran.is_good() && complaint.is_none() {
            return Ok(());
        }
        Err(format!("{tool} --help:\n{example}--- ended with {:?} and showed:\n{}", ran.status, tail(&ran.shown)))
    });
}

fn tail(shown: &str) -> String {
    let lines: Vec<&str> = shown.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
