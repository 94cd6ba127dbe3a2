//! Windows of a size: tumbling, hopping, cumulating and those of the calendar.

mod processing_time;

pub use processing_time::ClockWindows;

use crate::Form;
use crate::annotation::{Annotator, Target};
use crate::closing::Closing;
use crate::late::Late;
use crate::line_reader::LineReader;
use event_time::{
    AnnotationKind, OtherLines, Scale, StreamTime, TIME_MAX_MS, TIME_MIN_MS, Window, Windowing, format_rfc3339,
};
use line_values::Expression;
use millpipe::{Divides, Error, Fault, Head, Late as Policy, Mark, Out};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};

/// So many windows may be announced and not yet closed.
pub const ANNOUNCED_MAX: usize = 1_000_000;
/// Slices that are remembered: disorder makes lines alternate between neighbours.
const REMEMBERED: usize = 4;

/// Puts lines into windows by their time.
pub struct TimeWindows {
    reader: LineReader,
    /// Lines of the pipe that are not ours, if there are any: then all watermarks go on to the stages that take them.
    others: Option<OtherLines>,
    time: StreamTime,
    windowing: Windowing,
    form: Form,
    flags: String,
    recent: Vec<Assigned>,
    oldest: usize,
    /// Windows that `aggregate` was told of and that are not closed.
    announced: BTreeSet<Window>,
    closing: Closing,
    annotator: Annotator,
}

/// What becomes of the lines of a slice.
#[derive(Default)]
struct Assigned {
    slice: Window,
    /// In ascending order.
    windows: Vec<Window>,
    /// The members for each window, or of the slice alone.
    members: Vec<Vec<u8>>,
    /// Lines have been put into it: it is announced, and its closing is looked after.
    opened: bool,
}

impl TimeWindows {
    /// A snapshot is of use with the same `flags` only.
    pub fn new(field: &Expression, time: StreamTime, windowing: Windowing, form: Form, flags: String) -> Self {
        Self::of_reader(LineReader::new(Some(field), &[]), time, windowing, form, flags)
    }

    fn of_reader(reader: LineReader, time: StreamTime, windowing: Windowing, form: Form, flags: String) -> Self {
        Self {
            reader,
            others: None,
            time,
            windowing,
            form,
            flags,
            recent: Vec::new(),
            oldest: 0,
            announced: BTreeSet::new(),
            closing: Closing::new(),
            annotator: Annotator::default(),
        }
    }

    /// Some lines will pass, which have their time in this field too.
    #[must_use]
    pub fn with_other_lines(self, field: &Expression) -> Self {
        Self { others: Some(OtherLines::new(field)), ..self }
    }

    /// Whether lines carry slices, and marks say how these make windows.
    fn has_slices(&self) -> bool {
        self.form == Form::Marked && !self.windowing.is_tumbling()
    }

    #[inline]
    fn assigned(&mut self, time_ms: i64) -> Result<usize, Fault> {
        match self.recent.iter().position(|assigned| assigned.slice.contains(time_ms)) {
            Some(index) => Ok(index),
            None => self.assign(time_ms),
        }
    }

    fn assign(&mut self, time_ms: i64) -> Result<usize, Fault> {
        let slice = self.windowing.slice_of(time_ms);
        let mut windows = Vec::new();
        self.windowing.windows_of(time_ms, &mut windows);
        let reach = windows.iter().fold(slice, |all, window| all.union(*window));
        if reach.start_ms < TIME_MIN_MS || reach.end_ms > TIME_MAX_MS {
            return Err(beyond_years(time_ms));
        }
        let members_of = |span: AnnotationKind, window| {
            let mut members = Vec::new();
            span.write(window, Scale::Time, &mut members);
            members
        };
        let members = if self.has_slices() {
            vec![members_of(AnnotationKind::Slice, slice)]
        } else {
            windows.iter().map(|window| members_of(AnnotationKind::Window, *window)).collect()
        };
        let assigned = Assigned { slice, windows, members, opened: false };
        if self.recent.len() < REMEMBERED {
            self.recent.push(assigned);
            return Ok(self.recent.len() - 1);
        }
        let index = self.oldest;
        self.oldest = (index + 1) % REMEMBERED;
        self.recent[index] = assigned;
        Ok(index)
    }

    /// Looks after the windows of the slice that are open, once.
    fn open(&mut self, index: usize, out: &mut Out) -> Result<(), Fault> {
        let watermark_ms = self.time.watermark_ms();
        let assigned = &mut self.recent[index];
        let closed = assigned.windows.partition_point(|window| is_closed(*window, watermark_ms));
        let open = &assigned.windows[closed..];
        if let (Some(first), Some(last)) = (open.first(), open.last()) {
            self.closing.open(first.end_ms, last.end_ms);
        }
        assigned.opened = true;
        if let Some(doubt) = self.time.take_doubt() {
            out.warn(doubt);
        }
        if self.form != Form::Marked || self.windowing.is_tumbling() {
            return Ok(());
        }
        for window in open {
            if self.announced.insert(*window) {
                out.mark(&Mark::window(window.start_ms, window.end_ms));
            }
        }
        if self.announced.len() > ANNOUNCED_MAX {
            return Err(Error::data(format_args!("more than {ANNOUNCED_MAX} windows are open"))
                .hint("a shorter --lateness, a longer --slide, or a partition that holds time back")
                .into());
        }
        Ok(())
    }

    /// Writes the line for each of its windows; for those that are closed only if late lines pass.
    fn write(&mut self, index: usize, line: &[u8], target: Target, out: &mut Out) {
        let assigned = &self.recent[index];
        let watermark_ms = self.time.watermark_ms();
        let is_late = assigned.windows.first().is_some_and(|window| is_closed(*window, watermark_ms));
        let passes = out.late_policy() == Policy::Pass;
        if is_late && passes {
            out.count_late_passed();
        }
        if let [members] = assigned.members.as_slice() {
            self.annotator.write(line, target, members, out.buffer());
            out.end_line();
            return;
        }
        for (window, members) in assigned.windows.iter().zip(&assigned.members) {
            if passes || !is_closed(*window, watermark_ms) {
                self.annotator.write(line, target, members, out.buffer());
                out.end_result();
            }
        }
        // Between windows that do not touch a line is in none.
        if assigned.windows.is_empty() { out.leave_out(1) } else { out.settle(1) }
    }

    #[inline]
    fn moved(&mut self, moved_ms: Option<i64>, out: &mut Out) {
        if let Some(watermark_ms) = moved_ms
            && self.closing.is_due(watermark_ms)
        {
            self.close(watermark_ms, out);
        }
    }

    fn close(&mut self, watermark_ms: i64, out: &mut Out) {
        if self.form.has_marks() {
            out.mark(&Mark::watermark(Some(watermark_ms)));
        }
        while self.announced.first().is_some_and(|window| window.is_closed_by(watermark_ms)) {
            self.announced.pop_first();
        }
        self.closing.written(watermark_ms, &mut self.windowing);
    }
}

/// The next stage could not read such a window.
#[cold]
pub(crate) fn beyond_years(time_ms: i64) -> Fault {
    let time = format_rfc3339(time_ms);
    Fault::bad(format_args!("a window of time {time} is outside the years 0000 to 9999"))
}

#[inline]
fn is_closed(window: Window, watermark_ms: Option<i64>) -> bool {
    watermark_ms.is_some_and(|watermark_ms| window.is_closed_by(watermark_ms))
}

impl millpipe::Stage for TimeWindows {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.form.has_marks() {
            out.mark(&Mark::watermark(None));
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let found = self.reader.read(line)?;
        let (target, text) = (found.target, found.time(line)?);
        let time_ms = self.time.read(text, out.now_ms()).map_err(|error| Fault::bad(error.with_hint()))?;
        let index = self.assigned(time_ms)?;
        // The last window ends last: when it is closed, all are.
        let last = self.recent[index].windows.last().copied().unwrap_or_default();
        match self.time.watermark_ms() {
            Some(watermark_ms) if last.is_closed_by(watermark_ms) => {
                if out.late_policy() == Policy::Pass {
                    self.write(index, line, target, out);
                } else {
                    out.late(line, Late { time_ms, window: last, watermark_ms }, self.time.late_hint());
                }
            }
            _ => {
                if !self.recent[index].opened {
                    self.open(index, out)?;
                }
                self.write(index, line, target, out);
            }
        }
        let moved_ms = self.time.observe(time_ms);
        self.moved(moved_ms, out);
        Ok(())
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.line(line);
        let moved_ms = self.others.as_mut().and_then(|others| others.observe(line, &mut self.time, out.now_ms()));
        self.moved(moved_ms, out);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match self.time.mark(mark, out.now_ms())? {
            Some(Some(watermark_ms)) if self.others.is_some() => self.close(watermark_ms, out),
            Some(moved_ms) => self.moved(moved_ms, out),
            None => out.mark(mark),
        }
        if let Some(text) = self.time.unused_lateness() {
            out.warn(text);
        }
        Ok(())
    }

    /// Behind this stage all windows are closed; a line that comes in a later run opens its own anew.
    fn end(&mut self, _out: &mut Out) -> Result<(), Fault> {
        self.announced.clear();
        self.closing = Closing::new();
        self.forget_recent();
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        self.time.wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.time.wake(out.now_ms());
        self.moved(moved_ms, out);
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
        let announced: Vec<_> = self.announced.iter().map(|window| [window.start_ms, window.end_ms]).collect();
        let divides = Divides::heads().min("/closing/0").max("/closing/1").any(self.time.of_any_shard());
        Head::new()
            .with("windows", "time")
            .with("time", self.time.snapshot())
            .with("closing", self.closing.snapshot())
            .with("announced", json!(announced))
            .divided(divides)
            .write(to)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "window")?;
        head.must(self.take(&head).is_some())
    }
}

impl TimeWindows {
    fn take(&mut self, head: &Head) -> Option<()> {
        (head.value("windows") == "time").then_some(())?;
        self.time.restore(head.value("time")).then_some(())?;
        self.closing = Closing::restore(head.value("closing"))?;
        self.announced.clear();
        for span in head.value("announced").as_array()? {
            self.announced.insert(Window::new(span.get(0)?.as_i64()?, span.get(1)?.as_i64()?));
        }
        self.forget_recent();
        Some(())
    }

    fn forget_recent(&mut self) {
        self.recent.clear();
        self.oldest = 0;
    }
}
