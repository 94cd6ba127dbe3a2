//! What checkpoints have of groups on disk.
//!
//! A group that goes to disk never changes any more: it is a *part* of its key's state, and has an entry of its own,
//! named by window, era and key. The era is how often the memory had been emptied when the part began; so a key's next
//! part has another name. A part that no checkpoint has yet is due at the next one, unless its window closes before.

use std::collections::BTreeMap;
use std::mem;

use event_time::{Scale, Window};
use millpipe::Changes;
use sorted_runs::Fold;

use crate::broken::Broken;
use crate::entry_name::EntryName;
use crate::groups::Groups;

/// In a stream with checkpoints.
#[derive(Debug, Default)]
pub struct Parts {
    /// The last checkpoint has all parts of the eras before this one.
    saved_era: u64,
    /// What the next checkpoint has to put.
    due: BTreeMap<Window, Changes>,
    /// What it has to remove.
    removed: Changes,
    /// Parts out of a checkpoint, on their way to disk.
    pub loading: Option<Loading>,
}

/// Parts of one window and era.
#[derive(Debug)]
pub struct Loading {
    pub window: Window,
    pub era: u64,
    pub groups: Groups,
}

impl Parts {
    /// The eras after a checkpoint, taken or restored, or when there is no part at all.
    pub fn saved_up_to(&mut self, era: u64) {
        self.saved_era = era;
    }

    /// A group goes to disk as a part.
    pub fn leave(&mut self, window: Window, era: u64, groups: &Groups, id: u32) {
        if !groups.store.tracking.is_clean(id) {
            let mut name = EntryName::of_era(window, Scale::Time, era);
            let due = self.due.entry(window).or_default();
            due.put(name.with(groups.store.key(id)), |out| groups.store.save(id, out));
        }
    }

    /// Nobody needs the window any more.
    pub fn forget(&mut self, window: Window) {
        self.due.remove(&window);
    }

    /// Gives what changed.
    pub fn save(&mut self, era: u64, to: &mut Changes) {
        to.append(mem::take(&mut self.removed));
        mem::take(&mut self.due).into_values().for_each(|due| to.append(due));
        self.saved_era = era;
    }
}

/// A part as it stands in front of a state in a run: its era, and whether the last checkpoint had it when it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub era: u64,
    pub is_saved: bool,
}

/// Appends parts, for [`read`]: their number, then each.
pub fn write(parts: &[Part], out: &mut Vec<u8>) {
    write_number(parts.len() as u64, out);
    parts.iter().for_each(|part| write_number(part.era << 1 | u64::from(part.is_saved), out));
}

/// Appends the parts in front of a value to `parts`; gives the rest.
pub fn read<'a>(mut value: &'a [u8], parts: &mut Vec<Part>) -> Option<&'a [u8]> {
    for _ in 0..read_number(&mut value)? {
        let number = read_number(&mut value)?;
        parts.push(Part { era: number >> 1, is_saved: number & 1 == 1 });
    }
    Some(value)
}

/// Seven bits a byte; the last one has the eighth unset.
fn write_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Removes the entries of a window's parts.
pub struct Removal<'a> {
    window: Window,
    to: &'a mut Parts,
    parts: Vec<Part>,
}

impl Removal<'_> {
    pub fn new(window: Window, to: &mut Parts) -> Removal<'_> {
        Removal { window, to, parts: Vec::new() }
    }

    fn read(&mut self, value: &[u8]) -> Result<(), Broken> {
        read(value, &mut self.parts).map(drop).ok_or_else(Broken::unreadable)
    }
}

impl Fold for Removal<'_> {
    type Error = Broken;

    fn begin(&mut self, value: &[u8]) -> Result<(), Broken> {
        self.parts.clear();
        self.read(value)
    }

    fn add(&mut self, value: &[u8]) -> Result<(), Broken> {
        self.read(value)
    }

    fn end(&mut self, key: &[u8]) -> Result<(), Broken> {
        for part in &self.parts {
            if part.is_saved || part.era < self.to.saved_era {
                self.to.removed.remove(EntryName::of_era(self.window, Scale::Time, part.era).with(key));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_front_of_a_state_are_read_back() {
        let parts = [(0, false), (0, true), (63, true), (64, false), (u64::MAX >> 1, true)];
        let parts = parts.map(|(era, is_saved)| Part { era, is_saved });
        let mut value = Vec::new();
        write(&parts, &mut value);
        value.extend_from_slice(b"{}");
        let mut found = Vec::new();
        assert_eq!(read(&value, &mut found), Some(&b"{}"[..]));
        assert_eq!(found, parts);
        assert_eq!(read(&value[..3], &mut Vec::new()), None);
        assert_eq!(read(&[0xff; 20], &mut Vec::new()), None);
    }
}
