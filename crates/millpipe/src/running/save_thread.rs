//! The threads that save beside the stream.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, bounded};
use protocol::{Executor, Job, Keeper};

/// Saves in a thread of its own, made for the first snapshot; merges in another one each time.
#[derive(Default)]
pub(crate) struct SaveThread(Mutex<Option<(Sender<Job>, JoinHandle<()>)>>);

/// A keeper on the computer's disk.
pub(crate) fn keeper() -> Keeper {
    Keeper::new(Arc::new(SaveThread::default()))
}

impl Executor for SaveThread {
    fn save(&self, job: Job) {
        let mut saver = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (jobs, _) = saver.get_or_insert_with(start);
        // The thread ends only with the channel.
        let _ = jobs.send(job);
    }

    fn merge(&self, job: Job) {
        drop(thread::spawn(job));
    }

    fn finish(&self) -> bool {
        let saver = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        saver.is_none_or(|(jobs, thread)| {
            drop(jobs);
            thread.join().is_ok()
        })
    }
}

fn start() -> (Sender<Job>, JoinHandle<()>) {
    // One barrier is in flight at a time.
    let (jobs, todo) = bounded::<Job>(1);
    (jobs, thread::spawn(move || todo.into_iter().for_each(|job| job())))
}
