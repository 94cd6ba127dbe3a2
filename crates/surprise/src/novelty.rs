//! Remembers which values a stream has had.

use values::state_text::{StateReader, write_number};

use crate::{POINTS_FEW, POINTS_REMEMBERED, state};

/// Values that are kept.
const KEPT: usize = 256;
/// Values nearer than this many deviations are one value.
const RESOLUTION: f64 = 0.1;
/// Differences beyond so many deviations count as these.
const CLIP: f64 = 10.0;
/// Larger distances in deviations are taken as this.
const RELATIVE_MAX: f64 = 1e100;

/// A small memory of distinct values: what is far from all of them is new.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Novelty {
    centre: f64,
    /// Mean absolute difference from the centre.
    deviation: f64,
    count: u64,
    values: Vec<f64>,
    /// For each value the point that was nearest to it last.
    matched: Vec<u32>,
    /// No value was matched before this point.
    oldest: u32,
}

impl Novelty {
    /// Returns the centre of the values so far; 0 before the first.
    pub fn centre(&self) -> f64 {
        self.centre
    }

    /// Returns a distance in mean deviations of the values; none before they differ.
    pub fn relative(&self, distance: Option<f64>) -> Option<f64> {
        let distance = distance.filter(|_| self.deviation > 0.0)?;
        Some((distance / self.deviation).min(RELATIVE_MAX))
    }

    /// Takes the value of a point (its number may wrap around). Returns the distance to the nearest value remembered; none
    /// if there is none.
    pub fn take(&mut self, value: f64, point: u32) -> Option<f64> {
        self.count += 1;
        self.follow(value);
        self.forget(point);
        let nearest = self.nearest(value);
        if let Some((place, _)) = nearest {
            self.matched[place] = point;
        }
        let distance = nearest.map(|(_, distance)| distance);
        if distance.is_none_or(|distance| distance > RESOLUTION * self.deviation) {
            self.remember(value, point);
        }
        distance
    }

    fn follow(&mut self, value: f64) {
        if self.count == 1 {
            self.centre = value;
            return;
        }
        let weight = 1.0 / self.count.min(POINTS_REMEMBERED) as f64;
        let (mut difference, mut size) = (value - self.centre, (value - self.centre).abs());
        if self.count > POINTS_FEW && self.deviation > 0.0 {
            let most = CLIP * self.deviation;
            (difference, size) = (difference.clamp(-most, most), size.min(most));
        }
        self.centre += weight * difference;
        self.deviation += weight * (size - self.deviation);
    }

    /// Forgets what no point was near to for long.
    fn forget(&mut self, point: u32) {
        let age = |matched: u32| u64::from(point.wrapping_sub(matched));
        if self.values.is_empty() || age(self.oldest) <= POINTS_REMEMBERED {
            return;
        }
        let mut kept = self.matched.iter().map(|matched| age(*matched) <= POINTS_REMEMBERED);
        self.values.retain(|_| kept.next() == Some(true));
        self.matched.retain(|matched| age(*matched) <= POINTS_REMEMBERED);
        self.oldest = self.matched.iter().copied().max_by_key(|matched| age(*matched)).unwrap_or(point);
    }

    fn nearest(&self, value: f64) -> Option<(usize, f64)> {
        let mut smallest = f64::INFINITY;
        for other in &self.values {
            let distance = (value - other).abs();
            smallest = if distance < smallest { distance } else { smallest };
        }
        let place = self.values.iter().position(|other| (value - other).abs() == smallest)?;
        Some((place, smallest))
    }

    fn remember(&mut self, value: f64, point: u32) {
        if self.values.is_empty() {
            self.oldest = point;
        }
        if self.values.len() < KEPT {
            self.values.push(value);
            self.matched.push(point);
            return;
        }
        let age = |place: &usize| point.wrapping_sub(self.matched[*place]);
        // Of equal ages the first.
        if let Some(place) = (0..KEPT).rev().max_by_key(age) {
            (self.values[place], self.matched[place]) = (value, point);
        }
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        self.values.capacity() * size_of::<f64>() + self.matched.capacity() * size_of::<u32>()
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        state::write_floats(&[self.centre, self.deviation], out);
        out.push(b',');
        write_number(self.count, out);
        out.push(b',');
        write_number(self.oldest.into(), out);
        out.push(b',');
        state::write_floats(&self.values, out);
        out.push(b',');
        state::write_words(&self.matched, out);
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let [centre, deviation] = state::floats(from)?.try_into().ok()?;
        from.literal(b",")?;
        let count = from.count()?;
        from.literal(b",")?;
        let oldest = u32::try_from(from.number()?).ok()?;
        from.literal(b",")?;
        let values = state::floats(from)?;
        from.literal(b",")?;
        let matched = state::words(from)?;
        from.literal(b"]")?;
        let fits = values.len() == matched.len() && values.len() <= KEPT;
        fits.then_some(Self { centre, deviation, count, values, matched, oldest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_new_once() {
        let mut novelty = Novelty::default();
        assert_eq!(novelty.take(5.0, 0), None);
        assert_eq!(novelty.take(8.0, 1), Some(3.0));
        assert_eq!(novelty.take(8.0, 2), Some(0.0));
        assert_eq!(novelty.take(5.5, 3), Some(0.5));
    }

    #[test]
    fn values_are_forgotten_when_none_was_near_for_long() {
        let mut novelty = Novelty::default();
        novelty.take(0.0, 0);
        novelty.take(100.0, 1);
        let last = POINTS_REMEMBERED as u32 + 1;
        for point in 2..=last {
            novelty.take(0.0, point);
        }
        assert_eq!(novelty.clone().take(100.0, last), Some(0.0), "point 1 is not older than the memory");
        assert!(novelty.take(100.0, last + 1).is_some_and(|distance| distance > 99.0));
    }

    #[test]
    fn the_number_of_a_point_may_wrap_around() {
        let mut novelty = Novelty::default();
        novelty.take(1.0, u32::MAX);
        assert_eq!(novelty.take(1.0, 0), Some(0.0));
        assert_eq!(novelty.take(2.0, 1), Some(1.0));
    }

    #[test]
    fn at_most_so_many_values_are_kept() {
        let mut novelty = Novelty::default();
        for point in 0..1000 {
            novelty.take(f64::from(point * point), point);
        }
        assert_eq!(novelty.values.len(), KEPT);
    }
}
