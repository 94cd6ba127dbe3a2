//! What a checkpoint has: the watermark, and for each key an entry with its best lines, each
//! `[number,"values of the order","line"]`.

use std::io::{self, BufRead, Write};

use json_fields::write_string;
use millpipe::Error;
use serde_json::{Value, json};
use values::state_text::{StateReader, write_number};

use crate::TopN;
use crate::ranking::{Ranking, Row};
use crate::windows::window_of;

pub fn write_ranking(ranking: &Ranking, out: &mut Vec<u8>) {
    out.push(b'[');
    for (number, row) in ranking.rows.iter().enumerate() {
        out.extend_from_slice(if number > 0 { b",[" } else { b"[" });
        write_number(row.sequence, out);
        for text in [row.cells(), row.line()] {
            out.push(b',');
            // Lines were scanned: they are UTF-8.
            write_string(&String::from_utf8_lossy(text), out);
        }
        out.push(b']');
    }
    out.push(b']');
}

fn read_ranking(value: &[u8]) -> Option<Ranking> {
    let mut from = StateReader::new(value);
    let mut ranking = Ranking::default();
    from.items(|from| {
        from.literal(b"[")?;
        let sequence = from.number()?;
        from.literal(b",")?;
        let cells = from.string()?;
        from.literal(b",")?;
        let line = from.string()?;
        ranking.rows.push(Row::new(&cells, &line, sequence));
        from.literal(b"]")
    })?;
    from.end()?;
    Some(ranking)
}

impl TopN {
    pub(crate) fn save_head(&self, to: &mut dyn Write) -> io::Result<()> {
        // What a key begins with is of no field: shard cannot divide by it.
        let window = ["the window's start", "the window's end"].map(str::to_owned);
        let window = window.into_iter().filter(|_| self.job.window);
        let by: Vec<String> = window.chain(self.job.by.iter().map(ToString::to_string)).collect();
        let head = json!({
            "divides": {"by": by, "max": ["/lines"]},
            "lines": self.sequence,
            "has_watermarks": self.has_watermarks,
            "watermark_ms": self.watermark_ms,
        });
        writeln!(to, "{head}")
    }

    pub(crate) fn load_head(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let damaged = || Error::data("the snapshot is damaged, or not of top-n");
        let head: Value = serde_json::from_reader(from).map_err(|_| damaged())?;
        self.sequence = head["lines"].as_u64().ok_or_else(damaged)?;
        self.has_watermarks = head["has_watermarks"].as_bool().ok_or_else(damaged)?;
        self.watermark_ms = head["watermark_ms"].as_i64();
        Ok(())
    }

    pub(crate) fn load_ranking(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let damaged = || Error::damaged_entry(name);
        let ranking = read_ranking(value).ok_or_else(damaged)?;
        let window = window_of(name.as_bytes());
        if self.job.window && window.is_none() {
            return Err(damaged());
        }
        self.rows += ranking.rows.len() as u64;
        self.bytes += ranking.rows.iter().map(Row::bytes).sum::<usize>();
        let id = self.rankings.load(name, ranking).ok_or_else(damaged)?;
        if let Some(window) = window.filter(|_| self.job.window) {
            self.windows.add(window, id);
        }
        Ok(())
    }
}
