//! Windows of a size by the clock of this machine instead of the times in the lines.

use std::io::{self, BufRead, Write};

use event_time::{StreamTime, TimeSettings, TimeUnit, Windowing};
use millpipe::{Error, Facts, Fault, Head, Mark, Out, Stage, Stateful};

use crate::Form;
use crate::line_reader::LineReader;
use crate::sized_windows::SizedWindows;

/// A line's time is when it comes, so none is late. A window is closed when the clock has reached its end, with a line or
/// without; a clock that goes back stands still.
pub struct ClockWindows {
    reader: LineReader,
    time: StreamTime,
    windows: SizedWindows,
    flags: String,
}

/// With the clock at a millisecond, lines of the one before have all come.
const SETTINGS: TimeSettings =
    TimeSettings { unit: TimeUnit::Auto, zone: None, lateness_ms: 1, idle_ms: i64::MAX, max_ahead_ms: None };

impl ClockWindows {
    /// A snapshot is of use with the same `flags` only.
    pub fn new(windowing: Windowing, form: Form, flags: String) -> Self {
        let (reader, time) = (LineReader::new(None, &[]), StreamTime::new(SETTINGS));
        Self { reader, time, windows: SizedWindows::new(windowing, form), flags }
    }

    /// Closes what is over; returns what the clock says, at least what it has said before.
    fn tick(&mut self, out: &mut Out) -> i64 {
        let before_ms = self.time.watermark_ms().map_or(i64::MIN, |watermark_ms| watermark_ms + 1);
        let now_ms = out.now_ms().max(before_ms);
        let moved_ms = self.time.observe(now_ms);
        self.windows.moved(moved_ms, out);
        now_ms
    }
}

impl Stage for ClockWindows {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.windows.start(out);
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let target = self.reader.read(line)?.target;
        let now_ms = self.tick(out);
        let watermark_ms = self.time.watermark_ms();
        let slice = self.windows.slice_at(now_ms)?;
        if !slice.is_open {
            self.windows.open(slice, watermark_ms, out)?;
        }
        self.windows.write(slice, watermark_ms, line, target, out);
        Ok(())
    }

    /// The stream has the time of the clock from here on.
    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        if !mark.kind().is_about_time() {
            out.mark(mark);
        }
        Ok(())
    }

    fn end(&mut self, _out: &mut Out) -> Result<(), Fault> {
        self.windows.end();
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        self.windows.due_at().map(|watermark_ms| watermark_ms + 1)
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
        self.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        self.windows.head(&self.time).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        self.windows.facts(to);
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "window")?;
        head.must(self.windows.restore(&head, &mut self.time).is_some())
    }
}
