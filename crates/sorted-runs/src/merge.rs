//! Many sorted segments as one: a tournament tree of losers (Knuth, vol. 3, 5.4.1).

use std::cmp::Ordering;

use crate::cursor::Cursor;
use crate::error::Error;

/// The order of keys. Only equal bytes are equal keys.
pub type Order = fn(&[u8], &[u8]) -> Ordering;

/// What becomes of entries that are merged.
pub trait Fold {
    type Error: From<Error>;

    /// The first value of the next key.
    ///
    /// # Errors
    /// Any ends the merge, here and below.
    fn begin(&mut self, value: &[u8]) -> Result<(), Self::Error>;

    /// One more value of the key, younger than those before.
    ///
    /// # Errors
    /// As above.
    fn add(&mut self, value: &[u8]) -> Result<(), Self::Error>;

    /// All values of the key were given.
    ///
    /// # Errors
    /// As above.
    fn end(&mut self, key: &[u8]) -> Result<(), Self::Error>;
}

/// Segments that are read side by side.
#[derive(Debug)]
pub struct Merge {
    /// Oldest first.
    cursors: Vec<Cursor>,
    /// Place 0 has the winner; the others have the loser of the match that was played there.
    tree: Vec<usize>,
    order: Order,
}

const NOBODY: usize = usize::MAX;

impl Merge {
    pub(crate) fn new(mut cursors: Vec<Cursor>, order: Order) -> Result<Merge, Error> {
        for cursor in &mut cursors {
            cursor.advance()?;
        }
        Ok(Merge::of(cursors, order))
    }

    /// Of cursors that are at an entry.
    fn of(cursors: Vec<Cursor>, order: Order) -> Merge {
        let mut merge = Merge { cursors, tree: Vec::new(), order };
        merge.play_all();
        merge
    }

    pub(crate) fn empty(order: Order) -> Merge {
        Merge::of(Vec::new(), order)
    }

    /// A cursor that is at an entry, younger than all others.
    pub(crate) fn push(&mut self, cursor: Cursor) {
        self.cursors.push(cursor);
        self.play_all();
    }

    /// Takes the cursors from this one on away, as a merge of their own.
    pub(crate) fn split_off(&mut self, first: usize) -> Merge {
        let some = self.cursors.split_off(first);
        self.play_all();
        Merge::of(some, self.order)
    }

    /// The cursor with the least key.
    #[inline]
    pub(crate) fn first(&self) -> Option<&Cursor> {
        self.cursors.get(self.tree[0]).filter(|cursor| !cursor.is_over())
    }

    /// Goes on with the first cursor. Returns which one it was if that was its last entry: it is gone.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<Option<usize>, Error> {
        let winner = self.tree[0];
        let Some(cursor) = self.cursors.get_mut(winner) else { return Ok(None) };
        cursor.advance()?;
        if cursor.is_over() {
            self.cursors.remove(winner);
            self.play_all();
            return Ok(Some(winner));
        }
        self.play(winner);
        Ok(None)
    }

    /// Gives every entry to `fold`, keys in order.
    ///
    /// # Errors
    /// Those of reading, and of `fold`.
    pub fn fold<F: Fold>(mut self, fold: &mut F) -> Result<(), F::Error> {
        let mut key: Option<Vec<u8>> = None;
        while let Some(cursor) = self.cursors.get_mut(self.tree[0]).filter(|cursor| !cursor.is_over()) {
            match &mut key {
                Some(key) if key == cursor.key() => fold.add(cursor.value())?,
                Some(key) => {
                    fold.end(key)?;
                    key.clear();
                    key.extend_from_slice(cursor.key());
                    fold.begin(cursor.value())?;
                }
                None => {
                    key = Some(cursor.key().to_vec());
                    fold.begin(cursor.value())?;
                }
            }
            cursor.advance()?;
            self.play(self.tree[0]);
        }
        key.map_or(Ok(()), |key| fold.end(&key))
    }

    fn play_all(&mut self) {
        self.tree.clear();
        self.tree.resize(self.cursors.len().max(1), NOBODY);
        (0..self.cursors.len()).for_each(|cursor| self.play(cursor));
    }

    /// A cursor that is new, or whose entry is another now, plays its way up.
    #[inline]
    fn play(&mut self, mut winner: usize) {
        let mut place = winner.midpoint(self.cursors.len());
        while place > 0 {
            let other = self.tree[place];
            if other == NOBODY {
                self.tree[place] = winner;
                return;
            }
            if self.comes_before(other, winner) {
                self.tree[place] = winner;
                winner = other;
            }
            place /= 2;
        }
        self.tree[0] = winner;
    }

    /// Of equal keys, the older value first.
    #[inline]
    fn comes_before(&self, a: usize, b: usize) -> bool {
        let (first, second) = (&self.cursors[a], &self.cursors[b]);
        if first.is_over() || second.is_over() {
            return second.is_over() && !first.is_over();
        }
        match (self.order)(first.key(), second.key()) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => a < b,
        }
    }
}
