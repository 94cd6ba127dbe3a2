//! A test, and a file of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use toml::Spanned;

use crate::model::expect::{Expect, StageExpect};
use crate::model::input::{Files, Input, TopicInput};
use crate::model::output::{AnyOutput, TopicOutput};

/// The longest that a test may take, if nobody says so.
const TIME_MS: i64 = 60_000;

/// What a file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFile {
    pub run: Option<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default)]
    pub files: Files,
    #[serde(default)]
    pub path: Vec<String>,
    #[serde(rename = "time", default = "time_limit", deserialize_with = "duration")]
    pub time_ms: i64,
    #[serde(rename = "test", default)]
    pub tests: Vec<Spanned<Test>>,
}

/// How the input of a source ends that waits for more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// As with `-e`: what is open is flushed.
    #[default]
    Drain,
    /// As by SIGTERM: what is open stays in the state.
    Stop,
}

/// One test. What it does not say is as the file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    pub name: String,
    /// A script beside the file, or a pipeline in one line.
    pub run: Option<String>,
    #[serde(default)]
    pub args: Vec<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default)]
    pub files: Files,
    /// Folders of programs, on the PATH after the stand-ins.
    #[serde(default)]
    pub path: Vec<String>,
    #[serde(rename = "time", default, deserialize_with = "maybe_duration")]
    pub time_ms: Option<i64>,
    pub stdin: Option<Input>,
    #[serde(rename = "in", default)]
    pub inputs: BTreeMap<String, TopicInput>,
    #[serde(default)]
    pub end: End,
    #[serde(default)]
    pub out: BTreeMap<String, Spanned<TopicOutput>>,
    /// Files that the pipeline writes, by path in the folder of the test.
    #[serde(default)]
    pub file: BTreeMap<String, Spanned<AnyOutput>>,
    pub stdout: Option<Spanned<AnyOutput>>,
    pub expect: Option<Expect>,
    #[serde(default)]
    pub stage: BTreeMap<String, StageExpect>,
    #[serde(default)]
    pub also: Also,
}

/// Other ways in which the test must pass too.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Also {
    /// So many times with the same bytes cut anywhere, pauses between, other numbers of threads.
    #[serde(default)]
    pub cuts: u32,
    /// With so many kills of processes; the pipeline is started again after each.
    #[serde(default)]
    pub kills: u64,
    /// Once with lines out of order by up to this much.
    #[serde(rename = "shuffle", default, deserialize_with = "maybe_duration")]
    pub shuffle_ms: Option<i64>,
    /// Once with each of these numbers of shards, wherever the script runs `shard`.
    #[serde(default)]
    pub shards: Vec<u16>,
}

impl Test {
    /// Returns true if it says what must come of it.
    #[must_use]
    pub fn expects_something(&self) -> bool {
        let says_output = !self.out.is_empty() || !self.file.is_empty() || self.stdout.is_some();
        says_output || self.expect.is_some() || !self.stage.is_empty()
    }
}

fn time_limit() -> i64 {
    TIME_MS
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let text = String::deserialize(from)?;
    units::parse_duration(&text).map_err(|error| D::Error::custom(format!("\"{text}\": {error}")))
}

fn maybe_duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    duration(from).map(Some)
}
