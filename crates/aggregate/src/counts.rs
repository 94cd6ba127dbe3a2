//! Count windows: of every `size` lines of a key, a new one after every `slide`.

mod next_windows;
mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;

use accumulators::Plan;
use event_time::{Scale, Window};
use millpipe::{Changes, Error, Fault, Out};
use values::state_text::StateReader;

use self::next_windows::{NEXT, NextWindows};
use self::stream::{Slice, Stream};
use crate::entry_name;
use crate::groups::{Budget, Taken, stop};
use crate::keys;
use crate::span_groups::SpanGroups;
use crate::work::Work;

/// Open count windows. One is written as soon as its last line came, or a line behind it.
///
/// Without a mark that says how windows slide (`window --expand` writes none), each line names one whole window, of
/// which several may be open; then a window is written with its last line only.
#[derive(Debug)]
pub struct Counts {
    /// The numbers of the counted fields among the key fields.
    pub cells: Vec<usize>,
    pub size: i64,
    pub slide: i64,
    /// A mark said so.
    pub is_marked: bool,
    /// Named by their slice.
    groups: SpanGroups,
    /// By the counted key. Ordered, for the end of the input.
    streams: BTreeMap<Box<[u8]>, Stream>,
    key: Vec<u8>,
    next_windows: NextWindows,
}

impl Counts {
    pub fn new(plan: &Arc<Plan>, cells: Vec<usize>, size: i64, slide: i64, is_marked: bool) -> Counts {
        Counts {
            cells,
            size,
            slide,
            is_marked,
            groups: SpanGroups::new(plan),
            streams: BTreeMap::new(),
            key: Vec::new(),
            next_windows: NextWindows::default(),
        }
    }

    /// Whether a key whose windows are all written is remembered. Else it starts anew with its next line.
    fn keeps_streams(&self) -> bool {
        self.is_marked && self.slide < self.size
    }

    /// # Errors
    /// `Stop` at a limit; `Bad` for a line whose number is below that of its key's last line.
    pub fn line(&mut self, span: Window, taken: &Taken<'_>, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        keys::part(taken.key, &self.cells, &mut self.key);
        // Out of the way while its streams change; put back below, whatever comes of it.
        let mut streams = std::mem::take(&mut self.streams);
        if !streams.contains_key(self.key.as_slice()) {
            let next_start = self.first_window_with(span.start_ms);
            streams.insert(self.key.as_slice().into(), Stream::new(next_start));
        }
        let Some(stream) = streams.get_mut(self.key.as_slice()) else { return Ok(()) };
        let result = match stream.slices.back() {
            _ if !self.is_marked => self.take_whole(stream, span, taken, work, out),
            Some(last) if span.start_ms < last.span.start_ms => {
                let (start, end, last) = (span.start_ms, span.end_ms, last.span.start_ms);
                Err(Fault::bad(format_args!("lines {start} to {end} of this key come after line {last}")))
            }
            _ => self.take(stream, span, taken, work, out),
        };
        if self.keeps_streams() {
            self.next_windows.touch(self.key.as_slice(), stream);
        } else if stream.slices.is_empty() {
            streams.remove(self.key.as_slice());
        }
        self.streams = streams;
        result
    }

    /// The first window, not before line 0, that has line `number`.
    fn first_window_with(&self, number: i64) -> i64 {
        let after = number - self.size;
        if after < 0 { 0 } else { (after.div_euclid(self.slide) + 1) * self.slide }
    }

    fn take(
        &mut self,
        stream: &mut Stream,
        span: Window,
        taken: &Taken<'_>,
        work: &mut Work,
        out: &mut Out,
    ) -> Result<(), Fault> {
        self.write_until(stream, span.start_ms, work, out)?;
        if stream.slices.back().is_none_or(|slice| slice.span.start_ms != span.start_ms) {
            stream.slices.push_back(Slice::new(span));
        }
        let Some(slice) = stream.slices.back_mut() else { return Ok(()) };
        let id = self.groups.member(&mut slice.members, taken.key, slice.span, &mut work.budget)?;
        self.groups.store.update(id, taken)?;
        slice.lines += 1;
        work.take(taken.line, out);
        if slice.is_full() {
            self.write_until(stream, span.end_ms, work, out)?;
        }
        Ok(())
    }

    /// Takes a line of a whole window, beside which others may be open.
    fn take_whole(
        &mut self,
        stream: &mut Stream,
        window: Window,
        taken: &Taken<'_>,
        work: &mut Work,
        out: &mut Out,
    ) -> Result<(), Fault> {
        let at = stream.place(window);
        let slice = &mut stream.slices[at];
        let id = self.groups.member(&mut slice.members, taken.key, window, &mut work.budget)?;
        self.groups.store.update(id, taken)?;
        slice.lines += 1;
        work.take(taken.line, out);
        if slice.is_full()
            && let Some(slice) = stream.slices.remove(at)
        {
            for id in &slice.members {
                self.write(window, (*id, false), work, out.buffer());
                out.end_result();
            }
            self.forget(slice, work, out);
        }
        Ok(())
    }

    fn forget(&mut self, slice: Slice, work: &mut Work, out: &mut Out) {
        work.settle(slice.lines as u64, out);
        for id in slice.members {
            self.groups.remove(id, &mut work.budget);
        }
    }

    /// The first window that is still to be written, if it has lines.
    fn next_window(&self, stream: &Stream) -> Option<Window> {
        let slice = stream.slices.front()?;
        Some(match self.is_marked {
            true => Window::new(stream.next_start, stream.next_start + self.size),
            false => slice.span,
        })
    }

    /// Writes the windows that end at line `number` or before it.
    fn write_until(&mut self, stream: &mut Stream, number: i64, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        while let Some(window) = self.next_window(stream).filter(|window| window.end_ms <= number) {
            for (id, is_merged) in self.merged(stream, window)? {
                self.write(window, (id, is_merged), work, out.buffer());
                out.end_result();
            }
            self.advance(stream, work, out);
        }
        Ok(())
    }

    /// Writes a group and forgets it, if it was merged for this.
    fn write(&mut self, window: Window, (id, is_merged): (u32, bool), work: &mut Work, out: &mut Vec<u8>) {
        let scaled = Some((window, Scale::Lines));
        let store = &self.groups.store;
        work.results.write(scaled, store.key(id), &store.table, id, out);
        if is_merged {
            self.groups.remove(id, &mut Budget::unlimited());
        }
    }

    /// The groups of a window, keys in order, and whether they were made for it out of several slices. Those are not
    /// counted against the limit, as they are gone when the window is written.
    fn merged(&mut self, stream: &Stream, window: Window) -> Result<Vec<(u32, bool)>, Fault> {
        let mut slices = stream
            .slices
            .iter()
            .filter(|slice| slice.span.start_ms >= window.start_ms && slice.span.end_ms <= window.end_ms);
        let mut merged = Vec::new();
        let is_merged = slices.clone().nth(1).is_some();
        if is_merged {
            let mut free = Budget::unlimited();
            for id in slices.flat_map(|slice| &slice.members) {
                let key: Box<[u8]> = self.groups.store.key(*id).into();
                let into = self.groups.member(&mut merged, &key, window, &mut free)?;
                self.groups.store.table.merge_within(into as usize, *id as usize).map_err(stop)?;
            }
        } else if let Some(slice) = slices.next() {
            merged.clone_from(&slice.members);
        }
        let store = &self.groups.store;
        merged.sort_by(|a, b| keys::compare(store.key(*a), store.key(*b)));
        Ok(merged.into_iter().map(|id| (id, is_merged)).collect())
    }

    /// Goes to the next window and forgets the slices before it.
    fn advance(&mut self, stream: &mut Stream, work: &mut Work, out: &mut Out) {
        if !self.is_marked {
            if let Some(slice) = stream.slices.pop_front() {
                self.forget(slice, work, out);
            }
            return;
        }
        stream.next_start += self.slide;
        while let Some(slice) = stream.slices.pop_front_if(|slice| slice.span.start_ms < stream.next_start) {
            self.forget(slice, work, out);
        }
        // Windows in a gap of the numbers have no lines.
        if let Some(slice) = stream.slices.front() {
            stream.next_start = stream.next_start.max(self.first_window_with(slice.span.start_ms));
        }
    }

    /// At the end of the input: what is there of the windows begun, by (end, start, key).
    ///
    /// # Errors
    /// `Stop` at a limit.
    pub fn end(&mut self, work: &mut Work, out: &mut Out) -> Result<(), Fault> {
        let mut lines: Vec<(Window, Box<[u8]>, Vec<u8>)> = Vec::new();
        let mut streams = std::mem::take(&mut self.streams);
        for stream in streams.values_mut() {
            while let Some(window) = self.next_window(stream) {
                for group in self.merged(stream, window)? {
                    let key = self.groups.store.key(group.0).into();
                    let mut line = Vec::new();
                    self.write(window, group, work, &mut line);
                    lines.push((window, key, line));
                }
                self.advance(stream, work, out);
            }
        }
        self.next_windows.remove_all(streams);
        lines.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| keys::compare(&a.1, &b.1)));
        for (_, _, line) in lines {
            out.buffer().extend_from_slice(&line);
            out.end_result();
        }
        Ok(())
    }

    /// Gives the entries that changed: a group's state by its slice and key, and where overlapping windows go on.
    pub fn save(&mut self, to: &mut Changes) {
        let all = self.streams.values().flat_map(|stream| &stream.slices).flat_map(|slice| &slice.members).copied();
        self.groups.save(Scale::Lines, all, to, |store, id, out| store.save(id, out));
        self.next_windows.save_removed(to);
        if self.keeps_streams() {
            self.next_windows.save(&mut self.streams, to);
        }
    }

    /// Takes one entry.
    ///
    /// # Errors
    /// `Stop` at the limit of groups, or when the entry is damaged.
    pub fn load(&mut self, name: &str, value: &[u8], work: &mut Work) -> Result<(), Fault> {
        self.next_windows.begin();
        let (span, key) = entry_name::split(name).ok_or_else(|| Error::damaged_entry(name))?;
        let from = &mut StateReader::new(value);
        if span == NEXT {
            let next_start = next_windows::load(from).ok_or_else(|| Error::damaged_entry(name))?;
            self.streams.entry(key.as_bytes().into()).or_insert_with(|| Stream::new(next_start)).restore(next_start);
            return Ok(());
        }
        let slice = entry_name::parse_span(span, Scale::Lines).ok_or_else(|| Error::damaged_entry(name))?;
        self.load_group(slice, key, from, work)?;
        Ok(from.end().ok_or_else(|| Error::damaged_entry(name))?)
    }

    fn load_group(
        &mut self,
        span: Window,
        key: &str,
        from: &mut StateReader<'_>,
        work: &mut Work,
    ) -> Result<(), Fault> {
        keys::part(key.as_bytes(), &self.cells, &mut self.key);
        let next_start = self.first_window_with(span.start_ms);
        let stream = self.streams.entry(self.key.as_slice().into()).or_insert_with(|| Stream::new(next_start));
        let at = stream.place(span);
        let slice = &mut stream.slices[at];
        let known = slice.members.len();
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
