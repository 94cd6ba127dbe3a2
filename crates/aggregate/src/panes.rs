//! Spans of time, each with its groups: whole windows, or slices that windows are made of.

use std::collections::BTreeMap;

use event_time::Window;
use millpipe::Fault;

use crate::groups::{Groups, Taken};
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

    pub fn close(&mut self, window: Window, work: &mut Work) -> Option<Pane> {
        let slot = self.by_window.remove(&window)?;
        self.recent = [None; RECENT];
        self.free.push(slot);
        let pane = std::mem::take(&mut self.slots[slot]);
        work.budget.open -= pane.groups.len();
        Some(pane)
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

    pub fn iter(&self) -> impl Iterator<Item = (Window, &Pane)> {
        self.by_window.iter().map(|(window, slot)| (*window, &self.slots[*slot]))
    }

    /// A pane and its groups, to be filled from a snapshot.
    pub fn pane_mut(&mut self, slot: usize) -> &mut Pane {
        &mut self.slots[slot]
    }
}
