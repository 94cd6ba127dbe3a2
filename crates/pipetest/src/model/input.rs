//! What a pipeline is given: topics, standard input, files.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::model::short::{Short, text_or_table};

/// Where lines are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Lines(String),
    /// A path beside the file of tests; `.gz` and `.zst` are read as what is in them.
    File(String),
    /// A command line whose standard output it is.
    Command(String),
}

/// Lines to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub origin: Origin,
    /// Lines are whole messages, as `kafka-cat-in --envelope` writes them.
    pub envelope: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputTable {
    lines: Option<String>,
    file: Option<String>,
    command: Option<String>,
    #[serde(default)]
    envelope: bool,
}

impl<'de> Short<'de> for Input {
    const FORMS: &'static str = "lines in '''…''', or a table with lines, file or command";

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self { origin: Origin::Lines(text.to_owned()), envelope: false })
    }

    fn from_table<A: MapAccess<'de>>(table: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        let InputTable { lines, file, command, envelope } = InputTable::deserialize(table)?;
        Ok(Self { origin: origin(lines, file, command).map_err(A::Error::custom)?, envelope })
    }
}

fn origin(lines: Option<String>, file: Option<String>, command: Option<String>) -> Result<Origin, &'static str> {
    match (lines, file, command) {
        (Some(lines), None, None) => Ok(Origin::Lines(lines)),
        (None, Some(file), None) => Ok(Origin::File(file)),
        (None, None, Some(command)) => Ok(Origin::Command(command)),
        _ => Err("an input says one of lines, file and command"),
    }
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        text_or_table(from)
    }
}

/// The input of a topic, by partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicInput {
    pub partitions: BTreeMap<i32, Input>,
    /// How many partitions the topic has, where it is more than those with input.
    pub count: i32,
}

const TOPIC_FIELDS: &[&str] = &["0", "1, …", "lines", "file", "command", "envelope", "partitions"];

impl<'de> Deserialize<'de> for TopicInput {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TopicVisitor)
    }
}

struct TopicVisitor;

impl<'de> Visitor<'de> for TopicVisitor {
    type Value = TopicInput;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lines in '''…''', or a table of partitions, as 0 = '''…'''")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TopicInput, E> {
        let input = Input::from_text(text).map_err(E::custom)?;
        Ok(TopicInput { partitions: BTreeMap::from([(0, input)]), count: 1 })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TopicInput, A::Error> {
        let mut topic = TopicInput::default();
        let mut whole = InputTable { lines: None, file: None, command: None, envelope: false };
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "lines" => whole.lines = map.next_value()?,
                "file" => whole.file = map.next_value()?,
                "command" => whole.command = map.next_value()?,
                "envelope" => whole.envelope = map.next_value()?,
                "partitions" => topic.count = map.next_value()?,
                number => {
                    let number = number.parse().map_err(|_| A::Error::unknown_field(number, TOPIC_FIELDS))?;
                    topic.partitions.insert(number, map.next_value()?);
                }
            }
        }
        topic.with_whole(whole).map_err(A::Error::custom)
    }
}

impl TopicInput {
    /// Takes what the table says of the whole topic: it is that of partition 0.
    fn with_whole(mut self, whole: InputTable) -> Result<Self, String> {
        let InputTable { lines, file, command, envelope } = whole;
        let says_whole = lines.is_some() || file.is_some() || command.is_some();
        match (says_whole, self.partitions.is_empty()) {
            (true, true) => {
                self.partitions.insert(0, Input { origin: origin(lines, file, command)?, envelope });
            }
            (true, false) => return Err("say lines, file or command of each partition, or of the topic".to_owned()),
            (false, _) => self.partitions.values_mut().for_each(|input| input.envelope |= envelope),
        }
        let last = self.partitions.keys().next_back().copied().unwrap_or(0);
        if self.partitions.keys().next().is_some_and(|first| *first < 0) || last > 9_999 {
            return Err("partitions are numbered from 0 to 9999".to_owned());
        }
        if self.count != 0 && !(last + 1..=10_000).contains(&self.count) {
            return Err(format!("partitions = {} and there is an input for partition {last}", self.count));
        }
        self.count = self.count.max(last + 1);
        Ok(self)
    }
}

/// Files in the folder of the test, by the name that they have there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(pub BTreeMap<String, Input>);

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(FilesVisitor)
    }
}

struct FilesVisitor;

impl<'de> Visitor<'de> for FilesVisitor {
    type Value = Files;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of paths, or a table of names and contents")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Files, A::Error> {
        let mut files = BTreeMap::new();
        while let Some(path) = list.next_element::<String>()? {
            files.insert(path.clone(), Input { origin: Origin::File(path), envelope: false });
        }
        Ok(Files(files))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Files, A::Error> {
        let mut files = BTreeMap::new();
        while let Some((name, input)) = map.next_entry()? {
            files.insert(name, input);
        }
        Ok(Files(files))
    }
}
