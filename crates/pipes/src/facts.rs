//! A metrics file as values: what a stage says of itself, once a second.
//!
//! Members that are not known are left out, and none is required but the tool and its process: stages of other versions write
//! fewer. All times are milliseconds since 1970.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use time_text::parse_rfc3339;

/// What a stage says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The tool.
    pub stage: String,
    pub pid: u32,
    /// Of the process, since the machine started: tells it from a later one with the same number.
    pub start_ticks: Option<u64>,
    #[serde(deserialize_with = "time")]
    pub started: Option<i64>,
    #[serde(deserialize_with = "time")]
    pub written: Option<i64>,
    pub args: Vec<String>,
    pub role: Option<Role>,
    pub run: Option<String>,
    pub hop: Option<u32>,
    pub shard: Option<String>,
    /// What its loop does, when the file was written.
    pub now: Option<Doing>,
    /// For how long it has done so then.
    pub now_ms: Option<u64>,
    pub longest_wait_ms: LongestWaits,
    pub shares: Spans<Shares>,
    pub rates: Spans<Rates>,
    pub lines_in: Option<u64>,
    pub lines_restored: Option<u64>,
    pub bytes_in: Option<u64>,
    pub lines_settled: Option<u64>,
    pub lines_left_out: Option<u64>,
    pub lines_late: Option<u64>,
    pub lines_late_passed: Option<u64>,
    pub lines_rejected: Option<u64>,
    pub lines_held: Option<u64>,
    pub lines_out: Option<u64>,
    pub bytes_out: Option<u64>,
    pub elapsed_ms: Option<u64>,
    pub wait_input_ms: Option<u64>,
    pub wait_output_ms: Option<u64>,
    pub wait_commit_ms: Option<u64>,
    pub wait_pace_ms: Option<u64>,
    #[serde(deserialize_with = "time")]
    pub watermark: Option<i64>,
    #[serde(deserialize_with = "time")]
    pub watermark_moved: Option<i64>,
    pub barrier: Option<Barrier>,
    pub commit: Option<Commit>,
    #[serde(rename = "in")]
    pub input: Option<Pipe>,
    #[serde(rename = "out")]
    pub output: Option<Pipe>,
    pub rss_bytes: Option<u64>,
    pub cpu_ms: Option<u64>,
    pub facts: OfTool,
    pub messages: Texts<Message>,
    pub rejects: Texts<Reject>,
    pub ended: Option<Ended>,
}

/// The place in the pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Source,
    Stage,
    Sink,
    /// A word that this version does not know.
    #[serde(other)]
    Other,
}

/// What a loop does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doing {
    Work,
    /// It waits for input.
    Input,
    /// It waits for its reader.
    Output,
    /// It waits for a commit, or for the snapshots of the other stages.
    Commit,
    /// It waits for its rate limit.
    Pace,
    /// A word that this version does not know.
    #[serde(other)]
    Other,
}

/// The longest single wait of the last minute, by its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LongestWaits {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub commit: Option<u64>,
    pub pace: Option<u64>,
}

/// The same over the last 1, 10 and 60 seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Spans<T: Default> {
    #[serde(rename = "1s")]
    pub s1: T,
    #[serde(rename = "10s")]
    pub s10: T,
    #[serde(rename = "60s")]
    pub s60: T,
}

/// Parts of the time; together 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Shares {
    pub busy: Option<f64>,
    pub input: Option<f64>,
    pub output: Option<f64>,
    pub commit: Option<f64>,
    pub pace: Option<f64>,
}

/// Counts for each second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Rates {
    pub lines_in: Option<f64>,
    pub lines_out: Option<f64>,
    pub bytes_in: Option<f64>,
    pub bytes_out: Option<f64>,
}

/// The last barrier that has passed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Barrier {
    pub id: String,
    #[serde(deserialize_with = "time")]
    pub at: Option<i64>,
    pub latency_ms: Option<u64>,
    pub snapshot_ms: Option<u64>,
    pub snapshot_bytes: Option<u64>,
}

/// The last commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Commit {
    pub id: String,
    #[serde(deserialize_with = "time")]
    pub at: Option<i64>,
    pub ms: Option<u64>,
}

/// One end of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Pipe {
    /// Its inode: the same at both ends.
    pub pipe: u64,
    pub bytes: Option<u64>,
    pub size: Option<u64>,
}

/// What the tool itself says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct OfTool {
    pub keys: Option<u64>,
    pub state_bytes: Option<u64>,
    pub spilled_bytes: Option<u64>,
    pub open_windows: Option<u64>,
    #[serde(deserialize_with = "time")]
    pub next_end: Option<i64>,
    /// What the tool itself goes by; the last mark may be older.
    #[serde(deserialize_with = "time")]
    pub watermark: Option<i64>,
    pub queue_lines: Option<u64>,
    pub queue_bytes: Option<u64>,
    pub holder: Option<Holder>,
    pub partitions: Vec<Partition>,
    pub caught_up: Option<bool>,
    pub files: Option<Files>,
    pub hot_keys: Vec<HotKey>,
}

/// A key that comes often.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct HotKey {
    /// Several parts are an array.
    pub key: serde_json::Value,
    /// The least part of the lines that it has.
    pub share: f64,
}

/// What holds the watermark.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Holder {
    pub from: String,
    #[serde(deserialize_with = "time")]
    pub time: Option<i64>,
    /// The time of the newest line of any partition.
    #[serde(deserialize_with = "time")]
    pub newest: Option<i64>,
    #[serde(deserialize_with = "time")]
    pub since: Option<i64>,
    /// What will free it, in words.
    pub rule: Option<String>,
}

/// A partition of Kafka as its reader sees it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Partition {
    pub partition: String,
    pub position: Option<i64>,
    pub end: Option<i64>,
    /// The end of what is in no open transaction.
    pub stable_end: Option<i64>,
    pub lag: Option<i64>,
    pub behind_ms: Option<i64>,
}

/// How much of the files has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Files {
    pub read_bytes: Option<u64>,
    pub total_bytes: Option<u64>,
}

/// A list that is taken apart when it is asked for: of a thousand stages that have ended few are looked at so closely.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Texts<T> {
    json: Option<Box<RawValue>>,
    #[serde(skip)]
    of: PhantomData<T>,
}

impl<T: for<'de> Deserialize<'de>> Texts<T> {
    /// Returns them, the oldest first; those of a version that writes them otherwise are none.
    pub fn all(&self) -> Vec<T> {
        self.json.as_ref().and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default()
    }

    pub fn last(&self) -> Option<T> {
        self.all().pop()
    }
}

impl<T> Default for Texts<T> {
    fn default() -> Self {
        Self { json: None, of: PhantomData }
    }
}

impl<T> PartialEq for Texts<T> {
    fn eq(&self, other: &Self) -> bool {
        let text = |texts: &Self| texts.json.as_ref().map(|json| json.get().to_owned());
        text(self) == text(other)
    }
}

/// A message that the stage has written on stderr.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Message {
    #[serde(deserialize_with = "time")]
    pub at: Option<i64>,
    /// `info`, `error`, or `hint`: what to do about the message before it.
    pub level: String,
    pub text: String,
}

/// A line that the stage has not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Reject {
    #[serde(deserialize_with = "time")]
    pub at: Option<i64>,
    pub place: String,
    pub why: String,
    pub line: String,
}

/// An orderly end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Ended {
    #[serde(deserialize_with = "time")]
    pub at: Option<i64>,
    pub code: i32,
}

impl Facts {
    /// Reads a file.
    ///
    /// # Errors
    /// Why it is no metrics file, or not a whole one.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        let facts: Self = serde_json::from_str(text).map_err(|error| match error.is_eof() {
            true => "it is not whole".to_owned(),
            false => format!("it is not of a stage: {error}"),
        })?;
        if facts.stage.is_empty() || facts.pid == 0 {
            return Err("it is not of a stage: it names no stage and no pid".to_owned());
        }
        Ok(facts)
    }

    /// The value of a flag on the command line, as `--flag VALUE` or `--flag=VALUE`.
    pub fn flag(&self, names: &[&str]) -> Option<&str> {
        let at = self.args.iter().position(|word| names.contains(&word.as_str()));
        let apart = at.and_then(|at| self.args.get(at + 1)).map(String::as_str);
        apart.or_else(|| {
            let joined = self.args.iter().filter_map(|word| word.split_once('='));
            joined.into_iter().find(|(name, _)| names.contains(name)).map(|(_, value)| value)
        })
    }

    /// How many messages there are that have not been read; nothing where the source does not say.
    pub fn lag(&self) -> Option<i64> {
        let lags: Vec<i64> = self.facts.partitions.iter().filter_map(|partition| partition.lag).collect();
        (!lags.is_empty()).then(|| lags.iter().fold(0, |sum: i64, lag| sum.saturating_add(*lag)))
    }

    /// How far event time has come here: by the last mark, or by what the tool itself says.
    pub fn time_ms(&self) -> Option<i64> {
        self.watermark.max(self.facts.watermark)
    }

    /// How far the slowest partition is behind, in milliseconds.
    pub fn behind_ms(&self) -> Option<i64> {
        self.facts.partitions.iter().filter_map(|partition| partition.behind_ms).max()
    }
}

/// Takes a time, and nothing for a text that is none. The text is not copied.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    from.deserialize_option(Time)
}

struct Time;

impl<'de> Visitor<'de> for Time {
    type Value = Option<i64>;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a time as text, or null")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(parse_rfc3339(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_today_and_one_with_all_members_are_read() {
        let simple = r#"{"stage":"window","pid":7,"lines_in":10,"lines_out":9,"elapsed_ms":1000,"wait_input_ms":500}"#;
        let facts = Facts::parse(simple).unwrap();
        assert_eq!((facts.stage.as_str(), facts.lines_in, facts.lines_held), ("window", Some(10), None));
        let full = r#"{"stage":"kafka-cat-in","pid":7,"start_ticks":5,"written":"1970-01-01T00:00:01.500Z","role":"source",
            "now":"pace","now_ms":12,"shares":{"1s":{"busy":0.31,"input":0.62},"10s":{},"60s":{}},
            "rates":{"10s":{"lines_in":20000}},"in":{"pipe":8,"bytes":65536,"size":65536},
            "facts":{"partitions":[{"partition":"t/0","lag":4},{"partition":"t/1","lag":3}],"later":[1]},
            "ended":{"at":"1970-01-01T00:00:02Z","code":75},"unknown":{"a":[1]}}"#;
        let facts = Facts::parse(full).unwrap();
        assert_eq!((facts.role, facts.now, facts.written), (Some(Role::Source), Some(Doing::Pace), Some(1500)));
        assert_eq!((facts.shares.s1.busy, facts.shares.s10.busy), (Some(0.31), None));
        assert_eq!((facts.lag(), facts.input.unwrap().pipe), (Some(7), 8));
        assert_eq!(facts.ended, Some(Ended { at: Some(2000), code: 75 }));
    }

    #[test]
    fn words_of_a_later_version_do_no_harm() {
        let facts = Facts::parse(r#"{"stage":"x","pid":7,"role":"hub","now":"sleep","written":"soon"}"#).unwrap();
        assert_eq!((facts.role, facts.now, facts.written), (Some(Role::Other), Some(Doing::Other), None));
    }

    #[test]
    fn what_is_no_metrics_file_is_told() {
        let why = |text: &str| Facts::parse(text).unwrap_err();
        assert_eq!(why(""), "it is empty");
        assert_eq!(why(r#"{"stage":"window","pi"#), "it is not whole");
        assert_eq!(why("{}"), "it is not of a stage: it names no stage and no pid");
        assert!(why("[1]").starts_with("it is not of a stage"), "{}", why("[1]"));
        assert!(why(r#"{"stage":"w","pid":7,"lines_in":-1}"#).starts_with("it is not of a stage"));
    }

    #[test]
    fn a_flag_is_found_in_both_spellings() {
        let args = |words: &str| Facts { args: words.split(' ').map(str::to_owned).collect(), ..Facts::default() };
        assert_eq!(args("-b x -G job -e").flag(&["-G", "--group"]), Some("job"));
        assert_eq!(args("--group=job").flag(&["-G", "--group"]), Some("job"));
        assert_eq!(args("-b x").flag(&["-G"]), None);
    }
}
