//! The kind of windows that a stream has: the first line or mark decides.

use event_time::{Annotation, Scale, Window, format_rfc3339};
use json_fields::FieldPath;
use millpipe::{Error, Facts, Fault, Mark, Out};

use crate::counts::Counts;
use crate::groups::Taken;
use crate::job::Emit;
use crate::panes;
use crate::rolling::Rolling;
use crate::running::Running;
use crate::sessions::Sessions;
use crate::windows::{Slices, Windows};
use crate::work::Work;

#[derive(Debug, Default)]
pub enum Mode {
    /// Nothing has come yet.
    #[default]
    Unknown,
    Running(Box<Running>),
    /// Lines without windows too, with `--last`.
    Rolling(Box<Rolling>),
    Windows(Box<Windows>),
    Slices(Box<Slices>),
    Sessions(Box<Sessions>),
    Counts(Box<Counts>),
}

impl Mode {
    /// Whether a line with this annotation is of the stream's kind.
    #[inline]
    pub fn takes(&self, annotation: Option<Annotation>) -> bool {
        match (self, annotation) {
            (Mode::Windows(_), Some(Annotation { scale: Scale::Time, is_slice: false, .. }))
            | (Mode::Slices(_) | Mode::Sessions(_), Some(Annotation { scale: Scale::Time, is_slice: true, .. }))
            | (Mode::Running(_) | Mode::Rolling(_), None) => true,
            (Mode::Counts(counts), Some(Annotation { scale: Scale::Lines, is_slice, .. })) => {
                is_slice == (counts.size != counts.slide)
            }
            _ => false,
        }
    }

    /// The first line decides on the kind; a later one of another kind is bad.
    pub fn begin(&mut self, annotation: Option<Annotation>, work: &Work) -> Result<(), Fault> {
        if !matches!(self, Mode::Unknown) {
            return Err(self.switched(annotation));
        }
        let mode = match annotation {
            None if work.job.last.is_some() => Mode::Rolling(Box::new(Rolling::new(&work.job.plan))),
            None => Mode::Running(Box::new(Running::new(&work.job))),
            Some(Annotation { scale: Scale::Time, is_slice: false, .. }) => {
                Mode::Windows(Box::new(Windows::new(&work.job.plan)))
            }
            Some(Annotation { scale: Scale::Lines, is_slice: false, window }) => {
                let size = window.end_ms - window.start_ms;
                Mode::Counts(Box::new(Counts::new(&work.job.plan, (0..work.job.by.len()).collect(), size, size, false)))
            }
            Some(_) => {
                let error = Error::data("slices, but no mark says what windows they make");
                let hint = "a program between window and aggregate dropped it, or use window --expand";
                return Err(error.hint(hint).into());
            }
        };
        check(&mode, work)?;
        *self = mode;
        Ok(())
    }

    #[cold]
    fn switched(&self, annotation: Option<Annotation>) -> Fault {
        let has = match annotation {
            None => "no window",
            Some(Annotation { is_slice: true, .. }) => "a slice of windows",
            Some(Annotation { scale: Scale::Time, .. }) => "a window of time",
            Some(Annotation { scale: Scale::Lines, .. }) => "a window of lines",
        };
        Fault::bad(format_args!("the line has {has}, but the stream has {}", self.name()))
    }

    /// Says how many groups there are, and which windows are open.
    pub fn facts(&self, work: &Work, to: &mut Facts) {
        to.insert("keys".to_owned(), work.budget.open.into());
        let (open, next) = match self {
            Mode::Windows(windows) => (windows.panes.len(), windows.panes.first()),
            Mode::Slices(slices) => (slices.announced.len(), slices.announced.first().copied()),
            _ => (0, None),
        };
        if let Some(window) = next {
            to.insert("open_windows".to_owned(), open.into());
            to.insert("next_end".to_owned(), format_rfc3339(window.end_ms).into());
        }
        if let Some(spill) = &work.spill {
            to.insert("spilled_bytes".to_owned(), spill.written_bytes().into());
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Mode::Unknown => "nothing yet",
            Mode::Running(_) | Mode::Rolling(_) => "lines without windows",
            Mode::Windows(_) => "windows of time",
            Mode::Slices(_) => "slices of windows",
            Mode::Sessions(_) => "sessions",
            Mode::Counts(_) => "windows of lines",
        }
    }

    #[inline]
    pub fn line(
        &mut self,
        window: Window,
        taken: &Taken<'_>,
        watermark_ms: Option<i64>,
        work: &mut Work,
        out: &mut Out,
    ) -> Result<(), Fault> {
        match self {
            Mode::Windows(windows) => windows.line(window, taken, watermark_ms, work, out),
            Mode::Slices(slices) => slices.line(window, taken, work, out),
            Mode::Sessions(sessions) => sessions.line(window, taken, watermark_ms, work, out),
            Mode::Counts(counts) => counts.line(window, taken, work, out),
            Mode::Running(running) => running.line(taken, work, out),
            Mode::Rolling(rolling) => rolling.line(taken, work, out),
            Mode::Unknown => Ok(()),
        }
    }

    /// The watermark has come to `watermark_ms`.
    pub fn advance(&mut self, watermark_ms: i64, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        match self {
            Mode::Windows(windows) => return windows.close(Some(watermark_ms), work, out),
            Mode::Slices(slices) => return slices.close(Some(watermark_ms), work, out),
            Mode::Sessions(sessions) => sessions.close(Some(watermark_ms), work, out),
            Mode::Running(running) if work.job.time.is_none() => running.advance(watermark_ms, work, out),
            Mode::Running(_) | Mode::Rolling(_) | Mode::Counts(_) | Mode::Unknown => {}
        }
        Ok(())
    }

    pub fn end(&mut self, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        match self {
            Mode::Windows(windows) => return windows.close(None, work, out),
            Mode::Slices(slices) => return slices.close(None, work, out),
            Mode::Sessions(sessions) => sessions.close(None, work, out),
            Mode::Counts(counts) => return counts.end(work, out),
            Mode::Running(running) => return running.end(work, out),
            Mode::Rolling(_) | Mode::Unknown => {}
        }
        Ok(())
    }

    /// Sends all groups to disk if they take more than they may.
    ///
    /// # Errors
    /// `Stop` when that fails.
    #[cold]
    pub fn spill_if_full(&mut self, work: &mut Work) -> Result<(), Fault> {
        let bytes = match self {
            Mode::Windows(windows) => windows.panes.bytes(),
            Mode::Slices(slices) => slices.panes.bytes(),
            Mode::Running(running) => running.bytes(),
            Mode::Rolling(_) | Mode::Sessions(_) | Mode::Counts(_) | Mode::Unknown => 0,
        };
        if !work.spill.as_mut().is_some_and(|spill| spill.is_over(bytes)) {
            return Ok(());
        }
        match self {
            Mode::Windows(windows) => windows.panes.spill(panes::ALL, work),
            Mode::Slices(slices) => slices.panes.spill(panes::ALL, work),
            Mode::Running(running) => running.spill(work),
            Mode::Rolling(_) | Mode::Sessions(_) | Mode::Counts(_) | Mode::Unknown => Ok(()),
        }
    }

    /// A window of slices exists.
    pub fn announce_window(&mut self, mark: &Mark, watermark_ms: Option<i64>, work: &Work) -> Result<(), Fault> {
        let (start_ms, end_ms) = mark.window_ms()?;
        let window = Window::new(start_ms, end_ms);
        self.become_or_fail(Mode::Slices(Box::new(Slices::new(&work.job.plan))), work)?;
        if let Mode::Slices(slices) = self
            && !watermark_ms.is_some_and(|watermark| window.is_closed_by(watermark))
        {
            slices.announced.insert(window);
        }
        Ok(())
    }

    pub fn announce_sessions(&mut self, mark: &Mark, work: &Work) -> Result<(), Fault> {
        let cells = cells(mark, work)?;
        self.become_or_fail(
            Mode::Sessions(Box::new(Sessions::new(&work.job.plan, cells.clone(), work.job.groups_max))),
            work,
        )?;
        match self {
            Mode::Sessions(sessions) if sessions.cells != cells => Err(changed(mark)),
            _ => Ok(()),
        }
    }

    pub fn announce_counts(&mut self, mark: &Mark, work: &Work) -> Result<(), Fault> {
        let cells = cells(mark, work)?;
        let (size, slide) = mark.size_and_slide()?;
        self.become_or_fail(
            Mode::Counts(Box::new(Counts::new(&work.job.plan, cells.clone(), size, slide, true))),
            work,
        )?;
        match self {
            Mode::Counts(known) if (&known.cells, known.size, known.slide) != (&cells, size, slide) => {
                Err(changed(mark))
            }
            _ => Ok(()),
        }
    }

    /// A mark decides on the kind as a first line does; marks come again after a restart.
    fn become_or_fail(&mut self, mode: Mode, work: &Work) -> Result<(), Fault> {
        if matches!(self, Mode::Unknown) {
            check(&mode, work)?;
            *self = mode;
        } else if std::mem::discriminant(self) != std::mem::discriminant(&mode) {
            let text = format_args!("a mark announces {}, but the stream has {}", mode.name(), self.name()).to_string();
            return Err(Error::data(text).into());
        }
        Ok(())
    }
}

/// What was asked for must make sense for this kind of stream.
fn check(mode: &Mode, work: &Work) -> Result<(), Fault> {
    let job = &work.job;
    if job.plan.has_rate() && matches!(mode, Mode::Running(_) | Mode::Rolling(_) | Mode::Counts(_)) {
        let error = Error::usage(format_args!("rate is per second of a window, and the stream has {}", mode.name()));
        return Err(error.hint("put window --size 10s in front").into());
    }
    if job.memory_bytes.is_some() && matches!(mode, Mode::Sessions(_) | Mode::Counts(_)) {
        let error = Error::usage(format_args!("--memory is not for {}, which the stream has", mode.name()));
        return Err(error.hint("--max-keys N is a limit for all kinds of windows").into());
    }
    if matches!(mode, Mode::Rolling(_)) {
        return Ok(());
    }
    if matches!(mode, Mode::Running(_)) {
        return if work.has_parts() { Err(no_parts()) } else { Ok(()) };
    }
    let is_without = job.last.is_some() || job.writes_changes || job.reads_changes;
    if job.emit != Emit::End || job.ttl_ms.is_some() || job.time.is_some() || is_without {
        let error = Error::usage(format_args!(
            "--emit, --ttl, --time, --last, --changes and --of-changes are for lines without windows, and the stream has {}",
            mode.name()
        ));
        return Err(error.hint("windows are written when they close").into());
    }
    Ok(())
}

/// Keys without windows go on behind the end of the input, where those on disk would have to be written again.
pub fn no_parts() -> Fault {
    let error = Error::usage("--memory is not for lines without windows in a stream with checkpoints");
    error.hint("--max-keys N limits the number of keys instead").into()
}

/// The numbers of the mark's fields among the key fields, all of which must be there.
fn cells(mark: &Mark, work: &Work) -> Result<Vec<usize>, Fault> {
    let cell = |text: &str| {
        let path = text.parse().map_or_else(|_| text.to_owned(), |path: FieldPath| path.to_string());
        work.job.by.iter().position(|known| known.to_string() == path).ok_or_else(|| {
            let error = Error::usage(format_args!("{} windows are by {text:?}, which is not in --by", mark.kind()));
            Fault::from(error.hint("the keys of window --by must be among those of aggregate --by"))
        })
    };
    mark.by().map(cell).collect()
}

fn changed(mark: &Mark) -> Fault {
    Error::data(format_args!("the stream's windows change in the middle: {mark}")).into()
}
