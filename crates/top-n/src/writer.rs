//! What is written: the best lines, or the changes of them.

use json_fields::{splice_behind, without_members, write_string};
use millpipe::Out;
use values::state_text::write_number;

use crate::Job;
use crate::ranking::{Ranking, Row};

/// The member that says what happens to a line.
const OP: &str = "op";

/// Writes lines with the members that are asked for in front.
pub struct Writer {
    /// `"rank":`
    rank: Option<Vec<u8>>,
    /// Members of these names are replaced, or would come twice.
    names: Vec<String>,
    members: Vec<u8>,
    without: Vec<u8>,
}

impl Writer {
    pub fn new(job: &Job) -> Writer {
        let member = |name: &String| {
            let mut text = Vec::new();
            write_string(name, &mut text);
            text.push(b':');
            text
        };
        let op = job.writes_changes().then(|| OP.to_owned());
        Writer {
            rank: job.rank.as_ref().map(member),
            names: op.into_iter().chain(job.rank.clone()).collect(),
            members: Vec::new(),
            without: Vec::new(),
        }
    }

    /// Names that a line must not have when it is kept; only an object can get members.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The line without members of those names.
    pub fn cleaned(&mut self, line: &[u8]) -> &[u8] {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        self.without.clear();
        without_members(line, &names, &mut self.without);
        &self.without
    }

    /// The best lines of one key; each stands for an input line.
    pub fn write_all(&mut self, job: &Job, ranking: &Ranking, out: &mut Out) {
        if self.rank.is_none() {
            return ranking.rows.iter().for_each(|row| out.line(row.line()));
        }
        for (row, rank) in ranking.rows.iter().zip(ranking.ranks(job)) {
            self.write(None, rank, row, out.buffer());
            out.end_line();
        }
    }

    /// What a new row in a place changes, which pushed others out: lines that go, then lines that come. `before` are
    /// the ranks as they were, if there are any to be written.
    pub fn write_changes(
        &mut self,
        job: &Job,
        ranking: &Ranking,
        place: usize,
        gone: &[Row],
        before: &[usize],
        out: &mut Out,
    ) {
        let now = if self.rank.is_some() { ranking.ranks(job) } else { Vec::new() };
        let rank = |ranks: &[usize], at: usize| ranks.get(at).copied().unwrap_or(0);
        // The row is among those kept, or pushed out by its own ties: never the latter, as ties are kept with it.
        let old_rows = ranking.rows.iter().enumerate().filter(|(at, _)| *at != place).map(|(at, row)| (Some(at), row));
        let old_rows = old_rows.chain(gone.iter().map(|row| (None, row)));
        for (old_at, (at, row)) in old_rows.enumerate() {
            let is_same = at.is_some_and(|at| rank(&now, at) == rank(before, old_at));
            if !is_same {
                self.write(Some("delete"), rank(before, old_at), row, out.buffer());
                out.end_result();
            }
        }
        for (at, row) in ranking.rows.iter().enumerate() {
            let old_at = if at > place { at - 1 } else { at };
            if at == place || rank(&now, at) != rank(before, old_at) {
                self.write(Some("insert"), rank(&now, at), row, out.buffer());
                out.end_result();
            }
        }
    }

    fn write(&mut self, op: Option<&str>, rank: usize, row: &Row, out: &mut Vec<u8>) {
        self.members.clear();
        if let Some(op) = op {
            write_string(OP, &mut self.members);
            self.members.push(b':');
            write_string(op, &mut self.members);
        }
        if let Some(name) = &self.rank {
            if op.is_some() {
                self.members.push(b',');
            }
            self.members.extend_from_slice(name);
            write_number(rank as u64, &mut self.members);
        }
        let line = row.line();
        let object = line.iter().position(|byte| *byte == b'{').map_or(0, |brace| brace + 1);
        splice_behind(line, object, &self.members, out);
    }
}
