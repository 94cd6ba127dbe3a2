//! What a checkpoint has of a key: its best lines, each `[number,"values of the order","line"]`.

use json_fields::write_string;
use millpipe::Error;
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

fn read_ranking(from: &mut StateReader<'_>) -> Option<Ranking> {
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
    Some(ranking)
}

impl TopN {
    pub(crate) fn load_ranking(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let window = window_of(name.as_bytes());
        if self.job.window && window.is_none() {
            return Err(Error::damaged_entry(name));
        }
        let id = self.rankings.load(name, value, read_ranking)?;
        let rows = &self.rankings.get(id).rows;
        self.rows += rows.len() as u64;
        self.bytes += rows.iter().map(Row::bytes).sum::<usize>();
        if let Some(window) = window.filter(|_| self.job.window) {
            self.windows.add(window, id);
        }
        Ok(())
    }
}
