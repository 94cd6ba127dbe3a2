//! Remembered shapes: the parts of a line that stay the same from line to line.
//!
//! Most streams have lines that differ in their values alone. A shape is what stands between the scalar values of
//! such a line (braces, keys, colons, commas, space) and the kind of each value. A line is of the shape when it has
//! the same bytes there, which are compared, and well-formed values of the same kinds between them, which are
//! scanned; then the line is well-formed JSON too, and the wanted values are where they were. After: Li,
//! Katsipoulakis, Chandramouli, Goldstein and Kossmann, "Mison: a fast JSON parser for data analytics", VLDB 2017.

use crate::error::ScanError;
use crate::field::{Field, Kind};
use crate::simd::{BLOCK, same_start};
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
    /// What stands before each hole, each padded to whole blocks.
    blocks: Vec<[u8; BLOCK]>,
    holes: Vec<Hole>,
    /// What stands behind the last hole.
    tail: Literal,
    /// Wanted paths that lines of this shape do not have.
    absent: Vec<usize>,
    pub(crate) object: Option<usize>,
    pub(crate) empty: bool,
}

/// A literal's place in [`Shape::blocks`].
#[derive(Clone, Copy, Debug, Default)]
struct Literal {
    first: usize,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Hole {
    /// What stands before it, a string's opening quote included.
    before: Literal,
    kind: HoleKind,
    /// The path that wants it, or [`NOBODY`].
    slot: usize,
}

const NOBODY: usize = usize::MAX;

#[derive(Clone, Copy, Debug)]
enum HoleKind {
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
        let fits = |shape: &Shape| shape.fits(line, found, &mut non_ascii);
        let Some(rank) = self.shapes.iter().position(fits) else {
            return Ok(None);
        };
        if non_ascii {
            check_utf8(line)?;
        }
        self.shapes[..=rank].rotate_right(1);
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
        if scalars.len() > HOLES_MAX || wanted.iter().flatten().any(nested) {
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

impl Shape {
    fn take(&mut self, line: &[u8], wanted: &[Option<Field>], scalars: &[Field]) {
        self.blocks.clear();
        self.holes.clear();
        let mut from = 0;
        for scalar in scalars {
            let (kind, quote) = match scalar.kind {
                Kind::String => (HoleKind::String, 1),
                Kind::Number => (HoleKind::Number, 0),
                _ => (HoleKind::Keyword, 0),
            };
            let before = self.literal(&line[from..scalar.start + quote]);
            let wants = |field: &Option<Field>| field.is_some_and(|f| f.start == scalar.start);
            let slot = wanted.iter().position(wants).unwrap_or(NOBODY);
            self.holes.push(Hole { before, kind, slot });
            from = scalar.end;
        }
        self.tail = self.literal(&line[from..]);
        let absent = |slot: &usize| wanted[*slot].is_none();
        self.absent.clear();
        self.absent.extend((0..wanted.len()).filter(absent));
    }

    fn literal(&mut self, text: &[u8]) -> Literal {
        let first = self.blocks.len();
        for part in text.chunks(BLOCK) {
            let mut block = [0; BLOCK];
            block[..part.len()].copy_from_slice(part);
            self.blocks.push(block);
        }
        Literal { first, len: text.len() }
    }

    /// The line is of this shape; the wanted values are in `found` then, and otherwise `found` is spoilt.
    #[inline]
    fn fits(&self, line: &[u8], found: &mut [Option<Field>], non_ascii: &mut bool) -> bool {
        let mut at = 0;
        let mut specials = Specials::new(line);
        *non_ascii = false;
        for hole in &self.holes {
            if !self.has(line, at, hole.before) {
                return false;
            }
            at += hole.before.len;
            let Some(value) = hole.value(line, at, &mut specials, non_ascii) else {
                return false;
            };
            at = value.end;
            if let Some(slot) = found.get_mut(hole.slot) {
                *slot = Some(value);
            }
        }
        if line.len() != at + self.tail.len || !self.has(line, at, self.tail) {
            return false;
        }
        for &slot in &self.absent {
            found[slot] = None;
        }
        true
    }

    /// The line has these bytes at `at`.
    #[inline(always)]
    fn has(&self, line: &[u8], at: usize, literal: Literal) -> bool {
        let mut rest = line.get(at..).unwrap_or_default();
        let mut len = literal.len;
        for block in &self.blocks[literal.first..] {
            let Some(have) = rest.first_chunk() else {
                return rest.starts_with(&block[..len.min(BLOCK)]) && len <= BLOCK;
            };
            if !same_start(have, block, len.min(BLOCK)) {
                return false;
            }
            if len <= BLOCK {
                return true;
            }
            len -= BLOCK;
            rest = &rest[BLOCK..];
        }
        len == 0
    }
}

impl Hole {
    /// The value at `at`, a string's opening quote standing before it; none when it is not of this hole's kind.
    #[inline(always)]
    fn value(&self, line: &[u8], at: usize, specials: &mut Specials, non_ascii: &mut bool) -> Option<Field> {
        let (start, end, kind, escaped) = match self.kind {
            HoleKind::String => {
                let (end, escaped) = token::string_rest(line, at, specials, non_ascii).ok()?;
                (at - 1, end, Kind::String, escaped)
            }
            HoleKind::Number => (at, token::number(line, at).ok()?, Kind::Number, false),
            HoleKind::Keyword => {
                let (end, kind) = token::keyword(line, at)?;
                (at, end, kind, false)
            }
        };
        Some(Field { start, end, kind, escaped })
    }
}
