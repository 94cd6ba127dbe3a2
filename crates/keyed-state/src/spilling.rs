//! Values by key, of which some are on disk.

use checkpoint::Changes;
use scratch_log::{Log, records};
use sorted_runs::Scratch;
use stream::Error;
use units::ByteSize;
use values::state_text::StateReader;

use crate::keyed::Keyed;
use crate::limit::KeyLimit;
use crate::spill::{Away, Spill, unreadable};

/// Says what a value takes.
pub trait Footprint {
    /// Returns what it takes in memory beside its own size, about.
    fn heap_bytes(&self) -> usize;
}

/// A head and a value for each key. With a limit of memory the values without a use for the longest time go to disk as the texts
/// that checkpoints have of them, and come back when they are used; heads stay.
///
/// A key with its value on disk takes what it takes in [`Keyed`] with the head and the value's own size, and 4 bytes. On disk there
/// is at most as much garbage as what is wanted, and [`scratch_log::FILE_BYTES`].
#[derive(Debug)]
pub struct SpillingKeyed<H, V> {
    keyed: Keyed<Entry<H, V>>,
    limit: KeyLimit,
    spill: Option<Spill>,
    /// The value that was used since the last look at the memory.
    current: Option<u32>,
}

#[derive(Debug, Default)]
struct Entry<H, V> {
    head: H,
    kept: Kept<V>,
}

#[derive(Debug)]
enum Kept<V> {
    Here(V),
    Away(Away),
}

impl<V: Default> Default for Kept<V> {
    fn default() -> Self {
        Self::Here(V::default())
    }
}

impl<H: Default, V: Default> SpillingKeyed<H, V> {
    /// Keeps all values in memory.
    #[must_use]
    pub fn new(limit: KeyLimit) -> Self {
        Self { keyed: Keyed::new(limit), limit, spill: None, current: None }
    }

    /// Keeps about so much in memory, and the rest in the scratch.
    ///
    /// # Errors
    /// When the scratch does not work.
    pub fn spill_to(&mut self, memory: ByteSize, scratch: Box<dyn Scratch>) -> Result<(), Error> {
        self.spill = Some(Spill::new(memory.as_usize(), scratch)?);
        Ok(())
    }

    /// Counts the keys, those on disk too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keyed.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keyed.is_empty()
    }

    /// Returns the number of a key whose hash is this.
    #[inline]
    #[must_use]
    pub fn find(&self, key: &[u8], hash: u64) -> Option<u32> {
        self.keyed.find(key, hash)
    }

    /// Adds a key, which must not be there yet; returns its number.
    ///
    /// # Errors
    /// At the limit of keys.
    pub fn insert(&mut self, key: &[u8], hash: u64, head: H, value: V) -> Result<u32, Error> {
        self.keyed.insert(key, hash, Entry { head, kept: Kept::Here(value) })
    }

    #[inline]
    #[must_use]
    pub fn key(&self, id: u32) -> &[u8] {
        self.keyed.key(id)
    }

    /// Returns all numbers, in no particular order.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.keyed.ids()
    }

    #[inline]
    #[must_use]
    pub fn head(&self, id: u32) -> &H {
        &self.keyed.get(id).head
    }

    /// Returns the head, to be changed.
    #[inline]
    pub fn change_head(&mut self, id: u32) -> &mut H {
        &mut self.keyed.change(id).head
    }

    /// Returns the value if it is in memory.
    #[must_use]
    pub fn value_in_memory(&self, id: u32) -> Option<&V> {
        match &self.keyed.get(id).kept {
            Kept::Here(value) => Some(value),
            Kept::Away(_) => None,
        }
    }

    /// Puts another value in the place of the one that is there.
    pub fn replace(&mut self, id: u32, value: V) {
        let was = std::mem::replace(&mut self.keyed.change(id).kept, Kept::Here(value));
        if let (Kept::Away(away), Some(spill)) = (was, &mut self.spill) {
            spill.forget(away);
        }
    }

    /// Returns the value, to be changed; `read` reads it where it is on disk. [`SpillingKeyed::relieve`] has to be called before the
    /// next value is used.
    ///
    /// # Errors
    /// When it cannot be read.
    #[inline]
    pub fn change(&mut self, id: u32, read: impl FnOnce(&mut StateReader<'_>) -> Option<V>) -> Result<&mut V, Error> {
        if self.spill.is_some() {
            self.use_value(id, read)?;
        }
        match &mut self.keyed.change(id).kept {
            Kept::Here(value) => Ok(value),
            Kept::Away(_) => Err(unreadable()),
        }
    }

    fn use_value(&mut self, id: u32, read: impl FnOnce(&mut StateReader<'_>) -> Option<V>) -> Result<(), Error> {
        self.current = Some(id);
        let kept = &mut self.keyed.get_mut(id).kept;
        if let (Kept::Away(away), Some(spill)) = (&*kept, &mut self.spill) {
            let away = *away;
            let mut from = StateReader::new(spill.read(away)?);
            let value = read(&mut from).filter(|_| from.end().is_some()).ok_or_else(unreadable)?;
            spill.forget(away);
            *kept = Kept::Here(value);
        }
        Ok(())
    }

    /// Takes a key out. Returns its value if that is in memory.
    pub fn remove(&mut self, id: u32) -> Option<V> {
        self.current.take_if(|current| *current == id);
        let kept = self.keyed.remove(id).kept;
        if let Some(spill) = &mut self.spill {
            spill.left(id);
        }
        match (kept, &mut self.spill) {
            (Kept::Here(value), _) => Some(value),
            (Kept::Away(away), Some(spill)) => {
                spill.forget(away);
                None
            }
            (Kept::Away(_), None) => None,
        }
    }

    /// Sends values to disk if memory is short: `write` writes one as JSON, or several values with commas between them; `left` gets
    /// each before it goes.
    ///
    /// # Errors
    /// The disk's; when what finds the values takes all of the memory.
    #[inline]
    pub fn relieve(&mut self, write: impl FnMut(&V, &mut Vec<u8>), left: impl FnMut(&V)) -> Result<(), Error>
    where
        V: Footprint,
    {
        if self.spill.is_some() { self.relieve_memory(write, left) } else { Ok(()) }
    }

    fn relieve_memory(&mut self, mut write: impl FnMut(&V, &mut Vec<u8>), mut left: impl FnMut(&V)) -> Result<(), Error>
    where
        V: Footprint,
    {
        let Self { keyed, spill: Some(spill), current, limit } = self else { return Ok(()) };
        if let Some(id) = current.take()
            && let Kept::Here(value) = &keyed.get(id).kept
        {
            spill.used(id, value.heap_bytes());
        }
        let table_bytes = keyed.bytes();
        if !spill.is_short(table_bytes) {
            return Ok(());
        }
        while spill.is_short(table_bytes)
            && let Some(id) = spill.next()
        {
            let kept = &mut keyed.get_mut(id).kept;
            if let Kept::Here(value) = kept {
                left(value);
                *kept = Kept::Away(spill.write(id, |out| write(value, out))?);
            }
        }
        if spill.is_exceeded(table_bytes) {
            return Err(limit.memory_exceeded(keyed.len(), spill.memory()));
        }
        self.clear_garbage()
    }

    /// Appends anew what is wanted of segments that are mostly garbage.
    fn clear_garbage(&mut self) -> Result<(), Error> {
        let Self { keyed, spill: Some(spill), .. } = self else { return Ok(()) };
        while let Some((segment, bytes)) = spill.to_compact()? {
            for record in records(&bytes) {
                let was = Log::place(segment, &record);
                if let Kept::Away(away) = &mut keyed.get_mut(record.row).kept
                    && away.place == was
                {
                    away.place = spill.log.append(record.row, record.bytes, b"");
                    spill.log.forget(was, record.bytes.len());
                }
            }
            spill.flush()?;
        }
        Ok(())
    }

    /// Returns how many bytes were ever written to disk.
    #[must_use]
    pub fn written(&self) -> ByteSize {
        ByteSize(self.spill.as_ref().map_or(0, |spill| spill.log.written_bytes()))
    }

    /// Gives the entries that changed since the last call, named by their keys. `write` writes a value; `frame` gets the head, and
    /// what writes the value into the entry.
    ///
    /// # Errors
    /// When a value cannot be read from disk.
    pub fn save(
        &mut self,
        to: &mut Changes,
        mut write: impl FnMut(&V, &mut Vec<u8>),
        mut frame: impl FnMut(&H, &mut Vec<u8>, &mut dyn FnMut(&mut Vec<u8>)),
    ) -> Result<(), Error> {
        let Self { keyed, spill, .. } = self;
        let mut result = Ok(());
        keyed.save(to, |entry, out| {
            frame(&entry.head, out, &mut |out| match (&entry.kept, spill.as_mut()) {
                (Kept::Here(value), _) => write(value, out),
                (Kept::Away(away), Some(spill)) => match spill.read(*away) {
                    Ok(text) => out.extend_from_slice(text),
                    Err(error) => result = Err(error),
                },
                (Kept::Away(_), None) => {}
            });
        });
        result
    }

    /// Takes an entry of a checkpoint whose head and value `read` reads to their end; returns its number. [`SpillingKeyed::relieve`]
    /// has to be called before the next one.
    ///
    /// # Errors
    /// When the entry is not what was written, the key is there already, or at the limit of keys.
    pub fn load(
        &mut self,
        name: &str,
        value: &[u8],
        read: impl FnOnce(&mut StateReader<'_>) -> Option<(H, V)>,
    ) -> Result<u32, Error> {
        let id = self.keyed.load(name, value, |from| {
            let (head, value) = read(from)?;
            Some(Entry { head, kept: Kept::Here(value) })
        })?;
        self.current = Some(id);
        Ok(id)
    }
}

#[cfg(test)]
mod tests;
