//! What checkpoints have of where overlapping windows go on, by the counted key.

use std::collections::BTreeMap;
use std::mem;

use millpipe::Changes;
use values::state_text::{StateReader, write_signed};

use super::stream::Stream;
use crate::keys;

/// In place of a slice, in the name of an entry that says where the windows of a key go on.
pub const NEXT: &str = "next";

/// Counted keys whose next window changed.
#[derive(Debug, Default)]
pub struct NextWindows {
    is_on: bool,
    touched: Vec<Box<[u8]>>,
    /// Keys that the last checkpoint has.
    removed: Vec<Box<[u8]>>,
}

impl NextWindows {
    /// There are checkpoints.
    pub fn begin(&mut self) {
        self.is_on = true;
    }

    /// The stream of a key may have gone on.
    pub fn touch(&mut self, key: &[u8], stream: &mut Stream) {
        if self.is_on && stream.note() {
            self.touched.push(key.into());
        }
    }

    /// There is no stream any more.
    pub fn remove_all(&mut self, streams: BTreeMap<Box<[u8]>, Stream>) {
        self.touched.clear();
        let saved = streams.into_iter().filter(|(_, stream)| stream.is_saved());
        self.removed.extend(saved.map(|(key, _)| key));
    }

    /// Removes the entries of streams that are gone.
    pub fn save_removed(&mut self, to: &mut Changes) {
        self.removed.drain(..).for_each(|key| to.remove(&name_of(&key)));
    }

    /// Gives the entries of the streams that went on.
    pub fn save(&mut self, streams: &mut BTreeMap<Box<[u8]>, Stream>, to: &mut Changes) {
        let touched = mem::take(&mut self.touched);
        let due = if self.is_on { touched } else { streams.keys().cloned().collect() };
        self.begin();
        for key in due {
            if let Some(stream) = streams.get_mut(&key) {
                stream.saved();
                to.put(&name_of(&key), |out| write_signed(stream.next_start, out));
            }
        }
    }
}

/// Reads where the windows of a key go on.
pub fn load(from: &mut StateReader<'_>) -> Option<i64> {
    let next_start = from.signed().filter(|start| *start >= 0)?;
    from.end()?;
    Some(next_start)
}

fn name_of(key: &[u8]) -> String {
    format!("{NEXT}|{}", keys::text(key))
}
