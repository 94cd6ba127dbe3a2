//! What a pipeline must give: lines of a topic, of a file, of standard output.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use crate::model::short::{Short, text_or_table};

/// Which order lines must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Order {
    #[default]
    #[serde(rename = "exact")]
    Exact,
    #[serde(rename = "any")]
    Any,
    /// That of the lines with the same key.
    #[serde(rename = "by key")]
    ByKey,
}

/// Lines that must come out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    pub lines: Option<Spanned<String>>,
    /// A path beside the file of tests, with the lines.
    pub file: Option<String>,
    #[serde(default)]
    pub order: Order,
    /// The jq filter that gives a line's key; of a topic it need not be said: it is that of the messages.
    pub by: Option<String>,
    /// A jq filter: its results are compared, in place of the lines that came out.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// jq filters on the array of all lines: each must give true.
    #[serde(default)]
    pub check: Vec<String>,
    /// Whatever comes out is right.
    #[serde(default)]
    pub ignore: bool,
}

impl Output {
    /// Returns true if lines are told that must come out.
    #[must_use]
    pub fn has_lines(&self) -> bool {
        self.lines.is_some() || self.file.is_some()
    }

    /// # Errors
    /// What contradicts itself.
    fn checked(self) -> Result<Self, &'static str> {
        match () {
            () if self.lines.is_some() && self.file.is_some() => Err("an output says lines or file, not both"),
            () if self.ignore && (self.has_lines() || !self.check.is_empty()) => {
                Err("ignore = true, and yet something is expected")
            }
            () if self.by.is_some() && self.order != Order::ByKey => Err("by is for order = \"by key\""),
            () => Ok(self),
        }
    }
}

impl<'de> Short<'de> for Output {
    const FORMS: &'static str = "lines in '''…''', or a table with lines, file, order, by, where, check, ignore";

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self { lines: Some(Spanned::new(0..0, text.to_owned())), ..Self::default() })
    }

    fn from_table<A: MapAccess<'de>>(table: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        Self::deserialize(table)?.checked().map_err(A::Error::custom)
    }
}

/// Reads a text or a table.
pub fn output<'de, D: Deserializer<'de>>(from: D) -> Result<Output, D::Error> {
    text_or_table(from)
}

/// An output that may be written short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnyOutput(pub Output);

impl<'de> Deserialize<'de> for AnyOutput {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        output(from).map(Self)
    }
}

/// What must be in a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicOutput {
    /// All partitions together, one after the other.
    pub whole: Output,
    /// Each by itself, instead.
    pub parts: BTreeMap<i32, Spanned<Output>>,
    /// Messages are compared with key and headers, as `kafka-cat-in --envelope` writes them; without offset and time.
    pub envelope: bool,
    /// How many partitions it has when the pipeline begins.
    pub count: i32,
}

const FIELDS: &[&str] =
    &["0", "1, …", "lines", "file", "order", "by", "where", "check", "ignore", "envelope", "partitions"];

impl<'de> Deserialize<'de> for TopicOutput {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TopicVisitor)
    }
}

struct TopicVisitor;

impl<'de> Visitor<'de> for TopicVisitor {
    type Value = TopicOutput;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lines in '''…''', or a table with lines, file, order, by, where, check, ignore, or of partitions")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TopicOutput, E> {
        let whole = Output::from_text(text).map_err(E::custom)?;
        Ok(TopicOutput { whole, count: 1, ..TopicOutput::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TopicOutput, A::Error> {
        let mut topic = TopicOutput::default();
        while let Some(key) = map.next_key::<String>()? {
            let whole = &mut topic.whole;
            match key.as_str() {
                "lines" => whole.lines = map.next_value()?,
                "file" => whole.file = map.next_value()?,
                "order" => whole.order = map.next_value()?,
                "by" => whole.by = map.next_value()?,
                "where" => whole.filter = map.next_value()?,
                "check" => whole.check = map.next_value()?,
                "ignore" => whole.ignore = map.next_value()?,
                "envelope" => topic.envelope = map.next_value()?,
                "partitions" => topic.count = map.next_value()?,
                number => {
                    let number = number.parse().map_err(|_| A::Error::unknown_field(number, FIELDS))?;
                    topic.parts.insert(number, part(&mut map)?);
                }
            }
        }
        topic.checked().map_err(A::Error::custom)
    }
}

fn part<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Spanned<Output>, A::Error> {
    let value: Spanned<AnyOutput> = map.next_value()?;
    let span = value.span();
    Ok(Spanned::new(span, value.into_inner().0))
}

impl TopicOutput {
    fn checked(mut self) -> Result<Self, &'static str> {
        if self.whole.has_lines() && !self.parts.is_empty() {
            return Err("say the lines of each partition, or of the topic");
        }
        self.whole = self.whole.checked()?;
        let last = self.parts.keys().next_back().copied().unwrap_or(0);
        if self.parts.keys().next().is_some_and(|first| *first < 0) || last.max(self.count - 1) > 9_999 {
            return Err("partitions are numbered from 0 to 9999");
        }
        self.count = self.count.max(last + 1);
        Ok(self)
    }
}
