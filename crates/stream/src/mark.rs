//! Marks: the control lines of the stream (docs/contract.md).
//!
//! A mark is kept as the JSON it came as: members that are not known here pass through unchanged, as marks of other kinds do.

use serde_json::{Map, Value};
use time_text::{format_rfc3339, parse_rfc3339};

use crate::fault::Error;
use crate::kind::MarkKind;

/// A line that starts with these bytes is a mark; a data line never does.
pub const PREFIX: &[u8] = b"{\"$\":";

const PART: &str = "part";
const TIME: &str = "time";
const START: &str = "start";
const END: &str = "end";
const BY: &str = "by";

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
    /// Makes a mark without fields; `with` adds them.
    pub fn new<'k>(kind: impl Into<MarkKind<'k>>) -> Self {
        let mut fields = Map::new();
        fields.insert("$".to_owned(), Value::from(kind.into().name()));
        Self { fields }
    }

    /// Makes the mark after which lines come from this partition.
    pub fn from_part(part: &str) -> Self {
        Self::new(MarkKind::From).with(PART, part)
    }

    /// Makes the mark of a partition in which there is nothing to read now; `last`: nor ever again.
    pub fn idle(part: &str, last: bool) -> Self {
        Self::new(MarkKind::Idle).with(PART, part).with("final", last)
    }

    /// Makes a watermark of this time in milliseconds; without one it says that watermarks will come.
    pub fn watermark(time_ms: Option<i64>) -> Self {
        Self::new(MarkKind::Watermark).with(TIME, time_ms.map(format_rfc3339))
    }

    /// Makes the mark of a window of slices.
    pub fn window(start_ms: i64, end_ms: i64) -> Self {
        Self::new(MarkKind::Window).with(START, format_rfc3339(start_ms)).with(END, format_rfc3339(end_ms))
    }

    /// Makes the mark of slices of sessions of these fields.
    pub fn sessions(by: Vec<String>) -> Self {
        Self::new(MarkKind::Sessions).with(BY, by)
    }

    /// Makes the mark of slices of windows of so many lines of these fields.
    pub fn counts(by: Vec<String>, size: u64, slide: u64) -> Self {
        Self::new(MarkKind::Counts).with(BY, by).with("size", size).with("slide", slide)
    }

    /// Returns the partition of a from or idle mark.
    ///
    /// # Errors
    /// When it has none.
    pub fn part(&self) -> Result<&str, Error> {
        self.text(PART).ok_or_else(|| Error::data(format_args!("{} mark without a part", self.kind())))
    }

    /// Returns true for an idle mark of a partition that ends.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.flag("final")
    }

    /// Returns the time of a watermark, in milliseconds; none where it only says that watermarks will come.
    ///
    /// # Errors
    /// When it is no time.
    pub fn watermark_ms(&self) -> Result<Option<i64>, Error> {
        match self.get(TIME) {
            None | Some(Value::Null) => Ok(None),
            Some(time) => match time.as_str().and_then(|text| parse_rfc3339(text.as_bytes())) {
                Some(time_ms) => Ok(Some(time_ms)),
                None => Err(Error::data(format_args!("watermark {time} is not RFC 3339"))),
            },
        }
    }

    /// Returns the same watermark with another time.
    #[must_use]
    pub fn with_watermark_ms(&self, time_ms: i64) -> Self {
        self.clone().with(TIME, format_rfc3339(time_ms))
    }

    /// Returns start and end of a window mark, in milliseconds.
    ///
    /// # Errors
    /// When it has not both, in this order.
    pub fn window_ms(&self) -> Result<(i64, i64), Error> {
        let bound = |name| self.text(name).and_then(|text| parse_rfc3339(text.as_bytes()));
        match (bound(START), bound(END)) {
            (Some(start_ms), Some(end_ms)) if start_ms < end_ms => Ok((start_ms, end_ms)),
            _ => Err(Error::data(format_args!("window mark without start and end: {self}"))),
        }
    }

    /// Returns the fields by which the windows of a sessions or counts mark are.
    pub fn by(&self) -> impl Iterator<Item = &str> {
        let names = self.get(BY).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        names.iter().map(|name| name.as_str().unwrap_or_default())
    }

    /// Returns size and slide of a counts mark, in lines.
    ///
    /// # Errors
    /// When it has no size.
    pub fn size_and_slide(&self) -> Result<(i64, i64), Error> {
        let number = |name| self.number(name).and_then(|number| i64::try_from(number).ok()).filter(|n| *n > 0);
        let size = number("size").ok_or_else(|| Error::data(format_args!("counts mark without size: {self}")))?;
        Ok((size, number("slide").unwrap_or(size)))
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

    pub fn kind(&self) -> MarkKind<'_> {
        MarkKind::from(self.text("$").unwrap_or_default())
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
        assert_eq!(mark.kind(), MarkKind::Other("sonar"));
        assert_eq!(mark.to_string().as_bytes(), line);
    }

    #[test]
    fn what_is_written_is_read() {
        let read = |mark: &Mark| Mark::parse(mark.to_string().as_bytes()).unwrap();
        let mark = read(&Mark::watermark(Some(1_500)));
        assert_eq!((mark.kind(), mark.watermark_ms()), (MarkKind::Watermark, Ok(Some(1_500))));
        assert_eq!(mark.with_watermark_ms(1_000).to_string(), r#"{"$":"watermark","time":"1970-01-01T00:00:01Z"}"#);
        assert_eq!(read(&Mark::watermark(None)).watermark_ms(), Ok(None));
        assert_eq!(read(&Mark::window(0, 1_000)).window_ms(), Ok((0, 1_000)));
        let mark = read(&Mark::counts(vec!["k".to_owned()], 10, 5));
        assert_eq!((mark.by().collect::<Vec<_>>(), mark.size_and_slide()), (vec!["k"], Ok((10, 5))));
        assert_eq!(read(&Mark::sessions(vec!["k".to_owned()])).kind(), MarkKind::Sessions);
        let mark = read(&Mark::idle("t/0", true));
        assert_eq!((mark.kind(), mark.part(), mark.is_final()), (MarkKind::Idle, Ok("t/0"), true));
        assert_eq!(read(&Mark::from_part("t/0")).part(), Ok("t/0"));
    }

    #[test]
    fn a_mark_that_lacks_what_it_is_about_is_an_error() {
        let said = |text: &str| {
            let mark = Mark::parse(text.as_bytes()).unwrap();
            let errors = match mark.kind() {
                MarkKind::Watermark => mark.watermark_ms().map(drop),
                MarkKind::Window => mark.window_ms().map(drop),
                MarkKind::Counts => mark.size_and_slide().map(drop),
                _ => mark.part().map(drop),
            };
            errors.unwrap_err().message
        };
        assert_eq!(said(r#"{"$":"from"}"#), "from mark without a part");
        assert_eq!(said(r#"{"$":"watermark","time":5}"#), "watermark 5 is not RFC 3339");
        assert_eq!(said(r#"{"$":"watermark","time":"now"}"#), "watermark \"now\" is not RFC 3339");
        let window = r#"{"$":"window","start":"1970-01-01T00:00:01Z","end":"1970-01-01T00:00:01Z"}"#;
        assert_eq!(said(window), format!("window mark without start and end: {window}"));
        assert_eq!(said(r#"{"$":"counts","size":0}"#), r#"counts mark without size: {"$":"counts","size":0}"#);
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
