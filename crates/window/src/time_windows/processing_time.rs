//! Windows of a size by the clock of this machine instead of the times in the lines.

use std::io::{self, BufRead, Write};

use event_time::{StreamTime, TimeSettings, TimeUnit, Windowing};
use millpipe::{Error, Fault, Mark, Out, Stage, Stateful};

use super::TimeWindows;
use crate::Form;
use crate::line_reader::LineReader;

/// A line's time is when it comes, so none is late. A window is closed when the clock has reached its end, with a line or
/// without; a clock that goes back stands still.
pub struct ClockWindows(TimeWindows);

/// With the clock at a millisecond, lines of the one before have all come.
const SETTINGS: TimeSettings =
    TimeSettings { unit: TimeUnit::Auto, zone: None, lateness_ms: 1, idle_ms: i64::MAX, max_ahead_ms: None };

impl ClockWindows {
    /// A snapshot is of use with the same `flags` only.
    pub fn new(windowing: Windowing, form: Form, flags: String) -> Self {
        let reader = LineReader::new(None, &[]);
        Self(TimeWindows::of_reader(reader, StreamTime::new(SETTINGS), windowing, form, flags))
    }

    /// What the clock says, at least what it has said before; closes what is over.
    fn tick(&mut self, out: &mut Out) -> i64 {
        let before_ms = self.0.time.watermark_ms().map_or(i64::MIN, |watermark_ms| watermark_ms + 1);
        let now_ms = out.now_ms().max(before_ms);
        let moved_ms = self.0.time.observe(now_ms);
        self.0.moved(moved_ms, out);
        now_ms
    }
}

impl Stage for ClockWindows {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.0.start(out)
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let target = self.0.reader.read(line)?.target;
        let now_ms = self.tick(out);
        let index = self.0.assigned(now_ms)?;
        if !self.0.recent[index].opened {
            self.0.open(index, out)?;
        }
        self.0.write(index, line, target, out);
        Ok(())
    }

    /// The stream has the time of the clock from here on.
    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        if !mark.kind().is_about_time() {
            out.mark(mark);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.0.end(out)
    }

    fn wake_at(&self) -> Option<i64> {
        self.0.closing.due_at().map(|watermark_ms| watermark_ms + 1)
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.tick(out);
        Ok(())
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for ClockWindows {
    fn flags(&self) -> String {
        self.0.flags()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        self.0.snapshot(to)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        self.0.restore(from)
    }
}
