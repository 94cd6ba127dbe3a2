//! What time it is in a stream: from the times of its lines, or from watermarks that it already has.

use crate::{TimeError, TimeParser, TimeUnit, Timezone, TooManyPartitions, Watermarks, format_rfc3339, parse_rfc3339};
use serde_json::{Value, json};
use units::{DurationMs, format_duration};

/// The settings of [`StreamTime`], as flags give them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSettings {
    pub unit: TimeUnit,
    /// Of times that do not say theirs.
    pub zone: Option<Timezone>,
    /// How far behind the latest line a line may come.
    pub lateness_ms: i64,
    /// How long a partition with nothing to read holds time back.
    pub idle_ms: i64,
    /// How far ahead of the clock a line may be; none: as far as it says.
    pub max_ahead_ms: Option<i64>,
}

/// A time that cannot be taken from a line or a mark.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamTimeError {
    #[error(transparent)]
    Unreadable(#[from] TimeError),
    /// One wrong clock must not close everyone's windows.
    #[error("time {time} is {ahead} ahead of the clock, more than {max} (--max-ahead)")]
    Ahead { time: String, ahead: String, max: String },
    #[error("watermark {0:?} is not RFC 3339")]
    BadWatermark(String),
    #[error("{0} mark without a part")]
    NoPart(String),
    #[error(transparent)]
    TooManyPartitions(#[from] TooManyPartitions),
}

/// Reads the times of lines and keeps the watermark.
///
/// A stream with watermark marks of its own has its time from them: the times of its lines then move nothing.
#[derive(Debug, Clone)]
pub struct StreamTime {
    settings: TimeSettings,
    parser: TimeParser,
    watermarks: Watermarks,
    /// The stream has watermark marks, of which this is the latest.
    given: bool,
    watermark_ms: Option<i64>,
    /// What a user said of lateness, until it turns out that nobody asks for it.
    lateness_said: Option<DurationMs>,
}

impl StreamTime {
    pub fn new(settings: TimeSettings) -> Self {
        Self {
            parser: TimeParser::new(settings.unit).in_zone(settings.zone.clone()).with_lateness(settings.lateness_ms),
            watermarks: Watermarks::new(settings.lateness_ms, settings.idle_ms),
            given: false,
            watermark_ms: None,
            lateness_said: None,
            settings,
        }
    }

    /// A user said so much of lateness.
    #[must_use]
    pub fn with_lateness_said(self, lateness_said: Option<DurationMs>) -> Self {
        Self { lateness_said, ..self }
    }

    /// What to tell people, once, when the stream turns out to have its time from its own marks: `--lateness` has no part in it.
    pub fn unused_lateness(&mut self) -> Option<String> {
        let lateness = self.lateness_said.take_if(|_| self.given)?;
        Some(format!(
            "--lateness {lateness} is not used: the stream has watermarks already\nhint: give it to the stage that makes them"
        ))
    }

    /// The watermark; none before it is known.
    #[inline]
    pub fn watermark_ms(&self) -> Option<i64> {
        self.watermark_ms
    }

    /// The time in a line's field, as JSON text. It changes nothing until it is observed.
    #[inline]
    pub fn read(&mut self, json: &[u8], now_ms: i64) -> Result<i64, StreamTimeError> {
        let time_ms = self.parser.parse_field(json)?;
        match self.settings.max_ahead_ms {
            Some(max_ms) if time_ms.saturating_sub(now_ms) > max_ms => Err(ahead(time_ms, now_ms, max_ms)),
            _ => Ok(time_ms),
        }
    }

    /// Returns, once, what looks wrong with the times that were read: a warning, with a hint in a second line.
    #[inline]
    pub fn take_doubt(&mut self) -> Option<String> {
        self.parser.take_doubt()
    }

    /// A line with this time came. Returns the watermark if this moved it.
    #[inline]
    pub fn observe(&mut self, time_ms: i64) -> Option<i64> {
        let moved_ms = self.watermarks.observe(time_ms)?;
        self.moved(Some(moved_ms))
    }

    /// A from mark: the lines that follow come from `part`.
    pub fn from(&mut self, part: &str) -> Result<(), StreamTimeError> {
        Ok(self.watermarks.from(part)?)
    }

    /// An idle mark. Returns the watermark if this moved it.
    pub fn idle(&mut self, part: &str, is_final: bool, now_ms: i64) -> Result<Option<i64>, StreamTimeError> {
        let moved_ms = self.watermarks.idle(part, is_final, now_ms)?;
        Ok(self.moved(moved_ms))
    }

    /// A watermark mark; without a time it says that watermarks will come. Returns the watermark if this moved it.
    pub fn given(&mut self, time: Option<&str>) -> Result<Option<i64>, StreamTimeError> {
        self.given = true;
        let Some(text) = time else { return Ok(None) };
        let Some(time_ms) = parse_rfc3339(text.as_bytes()) else {
            return Err(StreamTimeError::BadWatermark(text.to_owned()));
        };
        if self.watermark_ms.is_some_and(|old_ms| time_ms <= old_ms) {
            return Ok(None);
        }
        self.watermark_ms = Some(time_ms);
        Ok(self.watermark_ms)
    }

    /// Takes a mark of `kind` with the fields that `get` finds, if it is one about time: from, idle or watermark.
    /// Returns none for any other, else the watermark if this moved it.
    pub fn mark<'m>(
        &mut self,
        kind: &str,
        get: impl Fn(&str) -> Option<&'m Value>,
        now_ms: i64,
    ) -> Result<Option<Option<i64>>, StreamTimeError> {
        let part = || get("part").and_then(Value::as_str).ok_or_else(|| StreamTimeError::NoPart(kind.to_owned()));
        match kind {
            "from" => self.from(part()?).map(|()| Some(None)),
            "idle" => {
                let is_final = get("final").and_then(Value::as_bool).unwrap_or(false);
                self.idle(part()?, is_final, now_ms).map(Some)
            }
            "watermark" => match get("time") {
                None | Some(Value::Null) => self.given(None).map(Some),
                Some(Value::String(time)) => self.given(Some(time)).map(Some),
                Some(other) => Err(StreamTimeError::BadWatermark(other.to_string())),
            },
            _ => Ok(None),
        }
    }

    /// When [`wake`](Self::wake) is due.
    pub fn wake_at(&self) -> Option<i64> {
        self.watermarks.wake_at()
    }

    /// The clock has moved on. Returns the watermark if this moved it.
    pub fn wake(&mut self, now_ms: i64) -> Option<i64> {
        let moved_ms = self.watermarks.wake(now_ms);
        self.moved(moved_ms)
    }

    #[inline]
    fn moved(&mut self, moved_ms: Option<i64>) -> Option<i64> {
        if self.given {
            return None;
        }
        self.watermark_ms = moved_ms.or(self.watermark_ms);
        moved_ms
    }

    pub fn snapshot(&self) -> Value {
        json!({
            "watermark_ms": self.watermark_ms,
            "given": self.given,
            "generator": self.watermarks.snapshot(),
        })
    }

    /// Whether the stream has watermarks of its own.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.given
    }

    /// What to do about late lines, for people.
    #[must_use]
    pub fn late_hint(&self) -> &'static str {
        if self.given {
            "a longer --lateness where the watermarks are made waits for such lines, --late reject keeps them aside"
        } else {
            "a longer --lateness waits for such lines, --late reject keeps them aside"
        }
    }

    /// What is of no account in a snapshot that stands in a head as `time`, as JSON pointers: the times of lines, where
    /// watermarks are given. State that is put together from shards may have any of theirs.
    #[must_use]
    pub fn of_no_account(&self) -> &'static [&'static str] {
        if self.given { &["/time/generator"] } else { &[] }
    }

    /// Takes the state of a snapshot of the same settings; false if `value` is none.
    #[must_use]
    pub fn restore(&mut self, value: &Value) -> bool {
        let settings = &self.settings;
        let restored = value
            .get("generator")
            .and_then(|generator| Watermarks::restore(settings.lateness_ms, settings.idle_ms, generator));
        let given = value.get("given").and_then(Value::as_bool);
        let (Some(watermarks), Some(given)) = (restored, given) else { return false };
        self.watermarks = watermarks;
        self.given = given;
        self.watermark_ms = value.get("watermark_ms").and_then(Value::as_i64);
        true
    }
}

impl StreamTimeError {
    /// The reason, with a hint in a second line where there is one.
    #[cold]
    #[must_use]
    pub fn with_hint(&self) -> String {
        match self {
            Self::Unreadable(error) => error.with_hint(),
            _ => self.to_string(),
        }
    }
}

#[cold]
fn ahead(time_ms: i64, now_ms: i64, max_ms: i64) -> StreamTimeError {
    StreamTimeError::Ahead {
        time: format_rfc3339(time_ms),
        ahead: format_duration(time_ms - now_ms),
        max: format_duration(max_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream_time() -> StreamTime {
        StreamTime::new(TimeSettings {
            unit: TimeUnit::Ms,
            zone: None,
            lateness_ms: 10,
            idle_ms: 1_000,
            max_ahead_ms: Some(300_000),
        })
    }

    #[test]
    fn a_time_far_ahead_of_the_clock_is_not_believed() {
        let mut time = stream_time();
        assert_eq!(time.read(b"300000", 0), Ok(300_000));
        let error = time.read(b"300001", 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "time 1970-01-01T00:05:00.001Z is 5m1ms ahead of the clock, more than 5m (--max-ahead)"
        );
        assert_eq!(time.watermark_ms(), None);
    }

    #[test]
    fn watermarks_that_are_given_replace_those_of_the_lines() {
        let mut time = stream_time();
        assert_eq!(time.given(None), Ok(None));
        assert_eq!(time.observe(5_000), None);
        assert_eq!(time.given(Some("1970-01-01T00:00:01Z")), Ok(Some(1_000)));
        assert_eq!(time.given(Some("1970-01-01T00:00:00.500Z")), Ok(None));
        assert_eq!(time.watermark_ms(), Some(1_000));
        assert!(time.given(Some("now")).is_err());
    }

    #[test]
    fn marks_about_time_are_told_from_others() {
        let mut time = stream_time();
        let mut take = |text: &str| {
            let mark: Value = serde_json::from_str(text).unwrap();
            time.mark(mark["$"].as_str().unwrap(), |name| mark.get(name), 0).map_err(|e| e.to_string())
        };
        assert_eq!(take(r#"{"$":"from","part":"a/0"}"#), Ok(Some(None)));
        assert_eq!(take(r#"{"$":"idle","part":"a/0","final":true}"#), Ok(Some(None)));
        assert_eq!(take(r#"{"$":"sonar"}"#), Ok(None));
        assert_eq!(take(r#"{"$":"from"}"#), Err("from mark without a part".to_owned()));
        assert_eq!(take(r#"{"$":"watermark","time":5}"#), Err("watermark \"5\" is not RFC 3339".to_owned()));
        assert_eq!(take(r#"{"$":"watermark","time":null}"#), Ok(Some(None)));
        assert_eq!(take(r#"{"$":"watermark","time":"1970-01-01T00:00:05Z"}"#), Ok(Some(Some(5_000))));
    }

    #[test]
    fn a_restored_stream_time_goes_on_where_it_was() {
        let mut time = stream_time();
        time.from("a/0").unwrap();
        assert_eq!(time.observe(5_000), Some(4_990));
        let mut again = stream_time();
        assert!(again.restore(&time.snapshot()));
        assert_eq!(again.watermark_ms(), Some(4_990));
        assert_eq!(again.observe(4_999), None);
        assert_eq!(again.observe(5_001), Some(4_991));
        assert!(!again.restore(&Value::Null));
    }
}
