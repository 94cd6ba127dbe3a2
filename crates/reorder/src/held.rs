//! The lines that wait for their turn: in memory, and beyond a limit on disk.

use event_time::{format_rfc3339, parse_rfc3339};
use json_fields::write_string;
use keyed_state::ArrivalTracking;
use millpipe::{Changes, Error, Fault, Out};
use sorted_runs::{Queue, Scratch};
use std::collections::BTreeMap;

/// Of `--memory`, the part that lines may take. The rest is for reading runs and all else in the process.
const LINES_SHARE: f64 = 0.75;

/// What a line takes in memory beside its bytes.
const LINE_BYTES: usize = 64;

/// A line's time, and its number among those that were held: the order of output.
pub(crate) type Key = (i64, u64);

/// Lines in two places, taken from both in one order.
pub(crate) struct Held {
    memory: BTreeMap<Key, Box<[u8]>>,
    bytes: usize,
    limit_bytes: usize,
    disk: Queue,
    tracking: ArrivalTracking<Key>,
    /// What lines take that are in memory and in the last checkpoint.
    saved_bytes: usize,
}

impl Held {
    /// # Errors
    /// When the scratch does not work.
    pub fn new(memory_bytes: usize, scratch: Box<dyn Scratch>) -> Result<Held, Error> {
        scratch.create().map_err(|source| cannot_spill(&scratch.place(), &source))?;
        let limit_bytes = (memory_bytes as f64 * LINES_SHARE) as usize;
        let disk = Queue::new(scratch, |a, b| a.cmp(b));
        Ok(Held {
            memory: BTreeMap::new(),
            bytes: 0,
            limit_bytes,
            disk,
            tracking: ArrivalTracking::default(),
            saved_bytes: 0,
        })
    }

    pub fn lines(&self) -> u64 {
        self.memory.len() as u64 + self.disk.len()
    }

    pub fn lines_on_disk(&self) -> u64 {
        self.disk.len()
    }

    /// # Errors
    /// When lines have to go to disk and cannot.
    #[inline]
    pub fn push(&mut self, key: Key, line: &[u8]) -> Result<(), Error> {
        self.memory.insert(key, line.into());
        self.bytes += line.len() + LINE_BYTES;
        if self.bytes > self.limit_bytes { self.spill() } else { Ok(()) }
    }

    /// Writes all lines up to this time, in order.
    ///
    /// # Errors
    /// When what is on disk cannot be read.
    #[inline]
    pub fn release(&mut self, up_to_ms: i64, out: &mut Out) -> Result<(), Fault> {
        if !self.disk.is_empty() {
            return Ok(self.release_both(up_to_ms, out)?);
        }
        while let Some(entry) = self.memory.first_entry().filter(|entry| entry.key().0 <= up_to_ms) {
            let (key, line) = entry.remove_entry();
            self.write(key, &line, out);
        }
        Ok(())
    }

    fn release_both(&mut self, up_to_ms: i64, out: &mut Out) -> Result<(), Error> {
        loop {
            let in_memory = self.memory.first_key_value().map(|(key, _)| *key);
            let on_disk = self.disk.first().and_then(|(key, _)| decode(key));
            let Some(first) = in_memory.into_iter().chain(on_disk).min().filter(|key| key.0 <= up_to_ms) else {
                return Ok(());
            };
            if in_memory == Some(first) {
                let line = self.memory.pop_first().map(|(_, line)| line).unwrap_or_default();
                self.write(first, &line, out);
            } else {
                if let Some((_, line)) = self.disk.first() {
                    out.line(line);
                }
                self.forget(first, 0);
                self.disk.pop().map_err(broken)?;
            }
        }
    }

    /// A line out of memory.
    #[inline]
    fn write(&mut self, key: Key, line: &[u8], out: &mut Out) {
        out.line(line);
        let bytes = line.len() + LINE_BYTES;
        self.bytes -= bytes;
        self.forget(key, bytes);
    }

    #[inline]
    fn forget(&mut self, key: Key, bytes: usize) {
        if self.tracking.forget(key.1, || key) {
            self.saved_bytes -= bytes;
        }
    }

    /// All lines in memory go to disk; in a stream with checkpoints those that the last one has, once they are many.
    #[cold]
    fn spill(&mut self) -> Result<(), Error> {
        if self.tracking.is_on() && self.saved_bytes <= self.limit_bytes / 2 {
            return Ok(());
        }
        self.saved_bytes = 0;
        let settled_below = self.tracking.settled_below();
        let mut run = self.disk.begin().map_err(broken)?;
        for (key, line) in self.memory.extract_if(.., |key, _| key.1 < settled_below) {
            self.bytes -= line.len() + LINE_BYTES;
            run.push(&encode(key), &line).map_err(broken)?;
        }
        self.disk.add(run).map_err(broken)
    }

    pub fn begin_checkpoints(&mut self) {
        self.tracking.begin();
    }

    /// The state is that of a checkpoint with lines below this number, which will be loaded.
    pub fn restored(&mut self, next_line: u64) {
        self.tracking.restored(next_line);
        self.saved_bytes = 0;
    }

    /// What changed since the last checkpoint; lines below this number came before this one.
    pub fn save(&mut self, next_line: u64, to: &mut Changes) {
        let (gone, first_new) = self.tracking.take(next_line);
        gone.into_iter().for_each(|key| to.remove(&name(key)));
        for (key, line) in self.memory.iter().filter(|(key, _)| key.1 >= first_new) {
            to.put(&name(*key), |out| write_string(&String::from_utf8_lossy(line), out));
        }
        self.saved_bytes = self.bytes;
    }

    /// # Errors
    /// When the entry is damaged, or lines have to go to disk and cannot.
    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let damaged = || Error::data(format_args!("the entry {name:?} is damaged, or not of reorder"));
        let key = parse_name(name).ok_or_else(damaged)?;
        let line: String = serde_json::from_slice(value).map_err(|_| damaged())?;
        self.saved_bytes += line.len() + LINE_BYTES;
        self.push(key, line.as_bytes())
    }

    /// What went to disk, for people.
    pub fn report(&self, out: &mut Out) {
        let written = self.disk.written();
        if written.runs > 0 {
            out.warn(format_args!(
                "spilled {} lines in {} runs, {} bytes; {} were merged on disk for having too many runs",
                written.entries, written.runs, written.bytes, written.rewritten
            ));
        }
    }
}

/// Bytes in the order of keys.
fn encode((time_ms, number): Key) -> [u8; 16] {
    let time = (time_ms as u64) ^ (1 << 63);
    (u128::from(time) << 64 | u128::from(number)).to_be_bytes()
}

fn decode(bytes: &[u8]) -> Option<Key> {
    let both = u128::from_be_bytes(bytes.try_into().ok()?);
    Some((((both >> 64) as u64) ^ (1 << 63)) as i64).zip(Some(both as u64))
}

/// The name of a line's entry in a checkpoint: `2026-01-01T00:00:00Z#0000000000000017`. Numbers sort as lines came, also when the
/// state is divided anew.
fn name((time_ms, number): Key) -> String {
    format!("{}#{number:016}", format_rfc3339(time_ms))
}

fn parse_name(name: &str) -> Option<Key> {
    let (time, number) = name.split_once('#')?;
    Some((parse_rfc3339(time.as_bytes())?, number.parse().ok()?))
}

fn broken(error: sorted_runs::Error) -> Error {
    match &error {
        sorted_runs::Error::Io { place, source } => cannot_spill(place, source),
        sorted_runs::Error::Damaged { .. } => Error::temporary(format_args!("spilled lines: {error}")),
    }
}

fn cannot_spill(place: &str, source: &std::io::Error) -> Error {
    Error::io(format_args!("lines beyond --memory cannot go to {place}"), source)
        .hint("--spill-dir DIR takes another folder, a larger --memory needs less of it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_time::{TIME_MAX_MS, TIME_MIN_MS};

    #[test]
    fn keys_on_disk_sort_as_in_memory() {
        let mut keys = [(TIME_MIN_MS, 7), (-1, u64::MAX), (0, 0), (0, 1), (1, 0), (TIME_MAX_MS, 3)];
        assert!(keys.is_sorted());
        assert!(keys.map(encode).is_sorted());
        keys.reverse();
        for key in keys {
            assert_eq!(decode(&encode(key)), Some(key));
            assert_eq!(parse_name(&name(key)), Some(key));
        }
        assert_eq!((decode(b"short"), parse_name("2026-01-01T00:00:00Z"), parse_name("x#1")), (None, None, None));
    }
}
