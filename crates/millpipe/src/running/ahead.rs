//! Threads that read lines ahead of a stage: chunks go to them in turn, and come from them in turn with what they read,
//! so that the stage sees the same lines in the same order as without them.

use std::any::Any;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use protocol::{Reader, read_ahead};

use crate::pipes::incoming::Incoming;
use crate::pipes::sizes::CHANNEL_CHUNKS;

/// A chunk, and what was read of it.
pub(crate) type Read = (Incoming, Option<Box<dyn Any + Send>>);

/// The threads, seen from the stage.
pub(crate) struct Readers {
    threads: Vec<Receiver<Read>>,
    next: usize,
}

impl Readers {
    /// Starts a thread for each reader. What the chunks' own thread sends goes to them.
    pub fn start(readers: Vec<Box<dyn Reader>>, chunks: Receiver<Incoming>) -> Readers {
        let (to_readers, threads) = readers.into_iter().map(start_reader).unzip();
        thread::spawn(move || deal(&chunks, to_readers));
        Readers { threads, next: 0 }
    }

    /// Where the next chunk comes from.
    pub fn channel(&self) -> &Receiver<Read> {
        &self.threads[self.next]
    }

    /// A chunk was taken from the channel.
    pub fn taken(&mut self) {
        self.next = (self.next + 1) % self.threads.len();
    }
}

/// Gives chunks to the readers in turn, until one of either side has gone.
fn deal(chunks: &Receiver<Incoming>, readers: Vec<Sender<Incoming>>) {
    let mut readers = readers.iter().cycle();
    for chunk in chunks {
        if readers.next().is_none_or(|reader| reader.send(chunk).is_err()) {
            return;
        }
    }
}

fn start_reader(mut reader: Box<dyn Reader>) -> (Sender<Incoming>, Receiver<Read>) {
    let (to_reader, chunks) = bounded::<Incoming>(CHANNEL_CHUNKS);
    let (say, read) = bounded(CHANNEL_CHUNKS);
    // Not joined: it may wait for a chunk for ever, and the process ends without it.
    thread::spawn(move || {
        for chunk in chunks {
            let lines = match &chunk {
                Incoming::Bytes(buffer, n) => Some(read_ahead(reader.as_mut(), &buffer[..*n])),
                Incoming::End | Incoming::Failed(_) => None,
            };
            if say.send((chunk, lines)).is_err() {
                return;
            }
        }
    });
    (to_reader, read)
}
