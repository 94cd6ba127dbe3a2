//! What a source with `--exactly-once` says first, and what a target's own books say.

use std::path::PathBuf;

use checkpoint::CheckpointId;
use serde_json::Value;
use stream::{Error, Mark, MarkKind};

/// Where a source is, by partition.
pub type Positions = serde_json::Map<String, Value>;

/// What is committed, as somebody sees it: the id of the last checkpoint, and where the source was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    pub id: Option<CheckpointId>,
    /// Offsets by partition, `null` where none is stored; empty where positions are kept in the snapshot only.
    pub positions: Positions,
}

/// The hello mark of a stream whose checkpoints are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// This life of the pipe.
    pub run: String,
    /// The number of the stage in its pipe; the source is 1.
    pub hop: u64,
    /// The state folder.
    pub state: PathBuf,
    /// What the source saw of the truth, and goes on from.
    pub restore: Truth,
    /// What the source has to say to the sink: names of transactions and groups. Null where it has nothing.
    pub sink: Value,
    pub interval_ms: u64,
    /// In a shard: its number, behind those of the shards around it (`0`, `0.3`). Empty outside.
    pub shard: String,
}

/// Changes of this number are no longer understood by older tools.
const VERSION: u64 = 1;

impl Hello {
    /// Reads the mark as it arrives; `None` when the stream keeps no checkpoints.
    ///
    /// # Errors
    /// Another version, or a field that is missing or broken.
    pub fn read(mark: &Mark) -> Result<Option<Self>, Error> {
        let version = mark.number("v");
        if version != Some(VERSION) {
            return Err(Error::data(format_args!("a hello mark of version {version:?}, this tool speaks {VERSION}"))
                .hint("take all tools of a pipe from one release"));
        }
        let Some(state) = mark.text("state") else { return Ok(None) };
        let broken = |field: &str| Error::data(format_args!("a hello mark without a good \"{field}\": {mark}"));
        Ok(Some(Self {
            run: mark.text("run").ok_or_else(|| broken("run"))?.to_owned(),
            hop: mark.number("hop").ok_or_else(|| broken("hop"))?,
            state: PathBuf::from(state),
            restore: Truth::read(mark.get("restore")).ok_or_else(|| broken("restore"))?,
            sink: mark.get("sink").cloned().unwrap_or_default(),
            interval_ms: mark.number("interval_ms").ok_or_else(|| broken("interval_ms"))?,
            shard: mark.text("shard").unwrap_or_default().to_owned(),
        }))
    }

    /// The consumer group whose offsets name the checkpoint.
    pub fn group(&self) -> Option<&str> {
        self.sink.get("group").and_then(Value::as_str)
    }

    pub fn mark(&self) -> Mark {
        let mark = Mark::new(MarkKind::Hello)
            .with("v", VERSION)
            .with("run", self.run.as_str())
            .with("hop", self.hop)
            .with("state", self.state.to_string_lossy())
            .with("restore", self.restore.json())
            .with("sink", self.sink.clone())
            .with("interval_ms", self.interval_ms);
        if self.shard.is_empty() { mark } else { mark.with("shard", self.shard.as_str()) }
    }
}

impl Truth {
    fn json(&self) -> Value {
        if *self == Self::default() {
            return Value::Null;
        }
        serde_json::json!({ "id": self.id.as_ref().map(ToString::to_string), "positions": self.positions })
    }

    fn read(value: Option<&Value>) -> Option<Self> {
        match value {
            None | Some(Value::Null) => Some(Self::default()),
            Some(value) => {
                let id = match &value["id"] {
                    Value::Null => None,
                    id => Some(id.as_str()?.parse().ok()?),
                };
                Some(Self { id, positions: value["positions"].as_object()?.clone() })
            }
        }
    }
}

/// The end of an epoch, for a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barrier {
    pub id: CheckpointId,
    /// Where the source is, by partition; empty where its snapshot alone says it.
    pub positions: Positions,
    /// The folders of stages that have a snapshot in this checkpoint.
    pub snapshots: Vec<String>,
    /// The input is finished: this is the last one.
    pub drain: bool,
}

impl Barrier {
    /// # Errors
    /// A field that is missing or broken.
    pub fn read(mark: &Mark) -> Result<Self, Error> {
        let broken = |field: &str| Error::data(format_args!("a barrier mark without a good \"{field}\": {mark}"));
        let names = mark.get("snapshots").and_then(Value::as_array).ok_or_else(|| broken("snapshots"))?;
        let names = names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>();
        Ok(Self {
            id: mark.text("id").and_then(|id| id.parse().ok()).ok_or_else(|| broken("id"))?,
            positions: mark.get("positions").and_then(Value::as_object).cloned().unwrap_or_default(),
            snapshots: names.ok_or_else(|| broken("snapshots"))?,
            drain: mark.flag("drain"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_is_written_as_it_was_read() {
        let line = br#"{"$":"hello","v":1,"run":"a-1","hop":2,"state":"/s","restore":{"id":"b-2.7","positions":{"t/0":17,"t/1":null}},"sink":{"group":"g"},"interval_ms":200}"#;
        let hello = Hello::read(&Mark::parse(line).unwrap()).unwrap().unwrap();
        assert_eq!(hello.restore.id, Some(CheckpointId::new("b-2", 7)));
        assert_eq!(hello.mark().to_string().as_bytes(), line);
        let in_a_shard = Hello { shard: "0.3".to_owned(), ..hello };
        let mark = in_a_shard.mark();
        assert!(mark.to_string().ends_with(r#""interval_ms":200,"shard":"0.3"}"#), "{mark}");
        assert_eq!(Hello::read(&mark).unwrap(), Some(in_a_shard));
    }

    #[test]
    fn a_hello_of_a_later_version_is_refused() {
        let error = Hello::read(&Mark::parse(br#"{"$":"hello","v":2}"#).unwrap()).unwrap_err();
        assert!(error.message.contains("version Some(2)"), "{error}");
    }

    #[test]
    fn a_hello_without_a_state_folder_keeps_no_checkpoints() {
        let mark = Mark::parse(br#"{"$":"hello","v":1,"run":"r","hop":1}"#).unwrap();
        assert_eq!(Hello::read(&mark).unwrap(), None);
    }
}
