//! Spans of time, each with its groups: whole windows, or slices that windows are made of.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use accumulators::StateReader;
use event_time::Window;
use millpipe::{Changes, Fault};

use crate::entry_name::{self, EntryName};
use crate::groups::{Groups, Taken};
use crate::job::Job;
use crate::key_text::KeyText;
use crate::results::Scale;
use crate::snapshot::damaged;
use crate::work::Work;

/// Panes that were used last: disorder makes lines alternate between a few.
const RECENT: usize = 4;

#[derive(Debug, Default)]
pub struct Pane {
    pub groups: Groups,
    pub lines: u64,
}

/// Open panes by (end, start).
#[derive(Debug, Default)]
pub struct Panes {
    by_window: BTreeMap<Window, usize>,
    slots: Vec<Pane>,
    free: Vec<usize>,
    recent: [Option<(Window, usize)>; RECENT],
    next: usize,
    /// Groups that the last checkpoint has, of panes that are closed.
    retired: Vec<(Window, Vec<KeyText>)>,
    /// The span in the name of the last entry that was loaded, and its pane.
    loading: Option<(String, usize)>,
}

impl Panes {
    /// The open pane of a window.
    #[inline]
    pub fn find(&mut self, window: Window) -> Option<usize> {
        for known in self.recent.iter().flatten() {
            if known.0 == window {
                return Some(known.1);
            }
        }
        let slot = *self.by_window.get(&window)?;
        self.remember(window, slot);
        Some(slot)
    }

    fn remember(&mut self, window: Window, slot: usize) {
        self.recent[self.next] = Some((window, slot));
        self.next = (self.next + 1) % RECENT;
    }

    pub fn open(&mut self, window: Window) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Pane::default());
            self.slots.len() - 1
        });
        self.by_window.insert(window, slot);
        self.remember(window, slot);
        slot
    }

    /// Takes a line in.
    ///
    /// # Errors
    /// `Stop` at a limit.
    #[inline]
    pub fn update(&mut self, slot: usize, taken: &Taken<'_>, work: &mut Work) -> Result<(), Fault> {
        let pane = &mut self.slots[slot];
        let id = pane.groups.find_or_insert(&work.job, taken.key, &mut work.budget)?;
        pane.groups.store.update(&work.job, id, taken)?;
        pane.lines += 1;
        work.held += 1;
        Ok(())
    }

    /// Takes a pane out, to be written and then to be retired.
    pub fn close(&mut self, window: Window, work: &mut Work) -> Option<Pane> {
        let slot = self.by_window.remove(&window)?;
        self.recent = [None; RECENT];
        self.free.push(slot);
        let pane = std::mem::take(&mut self.slots[slot]);
        work.budget.open -= pane.groups.len();
        Some(pane)
    }

    /// A closed pane is not needed any more.
    pub fn retire(&mut self, window: Window, pane: Pane) {
        let keys = pane.groups.store.into_saved_keys();
        if !keys.is_empty() {
            self.retired.push((window, keys));
        }
    }

    pub fn first(&self) -> Option<Window> {
        self.by_window.keys().next().copied()
    }

    /// The panes that lie in a window, by (end, start).
    pub fn inside(&self, window: Window) -> Vec<Window> {
        // A pane inside ends behind the window's start and at its end at the latest.
        let ends = Window::new(i64::MIN, window.start_ms)..=Window::new(i64::MAX, window.end_ms);
        let panes = self.by_window.range(ends).map(|(pane, _)| *pane);
        panes.filter(|pane| pane.start_ms >= window.start_ms).collect()
    }

    pub fn get(&self, window: Window) -> Option<&Pane> {
        self.by_window.get(&window).map(|slot| &self.slots[*slot])
    }

    /// What the groups of all open panes take in memory, about.
    pub fn bytes(&self, job: &Job) -> usize {
        self.by_window.values().map(|slot| self.slots[*slot].groups.bytes(job)).sum()
    }

    /// Sends the groups of some open panes to disk; the panes stay open.
    ///
    /// # Errors
    /// `Stop` when that fails.
    pub fn spill(&mut self, windows: RangeInclusive<Window>, work: &mut Work) -> Result<(), Fault> {
        let Some(spill) = &mut work.spill else { return Ok(()) };
        let mut run = spill.begin()?;
        for (window, slot) in self.by_window.range(windows) {
            let groups = std::mem::take(&mut self.slots[*slot].groups);
            spill.put(*window, &groups, &work.job, &mut run)?;
            work.budget.open -= groups.len();
        }
        spill.finish(run, &work.job)
    }

    /// How many groups each open pane has.
    pub fn sizes(&self) -> impl Iterator<Item = (Window, usize)> {
        self.by_window.iter().map(|(window, slot)| (*window, self.slots[*slot].groups.len()))
    }

    /// Opens a pane that will be loaded with so many groups.
    pub fn expect(&mut self, window: Window, groups: usize, job: &Job) {
        let slot = self.open(window);
        self.slots[slot].groups.reserve(job, groups);
    }

    /// Gives the entries that changed.
    pub fn save(&mut self, job: &Job, to: &mut Changes) {
        for (window, keys) in self.retired.drain(..) {
            let mut name = EntryName::new(window, Scale::Time);
            keys.iter().for_each(|key| to.remove(name.with(key.as_bytes())));
        }
        for (window, slot) in &self.by_window {
            let groups = &mut self.slots[*slot].groups;
            let mut name = EntryName::new(*window, Scale::Time);
            for id in groups.take_changed() {
                to.put(name.with(groups.store.key(id)), |out| groups.store.save(job, id, out));
            }
        }
    }

    /// Takes one entry.
    ///
    /// # Errors
    /// `Stop` at the limit of groups, or when the entry is damaged.
    pub fn load(&mut self, name: &str, value: &[u8], work: &mut Work) -> Result<(), Fault> {
        let (span, key) = entry_name::split(name).ok_or_else(|| damaged(name))?;
        let slot = match &self.loading {
            Some((known, slot)) if known == span => *slot,
            _ => {
                let window = entry_name::parse_span(span, Scale::Time).ok_or_else(|| damaged(name))?;
                self.find(window).unwrap_or_else(|| self.open(window))
            }
        };
        if self.loading.as_ref().is_none_or(|loading| loading.1 != slot) {
            self.loading = Some((span.to_owned(), slot));
        }
        let pane = &mut self.slots[slot];
        let id = pane.groups.add(&work.job, key.as_bytes(), &mut work.budget)?.ok_or_else(|| damaged(name))?;
        let from = &mut StateReader::new(value);
        let lines = pane.groups.store.load(&work.job, id, from)?;
        pane.lines += lines;
        work.hold(lines);
        Ok(from.end().ok_or_else(|| damaged(name))?)
    }
}
