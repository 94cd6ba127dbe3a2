//! Lines and marks that wait, first in, first out.

use crate::spill_file::SpillFile;
use json_fields::write_string;
use keyed_state::ArrivalTracking;
use millpipe::{Changes, Error, PREFIX};
use std::collections::VecDeque;
use std::path::Path;

/// Lines go to the file in blocks of this size.
const BLOCK_BYTES: usize = 64 * 1024;

/// A line or a mark.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its number among all that ever waited.
    pub id: u64,
    /// The number of the line in the input of this run; 0: it waited already when the run began.
    pub line_number: u64,
    pub text: Box<[u8]>,
}

impl Item {
    pub fn is_mark(&self) -> bool {
        self.text.starts_with(PREFIX)
    }
}

/// The most that waits in memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub lines: u64,
    pub bytes: usize,
}

/// What waits: in memory, and with a file the rest in it.
#[derive(Debug)]
pub(crate) struct Queue {
    limits: Limits,
    front: VecDeque<Item>,
    front_lines: u64,
    front_bytes: usize,
    spill: Option<Spill>,
    lines: u64,
    marks: u64,
    next_id: u64,
    tracking: ArrivalTracking<u64>,
}

/// What waits behind the front: first what is in the file, then what is on its way into it.
#[derive(Debug)]
struct Spill {
    file: SpillFile,
    /// The numbers of what is in the file: each the first of some that follow each other, and how many.
    ids: VecDeque<(u64, u64)>,
    back: VecDeque<Item>,
    back_bytes: usize,
    block: Vec<u8>,
}

impl Queue {
    pub fn new(limits: Limits) -> Queue {
        let front = VecDeque::new();
        let (lines, marks, next_id) = (0, 0, 0);
        let tracking = ArrivalTracking::default();
        Queue { limits, front, front_lines: 0, front_bytes: 0, spill: None, lines, marks, next_id, tracking }
    }

    /// What does not fit goes to this file.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn spill_to(mut self, path: &Path) -> Result<Queue, Error> {
        let file = SpillFile::open(path)?;
        let (ids, back) = (VecDeque::new(), VecDeque::new());
        self.spill = Some(Spill { file, ids, back, back_bytes: 0, block: Vec::new() });
        Ok(self)
    }

    pub fn lines(&self) -> u64 {
        self.lines
    }

    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    pub fn is_empty(&self) -> bool {
        self.lines + self.marks == 0
    }

    /// Whether a line of this length does not fit. A queue without lines takes any.
    pub fn is_at_limit(&self, line_bytes: usize) -> bool {
        self.front_lines >= self.limits.lines
            || self.front_lines > 0 && self.front_bytes + line_bytes > self.limits.bytes
    }

    /// Whether there is nothing more to be taken, be it line or mark.
    pub fn is_full(&self) -> bool {
        self.lines + self.marks >= self.limits.lines || self.front_bytes >= self.limits.bytes
    }

    pub fn has_too_many_marks(&self) -> bool {
        self.spill.is_none() && self.marks >= self.limits.lines
    }

    pub fn first(&self) -> Option<&Item> {
        self.front.front()
    }

    /// # Errors
    /// When it has to go to a file and cannot.
    pub fn push(&mut self, line_number: u64, text: &[u8]) -> Result<(), Error> {
        let id = self.next_id;
        self.next_id += 1;
        self.put(Item { id, line_number, text: text.into() })
    }

    fn put(&mut self, item: Item) -> Result<(), Error> {
        let is_mark = item.is_mark();
        self.lines += u64::from(!is_mark);
        self.marks += u64::from(is_mark);
        let is_at_limit = self.is_at_limit(item.text.len());
        match &mut self.spill {
            Some(spill) if is_at_limit || !spill.is_empty() => {
                spill.back_bytes += item.text.len();
                spill.back.push_back(item);
                spill.settle(self.tracking.settled_below())
            }
            _ => {
                self.push_front_part(item);
                Ok(())
            }
        }
    }

    fn push_front_part(&mut self, item: Item) {
        self.front_lines += u64::from(!item.is_mark());
        self.front_bytes += item.text.len();
        self.front.push_back(item);
    }

    /// # Errors
    /// When what is in the file cannot be read.
    pub fn pop(&mut self) -> Result<Option<Item>, Error> {
        let popped = self.remove(0);
        if self.front.is_empty() {
            self.pull()?;
        }
        Ok(popped)
    }

    /// The line that waits longest; marks before it stay.
    pub fn pop_oldest_line(&mut self) -> Option<Item> {
        let at = self.front.iter().position(|item| !item.is_mark())?;
        self.remove(at)
    }

    fn remove(&mut self, at: usize) -> Option<Item> {
        let item = self.front.remove(at)?;
        let is_mark = item.is_mark();
        self.lines -= u64::from(!is_mark);
        self.front_lines -= u64::from(!is_mark);
        self.marks -= u64::from(is_mark);
        self.front_bytes -= item.text.len();
        self.tracking.forget(item.id, || item.id);
        Some(item)
    }

    /// The next ones come out of the file, or from behind it.
    fn pull(&mut self) -> Result<(), Error> {
        let Some(spill) = &mut self.spill else { return Ok(()) };
        let mut pulled = VecDeque::new();
        if spill.file.is_empty() {
            pulled.append(&mut spill.back);
            spill.back_bytes = 0;
        } else {
            let ids = &mut spill.ids;
            spill.file.take(|text| pulled.push_back(Item { id: next_id(ids), line_number: 0, text: text.into() }))?;
        }
        pulled.into_iter().for_each(|item| self.push_front_part(item));
        Ok(())
    }

    /// # Errors
    /// When the file cannot be emptied.
    pub fn begin_checkpoints(&mut self) -> Result<(), Error> {
        self.tracking.begin();
        // What is in the file of a run before this one is in the checkpoint too.
        self.spill.as_mut().map_or(Ok(()), |spill| spill.file.clear())
    }

    /// Lines come.
    ///
    /// # Errors
    /// When a run before this one left something that no checkpoint has.
    pub fn begin(&self) -> Result<(), Error> {
        match &self.spill {
            Some(spill) if !self.tracking.is_on() => spill.file.must_be_empty(),
            _ => Ok(()),
        }
    }

    /// Nothing will come any more, and nothing is left.
    pub fn end(&self) {
        self.spill.iter().for_each(|spill| spill.file.remove());
    }

    /// The state is that of a checkpoint whose entries will be loaded.
    pub fn restored(&mut self, next_id: u64) {
        self.next_id = next_id;
        self.tracking.restored(next_id);
    }

    /// What changed since the last checkpoint.
    pub fn save(&mut self, to: &mut Changes) {
        let (gone, first_new) = self.tracking.take(self.next_id);
        gone.into_iter().for_each(|id| to.remove(&name(id)));
        let back = self.spill.as_ref().map(|spill| &spill.back);
        for part in std::iter::once(&self.front).chain(back) {
            let new = part.partition_point(|item| item.id < first_new);
            for item in part.range(new..) {
                to.put(&name(item.id), |out| write_string(&String::from_utf8_lossy(&item.text), out));
            }
        }
    }

    /// One entry of a checkpoint; they come in the order of their names, which is that of the queue.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let damaged = || Error::data(format_args!("the entry {name:?} is damaged, or not of throttle"));
        let id = name.parse().map_err(|_| damaged())?;
        let text: String = serde_json::from_slice(value).map_err(|_| damaged())?;
        self.put(Item { id, line_number: 0, text: text.into_bytes().into() })
    }
}

impl Spill {
    fn is_empty(&self) -> bool {
        self.back.is_empty() && self.file.is_empty()
    }

    /// A block that is complete goes into the file; in a stream with checkpoints what the last one has.
    fn settle(&mut self, settled_below: u64) -> Result<(), Error> {
        if self.back_bytes < BLOCK_BYTES || self.back.front().is_none_or(|item| item.id >= settled_below) {
            return Ok(());
        }
        self.block.clear();
        while let Some(item) = self.back.pop_front_if(|item| item.id < settled_below) {
            self.back_bytes -= item.text.len();
            self.block.extend_from_slice(&item.text);
            self.block.push(b'\n');
            match self.ids.back_mut() {
                Some((first, count)) if *first + *count == item.id => *count += 1,
                _ => self.ids.push_back((item.id, 1)),
            }
        }
        self.file.append(&self.block)
    }
}

fn next_id(ids: &mut VecDeque<(u64, u64)>) -> u64 {
    let Some((first, count)) = ids.front_mut() else { return 0 };
    let id = *first;
    (*first, *count) = (id + 1, *count - 1);
    if *count == 0 {
        ids.pop_front();
    }
    id
}

/// Names in the order of the queue.
fn name(id: u64) -> String {
    format!("{id:020}")
}
