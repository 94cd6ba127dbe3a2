//! Which partition the lines of each stream come from, and which one the reader of the output takes them for.

use std::collections::BTreeMap;

use event_time::PARTITIONS_MAX;
use millpipe::{Error, Mark, Out};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Live,
    Idle,
    Over,
}

pub(crate) struct Partitions {
    /// Each stream is a partition from the start.
    of_streams: bool,
    /// There are partitions: every line must be of one.
    any: bool,
    /// The partition of each stream's lines.
    current: Vec<Option<String>>,
    /// The stream and the partition of the last from mark that was written.
    written: Option<(usize, String)>,
    /// Partitions by name: the stream that named it first, and how it is.
    known: BTreeMap<String, (usize, State)>,
}

impl Partitions {
    pub fn new(streams: usize, of_streams: bool) -> Self {
        Self { of_streams, any: of_streams, current: vec![None; streams], written: None, known: BTreeMap::new() }
    }

    pub fn are_of_streams(&self) -> bool {
        self.of_streams
    }

    /// Whether a line of this stream can be written as things stand.
    #[inline]
    pub fn is_current(&self, stream: usize) -> bool {
        !self.any || self.written.as_ref().is_some_and(|(last, _)| *last == stream)
    }

    /// A line of this stream is next, and the last one was of another, or of another partition.
    pub fn switch(&mut self, stream: usize, name: &str, out: &mut Out) -> Result<(), Error> {
        let part = self.current[stream].get_or_insert_with(|| name.to_owned()).clone();
        self.must_have_room(&part)?;
        match &mut self.written {
            Some((last, written)) if *written == part && self.known.get(&part).is_some_and(|k| k.1 == State::Live) => {
                *last = stream;
            }
            _ => self.write_from(stream, part, out),
        }
        Ok(())
    }

    /// The stream says that its lines come from this partition now.
    pub fn from(&mut self, stream: usize, part: String, out: &mut Out) {
        self.any = true;
        self.current[stream] = Some(part.clone());
        if self.known.get(&part).is_none_or(|known| known.1 != State::Live) {
            self.write_from(stream, part, out);
        } else if self.written.as_ref().is_some_and(|(last, written)| *last == stream && *written != part) {
            // The next line of this stream says it again.
            self.written = None;
        }
    }

    fn write_from(&mut self, stream: usize, part: String, out: &mut Out) {
        out.mark(&Mark::from_part(&part));
        let first = self.known.get(&part).map_or(stream, |known| known.0);
        self.known.insert(part.clone(), (first, State::Live));
        self.written = Some((stream, part));
    }

    /// There is nothing to read in a partition of this stream.
    pub fn idle(&mut self, stream: usize, part: String, is_final: bool, out: &mut Out) {
        self.any = true;
        out.mark(&Mark::idle(&part, is_final));
        self.known.insert(part, (stream, if is_final { State::Over } else { State::Idle }));
    }

    /// The same where all streams have this partition.
    pub fn idle_of_all(&mut self, mark: &Mark, out: &mut Out) {
        self.idle(0, mark.text("part").unwrap_or_default().to_owned(), mark.flag("final"), out);
    }

    /// The stream has ended, and its partitions with it.
    pub fn end(&mut self, stream: usize, out: &mut Out) {
        for (part, (of, state)) in &mut self.known {
            if *of == stream && *state != State::Over {
                *state = State::Over;
                out.mark(&Mark::idle(part, true));
            }
        }
    }

    /// Whether the stream has partitions, and nothing to read in any of them.
    pub fn are_idle(&self, stream: usize) -> bool {
        let mut own = self.known.values().filter(|(of, _)| *of == stream).peekable();
        own.peek().is_some() && own.all(|(_, state)| *state != State::Live)
    }

    pub fn must_have_room(&self, part: &str) -> Result<(), Error> {
        if self.known.len() < PARTITIONS_MAX || self.known.contains_key(part) {
            return Ok(());
        }
        Err(Error::data(format_args!(
            "partition {part:?} is one more than the {PARTITIONS_MAX} that can be kept apart"
        )))
    }

    pub fn snapshot(&self) -> Value {
        let known = self.known.iter().map(|(part, (stream, state))| json!([part, stream, *state as u8]));
        json!({ "any": self.any, "current": self.current, "written": self.written, "known": known.collect::<Vec<_>>() })
    }

    pub fn restore(&mut self, value: &Value) -> Option<()> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let stream = |value: &Value| value.as_u64().and_then(|stream| usize::try_from(stream).ok());
        self.any = value.get("any")?.as_bool()?;
        let current: Vec<Option<String>> = value.get("current")?.as_array()?.iter().map(text).collect();
        if current.len() != self.current.len() {
            return None;
        }
        self.current = current;
        self.written = value.get("written").and_then(|written| Some((stream(&written[0])?, text(&written[1])?)));
        for entry in value.get("known")?.as_array()? {
            let state = match entry[2].as_u64()? {
                0 => State::Live,
                1 => State::Idle,
                _ => State::Over,
            };
            self.known.insert(text(&entry[0])?, (stream(&entry[1])?, state));
        }
        Some(())
    }
}
