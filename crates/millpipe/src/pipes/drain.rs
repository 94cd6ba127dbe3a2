//! Standard output, written at once or by a thread of its own.

use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use protocol::Drain;
use stream::{Error, Fault};

use crate::pipes::output::{write_all, write_both, write_some};
use crate::pipes::sizes::CHANNEL_CHUNKS;

/// Writes to standard output at once.
pub(crate) struct Stdout;

impl Drain for Stdout {
    fn drain(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let result = write_all(bytes);
        bytes.clear();
        result
    }

    fn drain_with(&mut self, bytes: &mut Vec<u8>, more: &[u8]) -> Result<(), Fault> {
        let result = write_both(bytes, more);
        bytes.clear();
        result
    }

    fn drain_some(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        write_some(bytes)
    }
}

/// Writes to standard output in a thread of its own.
pub(crate) struct Writer {
    full: Sender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<Result<(), Fault>>,
}

pub(crate) struct ToWriter {
    full: Sender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
}

impl Writer {
    pub fn spawn() -> Self {
        let (full, chunks) = bounded::<Vec<u8>>(CHANNEL_CHUNKS);
        let (spent, empty) = bounded(CHANNEL_CHUNKS + 2);
        let thread = thread::spawn(move || {
            for mut bytes in chunks {
                Stdout.drain(&mut bytes)?;
                let _ = spent.try_send(bytes);
            }
            Ok(())
        });
        Self { full, empty, thread }
    }

    pub fn drain(&self) -> ToWriter {
        ToWriter { full: self.full.clone(), empty: self.empty.clone() }
    }

    /// Waits until everything is written; the error is the writer's own.
    pub fn join(self) -> Result<(), Fault> {
        drop(self.full);
        self.thread.join().unwrap_or_else(|_| Err(Error::temporary("the writing thread died").into()))
    }
}

impl Drain for ToWriter {
    fn drain(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let mut next = self.empty.try_recv().unwrap_or_default();
        std::mem::swap(bytes, &mut next);
        // The thread's own error, told by `Writer::join`, says why.
        self.full.send(next).map_err(|_| Fault::ReaderGone)
    }
}
