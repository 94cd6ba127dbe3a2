//! Result lines.

use std::sync::Arc;

use accumulators::{LimitError, MergedResults, Plan, Table, WriteScratch};
use event_time::{AnnotationKind, Scale, Window};
use millpipe::Out;

use crate::groups::Groups;
use crate::job::Job;
use crate::key_order;
use crate::keys::KeyMembers;

/// Groups whose results are written one after the other.
pub const BLOCK: usize = 32;

/// Writes results. Use one for all.
#[derive(Debug)]
pub struct Results {
    plan: Arc<Plan>,
    opening: &'static [u8],
    members: KeyMembers,
    scratch: WriteScratch,
    merged: Option<MergedResults>,
    /// `"window_start":…,"window_end":…` of the window below.
    prefix: Vec<u8>,
    prefix_of: Option<(Window, Scale)>,
}

impl Results {
    pub fn new(job: &Job) -> Results {
        Results {
            plan: Arc::clone(&job.plan),
            opening: job.opening,
            members: job.members.clone(),
            scratch: WriteScratch::default(),
            merged: None,
            prefix: Vec::new(),
            prefix_of: None,
        }
    }

    /// One result line in the buffer, not ended: `{WINDOW,KEYS,RESULTS}`.
    pub fn write(&mut self, window: Option<(Window, Scale)>, key: &[u8], table: &Table, id: u32, out: &mut Vec<u8>) {
        let seconds = self.begin(window, key, out);
        table.write_results(id as usize, seconds, &mut self.scratch, out);
        out.push(b'}');
    }

    /// The results alone, as members.
    pub fn write_results(&mut self, table: &Table, id: u32, out: &mut Vec<u8>) {
        table.write_results(id as usize, None, &mut self.scratch, out);
    }

    /// The same of groups that are merged for it.
    ///
    /// # Errors
    /// As [`MergedResults::write`].
    pub fn write_merged(
        &mut self,
        window: (Window, Scale),
        key: &[u8],
        parts: &[(&Table, usize)],
        out: &mut Vec<u8>,
    ) -> Result<(), LimitError> {
        let seconds = self.begin(Some(window), key, out);
        let merged = self.merged.get_or_insert_with(|| MergedResults::new(&self.plan));
        merged.write(parts, seconds, &mut self.scratch, out)?;
        out.push(b'}');
        Ok(())
    }

    /// Checks that groups can be merged to be written.
    ///
    /// # Errors
    /// As [`MergedResults::check`].
    pub fn check_merged(&mut self, parts: &[(&Table, usize)]) -> Result<(), LimitError> {
        self.merged.get_or_insert_with(|| MergedResults::new(&self.plan)).check(parts)
    }

    /// `{WINDOW,KEYS,`; returns the length of the window.
    fn begin(&mut self, window: Option<(Window, Scale)>, key: &[u8], out: &mut Vec<u8>) -> Option<f64> {
        out.extend_from_slice(self.opening);
        if let Some((window, scale)) = window {
            self.write_window(window, scale, out);
        }
        self.members.write(key, out);
        match window {
            Some((window, Scale::Time)) => Some((window.end_ms - window.start_ms) as f64 / 1000.0),
            _ => None,
        }
    }

    fn write_window(&mut self, window: Window, scale: Scale, out: &mut Vec<u8>) {
        if self.prefix_of != Some((window, scale)) {
            self.prefix_of = Some((window, scale));
            self.prefix.clear();
            AnnotationKind::Window.write(window, scale, &mut self.prefix);
            self.prefix.push(b',');
        }
        out.extend_from_slice(&self.prefix);
    }

    /// The results of all groups of one window, keys in order.
    pub fn write_all(&mut self, window: Option<(Window, Scale)>, groups: &Groups, out: &mut Out) {
        let store = &groups.store;
        // None of a window's groups is gone before it closes, so they have all numbers.
        let mut order = key_order::sorted(groups.len() as u32, |id| store.key(id));
        let mut block = [0; BLOCK];
        loop {
            let mut len = 0;
            for (place, id) in block.iter_mut().zip(&mut order) {
                (*place, len) = (id, len + 1);
            }
            let block = &block[..len];
            if block.is_empty() {
                return;
            }
            store.touch_all(block);
            for id in block {
                self.write(window, store.key(*id), &store.table, *id, out.buffer());
                out.end_result();
            }
        }
    }
}
