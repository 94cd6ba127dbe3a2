//! The first line of a snapshot's file.

use serde_json::{Value, json};

use crate::names;

/// Changes of this number are no longer understood by older tools.
const VERSION: u64 = 1;

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The tool.
    pub stage: String,
    /// The folder that it was made in.
    pub name: String,
    /// The file's name without its ending.
    pub id: String,
    /// The flags that it depends on.
    pub flags: String,
    /// How many lines of head follow.
    pub head_lines: usize,
    /// The older files, oldest first, whose entries are the state together with those of this one. Names in the
    /// same folder.
    pub after: Vec<String>,
    /// The files that this one was merged from; empty for a snapshot.
    pub merged: Vec<String>,
}

impl Header {
    /// The line, with its newline.
    pub(crate) fn line(&self) -> String {
        let mut header = json!({
            "snapshot": VERSION,
            "stage": self.stage,
            "name": self.name,
            "id": self.id,
            "flags": self.flags,
            "head": self.head_lines,
            "after": self.after,
        });
        if !self.merged.is_empty() {
            header["merged"] = self.merged.clone().into();
        }
        format!("{header}\n")
    }

    /// Reads the line.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, String> {
        let value: Value =
            serde_json::from_slice(line).map_err(|_| "damaged: the first line is no header".to_owned())?;
        match value["snapshot"].as_u64() {
            Some(VERSION) => {
                Self::from_json(&value).ok_or_else(|| "damaged: a field of the header is broken".to_owned())
            }
            Some(other) => Err(format!("of version {other}; this tool reads version {VERSION}")),
            None => Err("damaged: the first line is no header".to_owned()),
        }
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let files = |value: &Value| value.as_array()?.iter().map(file_name).collect::<Option<Vec<_>>>();
        Some(Self {
            stage: text("stage")?,
            name: text("name")?,
            id: text("id")?,
            flags: text("flags")?,
            head_lines: usize::try_from(value["head"].as_u64()?).ok()?,
            after: files(&value["after"])?,
            merged: value.get("merged").map_or(Some(Vec::new()), files)?,
        })
    }
}

fn file_name(value: &Value) -> Option<String> {
    let name = value.as_str()?;
    names::stem(name).map(|_| name.to_owned())
}

/// The last line of a file, over all bytes before it.
pub(crate) fn trailer(id: &str, entries: u64, digest: u64) -> String {
    format!("{}\n", json!({ "end": id, "entries": entries, "xxh3": format!("{digest:016x}") }))
}
