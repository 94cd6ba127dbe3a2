//! What the stage and its viewers share: the store behind a lock that is held for a moment only.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::panels::Panels;
use crate::picture::{Picture, View};
use crate::record::Record;

/// The store. The stage waits for nothing but the copy of the points of one view, never for a drawing, a disk or a network.
#[derive(Debug)]
pub struct Shared {
    panels: Mutex<Panels>,
    version: AtomicU64,
    has_ended: AtomicBool,
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Shared {
    /// Shares a store.
    #[must_use]
    pub fn new(panels: Panels) -> Self {
        Self {
            panels: Mutex::new(panels),
            version: AtomicU64::new(0),
            has_ended: AtomicBool::new(false),
            is_over: Mutex::new(false),
            over: Condvar::new(),
        }
    }

    fn panels(&self) -> MutexGuard<'_, Panels> {
        self.panels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line.
    pub fn take(&self, record: &Record) {
        self.panels().take(record);
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns what is to be drawn of a view.
    #[must_use]
    pub fn picture(&self, view: &View) -> Picture {
        self.panels().picture(view)
    }

    /// Returns a number that grows with each line.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    /// Says that no line comes any more.
    pub fn end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    /// Returns true when no line comes any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// Lets those that [`Shared::wait`] go.
    pub fn close(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.over.notify_all();
    }

    /// Returns true when it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a time, or until it is closed; true then.
    pub fn wait(&self, time: Duration) -> bool {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.over.wait_timeout_while(is_over, time, |is_over| !*is_over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
