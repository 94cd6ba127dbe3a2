//! The pieces of a text that was split: an array of which most filters want one element, or how many there are.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr_iter, memmem};

use super::no_value::NoValue;
use crate::write::write_text;

/// A text and what separates its pieces, which is not empty.
#[derive(Clone, Debug)]
pub struct Pieces<'a> {
    text: Cow<'a, [u8]>,
    by: Cow<'a, [u8]>,
}

impl<'a> Pieces<'a> {
    /// `text / by`
    pub fn new(text: Cow<'a, [u8]>, by: Cow<'a, [u8]>) -> Result<Pieces<'a>, NoValue> {
        // Without a separator the pieces are the characters.
        if by.is_empty() { Err(NoValue::LeftToJaq) } else { Ok(Pieces { text, by }) }
    }

    pub fn into_owned<'b>(self) -> Pieces<'b> {
        Pieces { text: Cow::Owned(self.text.into_owned()), by: Cow::Owned(self.by.into_owned()) }
    }

    /// How many pieces there are; of nothing there are none.
    pub fn count(&self) -> usize {
        match (&*self.text, &*self.by) {
            (b"", _) => 0,
            (text, [by]) => memchr_iter(*by, text).count() + 1,
            (text, by) => memmem::find_iter(text, by).count() + 1,
        }
    }

    /// One piece, or none; negative numbers count from the end.
    pub fn get(self, index: i64) -> Option<Cow<'a, [u8]>> {
        let index = match usize::try_from(index) {
            Ok(index) => Some(index),
            Err(_) => self.count().checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
        };
        let range = index.filter(|_| !self.text.is_empty()).and_then(|index| self.range(index))?;
        Some(part(self.text, range))
    }

    fn range(&self, index: usize) -> Option<Range<usize>> {
        let mut skipped = 0;
        let mut start = 0;
        let mut each = |at: usize| {
            skipped += 1;
            match skipped > index {
                true => Some(start..at),
                false => {
                    start = at + self.by.len();
                    None
                }
            }
        };
        let found = match &*self.by {
            [by] => memchr_iter(*by, &self.text).find_map(&mut each),
            by => memmem::find_iter(&self.text, by).find_map(&mut each),
        };
        found.or_else(|| (skipped == index).then_some(start..self.text.len()))
    }

    /// Calls `each` with one after the other.
    pub fn each(&self, mut each: impl FnMut(Cow<'a, [u8]>) -> Result<(), NoValue>) -> Result<(), NoValue> {
        let mut piece = |range: Range<usize>| match &self.text {
            Cow::Borrowed(text) => each(Cow::Borrowed(&text[range])),
            Cow::Owned(text) => each(Cow::Owned(text[range].to_vec())),
        };
        if self.text.is_empty() {
            return Ok(());
        }
        let mut start = 0;
        for at in memmem::find_iter(&self.text, &*self.by) {
            piece(start..at)?;
            start = at + self.by.len();
        }
        piece(start..self.text.len())
    }

    /// Appends them as an array.
    pub fn write(&self, json: &mut Vec<u8>) {
        json.push(b'[');
        if !self.text.is_empty() {
            let mut start = 0;
            for at in memmem::find_iter(&self.text, &*self.by) {
                write_text(&self.text[start..at], json);
                json.push(b',');
                start = at + self.by.len();
            }
            write_text(&self.text[start..], json);
        }
        json.push(b']');
    }
}

/// Returns a part of a text: borrowed where the text is.
#[inline]
pub fn part(text: Cow<'_, [u8]>, range: Range<usize>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_vec()),
    }
}
