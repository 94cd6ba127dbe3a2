//! Lines that wait for the watermark to pass their time.

use std::collections::BTreeMap;

use accumulators::{StateReader, write_signed};
use json_fields::write_string;
use millpipe::Changes;

/// Lines by time and arrival.
#[derive(Debug, Default)]
pub struct Waiting {
    lines: BTreeMap<(i64, u64), Box<[u8]>>,
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
const NAME: &str = "line ";

impl Waiting {
    pub fn push(&mut self, time_ms: i64, sequence: u64, line: &[u8]) {
        self.bytes += line.len();
        self.lines.insert((time_ms, sequence), line.into());
        if let Some(changes) = &mut self.changes {
            changes.new.push((time_ms, sequence));
        }
    }

    /// The first line with a time before the watermark, with that.
    pub fn pop(&mut self, watermark_ms: i64) -> Option<(i64, Box<[u8]>)> {
        let first = self.lines.first_entry().filter(|first| first.key().0 < watermark_ms)?;
        let ((time_ms, sequence), line) = first.remove_entry();
        self.bytes -= line.len();
        if let Some(changes) = self.changes.as_mut().filter(|changes| sequence < changes.from) {
            changes.gone.push(sequence);
        }
        Some((time_ms, line))
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
                changes.gone.iter().for_each(|sequence| to.remove(&format!("{NAME}{sequence}")));
                changes.new
            }
        };
        for key in new {
            let Some(line) = self.lines.get(&key) else { continue };
            to.put(&format!("{NAME}{}", key.1), |out| {
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

    pub fn load(&mut self, sequence: u64, value: &[u8]) -> Option<()> {
        let mut from = StateReader::new(value);
        from.literal(b"[")?;
        let time_ms = from.signed()?;
        from.literal(b",")?;
        let line = from.string()?;
        from.literal(b"]")?;
        from.end()?;
        self.bytes += line.len();
        self.lines.insert((time_ms, sequence), line.as_ref().into()).is_none().then_some(())
    }

    /// The state is that of a checkpoint with lines below this number.
    pub fn restored(&mut self, next: u64) {
        self.changes = Some(Unsaved { from: next, ..Unsaved::default() });
    }
}
