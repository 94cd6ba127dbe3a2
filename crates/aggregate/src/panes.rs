//! Spans of time, each with its groups: whole windows, or slices that windows are made of.

use std::collections::BTreeMap;
use std::mem;
use std::ops::RangeInclusive;
use std::sync::Arc;

use accumulators::Plan;
use event_time::{Scale, Window};
use keyed_state::hash;
use millpipe::{Changes, Error, Fault};
use values::state_text::StateReader;

use crate::entry_name::{self, EntryName};
use crate::groups::{Groups, Taken};
use crate::pane::Pane;
use crate::pending::Pending;
use crate::work::Work;
use values::KeyText;

/// Panes that were used last: disorder makes lines alternate between a few.
const RECENT: usize = 4;

/// Every window there can be.
pub const ALL: RangeInclusive<Window> = Window::new(i64::MIN, i64::MIN)..=Window::new(i64::MAX, i64::MAX);

/// Open panes by (end, start).
#[derive(Debug)]
pub struct Panes {
    plan: Arc<Plan>,
    by_window: BTreeMap<Window, usize>,
    slots: Vec<Pane>,
    free: Vec<usize>,
    recent: [Option<(Window, usize)>; RECENT],
    next: usize,
    /// Groups that the last checkpoint has, of panes that are closed.
    retired: Vec<(Window, u64, Vec<KeyText>)>,
    /// The span in the name of the last entry that was loaded, and its pane.
    loading: Option<(String, Window, u64, usize)>,
    pending: Pending,
}

impl Panes {
    pub fn new(plan: &Arc<Plan>) -> Panes {
        Panes {
            plan: Arc::clone(plan),
            by_window: BTreeMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            recent: [None; RECENT],
            next: 0,
            retired: Vec::new(),
            loading: None,
            pending: Pending::default(),
        }
    }

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
            self.slots.push(Pane::new(&self.plan));
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
        let has_room = self.pending.has_room(work);
        let may_wait = self.slots[slot].groups.len() >= work.job.waits_from;
        if has_room && may_wait && taken.values.are_numbers() {
            self.pending.push(slot, taken);
            if self.pending.is_full() {
                self.flush(work)?;
            }
        } else {
            if !has_room || may_wait {
                self.flush(work)?;
            }
            let groups = &mut self.slots[slot].groups;
            let id = groups.find_or_insert(taken.key, hash(taken.key), &mut work.budget)?;
            groups.store.update(id, taken)?;
        }
        self.slots[slot].lines += 1;
        Ok(())
    }

    /// Takes in the lines that wait: before anything is read from a pane.
    ///
    /// # Errors
    /// `Stop` at a limit.
    pub fn flush(&mut self, work: &mut Work) -> Result<(), Fault> {
        self.pending.flush(&mut self.slots, work)
    }

    /// Takes a pane out, to be written and then to be retired.
    pub fn close(&mut self, window: Window, work: &mut Work) -> Option<Pane> {
        let slot = self.by_window.remove(&window)?;
        self.recent = [None; RECENT];
        self.free.push(slot);
        let pane = mem::replace(&mut self.slots[slot], Pane::new(&self.plan));
        work.budget.open -= pane.groups.len();
        Some(pane)
    }

    /// A closed pane is not needed any more.
    ///
    /// # Errors
    /// `Stop` when its groups are on disk and cannot be read.
    pub fn retire(&mut self, window: Window, pane: Pane, work: &mut Work) -> Result<(), Fault> {
        let keys = pane.groups.store.into_saved_keys();
        if !keys.is_empty() {
            self.retired.push((window, work.era, keys));
        }
        if let Some(spill) = &mut work.spill {
            spill.forget(window)?;
        }
        if self.by_window.is_empty() {
            work.begin_eras();
        }
        Ok(())
    }

    pub fn first(&self) -> Option<Window> {
        self.by_window.keys().next().copied()
    }

    pub fn len(&self) -> usize {
        self.by_window.len()
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
    pub fn bytes(&self) -> usize {
        self.by_window.values().map(|slot| self.slots[*slot].groups.bytes()).sum()
    }

    /// Sends the groups of all panes to disk, which stay open, or those of one that is about to be closed.
    ///
    /// # Errors
    /// `Stop` when that fails.
    pub fn spill(&mut self, windows: RangeInclusive<Window>, work: &mut Work) -> Result<(), Fault> {
        self.flush(work)?;
        let Some(spill) = &mut work.spill else { return Ok(()) };
        let is_all = windows == ALL;
        let mut run = spill.begin()?;
        for (window, slot) in self.by_window.range(windows) {
            let groups = mem::replace(&mut self.slots[*slot].groups, Groups::new(&self.plan));
            spill.put((*window, work.era), &groups, &mut run, !is_all)?;
            work.budget.open -= groups.len();
        }
        spill.finish(run)?;
        // What closes has no younger parts.
        if is_all && spill.parts.is_some() {
            work.era += 1;
        }
        Ok(())
    }

    /// How many groups each open pane has.
    pub fn sizes(&self) -> impl Iterator<Item = (Window, usize)> {
        self.by_window.iter().map(|(window, slot)| (*window, self.slots[*slot].groups.len()))
    }

    /// Opens a pane that will be loaded with so many groups.
    pub fn expect(&mut self, window: Window, groups: usize) {
        let slot = self.open(window);
        self.slots[slot].groups.reserve(groups);
    }

    /// Gives the entries that changed.
    pub fn save(&mut self, work: &mut Work, to: &mut Changes) {
        // No limit is near where lines wait.
        let _ = self.flush(work);
        for (window, era, keys) in self.retired.drain(..) {
            let mut name = EntryName::of_era(window, Scale::Time, era);
            keys.iter().for_each(|key| to.remove(name.with(key.as_bytes())));
        }
        if let Some(parts) = work.spill.as_mut().and_then(|spill| spill.parts.as_mut()) {
            parts.save(work.era, to);
        }
        for (window, slot) in &self.by_window {
            let groups = &mut self.slots[*slot].groups;
            let mut name = EntryName::of_era(*window, Scale::Time, work.era);
            for id in groups.take_changed() {
                to.put(name.with(groups.store.key(id)), |out| groups.store.save(id, out));
            }
        }
    }

    /// Takes one entry.
    ///
    /// # Errors
    /// `Stop` at the limit of groups, or when the entry is damaged.
    pub fn load(&mut self, name: &str, value: &[u8], work: &mut Work) -> Result<(), Fault> {
        let (span, key) = entry_name::split(name).ok_or_else(|| Error::damaged_entry(name))?;
        let (window, era, slot) = match &self.loading {
            Some((known, window, era, slot)) if known == span => (*window, *era, *slot),
            _ => {
                let (window, era) = entry_name::parse_span_and_era(span).ok_or_else(|| Error::damaged_entry(name))?;
                let slot = self.find(window).unwrap_or_else(|| self.open(window));
                self.loading = Some((span.to_owned(), window, era, slot));
                (window, era, slot)
            }
        };
        let from = &mut StateReader::new(value);
        let lines = if era == work.era {
            let groups = &mut self.slots[slot].groups;
            let id = groups.add(key.as_bytes(), &mut work.budget)?.ok_or_else(|| Error::damaged_entry(name))?;
            groups.store.load(id, from)?
        } else {
            let spill = work.spill.as_mut().filter(|_| era < work.era).ok_or_else(was_on_disk)?;
            spill.load((window, era), key.as_bytes(), from)?
        };
        self.slots[slot].lines += lines;
        work.hold(lines);
        Ok(from.end().ok_or_else(|| Error::damaged_entry(name))?)
    }
}

#[cold]
fn was_on_disk() -> Error {
    Error::data("the state has keys that were beyond --memory").hint("give --memory again, as large as you like")
}
