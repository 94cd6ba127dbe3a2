//! Windows of a size, whatever the time of a line and the watermark are: which windows a line is in, and which are open.

use crate::Form;
use crate::annotation::{Annotator, Target};
use crate::closing::Closing;
use crate::refused::beyond_years;
use event_time::{AnnotationKind, Scale, StreamTime, TIME_MAX_MS, TIME_MIN_MS, Window, Windowing, format_rfc3339};
use millpipe::{Divides, Error, Facts, Fault, Head, Late, Mark, Out};
use serde_json::json;
use std::collections::BTreeSet;

/// The most windows that may be announced and not yet closed.
pub const ANNOUNCED_MAX: usize = 1_000_000;
/// Slices that are remembered: disorder makes lines alternate between neighbours.
const REMEMBERED: usize = 4;

/// Writes lines into their windows, and marks where windows open and close.
pub(crate) struct SizedWindows {
    windowing: Windowing,
    form: Form,
    recent: Vec<Slice>,
    oldest: usize,
    /// Windows that `aggregate` was told of and that are not closed.
    announced: BTreeSet<Window>,
    closing: Closing,
    annotator: Annotator,
}

/// What happens to the lines of a slice.
#[derive(Default)]
struct Slice {
    span: Window,
    /// In ascending order.
    windows: Vec<Window>,
    /// The members for each window, or of the slice alone.
    members: Vec<Vec<u8>>,
    /// Lines have been put into it: it is announced, and its closing is looked after.
    is_open: bool,
}

/// The slice that a time is in. It is good until the next one is asked for.
#[derive(Clone, Copy)]
pub(crate) struct SliceAt {
    place: usize,
    /// The window of the slice that ends last: when it is closed, all are.
    pub(crate) last: Window,
    pub(crate) is_open: bool,
}

impl SliceAt {
    #[inline]
    fn new(place: usize, slice: &Slice) -> Self {
        Self { place, last: slice.windows.last().copied().unwrap_or_default(), is_open: slice.is_open }
    }
}

impl SizedWindows {
    pub(crate) fn new(windowing: Windowing, form: Form) -> Self {
        Self {
            windowing,
            form,
            recent: Vec::new(),
            oldest: 0,
            announced: BTreeSet::new(),
            closing: Closing::new(),
            annotator: Annotator::default(),
        }
    }

    pub(crate) fn start(&self, out: &mut Out) {
        if self.form.has_marks() {
            out.mark(&Mark::watermark(None));
        }
    }

    /// Finds the slice that this time is in.
    ///
    /// # Errors
    /// `Bad` when a window of it begins or ends beyond the years that can be written.
    #[inline(always)]
    pub(crate) fn slice_at(&mut self, time_ms: i64) -> Result<SliceAt, Fault> {
        match self.recent.iter().enumerate().find(|(_, slice)| slice.span.contains(time_ms)) {
            Some((place, slice)) => Ok(SliceAt::new(place, slice)),
            None => self.remember(time_ms),
        }
    }

    fn remember(&mut self, time_ms: i64) -> Result<SliceAt, Fault> {
        let slice = self.new_slice(time_ms)?;
        if self.recent.len() < REMEMBERED {
            let at = SliceAt::new(self.recent.len(), &slice);
            self.recent.push(slice);
            return Ok(at);
        }
        let at = SliceAt::new(self.oldest, &slice);
        self.recent[self.oldest] = slice;
        self.oldest = (self.oldest + 1) % REMEMBERED;
        Ok(at)
    }

    fn new_slice(&mut self, time_ms: i64) -> Result<Slice, Fault> {
        let span = self.windowing.slice_of(time_ms);
        let mut windows = Vec::new();
        self.windowing.windows_of(time_ms, &mut windows);
        let reach = windows.iter().fold(span, |all, window| all.union(*window));
        if reach.start_ms < TIME_MIN_MS || reach.end_ms > TIME_MAX_MS {
            return Err(beyond_years(time_ms));
        }
        let members_of = |kind: AnnotationKind, window| {
            let mut members = Vec::new();
            kind.write(window, Scale::Time, &mut members);
            members
        };
        let members = if self.has_slices() {
            vec![members_of(AnnotationKind::Slice, span)]
        } else {
            windows.iter().map(|window| members_of(AnnotationKind::Window, *window)).collect()
        };
        Ok(Slice { span, windows, members, is_open: false })
    }

    /// Returns true if lines carry slices, and marks say how these make windows.
    fn has_slices(&self) -> bool {
        self.form == Form::Marked && !self.windowing.is_tumbling()
    }

    /// Looks after the windows of the slice that are open, once.
    ///
    /// # Errors
    /// When too many windows are open.
    pub(crate) fn open(&mut self, slice: SliceAt, watermark_ms: Option<i64>, out: &mut Out) -> Result<(), Fault> {
        let has_slices = self.has_slices();
        let slice = &mut self.recent[slice.place];
        let closed = slice.windows.partition_point(|window| is_closed(*window, watermark_ms));
        let open = &slice.windows[closed..];
        if let (Some(first), Some(last)) = (open.first(), open.last()) {
            self.closing.open(first.end_ms, last.end_ms);
        }
        slice.is_open = true;
        if !has_slices {
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
    pub(crate) fn write(
        &mut self,
        slice: SliceAt,
        watermark_ms: Option<i64>,
        line: &[u8],
        target: Target,
        out: &mut Out,
    ) {
        let slice = &self.recent[slice.place];
        let is_late = slice.windows.first().is_some_and(|window| is_closed(*window, watermark_ms));
        let passes = is_late && out.late_policy() == Late::Pass;
        if passes {
            out.count_late_passed();
        }
        if let [members] = slice.members.as_slice() {
            self.annotator.write(line, target, members, out.buffer());
            out.end_line();
            return;
        }
        for (window, members) in slice.windows.iter().zip(&slice.members) {
            if passes || !is_closed(*window, watermark_ms) {
                self.annotator.write(line, target, members, out.buffer());
                out.end_result();
            }
        }
        // Between windows that do not touch a line is in none.
        if slice.windows.is_empty() { out.leave_out(1) } else { out.settle(1) }
    }

    /// Closes what is due, if the watermark has moved.
    #[inline]
    pub(crate) fn moved(&mut self, moved_ms: Option<i64>, out: &mut Out) {
        if let Some(watermark_ms) = moved_ms
            && self.closing.is_due(watermark_ms)
        {
            self.close(watermark_ms, out);
        }
    }

    pub(crate) fn close(&mut self, watermark_ms: i64, out: &mut Out) {
        if self.form.has_marks() {
            out.mark(&Mark::watermark(Some(watermark_ms)));
        }
        while self.announced.first().is_some_and(|window| window.is_closed_by(watermark_ms)) {
            self.announced.pop_first();
        }
        self.closing.written(watermark_ms, &mut self.windowing);
    }

    /// Returns the watermark that closes something next.
    pub(crate) fn due_at(&self) -> Option<i64> {
        self.closing.due_at()
    }

    /// After this stage all windows are closed; a line that comes in a later run opens its own anew.
    pub(crate) fn end(&mut self) {
        self.announced.clear();
        self.closing = Closing::new();
        self.forget_slices();
    }

    fn forget_slices(&mut self) {
        self.recent.clear();
        self.oldest = 0;
    }

    /// Returns the first line of a snapshot, with the time of the stream.
    pub(crate) fn head(&self, time: &StreamTime) -> Head {
        let announced: Vec<_> = self.announced.iter().map(|window| [window.start_ms, window.end_ms]).collect();
        let divides = Divides::heads().min("/closing/0").max("/closing/1").any(time.of_any_shard());
        Head::new()
            .with("windows", "time")
            .with("time", time.snapshot())
            .with("closing", self.closing.snapshot())
            .with("announced", json!(announced))
            .divided(divides)
    }

    /// Says which windows are open, where they are told to `aggregate`.
    pub(crate) fn facts(&self, to: &mut Facts) {
        to.insert("open_windows".to_owned(), self.announced.len().into());
        if let Some(window) = self.announced.first() {
            to.insert("next_end".to_owned(), format_rfc3339(window.end_ms).into());
        }
    }

    /// Takes back what [`SizedWindows::head`] wrote; none if it is something else.
    pub(crate) fn restore(&mut self, head: &Head, time: &mut StreamTime) -> Option<()> {
        (head.value("windows") == "time").then_some(())?;
        time.restore(head.value("time")).then_some(())?;
        self.closing = Closing::restore(head.value("closing"))?;
        self.announced.clear();
        for span in head.value("announced").as_array()? {
            self.announced.insert(Window::new(span.get(0)?.as_i64()?, span.get(1)?.as_i64()?));
        }
        self.forget_slices();
        Some(())
    }
}

#[inline]
fn is_closed(window: Window, watermark_ms: Option<i64>) -> bool {
    watermark_ms.is_some_and(|watermark_ms| window.is_closed_by(watermark_ms))
}
