//! Marks: the control lines of the stream (docs/contract.md).
//!
//! A mark is kept as the JSON it came as. Whoever needs a field asks for it by name, and a kind that
//! nobody knows passes through unchanged.

use serde_json::{Map, Value};

use crate::fault::Error;

/// A line that starts with these bytes is a mark; a data line never does.
pub const PREFIX: &[u8] = b"{\"$\":";

/// The kind of the mark that a stage of a checked stream ends with when it has failed for good.
pub(crate) const FAILED: &str = "failed";

/// That of one that has failed, and may do better when it is started again; or of the next one, where it could say nothing more.
pub(crate) const DIED: &str = "died";

/// What the stages before this one said of their own end.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastWords {
    /// A stage that has failed for good.
    pub failed: Option<String>,
    /// A stage that has ended too early.
    pub died: Option<String>,
}

impl LastWords {
    /// Takes a mark of these two kinds; false for any other mark.
    pub fn take(&mut self, mark: &Mark) -> bool {
        let (who, field) = match mark.kind() {
            FAILED => (&mut self.failed, "by"),
            DIED => (&mut self.died, "stage"),
            _ => return false,
        };
        *who = mark.text(field).map(str::to_owned);
        true
    }
}

/// True when the line is a mark.
#[inline]
pub fn is_mark(line: &[u8]) -> bool {
    line.starts_with(PREFIX)
}

/// Appends a line that is data, so that it is no mark, whatever it begins with.
#[inline]
pub fn push_as_data(line: &[u8], to: &mut Vec<u8>) {
    match line.strip_prefix(PREFIX) {
        None => to.extend_from_slice(line),
        Some(rest) => {
            to.extend_from_slice(b"{ ");
            to.extend_from_slice(&PREFIX[1..]);
            to.extend_from_slice(rest);
        }
    }
}

/// One control line: a kind and its fields, in the order written.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    fields: Map<String, Value>,
}

impl Mark {
    /// A mark without fields; `with` adds them.
    pub fn new(kind: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("$".to_owned(), Value::from(kind));
        Self { fields }
    }

    /// The lines that follow come from this partition.
    pub fn from_part(part: &str) -> Self {
        Self::new("from").with("part", part)
    }

    /// Nothing to read in this partition now; `last`: nor ever again.
    pub fn idle(part: &str, last: bool) -> Self {
        Self::new("idle").with("part", part).with("final", last)
    }

    /// Reads a line that [`is_mark`].
    ///
    /// # Errors
    /// When it is not a JSON object whose `$` is a string.
    pub fn parse(line: &[u8]) -> Result<Self, Error> {
        let broken = |why: &str| {
            let text = String::from_utf8_lossy(&line[..line.len().min(80)]);
            Error::data(format_args!("not a mark: {text}: {why}"))
                .hint("data that starts with {\"$\": must have a space behind the brace: { \"$\":")
        };
        match serde_json::from_slice(line) {
            Ok(Value::Object(fields)) if fields.get("$").is_some_and(Value::is_string) => Ok(Self { fields }),
            Ok(_) => Err(broken("its $ is not a string")),
            Err(_) => Err(broken("not JSON")),
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    pub fn remove(&mut self, name: &str) {
        self.fields.shift_remove(name);
    }

    pub fn kind(&self) -> &str {
        self.text("$").unwrap_or_default()
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(Value::as_u64)
    }

    pub fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The fields as a data line that any stage can read: so a dead letter is kept.
    pub fn as_data(&self) -> String {
        let mut fields = self.fields.clone();
        fields.shift_remove("$");
        Value::Object(fields).to_string()
    }

    /// Compact JSON, `$` first, without a newline.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Writing a map of JSON values to memory cannot fail.
        let _ = serde_json::to_writer(out, &self.fields);
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::new();
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_written_as_it_was_read() {
        let line = br#"{"$":"sonar","b":1,"a":[true,null,"x"]}"#;
        let mark = Mark::parse(line).unwrap();
        assert_eq!(mark.kind(), "sonar");
        assert_eq!(mark.to_string().as_bytes(), line);
    }

    #[test]
    fn a_rejected_line_is_kept_as_in_a_file_of_rejects() {
        let reject =
            Mark::parse(br#"{"$":"reject","by":"window","why":"late","at":"line 3","line":"{\"a\":1}"}"#).unwrap();
        assert_eq!(reject.as_data(), r#"{"by":"window","why":"late","at":"line 3","line":"{\"a\":1}"}"#);
    }

    #[test]
    fn a_torn_mark_is_an_error_that_shows_it() {
        let error = Mark::parse(br#"{"$":"water"#).unwrap_err();
        assert!(error.message.contains(r#"{"$":"water"#), "{error}");
    }

    #[test]
    fn data_with_a_space_behind_the_brace_is_no_mark() {
        assert!(is_mark(br#"{"$":1}"#));
        assert!(!is_mark(br#"{ "$":1}"#));
        for line in [&br#"{"$":1}"#[..], br#"{"$":1,"a":{"$":2}}"#, br#"{"$"}"#, br#"{ "$":1}"#, b"{}", b"7"] {
            let mut data = Vec::new();
            push_as_data(line, &mut data);
            assert!(
                !is_mark(&data)
                    && data.iter().filter(|byte| **byte != b' ').eq(line.iter().filter(|byte| **byte != b' '))
            );
        }
    }
}
