//! Windows of a size by the times in lines: tumbling, hopping, cumulating and those of the calendar.

use crate::Form;
use crate::line_reader::LineReader;
use crate::refused::LateLine;
use crate::sized_windows::{SizedWindows, SliceAt};
use event_time::{OtherLines, StreamTime, Windowing};
use line_values::Expression;
use millpipe::{Error, Facts, Fault, Head, Late, Mark, Out};
use std::io::{self, BufRead, Write};

/// Puts lines into windows by their time.
pub struct TimeWindows {
    reader: LineReader,
    /// Lines of the pipe that are not ours, if there are any: then all watermarks go on to the stages that take them.
    others: Option<OtherLines>,
    time: StreamTime,
    windows: SizedWindows,
    flags: String,
}

impl TimeWindows {
    /// A snapshot is of use with the same `flags` only.
    pub fn new(field: &Expression, time: StreamTime, windowing: Windowing, form: Form, flags: String) -> Self {
        let windows = SizedWindows::new(windowing, form);
        Self { reader: LineReader::new(Some(field), &[]), others: None, time, windows, flags }
    }

    /// Some lines will pass, which have their time in this field too.
    #[must_use]
    pub fn with_other_lines(self, field: &Expression) -> Self {
        Self { others: Some(OtherLines::new(field)), ..self }
    }

    /// Before the first line of a slice.
    fn open(&mut self, slice: SliceAt, out: &mut Out) -> Result<(), Fault> {
        if let Some(doubt) = self.time.take_doubt() {
            out.warn(doubt);
        }
        self.windows.open(slice, self.time.watermark_ms(), out)
    }
}

impl millpipe::Stage for TimeWindows {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.windows.start(out);
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let found = self.reader.read(line)?;
        let (target, text) = (found.target, found.time(line)?);
        let time_ms = self.time.read(text, out.now_ms()).map_err(|error| Fault::bad(error.with_hint()))?;
        let slice = self.windows.slice_at(time_ms)?;
        match self.time.watermark_ms() {
            Some(watermark_ms) if slice.last.is_closed_by(watermark_ms) => {
                if out.late_policy() == Late::Pass {
                    self.windows.write(slice, Some(watermark_ms), line, target, out);
                } else {
                    out.late(line, LateLine { time_ms, window: slice.last, watermark_ms }, self.time.late_hint());
                }
            }
            watermark_ms => {
                if !slice.is_open {
                    self.open(slice, out)?;
                }
                self.windows.write(slice, watermark_ms, line, target, out);
            }
        }
        let moved_ms = self.time.observe(time_ms);
        self.windows.moved(moved_ms, out);
        Ok(())
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.line(line);
        let moved_ms = self.others.as_mut().and_then(|others| others.observe(line, &mut self.time, out.now_ms()));
        self.windows.moved(moved_ms, out);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match self.time.mark(mark, out.now_ms())? {
            Some(Some(watermark_ms)) if self.others.is_some() => self.windows.close(watermark_ms, out),
            Some(moved_ms) => self.windows.moved(moved_ms, out),
            None => out.mark(mark),
        }
        if let Some(text) = self.time.unused_lateness() {
            out.warn(text);
        }
        Ok(())
    }

    fn end(&mut self, _out: &mut Out) -> Result<(), Fault> {
        self.windows.end();
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        self.time.wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.time.wake(out.now_ms());
        self.windows.moved(moved_ms, out);
        Ok(())
    }

    fn state(&mut self) -> Option<&mut dyn millpipe::Stateful> {
        Some(self)
    }
}

impl millpipe::Stateful for TimeWindows {
    fn flags(&self) -> String {
        self.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        self.windows.head(&self.time).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.time.facts(to);
        self.windows.facts(to);
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "window")?;
        head.must(self.windows.restore(&head, &mut self.time).is_some())
    }
}
