//! Says how surprising each point of a stream is.

use std::collections::VecDeque;

use values::state_text::{StateReader, write_items, write_number};

use crate::course::Course;
use crate::expectation::Expectation;
use crate::flat::Flat;
use crate::novelty::Novelty;
use crate::pairs::Pairs;
use crate::season::Season;
use crate::state;
use crate::tail::Tail;
use crate::{Evidence, Verdict};

/// What a pair tells counts by half: it comes in clusters.
const PAIR_WEIGHT: f64 = 0.5;
/// A surprise counts if it is larger than each of so many points before it.
const REFRACTORY_POINTS: u64 = 80;
/// Larger values are taken as this, so that no difference leaves the range of numbers.
const VALUE_MAX: f64 = 1e290;

/// The detector of one series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detector {
    count: u64,
    values: Novelty,
    value_tail: Tail,
    season: Season,
    remainders: Novelty,
    remainder_tail: Tail,
    pairs: Pairs,
    pair_tail: Tail,
    /// Surprises of the last points that none after them reaches, with the numbers of their points.
    peaks: VecDeque<(u64, f64)>,
    expectation: Expectation,
    flat: Flat,
    /// For series that change all the time.
    course: Option<Box<Course>>,
}

impl Detector {
    /// Makes a detector for series that change all the time: trends, walks. New heights are no news there, so distances are
    /// measured in deviations, which grow with the range, and the distance from the course of the last values counts too.
    #[must_use]
    pub fn of_trend() -> Self {
        Self { course: Some(Box::default()), ..Self::default() }
    }

    /// Returns true if it is for series that change all the time.
    #[must_use]
    pub fn is_of_trend(&self) -> bool {
        self.course.is_some()
    }

    /// Takes the next point, finite, at a time in milliseconds of the epoch. What it returns depends on this point and on
    /// those before it.
    pub fn take(&mut self, value: f64, time_ms: i64) -> Verdict {
        let value = value.clamp(-VALUE_MAX, VALUE_MAX);
        let centre = self.values.centre();
        let is_same = self.expectation.last() == Some(value);
        let is_flat = self.flat.take(is_same, self.count);
        let seasonal = self.season.take(value, time_ms);
        let found = self.most_surprising(value, seasonal);
        let is_unsteady = self.expectation.is_unsteady();
        let interval = self.expectation.take(value, centre, seasonal);
        let counts = self.is_peak(found.0);
        self.count += 1;
        Verdict { surprise: found.0, counts, evidence: found.1, interval, seasonal, is_unsteady, is_flat }
    }

    /// Of equal ones the first.
    fn most_surprising(&mut self, value: f64, seasonal: Option<f64>) -> (f64, Evidence) {
        let point = self.count as u32;
        let is_relative = self.course.is_some();
        let distance = self.values.take(value, point);
        let distance = if is_relative { self.values.relative(distance) } else { distance };
        let plain = distance.map_or(0.0, |distance| self.value_tail.take(distance));
        let distance = seasonal.and_then(|expected| self.remainders.take(value - expected, point));
        let distance = if is_relative { self.remainders.relative(distance) } else { distance };
        let out_of_season = distance.map_or(0.0, |distance| self.remainder_tail.take(distance));
        let distance = self.pairs.take(value);
        let pair = PAIR_WEIGHT * distance.map_or(0.0, |distance| self.pair_tail.take(distance));
        let off_course = self.course.as_mut().map_or(0.0, |course| course.take(value, point));
        [(out_of_season, Evidence::Season), (pair, Evidence::Pair), (off_course, Evidence::Value)]
            .into_iter()
            .fold((plain, Evidence::Value), |best, other| if other.0 > best.0 { other } else { best })
    }

    fn is_peak(&mut self, surprise: f64) -> bool {
        let first = self.count.saturating_sub(REFRACTORY_POINTS);
        while self.peaks.front().is_some_and(|peak| peak.0 < first) {
            self.peaks.pop_front();
        }
        if surprise <= 0.0 {
            return false;
        }
        let is_peak = self.peaks.front().is_none_or(|peak| surprise > peak.1);
        while self.peaks.back().is_some_and(|peak| peak.1 <= surprise) {
            self.peaks.pop_back();
        }
        self.peaks.push_back((self.count, surprise));
        is_peak
    }

    /// Returns what it takes in memory beside its own size, about.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let memories = self.values.heap_bytes() + self.remainders.heap_bytes() + self.pairs.heap_bytes();
        let tails = self.value_tail.heap_bytes() + self.remainder_tail.heap_bytes() + self.pair_tail.heap_bytes();
        let course = self.course.as_ref().map_or(0, |course| size_of::<Course>() + course.heap_bytes());
        memories + tails + self.season.heap_bytes() + self.peaks.capacity() * size_of::<(u64, f64)>() + course
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.count, out);
        for novelty in [&self.values, &self.remainders] {
            out.push(b',');
            novelty.save(out);
        }
        for tail in [&self.value_tail, &self.remainder_tail, &self.pair_tail] {
            out.push(b',');
            tail.save(out);
        }
        out.push(b',');
        self.season.save(out);
        out.push(b',');
        self.pairs.save(out);
        out.push(b',');
        let peaks: Vec<(u64, f64)> = self.peaks.iter().copied().collect();
        write_items(&peaks, out, |(point, surprise), out| {
            out.push(b'[');
            write_number(*point, out);
            out.push(b',');
            state::write_floats(&[*surprise], out);
            out.push(b']');
        });
        out.push(b',');
        self.expectation.save(out);
        out.push(b',');
        write_number(self.flat.words().into(), out);
        if let Some(course) = &self.course {
            out.push(b',');
            course.save(out);
        }
        out.push(b']');
    }

    /// Takes what `save` wrote, or a version that knew no flat lines.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let count = from.count()?;
        let (values, remainders) = (next(from, Novelty::load)?, next(from, Novelty::load)?);
        let tails = (next(from, Tail::load)?, next(from, Tail::load)?, next(from, Tail::load)?);
        let (season, pairs) = (next(from, Season::load)?, next(from, Pairs::load)?);
        let mut peaks = VecDeque::new();
        next(from, |from| {
            from.items(|from| {
                from.literal(b"[")?;
                let point = from.count()?;
                from.literal(b",")?;
                let [surprise] = state::floats(from)?.try_into().ok()?;
                from.literal(b"]")?;
                peaks.push_back((point, surprise));
                Some(())
            })
        })?;
        let expectation = next(from, Expectation::load)?;
        let flat = if from.is_at(b',') { next(from, StateReader::number)? } else { 0 };
        let flat = Flat::of_words(u32::try_from(flat).ok()?);
        let course = if from.is_at(b',') { Some(Box::new(next(from, Course::load)?)) } else { None };
        from.literal(b"]")?;
        let (value_tail, remainder_tail, pair_tail) = tails;
        Some(Self {
            count,
            values,
            value_tail,
            season,
            remainders,
            remainder_tail,
            pairs,
            pair_tail,
            peaks,
            expectation,
            flat,
            course,
        })
    }
}

fn next<'a, T>(from: &mut StateReader<'a>, load: impl FnOnce(&mut StateReader<'a>) -> Option<T>) -> Option<T> {
    from.literal(b",")?;
    load(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        saved_and_loaded(Detector::default());
        saved_and_loaded(Detector::of_trend());
    }

    fn saved_and_loaded(mut detector: Detector) {
        for point in 0..3000i64 {
            if point % 91 == 0 || point < 9 {
                let mut text = Vec::new();
                detector.save(&mut text);
                let mut from = StateReader::new(&text);
                let loaded = Detector::load(&mut from);
                assert!(from.end().is_some(), "{point}: {}", String::from_utf8_lossy(&text));
                let loaded = loaded.unwrap();
                let mut again = Vec::new();
                loaded.save(&mut again);
                assert_eq!(text, again);
                detector = loaded;
            }
            let value = if point % 500 == 499 { 1e6 } else { (point * point % 97) as f64 };
            detector.take(value, point * 700_000);
        }
    }
}
