//! Windows by count: so many lines of a key, whatever time it is.

use crate::annotation::{Annotator, Span, write_ordinals};
use crate::line_reader::{LineReader, mark_path};
use crate::{Form, state};
use foldhash::fast::RandomState;
use json_fields::FieldPath;
use millpipe::{Error, Fault, Mark, Out};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
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
}

/// Puts lines into windows by their number, from 0, among those of their key.
///
/// No line is late, and no watermark is needed: from, idle and watermark marks end here.
pub struct CountWindows {
    settings: CountSettings,
    slice: u64,
    reader: LineReader,
    /// How many lines each key had. Looked up only; written to snapshots in order.
    counts: HashMap<Vec<u8>, u64, RandomState>,
    annotator: Annotator,
    members: Vec<u8>,
    key: Vec<u8>,
}

impl CountWindows {
    pub fn new(settings: CountSettings) -> Self {
        Self {
            slice: greatest_common_divisor(settings.size, settings.slide),
            reader: LineReader::new(&settings.by),
            counts: HashMap::default(),
            annotator: Annotator::default(),
            members: Vec::new(),
            key: Vec::new(),
            settings,
        }
    }

    /// The number of this line among those of its key.
    fn count(&mut self) -> Result<u64, Fault> {
        if let Some(count) = self.counts.get_mut(&self.key) {
            *count += 1;
            return Ok(*count - 1);
        }
        let max = self.settings.keys_max;
        if self.counts.len() >= max {
            return Err(Error::data(format_args!("more than {max} keys")).hint("--max-keys allows more").into());
        }
        self.counts.insert(self.key.clone(), 1);
        Ok(0)
    }

    fn take(&mut self, values: &[Value]) -> Option<()> {
        let (head, keys) = values.split_first()?;
        (head.get("windows")? == "counts").then_some(())?;
        self.counts.clear();
        for key in keys {
            self.counts.insert(key.get("key")?.as_str()?.into(), key.get("count")?.as_u64()?);
        }
        Some(())
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

impl millpipe::Stage for CountWindows {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.settings.form == Form::Marked {
            let by: Vec<String> = self.settings.by.iter().map(mark_path).collect();
            let mark = Mark::new("counts").with("by", by).with("size", self.settings.size);
            out.mark(&mark.with("slide", self.settings.slide));
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let found = self.reader.read(line)?;
        let target = found.target;
        found.key(line, 0, &mut self.key)?;
        let number = self.count()?;
        let CountSettings { size, slide, form, .. } = self.settings;
        if form == Form::Marked && slide != size {
            let start = number - number % self.slice;
            self.members.clear();
            write_ordinals(Span::Slice, start, start + self.slice, &mut self.members);
            self.annotator.write(line, target, &self.members, out.buffer());
            out.end_line();
            return Ok(());
        }
        let last = number / slide;
        let first = (number + 1).saturating_sub(size).div_ceil(slide);
        for start in (first..=last).map(|window| window * slide) {
            self.members.clear();
            write_ordinals(Span::Window, start, start + size, &mut self.members);
            self.annotator.write(line, target, &self.members, out.buffer());
            out.end_result();
        }
        out.settle(1);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        if !matches!(mark.kind(), "from" | "idle" | "watermark") {
            out.mark(mark);
        }
        Ok(())
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        state::write(to, &json!({"windows": "counts"}))?;
        let counts: BTreeMap<_, _> = self.counts.iter().collect();
        for (key, count) in counts {
            state::write(to, &json!({"key": String::from_utf8_lossy(key), "count": count}))?;
        }
        Ok(())
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let values = state::read(from)?;
        self.take(&values).ok_or_else(state::damaged)
    }
}
