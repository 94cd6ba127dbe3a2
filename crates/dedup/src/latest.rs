//! Keys with their latest line, which waits to be final.

use accumulators::{StateReader, write_number, write_signed};
use json_fields::write_string;
use keyed_state::{Keyed, hash};
use millpipe::{Changes, Error, Fault, Out};
use units::ByteSize;

use crate::expiry::Expiry;
use crate::{Taken, too_many_keys};

/// A line that is the latest of its key so far.
#[derive(Debug, Default)]
struct Row {
    time_ms: i64,
    sequence: u64,
    line: Box<[u8]>,
}

impl Row {
    fn new(taken: &Taken<'_>) -> Row {
        Row { time_ms: taken.time_ms, sequence: taken.sequence, line: taken.line.into() }
    }

    fn order(&self) -> (i64, u64) {
        (self.time_ms, self.sequence)
    }
}

/// The latest line of each key.
pub struct Latest {
    rows: Keyed<Row>,
    expiry: Option<Expiry<u64>>,
    keys_max: usize,
    buffer: ByteSize,
    bytes: usize,
}

impl Latest {
    pub fn new(within_ms: Option<i64>, keys_max: usize, buffer: ByteSize) -> Latest {
        Latest { rows: Keyed::default(), expiry: within_ms.map(Expiry::new), keys_max, buffer, bytes: 0 }
    }

    /// Takes a line in. True if there was one of its key: one of the two has had its effect.
    ///
    /// # Errors
    /// `Stop` at a limit.
    pub fn take(&mut self, taken: &Taken<'_>) -> Result<bool, Fault> {
        let hash = hash(taken.key);
        let known = self.rows.find(taken.key, hash);
        let known_bytes = match known.map(|id| self.rows.get(id)) {
            Some(row) if taken.time_ms < row.time_ms => return Ok(true),
            Some(row) => row.line.len(),
            None => 0,
        };
        let bytes = self.bytes - known_bytes + taken.line.len();
        if bytes > self.buffer.as_usize() {
            return Err(self.too_many_bytes().into());
        }
        match known {
            Some(id) => *self.rows.change(id) = Row::new(taken),
            None if self.rows.len() >= self.keys_max => return Err(too_many_keys(self.keys_max).into()),
            None => {
                let id = self.rows.insert(taken.key, hash, Row::new(taken));
                self.push(taken.time_ms, taken.sequence, id);
            }
        }
        self.bytes = bytes;
        Ok(known.is_some())
    }

    fn push(&mut self, time_ms: i64, sequence: u64, id: u32) {
        if let Some(expiry) = &mut self.expiry {
            expiry.push(time_ms, sequence, id);
        }
    }

    fn too_many_bytes(&self) -> Error {
        Error::data(format_args!("the latest lines of all keys are more than {}", self.buffer))
            .hint("--buffer SIZE allows more, --within writes and forgets old ones, --emit update keeps no lines")
    }

    /// Writes the lines that are final, in the order of their times.
    pub fn advance(&mut self, watermark_ms: i64, out: &mut Out) {
        let Some(expiry) = &mut self.expiry else { return };
        while let Some(id) = expiry.pop(watermark_ms, |id| self.rows.get(id).order()) {
            let row = self.rows.remove(id);
            self.bytes -= row.line.len();
            out.line(&row.line);
        }
    }

    /// The input is finished: all are final.
    pub fn end(&mut self, out: &mut Out) {
        let mut ids: Vec<u32> = self.rows.ids().collect();
        ids.sort_unstable_by_key(|id| self.rows.get(*id).order());
        for id in ids {
            out.line(&self.rows.remove(id).line);
        }
        self.bytes = 0;
        if let Some(expiry) = &mut self.expiry {
            expiry.clear();
        }
    }

    pub fn lines(&self) -> u64 {
        self.rows.len() as u64
    }

    pub fn save(&mut self, to: &mut Changes) {
        self.rows.save(to, |row, out| {
            out.push(b'[');
            write_signed(row.time_ms, out);
            out.push(b',');
            write_number(row.sequence, out);
            out.push(b',');
            // Lines were scanned: they are UTF-8.
            write_string(&String::from_utf8_lossy(&row.line), out);
            out.push(b']');
        });
    }

    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let row = read_row(value).ok_or_else(|| Error::damaged_entry(name))?;
        let (time_ms, sequence) = row.order();
        self.bytes += row.line.len();
        let id = self.rows.load(name, row).ok_or_else(|| Error::damaged_entry(name))?;
        self.push(time_ms, sequence, id);
        Ok(())
    }
}

fn read_row(value: &[u8]) -> Option<Row> {
    let mut from = StateReader::new(value);
    from.literal(b"[")?;
    let time_ms = from.signed()?;
    from.literal(b",")?;
    let sequence = from.number()?;
    from.literal(b",")?;
    let line = from.string()?.into_owned().into_boxed_slice();
    from.literal(b"]")?;
    from.end()?;
    Some(Row { time_ms, sequence, line })
}
