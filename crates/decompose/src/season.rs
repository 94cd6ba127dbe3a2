//! One season: a number for each of its places, and what is unusual at them.

use std::collections::VecDeque;

use values::state_text::{StateReader, write_base64, write_finite, write_number};

/// A season gives way at least so far to each new point: it remembers about as many cycles as one over this.
const RATE_MIN: f64 = 0.15;
/// The number of cycles, this one counted, in which a point must be unusual in the same way to become the season.
const CYCLES_TO_BELIEVE: u32 = 3;
/// The number of points for each one that is remembered as unusual: where more are, the noise is what is wrong.
const UNUSUAL_SHARE: usize = 4;

/// The profile of a season, around 0.
///
/// Places are kept as `f32`, whose seven digits are far more than a profile is sure of: it is most of the state of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Season {
    /// What is added at each place, and `offset` more than that.
    raw: Box<[f32]>,
    /// The mean of `raw`.
    offset: f64,
    /// The place of the last point.
    place: usize,
    unusual: VecDeque<Unusual>,
}

/// A point that was far from what was expected.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Unusual {
    /// The number of the point.
    at: u64,
    by: f64,
    /// In how many cycles.
    times: u32,
}

impl Season {
    /// Begins with what is added at each place. The last point was at `place`.
    pub fn new(profile: &[f64], place: usize) -> Self {
        let raw: Box<[f32]> = profile.iter().map(|value| *value as f32).collect();
        let mut season = Self { raw, offset: 0.0, place, unusual: VecDeque::new() };
        season.center();
        season
    }

    /// Returns the length in steps.
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Returns what is added at the last point's place.
    #[inline]
    pub fn value(&self) -> f64 {
        f64::from(self.raw[self.place]) - self.offset
    }

    /// Moves on by a number of steps.
    #[inline]
    pub fn go(&mut self, steps: u64) {
        let len = self.raw.len() as u64;
        // Both are below 2^32, and steps are limited.
        let place = self.place as u64 + if steps < len { steps } else { steps % len };
        let is_round = place >= len;
        self.place = if is_round { (place - len) as usize } else { place as usize };
        if is_round {
            self.center();
        }
    }

    /// Once in each cycle: the profile is around 0 again, so that its digits are those that count.
    fn center(&mut self) {
        let mean = self.raw.iter().map(|value| f64::from(*value)).sum::<f64>() / self.raw.len() as f64;
        self.raw.iter_mut().for_each(|value| *value = (f64::from(*value) - mean) as f32);
        self.offset = 0.0;
    }

    /// Changes the profile at the last point's place. Returns how much higher its mean was before it was put back to 0: the trend
    /// takes that.
    #[inline]
    pub fn add(&mut self, change: f64) -> f64 {
        let before = self.raw[self.place];
        let after = (f64::from(before) + change) as f32;
        self.raw[self.place] = after;
        let risen = (f64::from(after) - f64::from(before)) / self.raw.len() as f64;
        self.offset += risen;
        risen
    }

    /// Returns the share of an error that the profile takes after a number of points.
    #[inline]
    pub fn rate(&self, points: u64) -> f64 {
        (self.len() as f64 / (points as f64 + self.len() as f64)).max(RATE_MIN)
    }

    /// Notes how much a point differed from what was expected, and whether that is unusual. Returns by how much the profile was
    /// wrong, if the same was seen a cycle before, and a cycle before that; else 0.
    pub fn judge(&mut self, point: u64, error: f64, is_unusual: bool) -> f64 {
        let len = self.len() as u64;
        let mut known = None;
        while let Some(oldest) = self.unusual.front().filter(|oldest| oldest.at + len <= point) {
            known = Some(*oldest).filter(|oldest| oldest.at + len == point);
            self.unusual.pop_front();
        }
        if !is_unusual {
            return 0.0;
        }
        let known = known.filter(|known| (known.by > 0.0) == (error > 0.0));
        let by = known.map_or(error, |known| if known.by.abs() < error.abs() { known.by } else { error });
        let times = known.map_or(1, |known| known.times + 1);
        if times >= CYCLES_TO_BELIEVE {
            return by;
        }
        if self.unusual.len() * UNUSUAL_SHARE < self.len() + UNUSUAL_SHARE {
            self.unusual.push_back(Unusual { at: point, by, times });
        }
        0.0
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(&*self.raw) + self.unusual.capacity() * size_of::<Unusual>()
    }

    /// Appends `["places",offset,place,[at,by,times,…]]`; places are 4 bytes each, the lowest first.
    pub fn save(&self, out: &mut Vec<u8>) {
        let bytes: Vec<u8> = self.raw.iter().flat_map(|value| value.to_le_bytes()).collect();
        out.push(b'[');
        write_base64(&bytes, out);
        out.push(b',');
        write_finite(self.offset, out);
        out.push(b',');
        write_number(self.place as u64, out);
        out.extend_from_slice(b",[");
        for (number, unusual) in self.unusual.iter().enumerate() {
            out.extend_from_slice(if number > 0 { b"," } else { b"" });
            write_number(unusual.at, out);
            out.push(b',');
            write_finite(unusual.by, out);
            out.push(b',');
            write_number(u64::from(unusual.times), out);
        }
        out.extend_from_slice(b"]]");
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let bytes = from.base64()?;
        let (places, rest) = bytes.as_chunks::<4>();
        let raw: Box<[f32]> = places.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        from.literal(b",")?;
        let offset = from.finite()?;
        from.literal(b",")?;
        let place = usize::try_from(from.count()?).ok()?;
        from.literal(b",")?;
        let mut unusual = VecDeque::new();
        from.items(|from| {
            let at = from.count()?;
            from.literal(b",")?;
            let by = from.finite()?;
            from.literal(b",")?;
            unusual.push_back(Unusual { at, by, times: u32::try_from(from.count()?).ok()? });
            Some(())
        })?;
        from.literal(b"]")?;
        let is_whole = rest.is_empty() && place < raw.len() && raw.iter().all(|value| value.is_finite());
        is_whole.then_some(Self { raw, offset, place, unusual })
    }
}
