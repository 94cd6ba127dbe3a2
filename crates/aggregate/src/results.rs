//! Result lines.

use accumulators::{Table, WriteScratch};
use event_time::{Window, write_rfc3339};
use millpipe::Out;
use rayon::slice::ParallelSliceMut;

use crate::groups::Store;
use crate::job::Job;
use crate::keys;

/// What a window's numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Milliseconds since the epoch, written as RFC 3339.
    Time,
    /// Lines of a key.
    Lines,
}

/// A window of fewer keys is sorted before threads have started.
const SORT_ON_ALL_CORES_FROM: usize = 50_000;

/// Writes results. Use one for all.
#[derive(Debug, Default)]
pub struct Results {
    scratch: WriteScratch,
    /// `"window_start":…,"window_end":…` of the window below.
    prefix: Vec<u8>,
    prefix_of: Option<(Window, Scale)>,
}

impl Results {
    /// One result line in the buffer, not ended: `{WINDOW,KEYS,RESULTS}`.
    pub fn write(
        &mut self,
        job: &Job,
        window: Option<(Window, Scale)>,
        key: &[u8],
        table: &Table,
        id: u32,
        out: &mut Vec<u8>,
    ) {
        out.push(b'{');
        if let Some((window, scale)) = window {
            self.write_window(window, scale, out);
        }
        if !job.by.is_empty() {
            keys::write_members(job, key, out);
            out.push(b',');
        }
        let seconds = match window {
            Some((window, Scale::Time)) => Some((window.end_ms - window.start_ms) as f64 / 1000.0),
            _ => None,
        };
        table.write_results(&job.plan, id as usize, seconds, &mut self.scratch, out);
        out.push(b'}');
    }

    fn write_window(&mut self, window: Window, scale: Scale, out: &mut Vec<u8>) {
        if self.prefix_of != Some((window, scale)) {
            self.prefix_of = Some((window, scale));
            self.prefix.clear();
            for (name, value) in [("\"window_start\":", window.start_ms), ("\"window_end\":", window.end_ms)] {
                self.prefix.extend_from_slice(name.as_bytes());
                write_bound(value, scale, &mut self.prefix);
                self.prefix.push(b',');
            }
        }
        out.extend_from_slice(&self.prefix);
    }

    /// The results of one window, keys in order.
    pub fn write_all(
        &mut self,
        job: &Job,
        window: Option<(Window, Scale)>,
        store: &Store,
        mut ids: Vec<u32>,
        out: &mut Out,
    ) {
        sort_ids(store, &mut ids);
        for id in ids {
            self.write(job, window, store.key(id), &store.table, id, out.buffer());
            out.end_result();
        }
    }
}

/// Puts groups in the order of their keys.
pub fn sort_ids(store: &Store, ids: &mut [u32]) {
    // Keys differ, so the order is one and the same on any number of threads.
    let in_order = |a: &u32, b: &u32| keys::compare(store.key(*a), store.key(*b));
    if ids.len() < SORT_ON_ALL_CORES_FROM {
        ids.sort_unstable_by(in_order);
    } else {
        ids.par_sort_unstable_by(in_order);
    }
}

fn write_bound(value: i64, scale: Scale, out: &mut Vec<u8>) {
    match scale {
        Scale::Time => {
            out.push(b'"');
            write_rfc3339(value, out);
            out.push(b'"');
        }
        Scale::Lines => out.extend_from_slice(value.to_string().as_bytes()),
    }
}
