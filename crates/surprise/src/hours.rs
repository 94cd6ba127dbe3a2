//! How much a series is above or below its level at each hour of the day, in few bytes.

use values::state_text::{StateReader, write_number, write_signed};

use crate::state;

const HOUR_MS: i64 = 3_600_000;
const HOURS: usize = 24;
/// A new visit of an hour moves its offset by this part.
const GAIN: f64 = 0.3;
/// A visit moves an offset by at most so many errors, and a point counts as at most so many.
const CLIP: f64 = 4.0;
/// Offsets are kept in this part of the error that values had at first, or as a power of four makes it fit.
const UNIT: f64 = 1.0 / 64.0;
/// Beyond this an offset needs a larger unit.
const OFFSET_MAX: f64 = 30_000.0;

/// Returns the hour of the day, in UTC.
pub fn hour_of(time_ms: i64) -> u8 {
    (time_ms.rem_euclid(HOURS as i64 * HOUR_MS) / HOUR_MS) as u8
}

/// Offsets of the hours of the day, and the visit that has not ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hours {
    offsets: [i16; HOURS],
    hour: u8,
    points: u16,
    /// A bit for each hour that had a visit which ended.
    seen: u32,
    /// What offsets are counted in; 0 before the first visit has ended.
    unit: f32,
    /// The remainders of the visit.
    sum: f64,
}

impl Hours {
    /// Goes to the hour of a point; `error` is the median error of the level. Returns the offset of that hour, where it is known.
    #[inline]
    pub fn enter(&mut self, hour: u8, error: f64) -> Option<f64> {
        if hour != self.hour && self.points > 0 {
            self.end_visit(error);
        }
        self.hour = hour;
        self.is_seen(hour).then(|| self.offset(hour))
    }

    fn is_seen(&self, hour: u8) -> bool {
        self.seen & 1 << hour != 0
    }

    fn offset(&self, hour: u8) -> f64 {
        f64::from(self.offsets[usize::from(hour)]) * f64::from(self.unit)
    }

    /// Takes what the level and the offset leave of a point; `error` is the median of that.
    #[inline]
    pub fn add(&mut self, remainder: f64, error: f64) {
        let is_first = !self.is_seen(self.hour);
        let most = if is_first { f64::MAX } else { CLIP * error };
        self.sum = (self.sum + remainder.clamp(-most, most)).clamp(-1e300, 1e300);
        self.points = self.points.saturating_add(1);
    }

    fn end_visit(&mut self, error: f64) {
        let mean = self.sum / f64::from(self.points);
        (self.sum, self.points) = (0.0, 0);
        if self.unit == 0.0 {
            self.unit = (error * UNIT).clamp(0.0, 1e30) as f32;
        }
        if self.unit == 0.0 {
            return;
        }
        let is_first = !self.is_seen(self.hour);
        let offset = self.offset(self.hour) + if is_first { mean } else { GAIN * mean };
        while offset.abs() > OFFSET_MAX * f64::from(self.unit) && self.unit < 1e30 {
            self.unit *= 4.0;
            self.offsets.iter_mut().for_each(|offset| *offset /= 4);
        }
        let steps = (offset / f64::from(self.unit)).clamp(-OFFSET_MAX, OFFSET_MAX);
        self.offsets[usize::from(self.hour)] = steps as i16;
        self.seen |= 1 << self.hour;
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        state::write_floats(&[self.sum, f64::from(self.unit)], out);
        for number in [u64::from(self.hour), u64::from(self.points), u64::from(self.seen)] {
            out.push(b',');
            write_number(number, out);
        }
        for offset in self.offsets.iter().filter(|_| self.unit > 0.0) {
            out.push(b',');
            write_signed(i64::from(*offset), out);
        }
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let [sum, unit] = state::floats(from)?.try_into().ok()?;
        let mut numbers = [0; 3];
        for number in &mut numbers {
            from.literal(b",")?;
            *number = from.number()?;
        }
        let mut hours = Self { sum, unit: unit as f32, ..Self::default() };
        for offset in hours.offsets.iter_mut().filter(|_| unit > 0.0) {
            from.literal(b",")?;
            *offset = i16::try_from(from.signed()?).ok()?;
        }
        from.literal(b"]")?;
        let [hour, points, seen] = numbers;
        hours.hour = u8::try_from(hour).ok().filter(|hour| usize::from(*hour) < HOURS)?;
        hours.points = u16::try_from(points).ok()?;
        hours.seen = u32::try_from(seen).ok()?;
        (hours.unit.is_finite() && unit >= 0.0).then_some(hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_what_each_hour_leaves() {
        let mut hours = Hours::default();
        for point in 0..24 * 5 {
            let hour = (point % 24) as u8;
            let remainder = f64::from(hour) * 10.0 - hours.enter(hour, 1.0).unwrap_or(0.0);
            hours.add(remainder, 1.0);
        }
        let offset = hours.enter(7, 1.0).unwrap();
        assert!((offset - 70.0).abs() < 0.5, "{offset}");
    }

    #[test]
    fn offsets_far_beyond_the_unit_keep_their_size() {
        let mut hours = Hours::default();
        for (hour, remainder) in [(0, 1.0), (1, 1e9), (2, -1e12)] {
            hours.enter(hour, 1.0);
            hours.add(remainder, 1.0);
        }
        hours.enter(3, 1.0);
        assert!((hours.enter(2, 1.0).unwrap() / -1e12 - 1.0).abs() < 0.001);
    }
}
