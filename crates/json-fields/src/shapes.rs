//! Remembered shapes: the parts of a line that stay the same from line to line.
//!
//! Most streams have lines that differ in their values alone. A shape is what stands between the scalar values of
//! such a line (braces, keys, colons, commas, space) and the kind of each value. A line is of the shape when it has
//! the same bytes there, which are compared, and well-formed values of the same kinds between them, which are
//! scanned; then the line is well-formed JSON too, and the wanted values are where they were. After: Li,
//! Katsipoulakis, Chandramouli, Goldstein and Kossmann, "Mison: a fast JSON parser for data analytics", VLDB 2017.

use crate::error::ScanError;
use crate::field::{Field, Kind};
use crate::simd::{BLOCK, same_mask};
use crate::specials::Specials;
use crate::token;
use crate::walk::check_utf8;

/// How many shapes are remembered: lines of a few kinds often take turns.
const SHAPES_MAX: usize = 4;
/// Lines longer than this teach nothing, so that no shape is large.
const LINE_BYTES_MAX: usize = 4096;
/// Lines with more values than this teach nothing.
const HOLES_MAX: usize = 64;

/// What a miss costs against a hit: shapes pay while about two of three lines or more are of a known one.
const MISS_COST: i32 = 2;
const BALANCE_MAX: i32 = 64;
const BALANCE_AFTER_PAUSE: i32 = 16;
/// For how many lines shapes are let be when they have not paid, at first and at most.
const PAUSE_LINES_MIN: u32 = 64;
const PAUSE_LINES_MAX: u32 = 4096;

/// The last few shapes, the one that fitted last first.
#[derive(Clone, Debug)]
pub(crate) struct Shapes {
    shapes: Vec<Shape>,
    balance: i32,
    pause: u32,
    next_pause: u32,
    #[cfg(test)]
    pub(crate) hits: usize,
}

impl Default for Shapes {
    fn default() -> Shapes {
        Shapes {
            shapes: Vec::new(),
            balance: BALANCE_MAX,
            pause: 0,
            next_pause: PAUSE_LINES_MIN,
            #[cfg(test)]
            hits: 0,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    parts: Vec<Part>,
    /// Wanted paths that lines of this shape do not have.
    absent: Vec<u16>,
    tail: Tail,
    pub(crate) object: Option<usize>,
    pub(crate) empty: bool,
}

/// A piece of text that stays the same, and what stands behind it.
#[derive(Clone, Copy, Debug)]
struct Part {
    text: [u8; BLOCK],
    /// One bit for each byte of `text` that counts, from the lowest on.
    text_mask: u16,
    text_len: u8,
    hole: Hole,
    /// It is a string, as most are: one test is faster than a jump by kind.
    is_string: bool,
    /// The path that wants the value in the hole, or [`NOBODY`].
    slot: u16,
}

/// With so many paths nothing is learned.
const NOBODY: u16 = u16::MAX;

/// What kind of value stands behind a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    /// None: the text goes on.
    Nothing,
    /// The opening quote is the last byte of the text.
    String,
    Number,
    Keyword,
}

impl Shapes {
    /// The shape that the line is of, with its wanted values in `found`. The line has then been checked in full;
    /// the only fault that is told here is invalid UTF-8, anything else is no fit.
    #[inline]
    pub(crate) fn find(&mut self, line: &[u8], found: &mut [Option<Field>]) -> Result<Option<&Shape>, ScanError> {
        if self.pause > 0 {
            return Ok(None);
        }
        let mut non_ascii = false;
        let specials = Specials::new(line);
        let fits = |shape: &Shape| shape.fits(line, specials, found, &mut non_ascii);
        let Some(rank) = self.shapes.iter().position(fits) else {
            return Ok(None);
        };
        if non_ascii {
            check_utf8(line)?;
        }
        if rank > 0 {
            self.shapes[..=rank].rotate_right(1);
        }
        self.balance = (self.balance + 1).min(BALANCE_MAX);
        if self.balance == BALANCE_MAX {
            self.next_pause = PAUSE_LINES_MIN;
        }
        #[cfg(test)]
        {
            self.hits += 1;
        }
        Ok(self.shapes.first())
    }

    /// No shape fitted the line: is it worth learning its shape?
    pub(crate) fn wants_to_learn(&mut self, line: &[u8]) -> bool {
        if self.pause > 0 {
            self.pause -= 1;
            return false;
        }
        self.balance -= MISS_COST;
        if self.balance < 0 {
            self.balance = BALANCE_AFTER_PAUSE;
            self.pause = self.next_pause;
            self.next_pause = (self.next_pause * 2).min(PAUSE_LINES_MAX);
        }
        line.len() <= LINE_BYTES_MAX
    }

    /// Remembers the shape of a well-formed line in place of the one that fitted longest ago. `scalars` are all
    /// its values but objects and arrays, in order; `wanted` is what the full walk found.
    pub(crate) fn learn(
        &mut self,
        line: &[u8],
        wanted: &[Option<Field>],
        scalars: &[Field],
        object: Option<usize>,
        empty: bool,
    ) {
        let nested = |field: &Field| matches!(field.kind, Kind::Object | Kind::Array);
        if scalars.len() > HOLES_MAX || wanted.len() >= NOBODY.into() || wanted.iter().flatten().any(nested) {
            return;
        }
        if has_twins(wanted) {
            return;
        }
        if self.shapes.len() < SHAPES_MAX {
            self.shapes.push(Shape::default());
        }
        self.shapes.rotate_right(1);
        let shape = &mut self.shapes[0];
        shape.take(line, wanted, scalars);
        shape.object = object;
        shape.empty = empty;
    }
}

/// Two paths have found one value, a member that is named like both: a hole is for one.
fn has_twins(wanted: &[Option<Field>]) -> bool {
    let starts = |fields: &[Option<Field>], start| fields.iter().flatten().any(|field| field.start == start);
    wanted.iter().enumerate().any(|(slot, field)| field.is_some_and(|field| starts(&wanted[slot + 1..], field.start)))
}

impl Shape {
    fn take(&mut self, line: &[u8], wanted: &[Option<Field>], scalars: &[Field]) {
        self.parts.clear();
        let mut from = 0;
        for scalar in scalars {
            let (hole, quote) = match scalar.kind {
                Kind::String => (Hole::String, 1),
                Kind::Number => (Hole::Number, 0),
                _ => (Hole::Keyword, 0),
            };
            let wants = |field: &Option<Field>| field.is_some_and(|f| f.start == scalar.start);
            let slot = wanted.iter().position(wants).and_then(|slot| u16::try_from(slot).ok());
            self.push(&line[from..scalar.start + quote], hole, slot.unwrap_or(NOBODY));
            from = scalar.end;
        }
        self.tail.take(&line[from..]);
        self.absent.clear();
        self.absent.extend((0..).zip(wanted).filter(|(_, field)| field.is_none()).map(|(slot, _)| slot));
    }

    fn push(&mut self, mut text: &[u8], hole: Hole, slot: u16) {
        while let Some((block, rest)) = text.split_first_chunk::<BLOCK>()
            && !rest.is_empty()
        {
            self.parts.push(Part::new(block, Hole::Nothing, NOBODY));
            text = rest;
        }
        self.parts.push(Part::new(text, hole, slot));
    }

    /// The line is of this shape; the wanted values are in `found` then, and otherwise `found` is spoilt.
    #[inline(always)]
    fn fits(&self, line: &[u8], mut specials: Specials, found: &mut [Option<Field>], non_ascii: &mut bool) -> bool {
        let mut at = 0;
        *non_ascii = false;
        for part in &self.parts {
            if !part.is_at(line, at) {
                return false;
            }
            at += usize::from(part.text_len);
            let Some(value) = part.value(line, at, &mut specials, non_ascii) else {
                return false;
            };
            at = value.end;
            if part.slot != NOBODY {
                found[usize::from(part.slot)] = Some(value);
            }
        }
        for &slot in &self.absent {
            found[usize::from(slot)] = None;
        }
        self.tail.ends(line, at)
    }
}

/// The text behind the last value.
#[derive(Clone, Debug, Default)]
struct Tail {
    text: Vec<u8>,
    /// The text's last bytes, at the end of the block.
    block: [u8; BLOCK],
    /// One bit for each byte of `block` that counts.
    mask: u32,
}

impl Tail {
    fn take(&mut self, text: &[u8]) {
        self.text.clear();
        self.text.extend_from_slice(text);
        let len = text.len().min(BLOCK);
        self.block[BLOCK - len..].copy_from_slice(&text[text.len() - len..]);
        self.mask = 0xffff << (BLOCK - len) & 0xffff;
    }

    /// The line ends with the text, which begins at `at`.
    #[inline(always)]
    fn ends(&self, line: &[u8], at: usize) -> bool {
        if line.len() != at + self.text.len() {
            return false;
        }
        match line.last_chunk() {
            Some(block) if self.text.len() <= BLOCK => self.mask & !same_mask(block, &self.block) == 0,
            _ => line.ends_with(&self.text),
        }
    }
}

impl Part {
    /// `text` is no longer than a block.
    fn new(text: &[u8], hole: Hole, slot: u16) -> Part {
        let mut block = [0; BLOCK];
        block[..text.len()].copy_from_slice(text);
        let text_mask = ((1_u32 << text.len()) - 1) as u16;
        Part { text: block, text_mask, text_len: text.len() as u8, hole, is_string: hole == Hole::String, slot }
    }

    /// The value at `at`; none when there is none of the hole's kind.
    #[inline(always)]
    fn value(&self, line: &[u8], at: usize, specials: &mut Specials, non_ascii: &mut bool) -> Option<Field> {
        if self.is_string {
            let quote = specials.next(line, at);
            if line.get(quote) == Some(&b'"') {
                return Some(Field { start: at - 1, end: quote + 1, kind: Kind::String, escaped: false });
            }
            let (end, escaped) = token::string_slow(line, quote, non_ascii).ok()?;
            return Some(Field { start: at - 1, end, kind: Kind::String, escaped });
        }
        match self.hole {
            Hole::Nothing | Hole::String => Some(Field { start: at, end: at, kind: Kind::Null, escaped: false }),
            Hole::Number => {
                let end = match token::short_number(line, at) {
                    Some(end) => end,
                    None => token::number_slow(line, at).ok()?,
                };
                Some(Field { start: at, end, kind: Kind::Number, escaped: false })
            }
            Hole::Keyword => {
                let (end, kind) = token::keyword(line, at)?;
                Some(Field { start: at, end, kind, escaped: false })
            }
        }
    }

    #[inline(always)]
    fn is_at(&self, line: &[u8], at: usize) -> bool {
        let Some(rest) = line.get(at..) else {
            return false;
        };
        match rest.first_chunk() {
            Some(block) => self.text_mask & !(same_mask(block, &self.text) as u16) == 0,
            None => rest.len() >= self.text_len.into() && self.is_at_end(line, rest.len()),
        }
    }

    /// The same for the line's last bytes, fewer than a block: taken out of the last whole block, if there is one.
    #[inline(always)]
    fn is_at_end(&self, line: &[u8], rest: usize) -> bool {
        let Some(block) = line.last_chunk() else {
            return line[line.len() - rest..].starts_with(&self.text[..self.text_len.into()]);
        };
        let rest = u128::from_le_bytes(*block).checked_shr(8 * (BLOCK - rest) as u32).unwrap_or(0);
        let mask = (1_u128 << (8 * self.text_len)) - 1;
        rest & mask == u128::from_le_bytes(self.text)
    }
}
