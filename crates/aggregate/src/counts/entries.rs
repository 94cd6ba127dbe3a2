//! The entries of count windows in a checkpoint: a group's state by its slice and key, and where overlapping windows
//! go on, by the counted key.

use std::collections::BTreeMap;

use event_time::{Scale, Window};
use millpipe::{Changes, Error, Fault};
use values::state_text::{StateReader, write_signed};

use super::{Counts, Slice, Stream};
use crate::entry_name;
use crate::keys;
use crate::work::Work;

/// In place of a slice, in the name of an entry that says where the windows of a key go on.
const NEXT: &str = "next";

/// Counted keys whose next window changed.
#[derive(Debug, Default)]
pub struct StreamTracking {
    is_on: bool,
    touched: Vec<Box<[u8]>>,
    /// Keys that the last checkpoint has.
    removed: Vec<Box<[u8]>>,
}

impl StreamTracking {
    pub(super) fn touch(&mut self, key: &[u8], stream: &mut Stream) {
        if self.is_on && !stream.is_noted && stream.saved_start != Some(stream.next_start) {
            stream.is_noted = true;
            self.touched.push(key.into());
        }
    }

    pub(super) fn remove_all(&mut self, streams: BTreeMap<Box<[u8]>, Stream>) {
        self.touched.clear();
        let saved = streams.into_iter().filter(|(_, stream)| stream.saved_start.is_some());
        self.removed.extend(saved.map(|(key, _)| key));
    }
}

fn name_of(key: &[u8]) -> String {
    format!("{NEXT}|{}", keys::text(key))
}

impl Counts {
    /// Gives the entries that changed.
    pub fn save(&mut self, to: &mut Changes) {
        let all = self.streams.values().flat_map(|stream| &stream.slices).flat_map(|slice| &slice.members).copied();
        self.groups.save(Scale::Lines, all, to, |store, id, out| store.save(id, out));
        self.tracking.removed.drain(..).for_each(|key| to.remove(&name_of(&key)));
        if self.keeps_streams() {
            self.save_streams(to);
        }
    }

    fn save_streams(&mut self, to: &mut Changes) {
        let touched = std::mem::take(&mut self.tracking.touched);
        let due = if self.tracking.is_on { touched } else { self.streams.keys().cloned().collect() };
        self.tracking.is_on = true;
        for key in due {
            if let Some(stream) = self.streams.get_mut(&key) {
                stream.is_noted = false;
                stream.saved_start = Some(stream.next_start);
                to.put(&name_of(&key), |out| write_signed(stream.next_start, out));
            }
        }
    }

    /// Takes one entry.
    ///
    /// # Errors
    /// `Stop` at the limit of groups, or when the entry is damaged.
    pub fn load(&mut self, name: &str, value: &[u8], work: &mut Work) -> Result<(), Fault> {
        self.tracking.is_on = true;
        let (span, key) = entry_name::split(name).ok_or_else(|| Error::damaged_entry(name))?;
        let from = &mut StateReader::new(value);
        if span == NEXT {
            Ok(self.load_stream(key, from).ok_or_else(|| Error::damaged_entry(name))?)
        } else {
            let slice = entry_name::parse_span(span, Scale::Lines).ok_or_else(|| Error::damaged_entry(name))?;
            self.load_group(slice, key, from, work)?;
            Ok(from.end().ok_or_else(|| Error::damaged_entry(name))?)
        }
    }

    fn load_stream(&mut self, key: &str, from: &mut StateReader<'_>) -> Option<()> {
        let next_start = from.signed().filter(|start| *start >= 0)?;
        let stream = self.streams.entry(key.as_bytes().into()).or_default();
        (stream.next_start, stream.saved_start) = (next_start, Some(next_start));
        from.end()
    }

    fn load_group(
        &mut self,
        span: Window,
        key: &str,
        from: &mut StateReader<'_>,
        work: &mut Work,
    ) -> Result<(), Fault> {
        let (start, end) = (span.start_ms, span.end_ms);
        keys::part(key.as_bytes(), &self.cells, &mut self.key);
        let next_start = self.first_window_with(start);
        let stream = self
            .streams
            .entry(self.key.as_slice().into())
            .or_insert_with(|| Stream { next_start, ..Stream::default() });
        let at = stream.slices.partition_point(|slice| (slice.end, slice.start) < (end, start));
        if stream.slices.get(at).is_none_or(|slice| (slice.start, slice.end) != (start, end)) {
            stream.slices.insert(at, Slice { start, end, ..Slice::default() });
        }
        let slice = &mut stream.slices[at];
        let known = slice.members.len();
        let span = slice.span();
        let id = self.groups.member(&mut slice.members, key.as_bytes(), span, &mut work.budget)?;
        if slice.members.len() == known {
            return Err(Error::damaged_entry(key).into());
        }
        let lines = self.groups.store.load(id, from)?;
        slice.lines = i64::try_from(lines)
            .ok()
            .and_then(|lines| slice.lines.checked_add(lines))
            .ok_or_else(|| Error::damaged_entry(key))?;
        work.hold(lines);
        Ok(())
    }
}
