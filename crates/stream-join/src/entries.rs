//! What a checkpoint has of a join: an entry for each row, called by the number of its line, its side and its key.

use std::io::{self, BufRead, Write};

use millpipe::{Changes, Divides, Error, Fault, Head};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bodies::{body, write_object};
use crate::pairings::Names;
use crate::rows::{NewRow, flag};
use crate::side::Side;
use crate::tracking::Tracking;
use crate::{Bound, StreamJoin};

/// An entry's value.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default)]
    time_ms: i64,
    until_ms: Option<i64>,
    #[serde(default)]
    matched: bool,
    #[serde(default)]
    twin: bool,
    #[serde(borrow)]
    line: Option<&'a RawValue>,
}

/// Numbers sort as lines came. The key says where the row belongs, if the state is divided.
pub(crate) fn name(sequence: u64, side: Side, key: &[u8]) -> String {
    format!("{sequence:016}-{side}|{}", values::key::text(key))
}

impl StreamJoin {
    pub(crate) fn save_head(&self, to: &mut dyn Write) -> io::Result<()> {
        Head::new()
            .with("sequence", self.sequence)
            .with("watermark_ms", (self.watermark_ms > i64::MIN).then_some(self.watermark_ms))
            .with("has_watermarks", self.has_watermarks)
            .divided(Divides::by(self.job.key_texts()).after("|").max("/sequence"))
            .write(to)
    }

    pub(crate) fn load_head(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "stream-join")?;
        self.sequence = head.count("sequence")?;
        self.watermark_ms = head.maybe("watermark_ms")?.unwrap_or(i64::MIN);
        self.has_watermarks = head.flag("has_watermarks")?;
        self.tracking = Tracking { is_on: true, ..Tracking::default() };
        Ok(())
    }

    pub(crate) fn save_entries(&mut self, to: &mut Changes) -> io::Result<()> {
        self.tracking.removed.drain(..).for_each(|name| to.remove(&name));
        let mut touched = std::mem::take(&mut self.tracking.touched);
        if !self.tracking.is_on {
            touched = self.rows.numbers().collect();
            self.tracking.is_on = true;
        }
        // A number may be there twice, and may be that of a row that is gone.
        touched.retain(|number| {
            let row = self.rows.row_mut(*number);
            let is_due = !row.has(flag::GONE) && (!row.has(flag::SAVED) || row.has(flag::CHANGED));
            if is_due {
                row.set(flag::SAVED);
                row.unset(flag::CHANGED);
            }
            is_due
        });
        touched.sort_unstable_by_key(|number| (self.rows.row(*number).sequence(), self.rows.row(*number).side()));
        for number in &touched {
            self.save_row(*number, to)?;
        }
        touched.clear();
        self.tracking.touched = touched;
        Ok(())
    }

    fn save_row(&mut self, number: u32, to: &mut Changes) -> io::Result<()> {
        let (time, until) = self.rows.times(number);
        let row = *self.rows.row(number);
        let name = name(row.sequence(), row.side(), self.rows.key(number));
        let bytes = self.rows.bytes(number, &mut self.buffer)?;
        let body = if self.pairings.is_some() { Names::split(bytes).1 } else { bytes };
        to.put(&name, |out| {
            let start = out.len();
            if self.job.bound != Bound::Unbounded {
                // Writing to memory cannot fail.
                let _ = write!(out, ",\"time_ms\":{time},\"until_ms\":{until}");
            }
            for (has, member) in [(flag::MATCHED, "matched"), (flag::TWIN, "twin")] {
                if row.has(has) {
                    let _ = write!(out, ",\"{member}\":true");
                }
            }
            if row.side() == Side::Left || self.job.kind.pairs() {
                out.extend_from_slice(b",\"line\":");
                write_object(&[body], out);
            }
            // A brace in the place of the first comma.
            match out.get_mut(start) {
                Some(first) => *first = b'{',
                None => out.push(b'{'),
            }
            out.push(b'}');
        });
        Ok(())
    }

    pub(crate) fn load_entry(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let damaged = || Error::data(format_args!("entry {name:?} of the snapshot is damaged, or not of stream-join"));
        let (row, key) = name.split_once('|').ok_or_else(damaged)?;
        let (sequence, side) = row.split_once('-').ok_or_else(damaged)?;
        let side = match side {
            "left" => Side::Left,
            "right" => Side::Right,
            _ => return Err(damaged()),
        };
        let sequence = sequence.parse().ok().filter(|number| *number < self.sequence).ok_or_else(damaged)?;
        let entry: Entry<'_> = serde_json::from_slice(value).map_err(|_| damaged())?;
        let line = entry.line.map_or("", RawValue::get).as_bytes();
        let body = if line.is_empty() { line } else { body(line, 1) };
        let names = self.pairings.as_mut().map(|pairings| pairings.names(side, body).to_bytes());
        let mut flags = flag::SAVED;
        flags |= if entry.matched { flag::MATCHED | flag::USED } else { 0 };
        flags |= if entry.twin { flag::TWIN } else { 0 };
        let new = NewRow {
            side,
            sequence,
            flags,
            key: key.as_bytes(),
            time: entry.time_ms,
            until: entry.until_ms.unwrap_or(i64::MAX - 1),
            bytes: [names.as_ref().map_or(&[], |names| &names[..]), body],
        };
        let known = self.rows.keys.find(new.key);
        self.rows.add(known, &new);
        self.held += u64::from(!entry.twin);
        self.check_limits().map_err(|fault| match fault {
            Fault::Stop(error) => error,
            _ => damaged(),
        })
    }
}
