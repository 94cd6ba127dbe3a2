//! Windows by count: so many lines of a key, whatever time it is.

use crate::Form;
use crate::annotation::Annotator;
use crate::line_reader::{LineReader, mark_path};
use event_time::{AnnotationKind, Scale, Window};
use foldhash::fast::RandomState;
use json_fields::FieldPath;
use millpipe::{Changes, Divides, Error, Facts, Fault, Head, Mark, Out};
use std::collections::HashMap;
use std::io::{self, BufRead, Write};

/// The settings of [`CountWindows`].
#[derive(Clone, Debug)]
pub struct CountSettings {
    /// The fields of the key; none: all lines are counted together.
    pub by: Vec<FieldPath>,
    /// Lines in a window.
    pub size: u64,
    /// Lines from the start of one window to that of the next; at most `size`.
    pub slide: u64,
    pub form: Form,
    pub keys_max: usize,
    /// A snapshot is of use with the same only.
    pub flags: String,
}

/// Puts lines into windows by their number, from 0, among those of their key.
///
/// No line is late, and no watermark is needed: from, idle and watermark marks end here.
pub struct CountWindows {
    settings: CountSettings,
    slice: u64,
    reader: LineReader,
    /// What each key had. Looked up only, but for the first checkpoint, which needs no order.
    counts: HashMap<Vec<u8>, Counted, RandomState>,
    /// Keys that had lines since the last checkpoint. None is noted before the first one.
    touched: Vec<Vec<u8>>,
    is_tracked: bool,
    annotator: Annotator,
    members: Vec<u8>,
    key: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Counted {
    lines: u64,
    is_touched: bool,
}

impl CountWindows {
    pub fn new(settings: CountSettings) -> Self {
        Self {
            slice: greatest_common_divisor(settings.size, settings.slide),
            reader: LineReader::new(None, &settings.by),
            counts: HashMap::default(),
            touched: Vec::new(),
            is_tracked: false,
            annotator: Annotator::default(),
            members: Vec::new(),
            key: Vec::new(),
            settings,
        }
    }

    /// The number of this line among those of its key.
    fn count(&mut self) -> Result<u64, Fault> {
        let Self { counts, touched, key, is_tracked, .. } = self;
        if let Some(counted) = counts.get_mut(key) {
            if *is_tracked && !counted.is_touched {
                counted.is_touched = true;
                touched.push(key.clone());
            }
            counted.lines += 1;
            return Ok(counted.lines - 1);
        }
        if *is_tracked {
            touched.push(key.clone());
        }
        let new = Counted { lines: 1, is_touched: *is_tracked };
        self.insert(self.key.clone(), new)?;
        Ok(0)
    }

    fn insert(&mut self, key: Vec<u8>, counted: Counted) -> Result<(), Error> {
        let max = self.settings.keys_max;
        if self.counts.len() >= max {
            return Err(Error::data(format_args!("more than {max} keys")).hint("--max-keys N allows more"));
        }
        self.counts.insert(key, counted);
        Ok(())
    }

    /// One entry a key: how many lines it had.
    fn save(&mut self, key: &[u8], to: &mut Changes) {
        if let Some(counted) = self.counts.get_mut(key) {
            counted.is_touched = false;
            // Lines were scanned: they are UTF-8. Writing to memory cannot fail.
            to.put(&String::from_utf8_lossy(key), |out| drop(write!(out, "{}", counted.lines)));
        }
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The numbers of lines from `start` to before `end`. A stream has fewer than 2^63 of them.
fn lines(start: u64, end: u64) -> Window {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    Window::new(number(start), number(end))
}

impl millpipe::Stage for CountWindows {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.settings.form == Form::Marked {
            let by: Vec<String> = self.settings.by.iter().map(mark_path).collect();
            out.mark(&Mark::counts(by, self.settings.size, self.settings.slide));
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let found = self.reader.read(line)?;
        let target = found.target;
        found.key(&mut self.key);
        let number = self.count()?;
        let CountSettings { size, slide, form, .. } = self.settings;
        if form == Form::Marked && slide != size {
            let start = number - number % self.slice;
            self.members.clear();
            AnnotationKind::Slice.write(lines(start, start + self.slice), Scale::Lines, &mut self.members);
            self.annotator.write(line, target, &self.members, out.buffer());
            out.end_line();
            return Ok(());
        }
        let last = number / slide;
        let first = (number + 1).saturating_sub(size).div_ceil(slide);
        for start in (first..=last).map(|window| window * slide) {
            self.members.clear();
            AnnotationKind::Window.write(lines(start, start + size), Scale::Lines, &mut self.members);
            self.annotator.write(line, target, &self.members, out.buffer());
            out.end_result();
        }
        if first > last {
            out.leave_out(1)
        } else {
            out.settle(1)
        }
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        if !mark.kind().is_about_time() {
            out.mark(mark);
        }
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.reader.remark()
    }

    fn state(&mut self) -> Option<&mut dyn millpipe::Stateful> {
        Some(self)
    }
}

impl millpipe::Stateful for CountWindows {
    fn flags(&self) -> String {
        self.settings.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::by(self.settings.by.iter().map(ToString::to_string)).sum("/keys");
        Head::new().with("windows", "counts").with("keys", self.counts.len()).divided(divides).write(to)
    }

    fn facts(&self, to: &mut Facts) {
        to.insert("keys".to_owned(), self.counts.len().into());
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "window")?;
        head.must(head.value("windows") == "counts")?;
        let keys = usize::try_from(head.count("keys")?).unwrap_or(usize::MAX);
        self.counts.reserve(keys.min(self.settings.keys_max));
        self.is_tracked = true;
        Ok(())
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        let touched = std::mem::take(&mut self.touched);
        let due = if self.is_tracked { touched } else { self.counts.keys().cloned().collect() };
        self.is_tracked = true;
        due.iter().for_each(|key| self.save(key, to));
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        let lines = serde_json::from_slice(value).map_err(|_| Error::damaged_entry(key))?;
        self.insert(key.into(), Counted { lines, is_touched: false })
    }
}
