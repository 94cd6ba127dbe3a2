//! The examples in every tool's `--help` are run as they stand there.
//!
//! They speak of files, topics and fields of many kinds: scene.sh makes them. An example without an input of its own
//! gets lines on stdin; one that goes on for ever gets Ctrl-C when it has nothing more to do, and must end well.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;

use manual::page::Example;
use manual::shell::{Folder, Ran, wants_broker};
use manual::{none_failed, page, tools, try_scripts};
use testkit::Broker;

const SCENE: &str = include_str!("scene.sh");
const KAFKA_SCENE: &str = include_str!("kafka_scene.sh");

#[test]
fn the_examples_of_every_help_work() {
    let examples: Vec<(String, Example)> = tools()
        .iter()
        .flat_map(|tool| page::examples(tool).into_iter().map(|example| (tool.get_name().to_owned(), example)))
        .collect();
    let broker = examples.iter().any(|(_, example)| wants_broker(&example.command)).then(Broker::start);
    if broker.is_some() {
        must_work(&Folder::new(broker.as_ref()).run(KAFKA_SCENE));
    }
    let scene = Folder::new(None);
    must_work(&scene.run(SCENE));
    let failures = try_scripts(
        examples,
        |(_, example)| wants_broker(&example.command),
        |(tool, example)| {
            let folder = Folder::new(broker.as_ref());
            for file in fs::read_dir(scene.path().join("scene")).unwrap() {
                let file = file.unwrap();
                fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
            }
            let ran = folder.try_out(&format!("exec < events.ndjson\n{}", example.command));
            let Example { intro, command } = example;
            // A tool that is unhappy says so and its neighbours may still end well.
            let complaint = ran.shown.lines().find(|line| line.starts_with("bash: ") || line.contains(": hint: "));
            if ran.is_good() && complaint.is_none() {
                return Ok(());
            }
            Err(format!(
                "{tool} --help: {intro}\n{command}--- ended with {:?} and showed:\n{}",
                ran.status,
                tail(&ran.shown)
            ))
        },
    );
    none_failed(&failures);
}

fn must_work(scene: &Ran) {
    assert!(scene.is_good(), "the scene: {}", scene.shown);
}

fn tail(shown: &str) -> String {
    let lines: Vec<&str> = shown.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
