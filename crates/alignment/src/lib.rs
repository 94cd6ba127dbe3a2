//! The marks of several streams as those of one: time is the least of all, partitions are told apart, copies pass once.
//!
//! **Watermark.** What flows out is as late as the latest of its streams: the least of their watermarks. A stream that has
//! ended, or whose partitions are all idle, holds nothing back. One that has no watermark (yet) holds back the time of all:
//! nobody knows what its lines will say.
//!
//! **Partitions.** A from mark is about the lines that follow it in its own stream; so it is written again when lines of
//! another stream came between. Streams that are no copies of one another have partitions of their own, told by the stream's
//! name (`clicks:topic/3`); when one of them has partitions, the lines of a stream without are its partition. When a
//! stream ends, so do its partitions.
//!
//! **Other marks.** Of streams that are copies ([`Kin::Copies`]), with the first copy of them; otherwise in their place.
//!
//! Memory: a few bytes for each partition of each stream, at most [`event_time::PARTITIONS_MAX`], and marks of which not all copies have
//! come, at most 4,096.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod aligned;
mod copies;
mod partitions;

use millpipe::{Error, Mark, MarkKind, Out};
use serde_json::{Value, json};

pub use aligned::{Aligned, Tags};
use copies::{Copies, When};
use partitions::Partitions;

/// What the streams are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kin {
    /// Every mark that went in went to all of them.
    Copies,
    /// Each has marks of its own.
    Strangers,
}

/// The marks of several streams.
pub struct Alignment {
    kin: Kin,
    names: Vec<String>,
    streams: Vec<Stream>,
    partitions: Partitions,
    first: Copies,
    last: Copies,
    /// A first watermark mark, without a time, has been written.
    is_announced: bool,
    written_ms: Option<i64>,
}

#[derive(Clone, Default)]
struct Stream {
    watermark_ms: Option<i64>,
    has_ended: bool,
}

impl Alignment {
    /// `names` are those of the streams. With `marks`, each stream is a partition from the start.
    pub fn new(names: Vec<String>, kin: Kin, marks: bool) -> Self {
        Self {
            kin,
            streams: vec![Stream::default(); names.len()],
            partitions: Partitions::new(names.len(), marks),
            first: Copies::new(When::First),
            last: Copies::new(When::Last),
            is_announced: false,
            written_ms: None,
            names,
        }
    }

    /// Announces the partitions that are known from the start.
    pub fn start(&mut self, out: &mut Out) {
        if self.partitions.are_of_streams() {
            for (number, name) in self.names.iter().enumerate() {
                self.partitions.from(number, name.clone(), out);
            }
        }
    }

    /// A line of this stream is written next.
    ///
    /// # Errors
    /// When there are too many partitions.
    #[inline]
    pub fn before_line(&mut self, stream: usize, out: &mut Out) -> Result<(), Error> {
        if self.partitions.is_current(stream) {
            Ok(())
        } else {
            self.partitions.switch(stream, &self.names[stream], out)
        }
    }

    /// A mark of this stream.
    ///
    /// # Errors
    /// When it is a broken one.
    pub fn mark(&mut self, stream: usize, mark: &Mark, out: &mut Out) -> Result<(), Error> {
        match mark.kind() {
            MarkKind::Watermark => self.watermark(stream, mark, out),
            MarkKind::From => {
                let part = self.part(stream, mark)?;
                self.partitions.must_have_room(&part)?;
                self.partitions.from(stream, part, out);
                Ok(())
            }
            MarkKind::Idle => self.idle(stream, mark, out),
            _ => {
                if self.kin == Kin::Strangers || self.first.is_due(stream, mark.to_string(), &self.live()) {
                    out.mark(mark);
                }
                Ok(())
            }
        }
    }

    /// Nothing more comes from this stream.
    ///
    /// # Errors
    /// None; as `mark`.
    pub fn ended(&mut self, stream: usize, out: &mut Out) -> Result<(), Error> {
        self.streams[stream].has_ended = true;
        match self.kin {
            Kin::Strangers => self.partitions.end(stream, out),
            Kin::Copies => {
                for idle in self.last.due_without(&self.live()) {
                    self.partitions.idle_of_all(&Mark::parse(idle.as_bytes())?, out);
                }
            }
        }
        self.advance(out);
        Ok(())
    }

    /// The least watermark of all streams that hold time back, if all of them have one.
    pub fn watermark_ms(&self) -> Option<i64> {
        let holds = |number: &usize| !self.streams[*number].has_ended && !self.partitions.are_idle(*number);
        let of = |number: usize| self.streams[number].watermark_ms;
        let least = (0..self.streams.len()).filter(holds).map(of).min_by_key(|watermark| watermark.unwrap_or(i64::MIN));
        least.flatten()
    }

    fn live(&self) -> Vec<bool> {
        self.streams.iter().map(|stream| !stream.has_ended).collect()
    }

    fn watermark(&mut self, stream: usize, mark: &Mark, out: &mut Out) -> Result<(), Error> {
        let time_ms = mark.watermark_ms()?;
        if !self.is_announced {
            self.is_announced = true;
            out.mark(&Mark::watermark(None));
        }
        let stream = &mut self.streams[stream];
        stream.watermark_ms = stream.watermark_ms.max(time_ms);
        self.advance(out);
        Ok(())
    }

    fn advance(&mut self, out: &mut Out) {
        let Some(least_ms) = self.watermark_ms().filter(|least_ms| Some(*least_ms) > self.written_ms) else { return };
        self.written_ms = Some(least_ms);
        out.mark(&Mark::watermark(Some(least_ms)));
    }

    fn idle(&mut self, stream: usize, mark: &Mark, out: &mut Out) -> Result<(), Error> {
        let part = self.part(stream, mark)?;
        let is_final = mark.is_final();
        if self.kin == Kin::Strangers {
            self.partitions.must_have_room(&part)?;
            self.partitions.idle(stream, part, is_final, out);
            self.advance(out);
        } else if self.last.is_due(stream, mark.to_string(), &self.live()) {
            self.partitions.idle_of_all(mark, out);
        }
        Ok(())
    }

    fn part(&self, stream: usize, mark: &Mark) -> Result<String, Error> {
        let part = mark.part()?;
        let is_own = self.kin == Kin::Copies || self.streams.len() == 1;
        Ok(if is_own { part.to_owned() } else { format!("{}:{part}", self.names[stream]) })
    }

    /// All that [`Alignment::restore`] needs. Copies of marks that are on their way at a barrier do not exist.
    pub fn snapshot(&self) -> Value {
        let watermarks: Vec<Option<i64>> = self.streams.iter().map(|stream| stream.watermark_ms).collect();
        json!({
            "watermarks_ms": watermarks,
            "announced": self.is_announced,
            "written_ms": self.written_ms,
            "partitions": self.partitions.snapshot(),
        })
    }

    /// Takes a snapshot of as many streams; none if it is no such.
    pub fn restore(&mut self, value: &Value) -> Option<()> {
        let watermarks = value.get("watermarks_ms")?.as_array()?;
        if watermarks.len() != self.streams.len() {
            return None;
        }
        for (stream, watermark) in self.streams.iter_mut().zip(watermarks) {
            stream.watermark_ms = watermark.as_i64();
        }
        self.is_announced = value.get("announced")?.as_bool()?;
        self.written_ms = value.get("written_ms")?.as_i64();
        self.partitions.restore(value.get("partitions")?)
    }
}

#[cfg(test)]
mod tests;
