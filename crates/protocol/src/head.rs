//! The head of a snapshot: one line of JSON. What grows with the number of keys are entries of their own.

use std::io::{self, BufRead, Write};

use serde_json::{Map, Value, json};
use stream::Error;

/// The member of a head that says how it may be divided.
pub const DIVIDES: &str = "divides";

/// Writes and reads the head of a stage's snapshot.
#[derive(Debug, Default)]
pub struct Head {
    stage: &'static str,
    members: Map<String, Value>,
}

impl Head {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Says how `state reshard` may divide the state.
    #[must_use]
    pub fn divided(self, divides: Divides) -> Self {
        self.with(DIVIDES, divides.0)
    }

    /// Writes the line.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(self, to: &mut dyn Write) -> io::Result<()> {
        writeln!(to, "{}", Value::Object(self.members))
    }

    /// Reads the head of a snapshot of the stage with this name.
    ///
    /// # Errors
    /// When there is no such line.
    pub fn read(from: &mut dyn BufRead, stage: &'static str) -> Result<Self, Error> {
        let head = Self { stage, members: Map::new() };
        match serde_json::from_reader(from) {
            Ok(Value::Object(members)) => Ok(Self { members, ..head }),
            _ => Err(head.damaged()),
        }
    }

    /// Returns a member; null if there is none.
    #[must_use]
    pub fn value(&self, name: &str) -> &Value {
        self.members.get(name).unwrap_or(&Value::Null)
    }

    /// Returns a count.
    ///
    /// # Errors
    /// When there is none.
    pub fn count(&self, name: &str) -> Result<u64, Error> {
        self.value(name).as_u64().ok_or_else(|| self.damaged())
    }

    /// Returns what was true or false.
    ///
    /// # Errors
    /// When there is none.
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        self.value(name).as_bool().ok_or_else(|| self.damaged())
    }

    /// Returns a number that may be null.
    ///
    /// # Errors
    /// When there is something else.
    pub fn maybe(&self, name: &str) -> Result<Option<i64>, Error> {
        match self.value(name) {
            Value::Null => Ok(None),
            value => value.as_i64().map(Some).ok_or_else(|| self.damaged()),
        }
    }

    /// Checks what was restored from a member.
    ///
    /// # Errors
    /// When it was not.
    pub fn must(&self, is_restored: bool) -> Result<(), Error> {
        if is_restored { Ok(()) } else { Err(self.damaged()) }
    }

    /// The head is not what this stage has written.
    #[cold]
    #[must_use]
    pub fn damaged(&self) -> Error {
        Error::data(format_args!("the snapshot is damaged, or not of {}", self.stage))
    }
}

/// Says how the entries of a state may be divided by their keys, and the heads of shards joined.
///
/// Members are JSON pointers into the head: what may differ from shard to shard, and what it is together. All else must be the
/// same in all shards. `state reshard` reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Divides(Value);

impl Divides {
    /// Names of entries are keys of these expressions, the canonical texts with newlines between them. One may be a list of
    /// expressions that give the same.
    #[must_use]
    pub fn by(keys: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        let keys: Vec<Value> = keys.into_iter().map(Into::into).collect();
        Self(json!({ "by": keys }))
    }

    /// There are no entries: the heads alone are joined.
    #[must_use]
    pub fn heads() -> Self {
        Self(json!({}))
    }

    /// This shard remembers nothing yet, and need not agree with others.
    #[must_use]
    pub fn empty() -> Self {
        Self(json!({ "empty": true }))
    }

    /// A key is what stands after the first such text in the name of an entry.
    #[must_use]
    pub fn after(self, separator: &str) -> Self {
        self.with("behind", separator)
    }

    /// Together it is the largest.
    #[must_use]
    pub fn max(self, pointer: &str) -> Self {
        self.and("max", &[pointer])
    }

    /// Together it is the smallest.
    #[must_use]
    pub fn min(self, pointer: &str) -> Self {
        self.and("min", &[pointer])
    }

    /// Together it is the sum.
    #[must_use]
    pub fn sum(self, pointer: &str) -> Self {
        self.and("sum", &[pointer])
    }

    /// Together it is that of any shard.
    #[must_use]
    pub fn any(self, pointers: &[&str]) -> Self {
        self.and("any", pointers)
    }

    /// Some entries are lines as they came, and their key is in them: entries with names that begin with `named`, the line at
    /// `text` of the value; `next` is the number of the next line.
    #[must_use]
    pub fn lines(self, named: &str, text: &str, next: &str) -> Self {
        self.with("lines", json!({ "named": named, "text": text, "next": next }))
    }

    /// Entries are lists `[number of the last line,…,count of what is to be written,…]`, and below the number at this pointer
    /// all is written.
    #[must_use]
    pub fn written(self, pointer: &str) -> Self {
        self.with("written", pointer)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0[name] = value.into();
        self
    }

    fn and(mut self, name: &str, pointers: &[&str]) -> Self {
        let mut all: Vec<Value> = self.0[name].as_array().cloned().unwrap_or_default();
        all.extend(pointers.iter().map(|pointer| Value::from(*pointer)));
        self.0[name] = all.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let divides = Divides::by([".k"]).after("|").max("/lines").max("/sequence").any(&[]);
        let head = Head::new().with("lines", 7).with("is_on", true).with("at", Value::Null).divided(divides);
        let mut text = Vec::new();
        head.write(&mut text).unwrap();
        let expected = r#"{"lines":7,"is_on":true,"at":null,"divides":{"by":[".k"],"behind":"|","max":["/lines","/sequence"],"any":[]}}"#;
        assert_eq!(String::from_utf8_lossy(&text), format!("{expected}\n"));
        let head = Head::read(&mut text.as_slice(), "top").unwrap();
        assert_eq!((head.count("lines"), head.flag("is_on"), head.maybe("at")), (Ok(7), Ok(true), Ok(None)));
        let damaged = "the snapshot is damaged, or not of top";
        for error in
            [head.count("is_on").unwrap_err(), head.flag("lines").unwrap_err(), head.maybe("is_on").unwrap_err()]
        {
            assert_eq!(error.message, damaged);
        }
        for torn in ["", "{", "[]", "7"] {
            assert_eq!(Head::read(&mut torn.as_bytes(), "top").unwrap_err().message, damaged);
        }
    }
}
