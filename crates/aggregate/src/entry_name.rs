//! Names of entries in a checkpoint: `2026-01-01T00:00:00Z/10s|"user-1"`, a span (its start and its length) and a key.
//! With `--memory` there can be several parts of a state: `2026-01-01T00:00:00Z/10s#2|"user-1"` began when the memory had
//! been emptied twice.

use event_time::{Scale, Window, format_rfc3339, parse_rfc3339};
use units::{format_duration, parse_duration};

use crate::keys;

/// Writes the names of one span.
#[derive(Debug)]
pub struct EntryName {
    text: String,
    span_len: usize,
}

impl EntryName {
    pub fn new(span: Window, scale: Scale) -> EntryName {
        let text = write_span(span, scale);
        EntryName { span_len: text.len(), text }
    }

    /// Of parts that began in this era.
    pub fn of_era(span: Window, scale: Scale, era: u64) -> EntryName {
        let mut name = EntryName::new(span, scale);
        if era > 0 {
            name.text.push('#');
            name.text.push_str(&era.to_string());
            name.span_len = name.text.len();
        }
        name
    }

    pub fn with(&mut self, key: &[u8]) -> &str {
        self.text.truncate(self.span_len);
        self.text.push('|');
        self.text.push_str(&keys::text(key));
        &self.text
    }
}

pub fn write_span(span: Window, scale: Scale) -> String {
    let length = span.end_ms.saturating_sub(span.start_ms);
    match scale {
        Scale::Time => format!("{}/{}", format_rfc3339(span.start_ms), format_duration(length)),
        Scale::Lines => format!("{}/{length}", span.start_ms),
    }
}

pub fn parse_span(text: &str, scale: Scale) -> Option<Window> {
    let (start, length) = text.split_once('/')?;
    let (start, length): (i64, i64) = match scale {
        Scale::Time => (parse_rfc3339(start.as_bytes())?, parse_duration(length).ok()?),
        Scale::Lines => (start.parse().ok()?, length.parse().ok()?),
    };
    let end = start.checked_add(length)?;
    (start < end).then_some(Window::new(start, end))
}

/// A span with its era.
pub fn parse_span_and_era(text: &str) -> Option<(Window, u64)> {
    let (span, era) = match text.split_once('#') {
        Some((span, era)) => (span, era.parse().ok().filter(|era| *era > 0)?),
        None => (text, 0),
    };
    Some((parse_span(span, Scale::Time)?, era))
}

/// Span and key.
pub fn split(name: &str) -> Option<(&str, &str)> {
    name.split_once('|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_span_and_key() {
        let hour = Window::new(1_767_225_600_000, 1_767_229_200_000);
        let mut names = EntryName::new(hour, Scale::Time);
        assert_eq!(names.with(b"\"a\"\n1"), "2026-01-01T00:00:00Z/1h|\"a\"\n1");
        assert_eq!(names.with(b"\"b|c\""), "2026-01-01T00:00:00Z/1h|\"b|c\"");
        assert_eq!(split(names.with(b"\"b|c\"")), Some(("2026-01-01T00:00:00Z/1h", "\"b|c\"")));
        assert_eq!(EntryName::new(Window::new(20, 30), Scale::Lines).with(b""), "20/10|");
    }

    #[test]
    fn parts_are_named_by_their_era() {
        let span = Window::new(0, 10_000);
        for (era, expected) in [(0, "1970-01-01T00:00:00Z/10s"), (12, "1970-01-01T00:00:00Z/10s#12")] {
            let mut name = EntryName::of_era(span, Scale::Time, era);
            let (text, key) = split(name.with(b"\"a#|b\"")).unwrap();
            assert_eq!((text, key), (expected, "\"a#|b\""));
            assert_eq!(parse_span_and_era(text), Some((span, era)));
        }
        for wrong in ["1970-01-01T00:00:00Z/10s#", "1970-01-01T00:00:00Z/10s#0", "1970-01-01T00:00:00Z/10s#-1"] {
            assert_eq!(parse_span_and_era(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn spans_are_read_back() {
        for (span, scale) in
            [((-5, 86_400_000), Scale::Time), ((0, 2_678_400_000), Scale::Time), ((7, 9), Scale::Lines)]
        {
            let span = Window::new(span.0, span.1);
            assert_eq!(parse_span(&write_span(span, scale), scale), Some(span));
        }
        for wrong in ["", "5", "5/", "5/0", "5/-1", "9223372036854775807/5", "x/1"] {
            assert_eq!(parse_span(wrong, Scale::Lines), None, "{wrong}");
        }
        assert_eq!(parse_span("2026-01-01T00:00:00Z/10", Scale::Time), None);
    }
}
