//! All queries of Nexmark, as the examples have them: the rows that Flink SQL gives, however the pipelines are run, with late
//! rows as an independent model has it, and exactly once when killed, with files and with Kafka at the ends.
//!
//! `MILLPIPE_KILLS=20` is the long form: so many kills for each query.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, clippy::cast_precision_loss)]

mod crash;

use std::path::{Path, PathBuf};

use crash::{Pace, number};
use tempfile::TempDir;
use testkit::{Broker, bash, shared};

const TOOLS: [&str; 10] = [
    "generate",
    "filter",
    "window",
    "watermark",
    "aggregate",
    "parallel-map",
    "stream-join",
    "top-n",
    "dedup",
    "lookup",
];
/// Those that remember something, or whose rows come late.
const KILLED: [&str; 15] =
    ["q3", "q4", "q5", "q6", "q7", "q8", "q9", "q11", "q15", "q16", "q17", "q18", "q19", "q20", "q23"];
const DROP_LATE_ROWS: [&str; 4] = ["q5", "q7", "q8", "q11"];

/// Those whose rows are of one key each, with the key of every event.
const BY_ONE_KEY: [(&str, &str); 10] = [
    ("q3", ".seller // .id"),
    ("q8", ".seller // .id"),
    ("q9", ".auction // .id"),
    ("q11", ".bidder"),
    ("q15", ".date_time[:10]"),
    ("q16", ".channel"),
    ("q17", ".auction"),
    ("q18", ".bidder,.auction"),
    ("q19", ".auction"),
    ("q20", ".auction // .id"),
];

/// A folder with the events, and where the expected rows are.
struct Nexmark {
    folder: TempDir,
    shared: PathBuf,
}

impl Nexmark {
    /// Nothing where the expected rows are missing, which is an error in CI.
    fn new() -> Option<Self> {
        let shared = shared("nexmark")?;
        let nexmark = Self { folder: tempfile::tempdir().unwrap(), shared };
        bash(
            &["generate"],
            &format!("generate --data nexmark --lines 10000 --event-rate 100/s > {}/events", nexmark.dir()),
        )
        .ok();
        Some(nexmark)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn dir(&self) -> String {
        self.path().display().to_string()
    }

    /// A script with all tools, in which `compare FILE QUERY` compares rows with those expected.
    fn run(&self, tools: &[&str], script: &str) -> String {
        let (dir, shared) = (self.dir(), self.shared.display());
        let compare = format!(
            "[[ -e {dir}/expected ]] || {{ python3 -m tarfile -e {shared}/expected/small.tar.xz {dir}/expected; }}
             compare() {{ python3 {shared}/compare.py {dir}/expected/$2.ndjson $1; }}"
        );
        bash(&[&TOOLS[..], tools].concat(), &format!("{compare}\n{script}")).ok()
    }
}

/// What `scripts/nexmark` does with the tools that are there.
fn all_queries(nexmark: &Nexmark) -> String {
    let shared = nexmark.shared.parent().unwrap().display();
    format!("PYTHONDONTWRITEBYTECODE=1 python3 bench/nexmark.py --work {} --shared {shared} small", nexmark.dir())
}

#[test]
fn the_generator_gives_the_events_that_the_expected_rows_are_of() {
    let Some(nexmark) = Nexmark::new() else { return };
    let sum = nexmark.run(&[], &format!("sha256sum < {}/events", nexmark.dir()));
    assert!(sum.starts_with("684e9a429d85cde41d0de7658b0f9c6bbf8f32644442d1f7326b2e5a3f0e016f "), "{sum}");
}

#[test]
fn all_queries_give_the_rows_that_flink_gives() {
    let Some(nexmark) = Nexmark::new() else { return };
    let said = nexmark.run(&[], &all_queries(&nexmark));
    assert_eq!(said.matches(", as Flink gives them").count(), 24, "{said}");
}

/// Each tool is wrapped in a program that adds flags to it.
#[test]
fn they_do_so_with_any_chunks_and_threads() {
    let Some(nexmark) = Nexmark::new() else { return };
    let dir = nexmark.dir();
    for (way, flags) in ["--chunk 61B", "--chunk 1000B --threads 2", "--chunk 777B --threads 4"].iter().enumerate() {
        let wrapped = format!(
            "mkdir {dir}/wrapped-{way}
             for tool in filter window watermark aggregate parallel-map stream-join top-n dedup lookup; do
                 printf '#!/bin/sh\\nexec %s {flags} \"$@\"\\n' $(type -P $tool) > {dir}/wrapped-{way}/$tool
             done
             chmod +x {dir}/wrapped-{way}/*
             PATH={dir}/wrapped-{way}:$PATH"
        );
        let said = nexmark.run(&[], &format!("{wrapped}\n{}", all_queries(&nexmark)));
        assert_eq!(said.matches(", as Flink gives them").count(), 24, "{flags}: {said}");
    }
}

/// The script of a query is the sub-pipe.
#[test]
fn they_do_so_divided_over_shards() {
    let Some(nexmark) = Nexmark::new() else { return };
    let dir = nexmark.dir();
    for (query, by) in BY_ONE_KEY {
        for shards in [2, 4] {
            let script = format!(
                "shard --by '{by}' -n {shards} -- 'bash examples/nexmark/{query}.sh' < {dir}/events > {dir}/rows
                 grep -v '^{{\"\\$\":' {dir}/rows > {dir}/data || true
                 compare {dir}/data {query}"
            );
            println!("{query} in {shards} shards: {}", nexmark.run(&["shard"], &script));
        }
    }
}

#[test]
fn late_rows_are_treated_as_the_model_has_it() {
    let Some(nexmark) = Nexmark::new() else { return };
    let (dir, shared) = (nexmark.dir(), nexmark.shared.display());
    for query in DROP_LATE_ROWS {
        let script = format!(
            "generate --data nexmark --lines 10000 --event-rate 100/s --out-of-order 13s > {dir}/late
             python3 tests/models/nexmark.py {query} < {dir}/late > {dir}/model
             examples/nexmark/{query}.sh < {dir}/late | python3 {shared}/compare.py {dir}/model -"
        );
        println!("{query}: {}", nexmark.run(&[], &script));
    }
}

/// The model itself is right where no row is late.
#[test]
fn the_model_gives_the_rows_that_flink_gives() {
    let Some(nexmark) = Nexmark::new() else { return };
    for query in DROP_LATE_ROWS {
        let dir = nexmark.dir();
        nexmark.run(
            &[],
            &format!("python3 tests/models/nexmark.py {query} < {dir}/events > {dir}/rows; compare {dir}/rows {query}"),
        );
    }
}

#[test]
fn killed_between_files_they_give_each_row_once() {
    let Some(nexmark) = Nexmark::new() else { return };
    let kills = number("MILLPIPE_KILLS", 2);
    let events = format!("{}/events", nexmark.dir());
    let pace = Pace { kills, slower: 2, bytes: std::fs::metadata(&events).unwrap().len() };
    for (seed, query) in KILLED.iter().enumerate() {
        let folder = tempfile::tempdir_in(nexmark.path()).unwrap();
        let pipeline = format!(
            "file-cat-in {events} --exactly-once --state \"$CRASH_TEST_DIR/state\" --interval 50ms | pace \
             | bash examples/nexmark/{query}.sh | file-cat-out \"$CRASH_TEST_DIR/output\""
        );
        let flags = format!("--between 50ms..300ms --seed {seed}");
        let tools = [&TOOLS[..], &["file-cat-in", "file-cat-out"]].concat();
        crash::survives(folder.path(), &pace, &tools, &pipeline, "any=4,all=1", &flags);
        // The rows of Q23 are known by their sum alone: there it is enough that they are those of the undisturbed run.
        if *query == "q23" {
            continue;
        }
        let runs = folder.path().join("runs").display().to_string();
        nexmark.run(&[], &format!("cat {runs}/disturbed/output/* > {runs}/rows; compare {runs}/rows {query}"));
    }
}

#[test]
fn killed_between_topics_they_give_each_row_once() {
    let Some(nexmark) = Nexmark::new() else { return };
    let kills = number("MILLPIPE_KILLS", 2);
    let events = format!("{}/events", nexmark.dir());
    let pace = Pace { kills, slower: 2, bytes: std::fs::metadata(&events).unwrap().len() };
    let broker = Broker::start();
    let address = broker.address();
    broker.topic("events", 1);
    nexmark.run(&["kafka-cat-out"], &format!("kafka-cat-out -b {address} -t events < {events}"));
    for (seed, query) in ["q3", "q5", "q8", "q11"].iter().enumerate() {
        let folder = tempfile::tempdir_in(nexmark.path()).unwrap();
        for run in ["undisturbed", "disturbed"] {
            broker.topic(&format!("{query}-{run}"), 1);
        }
        let pipeline = format!(
            "kafka-cat-in -b {address} -t events -G {query}-$CRASH_TEST_RUN -e --exactly-once \
             --state \"$CRASH_TEST_DIR/state\" --interval 100ms | pace | bash examples/nexmark/{query}.sh \
             | kafka-cat-out -b {address} -t {query}-$CRASH_TEST_RUN \
             -X transaction.timeout.ms=$([[ $CRASH_TEST_RUN == undisturbed ]] && echo 60000 || echo 2000)"
        );
        let output = format!("kafka-cat-in -b {address} -t {query}-$CRASH_TEST_RUN -e");
        let flags = format!("--between 50ms..400ms --seed {seed} --output-command '{output}'");
        let tools = [&TOOLS[..], &["kafka-cat-in", "kafka-cat-out"]].concat();
        crash::survives(folder.path(), &pace, &tools, &pipeline, "any=4,all=1", &flags);
        nexmark.run(&[], &format!("compare {}/runs/disturbed.output {query}", folder.path().display()));
    }
}
