//! What time it is in a stream: from the times of its lines, or from watermarks that it already has.

use crate::{TimeError, TimeParser, TimeUnit, Timezone, Watermarks, format_rfc3339};
use serde_json::{Map, Value, json};
use stream::{Error, Mark, MarkKind};
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

/// A time that cannot be taken from a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamTimeError {
    #[error(transparent)]
    Unreadable(#[from] TimeError),
    /// One wrong clock must not close everyone's windows.
    #[error("time {time} is {ahead} ahead of the clock, more than {max} (--max-ahead)")]
    Ahead { time: String, ahead: String, max: String },
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

    /// Takes a mark, if it is one about time: from, idle or watermark. Returns none for any other, else the watermark if
    /// this moved it.
    ///
    /// # Errors
    /// When the mark lacks what it is about, or there are too many partitions.
    pub fn mark(&mut self, mark: &Mark, now_ms: i64) -> Result<Option<Option<i64>>, Error> {
        match mark.kind() {
            MarkKind::From => {
                self.watermarks.from(mark.part()?).map_err(Error::data)?;
                Ok(Some(None))
            }
            MarkKind::Idle => {
                let moved_ms = self.watermarks.idle(mark.part()?, mark.is_final(), now_ms).map_err(Error::data)?;
                Ok(Some(self.moved(moved_ms)))
            }
            MarkKind::Watermark => Ok(Some(self.given(mark.watermark_ms()?))),
            _ => Ok(None),
        }
    }

    /// The stream has a watermark mark; without a time it says that watermarks will come. Returns the watermark if this
    /// moved it.
    fn given(&mut self, time_ms: Option<i64>) -> Option<i64> {
        self.given = true;
        let is_later = time_ms > self.watermark_ms;
        self.watermark_ms = self.watermark_ms.max(time_ms);
        self.watermark_ms.filter(|_| is_later)
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

    /// Says, for those who watch a run, the `watermark`, and what holds it back: `holder` with the partition (`from`), the `time`
    /// of its newest line, that of any line (`newest`), and from when of the clock on it holds nothing back (`free_at`, and in words
    /// `rule`); no holder where watermarks are given.
    pub fn facts(&self, to: &mut Map<String, Value>) {
        if let Some(watermark_ms) = self.watermark_ms {
            to.insert("watermark".to_owned(), format_rfc3339(watermark_ms).into());
        }
        if self.given {
            return;
        }
        if let Some(holder) = self.watermarks.holder() {
            let time = |time_ms: Option<i64>| time_ms.map(format_rfc3339);
            let (newest, free_at) = (time(holder.newest_of_all_ms), time(holder.free_at_ms));
            let rule = free_at.as_ref().map(|at| format!("it is idle, and holds nothing back from {at} on"));
            let from = holder.part;
            let holder = json!({ "from": from, "time": time(holder.newest_ms), "newest": newest, "free_at": free_at, "rule": rule });
            to.insert("holder".to_owned(), holder);
        }
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

    /// Returns pointers into a head in which the snapshot is the member `time`: what may be that of any shard. Where watermarks
    /// are given, these are the times of lines, which then mean nothing.
    #[must_use]
    pub fn of_any_shard(&self) -> &'static [&'static str] {
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
    fn the_partition_that_holds_the_watermark_back_is_named() {
        let mut time = stream_time();
        let holder = |time: &StreamTime| {
            let mut facts = Map::new();
            time.facts(&mut facts);
            let holder = facts.remove("holder")?;
            Some(["from", "time", "newest", "free_at"].map(|member| holder[member].as_str().map(str::to_owned)))
        };
        let is = |members: [&str; 4]| Some(members.map(|text| (!text.is_empty()).then(|| text.to_owned())));
        assert_eq!(holder(&time), None);
        let mark = |text: &str| Mark::parse(text.as_bytes()).unwrap();
        for (part, seen_ms) in [("t/0", Some(5_000)), ("t/1", Some(3_000)), ("t/2", None)] {
            time.mark(&mark(&format!(r#"{{"$":"from","part":"{part}"}}"#)), 0).unwrap();
            seen_ms.map(|seen_ms| time.observe(seen_ms));
        }
        assert_eq!(holder(&time), is(["t/2", "", "1970-01-01T00:00:05Z", ""]));
        time.mark(&mark(r#"{"$":"idle","part":"t/2","final":true}"#), 0).unwrap();
        time.mark(&mark(r#"{"$":"idle","part":"t/1"}"#), 7_000).unwrap();
        let times = ["1970-01-01T00:00:03Z", "1970-01-01T00:00:05Z", "1970-01-01T00:00:08Z"];
        assert_eq!(holder(&time), is(["t/1", times[0], times[1], times[2]]));
        time.mark(&Mark::watermark(Some(1)), 0).unwrap();
        assert_eq!(holder(&time), None, "the stream has its own");
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
        assert_eq!(time.given(None), None);
        assert_eq!(time.observe(5_000), None);
        assert_eq!(time.given(Some(1_000)), Some(1_000));
        assert_eq!(time.given(Some(500)), None);
        assert_eq!(time.given(None), None);
        assert_eq!(time.watermark_ms(), Some(1_000));
    }

    #[test]
    fn marks_about_time_are_told_from_others() {
        let mut time = stream_time();
        let mut take = |text: &str| time.mark(&Mark::parse(text.as_bytes()).unwrap(), 0).map_err(|e| e.message);
        assert_eq!(take(r#"{"$":"from","part":"a/0"}"#), Ok(Some(None)));
        assert_eq!(take(r#"{"$":"idle","part":"a/0","final":true}"#), Ok(Some(None)));
        assert_eq!(take(r#"{"$":"sonar"}"#), Ok(None));
        assert_eq!(take(r#"{"$":"from"}"#), Err("from mark without a part".to_owned()));
        assert_eq!(take(r#"{"$":"watermark","time":5}"#), Err("watermark 5 is not RFC 3339".to_owned()));
        assert_eq!(take(r#"{"$":"watermark","time":null}"#), Ok(Some(None)));
        assert_eq!(take(r#"{"$":"watermark","time":"1970-01-01T00:00:05Z"}"#), Ok(Some(Some(5_000))));
    }

    #[test]
    fn a_restored_stream_time_goes_on_where_it_was() {
        let mut time = stream_time();
        time.mark(&Mark::from_part("a/0"), 0).unwrap();
        assert_eq!(time.observe(5_000), Some(4_990));
        let mut again = stream_time();
        assert!(again.restore(&time.snapshot()));
        assert_eq!(again.watermark_ms(), Some(4_990));
        assert_eq!(again.observe(4_999), None);
        assert_eq!(again.observe(5_001), Some(4_991));
        assert!(!again.restore(&Value::Null));
    }
}
