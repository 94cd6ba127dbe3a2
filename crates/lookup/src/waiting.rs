//! Lines that wait for the watermark to pass their time.

use std::collections::BTreeMap;

use json_fields::write_string;
use millpipe::Changes;
use values::KeyText;
use values::state_text::{StateReader, write_signed};

/// A line with its key, if it has one.
#[derive(Debug)]
pub struct Waiter {
    pub key: Option<KeyText>,
    pub line: Box<[u8]>,
}

impl Waiter {
    pub fn new(key: Option<&[u8]>, line: &[u8]) -> Waiter {
        Waiter { key: key.map(KeyText::new), line: line.into() }
    }

    fn bytes(&self) -> usize {
        self.line.len() + self.key.as_ref().map_or(0, KeyText::heap_bytes)
    }
}

/// Lines by time and arrival.
#[derive(Debug, Default)]
pub struct Waiting {
    lines: BTreeMap<(i64, u64), Waiter>,
    bytes: usize,
    /// Lines that the next checkpoint has to save, and those that it has to forget; none before the first.
    changes: Option<Unsaved>,
}

#[derive(Debug, Default)]
struct Unsaved {
    new: Vec<(i64, u64)>,
    /// Lines from this number on are in no checkpoint.
    from: u64,
    gone: Vec<u64>,
}

/// What the names of entries begin with; no key does.
pub const NAME: &str = "line ";

/// Numbers sort as lines came, also when the state is divided anew.
fn name(sequence: u64) -> String {
    format!("{NAME}{sequence:016}")
}

impl Waiting {
    pub fn push(&mut self, time_ms: i64, sequence: u64, waiter: Waiter) {
        self.bytes += waiter.bytes();
        self.lines.insert((time_ms, sequence), waiter);
        if let Some(changes) = &mut self.changes {
            changes.new.push((time_ms, sequence));
        }
    }

    /// The first line with a time before the watermark, with that.
    pub fn pop(&mut self, watermark_ms: i64) -> Option<(i64, Waiter)> {
        let first = self.lines.first_entry().filter(|first| first.key().0 < watermark_ms)?;
        let ((time_ms, sequence), waiter) = first.remove_entry();
        self.bytes -= waiter.bytes();
        if let Some(changes) = self.changes.as_mut().filter(|changes| sequence < changes.from) {
            changes.gone.push(sequence);
        }
        Some((time_ms, waiter))
    }

    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives the entries that changed; lines from number `next` on are still to come.
    pub fn save(&mut self, next: u64, to: &mut Changes) {
        let changes = self.changes.replace(Unsaved { from: next, ..Unsaved::default() });
        let new = match changes {
            None => self.lines.keys().copied().collect(),
            Some(changes) => {
                changes.gone.iter().for_each(|sequence| to.remove(&name(*sequence)));
                changes.new
            }
        };
        for key in new {
            let Some(Waiter { line, .. }) = self.lines.get(&key) else { continue };
            to.put(&name(key.1), |out| {
                out.push(b'[');
                write_signed(key.0, out);
                out.push(b',');
                // Lines were scanned: they are UTF-8.
                write_string(&String::from_utf8_lossy(line), out);
                out.push(b']');
            });
        }
    }

    /// The number of the line that an entry of this name is of.
    pub fn sequence_of(name: &str) -> Option<u64> {
        name.strip_prefix(NAME)?.parse().ok()
    }

    /// The time and the text of a line that was saved.
    pub fn read(value: &[u8]) -> Option<(i64, Vec<u8>)> {
        let mut from = StateReader::new(value);
        from.literal(b"[")?;
        let time_ms = from.signed()?;
        from.literal(b",")?;
        let line = from.string()?.into_owned();
        from.literal(b"]")?;
        from.end()?;
        Some((time_ms, line))
    }

    /// Takes in a line that was saved.
    pub fn load(&mut self, time_ms: i64, sequence: u64, waiter: Waiter) {
        self.bytes += waiter.bytes();
        self.lines.insert((time_ms, sequence), waiter);
    }

    /// The state is that of a checkpoint with lines below this number.
    pub fn restored(&mut self, next: u64) {
        self.changes = Some(Unsaved { from: next, ..Unsaved::default() });
    }
}
