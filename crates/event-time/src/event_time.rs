//! The time of a stage: where it is in a line, and what time it is in the stream.

use line_values::Expression;
use serde_json::{Map, Value};
use stream::{Error, Fault, Mark};

use crate::{OtherLines, StreamTime, no_time};

/// Reads the times of a stage's lines and keeps the watermark. It may be none: then all lines have time 0.
#[derive(Default)]
pub struct EventTime(Option<Inner>);

struct Inner {
    field: Expression,
    stream: StreamTime,
    /// Reads lines that `--where` lets pass.
    others: OtherLines,
    /// Something depends on the watermark.
    is_watched: bool,
}

impl EventTime {
    /// Lines have no times.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    #[must_use]
    pub fn new(field: Expression, stream: StreamTime) -> Self {
        Self(Some(Inner { others: OtherLines::new(&field), field, stream, is_watched: true }))
    }

    /// Only the times of lines count: nothing depends on the watermark, and marks are of no interest.
    #[must_use]
    pub fn unwatched(self) -> Self {
        Self(self.0.map(|inner| Inner { is_watched: false, ..inner }))
    }

    #[must_use]
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Returns where the time of a line is.
    #[must_use]
    pub fn field(&self) -> Option<&Expression> {
        self.0.as_ref().map(|inner| &inner.field)
    }

    #[inline]
    fn watched(&mut self) -> Option<&mut Inner> {
        self.0.as_mut().filter(|inner| inner.is_watched)
    }

    /// Returns the time of a line in milliseconds, by the JSON text of its field. It moves nothing until it is observed.
    ///
    /// # Errors
    /// `Bad` when the line has none, or one that is no time or too far ahead of the clock.
    #[inline]
    pub fn read(&mut self, text: Option<&[u8]>, line: &[u8], now_ms: i64) -> Result<i64, Fault> {
        let Some(inner) = &mut self.0 else { return Ok(0) };
        read(&mut inner.stream, &inner.field, text, line, now_ms)
    }

    /// The same for lines that have their time in another field.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_of(&mut self, field: &Expression, text: Option<&[u8]>, line: &[u8], now_ms: i64) -> Result<i64, Fault> {
        self.0.as_mut().map_or(Ok(0), |inner| read(&mut inner.stream, field, text, line, now_ms))
    }

    /// Returns the watermark; none before it is known, and where nothing depends on it.
    #[inline]
    #[must_use]
    pub fn watermark_ms(&self) -> Option<i64> {
        self.0.as_ref().filter(|inner| inner.is_watched)?.stream.watermark_ms()
    }

    /// Notes that a line with this time has come. Returns the watermark if this moved it.
    #[inline]
    pub fn observe(&mut self, time_ms: i64) -> Option<i64> {
        self.watched()?.stream.observe(time_ms)
    }

    /// Notes a line that passes. Returns the watermark if this moved it. What cannot be read there moves nothing.
    pub fn pass(&mut self, line: &[u8], now_ms: i64) -> Option<i64> {
        let inner = self.watched()?;
        inner.others.observe(line, &mut inner.stream, now_ms)
    }

    /// Takes a mark, if it is one about time. Returns none for any other, else the watermark if this moved it.
    ///
    /// # Errors
    /// As [`StreamTime::mark`].
    pub fn mark(&mut self, mark: &Mark, now_ms: i64) -> Result<Option<Option<i64>>, Error> {
        self.watched().map_or(Ok(None), |inner| inner.stream.mark(mark, now_ms))
    }

    /// Returns, once, what people should know of the times that came.
    #[inline]
    pub fn take_warning(&mut self) -> Option<String> {
        let stream = &mut self.0.as_mut()?.stream;
        stream.take_doubt().or_else(|| stream.unused_lateness())
    }

    /// Says when [`wake`](Self::wake) is due, in milliseconds of the epoch.
    #[must_use]
    pub fn wake_at(&self) -> Option<i64> {
        self.0.as_ref().filter(|inner| inner.is_watched)?.stream.wake_at()
    }

    /// Takes the clock. Returns the watermark if this moved it.
    pub fn wake(&mut self, now_ms: i64) -> Option<i64> {
        self.watched()?.stream.wake(now_ms)
    }

    /// Returns true if the stream has watermarks of its own.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.stream.is_given())
    }

    /// Returns what to do about late lines, for people.
    #[must_use]
    pub fn late_hint(&self) -> &'static str {
        self.0.as_ref().map_or("", |inner| inner.stream.late_hint())
    }

    /// As [`StreamTime::facts`].
    pub fn facts(&self, to: &mut Map<String, Value>) {
        if let Some(inner) = &self.0 {
            inner.stream.facts(to);
        }
    }

    /// Returns what a checkpoint keeps; null without times.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, |inner| inner.stream.snapshot())
    }

    /// Takes what a checkpoint kept of the same settings; false if `value` is not that.
    #[must_use]
    pub fn restore(&mut self, value: &Value) -> bool {
        self.0.as_mut().is_none_or(|inner| inner.stream.restore(value))
    }

    /// Returns pointers into a head in which the snapshot is the member `time`: what may be that of any shard.
    #[must_use]
    pub fn of_any_shard(&self) -> &'static [&'static str] {
        self.0.as_ref().map_or(&[], |inner| inner.stream.of_any_shard())
    }
}

#[inline]
fn read(
    stream: &mut StreamTime,
    field: &Expression,
    text: Option<&[u8]>,
    line: &[u8],
    now_ms: i64,
) -> Result<i64, Fault> {
    let text = text.ok_or_else(|| Fault::bad(no_time(field, line)))?;
    stream.read(text, now_ms).map_err(|error| Fault::bad(error.with_hint()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TimeArgs;

    fn event_time() -> EventTime {
        let args = TimeArgs { time: Some("t".parse().unwrap()), ..TimeArgs::default() };
        EventTime::new(args.field(), args.stream_time())
    }

    #[test]
    fn without_times_all_lines_have_one_and_nothing_moves() {
        let mut time = EventTime::none();
        assert_eq!(time.read(None, b"{}", 0), Ok(0));
        assert_eq!((time.observe(5), time.watermark_ms(), time.wake_at()), (None, None, None));
        assert_eq!(time.mark(&Mark::watermark(Some(5)), 0), Ok(None));
        assert!(time.snapshot().is_null() && time.restore(&Value::Null));
    }

    #[test]
    fn a_time_that_is_not_there_is_named() {
        let mut time = event_time();
        assert_eq!(time.read(Some(b"5000"), b"{\"t\":5000}", 5_000_000), Ok(5_000_000));
        let Err(Fault::Bad(why)) = time.read(None, b"{\"x\":1}", 0) else { panic!("it is there") };
        assert!(why.starts_with("no field \"t\"; the line has \"x\""), "{why}");
    }

    #[test]
    fn lines_that_pass_move_time_and_nothing_does_where_nothing_depends_on_it() {
        let mut time = event_time();
        assert_eq!(time.pass(b"{\"t\":7}", 0), Some(7_000));
        assert_eq!(time.pass(b"{\"t\":\"never\"}", 0), None);
        assert_eq!(time.mark(&Mark::watermark(Some(9_000)), 0), Ok(Some(Some(9_000))));
        let mut time = event_time().unwatched();
        assert_eq!((time.pass(b"{\"t\":7}", 0), time.observe(9_000), time.watermark_ms()), (None, None, None));
        assert_eq!(time.mark(&Mark::watermark(Some(9_000)), 0), Ok(None));
    }
}
