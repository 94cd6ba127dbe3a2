//! Sessions: lines of a key that are close in time.

use crate::Form;
use crate::annotation::{Annotator, Target};
use crate::line_reader::{LineReader, mark_path};
use crate::open_sessions::OpenSessions;
use crate::refused::{LateLine, beyond_years};
use event_time::{AnnotationKind, OtherLines, Scale, StreamTime, TIME_MAX_MS, Window};
use json_fields::FieldPath;
use line_values::Expression;
use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Late, Mark, Out};
use std::io::{self, BufRead, Write};
use units::ByteSize;

/// The settings of [`SessionWindows`].
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// Where the time is.
    pub time: Expression,
    /// The fields of the key; none: one session for all lines.
    pub by: Vec<FieldPath>,
    pub gap_ms: i64,
    pub form: Form,
    /// The most sessions that may be open.
    pub sessions_max: usize,
    /// The most memory that kept lines may take.
    pub buffer: ByteSize,
    /// Some lines of the pipe will pass, and all watermarks go on to the stages that take them.
    pub has_other_lines: bool,
    /// A snapshot is of use with the same only.
    pub flags: String,
}

/// Puts lines into sessions by key and time.
///
/// With marks, each line goes out at once with a session of its own, [t, t + gap), and what is kept of a session is
/// its span. Else its lines are kept until it closes, then written in order of arrival; sessions by (end, start, key).
pub struct SessionWindows {
    settings: SessionSettings,
    reader: LineReader,
    others: Option<OtherLines>,
    time: StreamTime,
    sessions: OpenSessions,
    annotator: Annotator,
    members: Vec<u8>,
    key: Vec<u8>,
}

impl SessionWindows {
    pub fn new(settings: SessionSettings, time: StreamTime) -> Self {
        Self {
            reader: LineReader::new(Some(&settings.time), &settings.by),
            others: settings.has_other_lines.then(|| OtherLines::new(&settings.time)),
            time,
            sessions: OpenSessions::new(settings.sessions_max, settings.form.keeps_lines()),
            annotator: Annotator::default(),
            members: Vec::new(),
            key: Vec::new(),
            settings,
        }
    }

    /// Reads all of a line that is needed: its key goes to `self.key`. Nothing else changes.
    #[inline(always)]
    fn read(&mut self, line: &[u8], now_ms: i64) -> Result<(Target, Window), Fault> {
        let found = self.reader.read(line)?;
        let (target, text) = (found.target, found.time(line)?);
        found.key(&mut self.key);
        let time_ms = self.time.read(text, now_ms).map_err(|error| Fault::bad(error.with_hint()))?;
        if time_ms > TIME_MAX_MS - self.settings.gap_ms {
            return Err(beyond_years(time_ms));
        }
        Ok((target, Window::new(time_ms, time_ms + self.settings.gap_ms)))
    }

    fn take_line(&mut self, line: &[u8], span: Window, target: Target, out: &mut Out) -> Result<(), Fault> {
        if !self.settings.form.keeps_lines() {
            self.sessions.join(&self.key, span)?;
            self.write(line, span, target, out);
            out.end_line();
            return Ok(());
        }
        self.sessions.keep(&self.key, line, span)?;
        if self.sessions.bytes_kept() > self.settings.buffer.as_usize() {
            let what = format!("the lines of open sessions take more than {}", self.settings.buffer);
            let hint =
                "--buffer SIZE allows more; aggregate behind window without --expand and --plain needs no lines kept";
            return Err(Error::data(what).hint(hint).into());
        }
        Ok(())
    }

    /// Writes the line into the buffer of `out`, not ended.
    fn write(&mut self, line: &[u8], span: Window, target: Target, out: &mut Out) {
        self.members.clear();
        let kind = if self.settings.form.keeps_lines() { AnnotationKind::Window } else { AnnotationKind::Slice };
        kind.write(span, Scale::Time, &mut self.members);
        self.annotator.write(line, target, &self.members, out.buffer());
    }

    fn moved(&mut self, moved_ms: Option<i64>, out: &mut Out) -> Result<(), Fault> {
        let Some(watermark_ms) = moved_ms else { return Ok(()) };
        if self.sessions.next_end_ms().is_none_or(|end_ms| watermark_ms < end_ms - 1) {
            return Ok(());
        }
        self.reach(watermark_ms, out)
    }

    fn reach(&mut self, watermark_ms: i64, out: &mut Out) -> Result<(), Fault> {
        self.close(watermark_ms, out)?;
        if self.settings.form.has_marks() {
            out.mark(&Mark::watermark(Some(watermark_ms)));
        }
        Ok(())
    }

    fn close(&mut self, watermark_ms: i64, out: &mut Out) -> Result<(), Fault> {
        for session in self.sessions.close(watermark_ms) {
            for line in session.payload.into_lines() {
                let target = self.reader.read(&line)?.target;
                self.write(&line, session.window, target, out);
                out.end_line();
            }
        }
        Ok(())
    }
}

impl millpipe::Stage for SessionWindows {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.settings.form.has_marks() {
            out.mark(&Mark::watermark(None));
        }
        if self.settings.form == Form::Marked {
            let by: Vec<String> = self.settings.by.iter().map(mark_path).collect();
            out.mark(&Mark::sessions(by));
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let (target, window) = self.read(line, out.now_ms())?;
        if let Some(doubt) = self.time.take_doubt() {
            out.warn(doubt);
        }
        let time_ms = window.start_ms;
        let closed = self.time.watermark_ms().filter(|watermark_ms| window.is_closed_by(*watermark_ms));
        match closed {
            Some(watermark_ms) if !self.sessions.touches(&self.key, window) => {
                if out.late_policy() == Late::Pass {
                    out.count_late_passed();
                    self.write(line, window, target, out);
                    out.end_line();
                } else {
                    out.late(line, LateLine { time_ms, window, watermark_ms }, self.time.late_hint());
                }
            }
            _ => self.take_line(line, window, target, out)?,
        }
        let moved_ms = self.time.observe(time_ms);
        self.moved(moved_ms, out)
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.line(line);
        let moved_ms = self.others.as_mut().and_then(|others| others.observe(line, &mut self.time, out.now_ms()));
        self.moved(moved_ms, out)
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match self.time.mark(mark, out.now_ms())? {
            Some(Some(watermark_ms)) if self.others.is_some() => self.reach(watermark_ms, out)?,
            Some(moved_ms) => self.moved(moved_ms, out)?,
            None => out.mark(mark),
        }
        if let Some(text) = self.time.unused_lateness() {
            out.warn(text);
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
        self.sessions.lines_kept()
    }

    fn remark(&self) -> Option<String> {
        self.reader.remark()
    }

    fn state(&mut self) -> Option<&mut dyn millpipe::Stateful> {
        Some(self)
    }
}

impl millpipe::Stateful for SessionWindows {
    fn flags(&self) -> String {
        self.settings.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let by = self.settings.by.iter().map(ToString::to_string);
        let divides = Divides::by(by).after("|").max("/next_line").any(self.time.of_any_shard());
        Head::new()
            .with("windows", "sessions")
            .with("time", self.time.snapshot())
            .with("next_line", self.sessions.next_line())
            .divided(divides)
            .write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.time.facts(to);
        to.insert("open_windows".to_owned(), self.sessions.len().into());
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "window")?;
        head.must(head.value("windows") == "sessions")?;
        self.sessions.restored(head.count("next_line")?);
        head.must(self.time.restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.sessions.save(to);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        if !self.settings.form.keeps_lines() {
            return self.sessions.load_session(key, value);
        }
        let line: String = serde_json::from_slice(value).map_err(|_| Error::damaged_entry(key))?;
        // It was taken once, whatever the clock says now.
        let (_, span) = self.read(line.as_bytes(), i64::MAX).map_err(|fault| match fault {
            Fault::Stop(error) => error,
            _ => Error::damaged_entry(key),
        })?;
        self.sessions.load_line(key, &self.key, line.as_bytes(), span)
    }
}
