//! Sessions: lines of a key that are close in time.

use crate::annotation::{Annotator, Span, Target, write_times};
use crate::late::{HINT, Late};
use crate::line_reader::{LineReader, mark_path};
use crate::{Form, state};
use event_time::{ClosedSession, Sessions, StreamTime, Window, format_rfc3339};
use json_fields::FieldPath;
use millpipe::{Error, Fault, Late as Policy, Mark, Out};
use serde_json::{Value, json};
use std::io::{self, BufRead, Write};
use units::ByteSize;

/// What a kept line takes beside its bytes.
const LINE_BYTES: usize = 48;

/// The settings of [`SessionWindows`].
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// The time field.
    pub field: FieldPath,
    /// The fields of the key; none: one session for all lines.
    pub by: Vec<FieldPath>,
    pub gap_ms: i64,
    pub form: Form,
    /// The most sessions that may be open.
    pub sessions_max: usize,
    /// The most memory that kept lines may take.
    pub buffer: ByteSize,
}

/// A line that waits for its session to end, with its place in the input.
type Kept = (u64, Box<[u8]>);

/// Puts lines into sessions by key and time.
///
/// With marks, each line goes out at once with a session of its own, [t, t + gap), and what is kept of a session is
/// its span. Else its lines are kept until it closes, then written in order of arrival; sessions by (end, start, key).
pub struct SessionWindows {
    settings: SessionSettings,
    reader: LineReader,
    time: StreamTime,
    sessions: Sessions<Vec<u8>, Vec<Kept>>,
    lines_kept: u64,
    bytes_kept: usize,
    /// The number of the next line that is kept.
    next_line: u64,
    annotator: Annotator,
    members: Vec<u8>,
    key: Vec<u8>,
}

impl SessionWindows {
    pub fn new(settings: SessionSettings, time: StreamTime) -> Self {
        let required: Vec<FieldPath> = std::iter::once(&settings.field).chain(&settings.by).cloned().collect();
        Self {
            reader: LineReader::new(&required),
            time,
            sessions: Sessions::new(settings.sessions_max),
            lines_kept: 0,
            bytes_kept: 0,
            next_line: 0,
            annotator: Annotator::default(),
            members: Vec::new(),
            key: Vec::new(),
            settings,
        }
    }

    fn keeps_lines(&self) -> bool {
        self.settings.form != Form::Marked
    }

    fn take_line(&mut self, line: &[u8], span: Window, target: Target, out: &mut Out) -> Result<(), Fault> {
        let max = self.settings.sessions_max;
        let joined = self.sessions.join(self.key.as_slice(), span, Vec::new, |into, from| into.extend(from));
        let (_, kept) = joined.map_err(|full| {
            Error::data(full)
                .hint(format_args!("--max-keys allows {max} sessions, a shorter --session closes them sooner"))
        })?;
        if self.settings.form == Form::Marked {
            self.write(line, span, target, out);
            out.end_line();
            return Ok(());
        }
        kept.push((self.next_line, line.into()));
        self.next_line += 1;
        self.lines_kept += 1;
        self.bytes_kept += line.len() + LINE_BYTES;
        if self.bytes_kept > self.settings.buffer.as_usize() {
            let what = format!("the lines of open sessions take more than {}", self.settings.buffer);
            let hint = "--buffer allows more; aggregate behind window without --expand and --plain needs no lines kept";
            return Err(Error::data(what).hint(hint).into());
        }
        Ok(())
    }

    /// Writes the line into the buffer of `out`, not ended.
    fn write(&mut self, line: &[u8], span: Window, target: Target, out: &mut Out) {
        self.members.clear();
        write_times(if self.keeps_lines() { Span::Window } else { Span::Slice }, span, &mut self.members);
        self.annotator.write(line, target, &self.members, out.buffer());
    }

    fn moved(&mut self, moved_ms: Option<i64>, out: &mut Out) -> Result<(), Fault> {
        let Some(watermark_ms) = moved_ms else { return Ok(()) };
        if self.sessions.next_end_ms().is_none_or(|end_ms| watermark_ms < end_ms - 1) {
            return Ok(());
        }
        self.close(watermark_ms, out)?;
        if self.settings.form.has_marks() {
            out.mark(&Mark::new("watermark").with("time", format_rfc3339(watermark_ms)));
        }
        Ok(())
    }

    fn close(&mut self, watermark_ms: i64, out: &mut Out) -> Result<(), Fault> {
        for mut session in self.sessions.close(watermark_ms) {
            session.payload.sort_unstable_by_key(|(number, _)| *number);
            for (_, line) in session.payload {
                let target = self.reader.read(&line)?.target;
                self.write(&line, session.window, target, out);
                out.end_line();
                self.lines_kept -= 1;
                self.bytes_kept -= line.len() + LINE_BYTES;
            }
        }
        Ok(())
    }
}

impl millpipe::Stage for SessionWindows {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.settings.form.has_marks() {
            out.mark(&Mark::new("watermark").with("time", Value::Null));
        }
        if self.settings.form == Form::Marked {
            let by: Vec<String> = self.settings.by.iter().map(mark_path).collect();
            out.mark(&Mark::new("sessions").with("by", by));
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let found = self.reader.read(line)?;
        let (target, field) = (found.target, found.field(0)?);
        found.key(line, 1, &mut self.key)?;
        let time_ms = self.time.read(field.text(line), out.now_ms()).map_err(Fault::bad)?;
        let window = Window::new(time_ms, time_ms + self.settings.gap_ms);
        let closed = self.time.watermark_ms().filter(|watermark_ms| window.is_closed_by(*watermark_ms));
        match closed {
            Some(watermark_ms) if !self.sessions.touches(self.key.as_slice(), window) => {
                if out.late_policy() == Policy::Pass {
                    out.count_late_passed();
                    self.write(line, window, target, out);
                    out.end_line();
                } else {
                    out.late(line, Late { time_ms, window, watermark_ms }, HINT);
                }
            }
            _ => self.take_line(line, window, target, out)?,
        }
        let moved_ms = self.time.observe(time_ms);
        self.moved(moved_ms, out)
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match self.time.mark(mark.kind(), |name| mark.get(name), out.now_ms()).map_err(Error::data)? {
            Some(moved_ms) => self.moved(moved_ms, out)?,
            None => out.mark(mark),
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.close(i64::MAX, out)
    }

    fn wake_at(&self) -> Option<i64> {
        self.time.wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.time.wake(out.now_ms());
        self.moved(moved_ms, out)
    }

    fn held(&self) -> u64 {
        self.lines_kept
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let time = self.time.snapshot();
        state::write(to, &json!({"windows": "sessions", "time": time, "next_line": self.next_line}))?;
        for session in self.sessions.open_sessions() {
            state::write(to, &session_state(session))?;
        }
        Ok(())
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let values = state::read(from)?;
        let (head, sessions) = values.split_first().ok_or_else(state::damaged)?;
        self.take_head(head).ok_or_else(state::damaged)?;
        sessions.iter().try_for_each(|session| self.take_session(session)).ok_or_else(state::damaged)
    }
}

fn session_state(session: &ClosedSession<Vec<u8>, Vec<Kept>>) -> Value {
    // Lines and keys were scanned: they are UTF-8.
    let lines = session.payload.iter().map(|(number, line)| json!([number, String::from_utf8_lossy(line)]));
    json!({
        "key": String::from_utf8_lossy(&session.key),
        "start_ms": session.window.start_ms,
        "end_ms": session.window.end_ms,
        "lines": lines.collect::<Vec<_>>(),
    })
}

impl SessionWindows {
    fn take_head(&mut self, head: &Value) -> Option<()> {
        (head.get("windows")? == "sessions").then_some(())?;
        self.time.restore(head.get("time")?).then_some(())?;
        self.next_line = head.get("next_line")?.as_u64()?;
        self.sessions = Sessions::new(self.settings.sessions_max);
        (self.lines_kept, self.bytes_kept) = (0, 0);
        Some(())
    }

    fn take_session(&mut self, session: &Value) -> Option<()> {
        let key = session.get("key")?.as_str()?.as_bytes();
        let window = Window::new(session.get("start_ms")?.as_i64()?, session.get("end_ms")?.as_i64()?);
        let mut kept: Vec<Kept> = Vec::new();
        for line in session.get("lines")?.as_array()? {
            kept.push((line.get(0)?.as_u64()?, line.get(1)?.as_str()?.as_bytes().into()));
        }
        self.lines_kept += kept.len() as u64;
        self.bytes_kept += kept.iter().map(|(_, line)| line.len() + LINE_BYTES).sum::<usize>();
        self.sessions.join(key, window, || kept, |into, from| into.extend(from)).ok()?;
        Some(())
    }
}
