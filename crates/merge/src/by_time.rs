//! Lines in the order of their times; equal times in the order of the inputs, and in an input as they came.
//!
//! An input's watermark W says that none of its further lines is before W. So a line of time t in input i can be
//! written once (t, i) is not above (W, j) for any input j that holds time back: nothing can come that belongs before it.
//! That does not depend on how lines arrive, and neither does the output.
//!
//! **Late.** A line below its own input's watermark: further out of order than `--lateness`. Also one of an input that was
//! idle and comes when later lines have been written.
//!
//! **Marks.** If an input has marks of time, the output has watermark marks, the least of all inputs; from and idle marks
//! end here. Other marks pass at once, in front of lines that wait.

use std::io::{self, BufRead, Write};

use alignment::Tags;
use event_time::{TimeField, TimeSettings, format_rfc3339};
use line_values::Expression;
use millpipe::{Changes, Error, Fault, Late, Mark, MarkKind, Merge, Out, Stage, Stateful};
use serde_json::{Value, json};

use crate::progress::Progress;
use crate::waiting::Waiting;

/// Marks are at least so far apart, unless an input's own marks are nearer.
const EVERY_MS: i64 = 100;

/// What flags say.
pub struct Settings {
    pub inputs: usize,
    pub time: TimeSettings,
    pub field: Expression,
    pub tags: Option<Tags>,
    /// For the lines of each input.
    pub buffer_bytes: usize,
    /// A snapshot is of use with the same only.
    pub flags: String,
}

/// The stage.
pub struct ByTime {
    inputs: Vec<Progress>,
    waiting: Waiting,
    field: TimeField,
    tags: Option<Tags>,
    buffer_bytes: usize,
    flags: String,
    input: usize,
    /// Lines up to here have been written.
    released: (i64, usize),
    marks: Marks,
    tagged: Vec<u8>,
}

/// The watermark marks of the output.
#[derive(Default)]
struct Marks {
    /// An input has marks of time.
    are_written: bool,
    /// An input has watermark marks: every move of theirs is told.
    are_given: bool,
    written_ms: Option<i64>,
}

impl ByTime {
    pub fn new(settings: Settings) -> Self {
        let Settings { inputs, time, field, tags, buffer_bytes, flags } = settings;
        Self {
            inputs: std::iter::repeat_with(|| Progress::new(time.clone())).take(inputs).collect(),
            waiting: Waiting::new(inputs),
            field: TimeField::new(&field),
            tags,
            buffer_bytes,
            flags,
            input: 0,
            released: (i64::MIN, 0),
            marks: Marks::default(),
            tagged: Vec::new(),
        }
    }

    fn time_of(&mut self, line: &[u8], now_ms: i64) -> Result<i64, Fault> {
        let found = self.field.find(line).map_err(Fault::bad)?;
        let Some(text) = found.text else { return Err(Fault::bad(self.field.missing(line))) };
        self.inputs[self.input].time.read(text, now_ms).map_err(|error| Fault::bad(error.with_hint()))
    }

    /// What every input has reached: the least watermark, and the first input that has it.
    fn bound(&self) -> (i64, usize) {
        let reached = self.inputs.iter().enumerate().filter_map(|(input, own)| Some((own.reached_ms()?, input)));
        reached.min().unwrap_or((i64::MAX, usize::MAX))
    }

    /// Writes what nothing can come before any more.
    fn release(&mut self, out: &mut Out) {
        let bound = self.bound();
        self.write_until(bound, out);
        let is_known = bound.0 != i64::MIN && bound.0 != i64::MAX;
        if is_known && self.marks.are_written {
            self.marks.write(bound.0, out);
        }
    }

    fn write_until(&mut self, bound: (i64, usize), out: &mut Out) {
        while let Some((_, line)) = self.waiting.pop(bound) {
            out.line(&line);
        }
        // When all have ended, another one may still begin again; it is not to be late for nothing.
        if bound.0 != i64::MAX {
            self.released = self.released.max(bound);
        }
    }

    fn late(&mut self, line: &[u8], time_ms: i64, behind_ms: i64, out: &mut Out) {
        if out.late_policy() == Late::Pass {
            out.count_late_passed();
            out.line(line);
            return;
        }
        let why = format_args!("late: {} is before {}", format_rfc3339(time_ms), format_rfc3339(behind_ms)).to_string();
        out.late(line, why, "--lateness says how far an input is out of order; --late pass lets such lines through");
    }

    fn take(&mut self, value: &Value) -> Option<()> {
        let inputs = value.get("inputs")?.as_array()?;
        if inputs.len() != self.inputs.len() {
            return None;
        }
        for (input, saved) in self.inputs.iter_mut().zip(inputs) {
            input.restore(saved)?;
        }
        let numbers: Option<Vec<u64>> = value.get("numbers")?.as_array()?.iter().map(Value::as_u64).collect();
        self.waiting.restore_numbers(&numbers?);
        let input = usize::try_from(value.get("released")?.get(1)?.as_u64()?).ok()?;
        self.released = (value.get("released")?.get(0)?.as_i64()?, input);
        self.marks.are_written = value.get("marks")?.as_bool()?;
        self.marks.are_given = value.get("given")?.as_bool()?;
        self.marks.written_ms = value.get("written_ms")?.as_i64();
        Some(())
    }
}

impl Marks {
    fn begin(&mut self, out: &mut Out) {
        if !self.are_written {
            self.are_written = true;
            out.mark(&Mark::watermark(None));
        }
    }

    fn write(&mut self, reached_ms: i64, out: &mut Out) {
        let step_ms = if self.are_given { 1 } else { EVERY_MS };
        if self.written_ms.is_none_or(|written_ms| reached_ms >= written_ms.saturating_add(step_ms)) {
            self.written_ms = Some(reached_ms);
            out.mark(&Mark::watermark(Some(reached_ms)));
        }
    }
}

impl Merge for ByTime {
    fn at_input(&mut self, input: usize) {
        self.input = input;
    }

    fn input_ended(&mut self, input: usize, out: &mut Out) -> Result<(), Fault> {
        self.inputs[input].has_ended = true;
        self.release(out);
        Ok(())
    }

    fn has_room(&self, input: usize) -> bool {
        self.waiting.bytes(input) < self.buffer_bytes
    }

    fn is_stuck(&self) -> Error {
        Error::data("the lines of one input that wait for their time fill its buffer (--buffer), and no other input can go on")
            .hint("lines wait as long as --lateness: a larger --buffer or a shorter --lateness; between barriers also a shorter --interval of the source")
    }
}

impl Stage for ByTime {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let time_ms = self.time_of(line, out.now_ms())?;
        self.tagged.clear();
        if let Some(tags) = &mut self.tags {
            tags.write(self.input, line, &mut self.tagged)?;
        }
        let tagged = std::mem::take(&mut self.tagged);
        let text = if self.tags.is_some() { &tagged[..] } else { line };
        let own_ms = self.inputs[self.input].time.watermark_ms().unwrap_or(i64::MIN);
        let behind_ms = own_ms.max(self.released.0);
        if time_ms < behind_ms {
            self.waiting.skip(self.input);
            self.late(text, time_ms, behind_ms, out);
        } else {
            self.waiting.push(time_ms, self.input, text);
            let _moved = self.inputs[self.input].time.observe(time_ms);
            self.release(out);
        }
        self.tagged = tagged;
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        if !self.inputs[self.input].mark(mark, out.now_ms())? {
            out.mark(mark);
            return Ok(());
        }
        self.marks.begin(out);
        self.marks.are_given |= mark.kind() == MarkKind::Watermark;
        self.release(out);
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.write_until((i64::MAX, usize::MAX), out);
        Ok(())
    }

    fn wake_at(&self) -> Option<i64> {
        self.inputs.iter().filter_map(Progress::wake_at).min()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.inputs.iter_mut().for_each(|input| input.wake(out.now_ms()));
        self.release(out);
        Ok(())
    }

    fn held(&self) -> u64 {
        self.waiting.len() as u64
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for ByTime {
    fn flags(&self) -> String {
        self.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let inputs: Vec<Value> = self.inputs.iter().map(Progress::snapshot).collect();
        let head = json!({
            "inputs": inputs,
            "numbers": self.waiting.numbers(),
            "released": [self.released.0, self.released.1],
            "marks": self.marks.are_written,
            "given": self.marks.are_given,
            "written_ms": self.marks.written_ms,
        });
        writeln!(to, "{head}")
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let value = serde_json::from_reader(from).map_err(|_| damaged())?;
        self.take(&value).ok_or_else(damaged)
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.waiting.changes(to);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.waiting.restore(key, value).ok_or_else(damaged)
    }
}

fn damaged() -> Error {
    Error::data("the snapshot is damaged, or not of merge --by-time")
}
