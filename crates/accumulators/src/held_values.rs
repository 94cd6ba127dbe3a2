//! Averages over time: each value holds from its time to that of the next.

use std::collections::VecDeque;

use values::Number;
use values::state_text::{StateReader, write_exact, write_number, write_signed};

use crate::settings::Settings;
use crate::state::{State, block};
use crate::sum::Sum;
use crate::weighted::quotient;

/// The latest values are kept one by one, as others may come between them; those before them are summed up. So many are kept
/// at least, and at most.
const LATEST_MIN: usize = 64;
const LATEST_MAX: usize = 1_024;
/// And so many times as many as have been later than a value that came.
const ROOM: usize = 4;

/// Values at their times. Exact for decimals, as sums are, and so the same in any order, as long as no value comes after
/// all that are kept: such a value counts for nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldValues {
    earlier: Option<Box<Earlier>>,
    /// In the order of times, of one time in that of arrival.
    latest: VecDeque<Held>,
    /// How many later ones there were, at most, when a value came.
    behind: usize,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    time_ms: i64,
    /// The number of its line.
    at: u64,
    value: Number,
}

/// What was summed up of values, up to the time of the last of them.
#[derive(Clone, Copy, Debug)]
struct Earlier {
    first_ms: i64,
    /// Of each value times how long it held, in milliseconds.
    area: Sum,
    last: Held,
}

impl Held {
    fn place(&self) -> (i64, u64) {
        (self.time_ms, self.at)
    }

    /// The value times how long it held.
    fn until(&self, time_ms: i64) -> Number {
        self.value.times(&Number::decimal((i128::from(time_ms) - i128::from(self.time_ms)).max(0), 0))
    }
}

impl Earlier {
    fn new(first: Held) -> Earlier {
        Earlier { first_ms: first.time_ms, area: Sum::default(), last: first }
    }

    fn push(&mut self, next: Held) {
        self.area.add(&self.last.until(next.time_ms));
        self.last = next;
    }

    fn span_ms(&self) -> f64 {
        (self.last.time_ms as f64 - self.first_ms as f64).max(0.0)
    }

    /// Adds what begins later. Where the two overlap, which values held is not known any more: then the time that both take has
    /// the average of both.
    fn append(&mut self, next: &Earlier) {
        let last = if next.last.place() > self.last.place() { next.last } else { self.last };
        if next.first_ms >= self.last.time_ms {
            self.area.add(&self.last.until(next.first_ms));
            self.area.merge(&next.area);
        } else {
            let spans = self.span_ms() + next.span_ms();
            let mut both = self.area;
            both.merge(&next.area);
            let union = (last.time_ms as f64 - self.first_ms as f64).max(0.0);
            self.area = Sum::default();
            self.area.add(&Number::float(if spans > 0.0 { both.to_f64() * (union / spans) } else { 0.0 }));
        }
        self.last = last;
    }
}

impl HeldValues {
    pub fn add(&mut self, time_ms: i64, at: u64, value: Number) {
        let later = self.put(Held { time_ms, at, value });
        self.behind = self.behind.max(later);
        self.sum_up(self.room());
    }

    fn room(&self) -> usize {
        (ROOM * self.behind).clamp(LATEST_MIN, LATEST_MAX)
    }

    /// Puts a value in its place; returns how many are later.
    fn put(&mut self, held: Held) -> usize {
        if self.earlier.as_ref().is_some_and(|earlier| held.place() < earlier.last.place()) {
            return self.latest.len();
        }
        let at = self.latest.partition_point(|known| known.place() <= held.place());
        self.latest.insert(at, held);
        self.latest.len() - 1 - at
    }

    /// Sums up all but the latest few.
    fn sum_up(&mut self, left: usize) {
        while self.latest.len() > left {
            let Some(held) = self.latest.pop_front() else { return };
            match &mut self.earlier {
                Some(earlier) => earlier.push(held),
                None => self.earlier = Some(Box::new(Earlier::new(held))),
            }
        }
    }

    pub fn merge(&mut self, other: &HeldValues) {
        let mut other = other.clone();
        if other.first_ms() < self.first_ms() {
            std::mem::swap(self, &mut other);
        }
        if let Some(next) = &other.earlier {
            let before = self.latest.partition_point(|held| held.time_ms <= next.first_ms);
            self.sum_up(self.latest.len() - before);
            self.latest.retain(|held| held.place() > next.last.place());
            match &mut self.earlier {
                Some(earlier) => earlier.append(next),
                None => self.earlier = Some(next.clone()),
            }
        }
        for held in &other.latest {
            self.put(*held);
        }
        self.behind = self.behind.max(other.behind);
        self.sum_up(self.room());
    }

    /// Of the time from the first value to the last; the last value if that is no time at all.
    pub fn average(&self) -> Option<f64> {
        let mut latest = self.latest.iter();
        let mut all = match &self.earlier {
            Some(earlier) => **earlier,
            None => Earlier::new(*latest.next()?),
        };
        latest.for_each(|held| all.push(*held));
        let mut span = Sum::default();
        span.add(&Number::decimal(i128::from(all.last.time_ms) - i128::from(all.first_ms), 0));
        match all.last.time_ms == all.first_ms {
            true => Some(all.last.value.to_f64()),
            false => quotient(&all.area, &span),
        }
    }

    /// The end of all times if there is no value.
    fn first_ms(&self) -> i64 {
        match (&self.earlier, self.latest.front()) {
            (Some(earlier), _) => earlier.first_ms,
            (None, Some(first)) => first.time_ms,
            (None, None) => i64::MAX,
        }
    }
}

impl State for HeldValues {
    const MEMBER: &'static [u8] = b",\"held\":";
    const NAME: &'static str = "values at times";

    /// `[behind,[first,area,[time,sequence,value]],[[time,sequence,value],…]]`, with `null` for what is summed up if nothing is
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.behind as u64, out);
        out.push(b',');
        match &self.earlier {
            None => out.extend_from_slice(b"null"),
            Some(earlier) => {
                out.push(b'[');
                write_signed(earlier.first_ms, out);
                out.push(b',');
                earlier.area.save(out);
                out.push(b',');
                earlier.last.save(out);
                out.push(b']');
            }
        }
        out.extend_from_slice(b",[");
        for (number, held) in self.latest.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            held.save(out);
        }
        out.extend_from_slice(b"]]");
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<HeldValues> {
        from.literal(b"[")?;
        let behind = from.count()?.min(LATEST_MAX as u64) as usize;
        let mut held = HeldValues { behind, ..HeldValues::default() };
        from.literal(b",")?;
        if from.literal(b"null").is_none() {
            from.literal(b"[")?;
            let first_ms = from.signed()?;
            from.literal(b",")?;
            let area = Sum::load(from)?;
            from.literal(b",")?;
            held.earlier = Some(Box::new(Earlier { first_ms, area, last: Held::load(from)? }));
            from.literal(b"]")?;
        }
        from.literal(b",")?;
        from.items(|from| {
            held.latest.push_back(Held::load(from)?);
            Some(())
        })?;
        from.literal(b"]")?;
        (held.latest.len() <= LATEST_MAX).then_some(held)
    }

    fn heap_bytes(&self) -> usize {
        let earlier = self.earlier.as_ref().map_or(0, |_| block(size_of::<Earlier>()));
        block(self.latest.capacity() * size_of::<Held>()) + earlier
    }
}

impl Held {
    /// Appends `[time,sequence,value]`.
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_signed(self.time_ms, out);
        out.push(b',');
        write_number(self.at, out);
        out.push(b',');
        write_exact(&self.value, out);
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>) -> Option<Held> {
        from.literal(b"[")?;
        let time_ms = from.signed()?;
        from.literal(b",")?;
        let at = from.number()?;
        from.literal(b",")?;
        let value = from.exact()?;
        from.literal(b"]")?;
        Some(Held { time_ms, at, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[(i64, i64)]) -> HeldValues {
        let mut all = HeldValues::default();
        (0..).zip(values).for_each(|(at, (time_ms, value))| all.add(*time_ms, at, Number::decimal((*value).into(), 0)));
        all
    }

    fn text(held: &HeldValues) -> String {
        let mut out = Vec::new();
        held.save(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// All values sorted, and no limit.
    fn expected(values: &[(i64, i64)]) -> Option<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_by_key(|(time_ms, _)| *time_ms);
        let area: i64 = sorted.windows(2).map(|pair| (pair[1].0 - pair[0].0) * pair[0].1).sum();
        let (first, last) = (sorted.first()?, sorted.last()?);
        Some(if first.0 == last.0 { last.1 as f64 } else { area as f64 / (last.0 - first.0) as f64 })
    }

    #[test]
    fn a_value_counts_for_as_long_as_it_holds() {
        assert_eq!(of(&[(0, 10), (9_000, 20), (10_000, 99)]).average(), Some(11.0));
        assert_eq!(of(&[(9_000, 20), (10_000, 99), (0, 10)]).average(), Some(11.0));
        assert_eq!(
            (of(&[(5, 3)]).average(), of(&[(5, 3), (5, 4)]).average(), of(&[]).average()),
            (Some(3.0), Some(4.0), None)
        );
    }

    #[test]
    fn many_values_in_order_take_a_few_places() {
        let values: Vec<(i64, i64)> = (0..10_000).map(|n| (n * n, n % 17)).collect();
        let all = of(&values);
        assert_eq!(all.average(), expected(&values));
        assert!(all.heap_bytes() < 6_000, "{}", all.heap_bytes());
    }

    #[test]
    fn slices_of_many_values_that_touch_merge_to_the_whole() {
        let values: Vec<(i64, i64)> = (0..2_000).map(|n| (n * n + 10 * (n % 3), n % 17)).collect();
        let slices: Vec<HeldValues> = values.chunks(500).map(of).collect();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 1, 3, 0]] {
            let mut merged = HeldValues::default();
            order.iter().for_each(|slice| merged.merge(&slices[*slice]));
            assert_eq!(merged.average(), expected(&values), "{order:?}");
        }
    }

    #[test]
    fn there_is_room_for_values_as_late_as_those_before_them() {
        let late = |n: i64| (n * 7 + n * n % 5 * 600, n % 17);
        let values: Vec<(i64, i64)> = (0..5_000).map(late).collect();
        let all = of(&values);
        assert!((100..LATEST_MAX).contains(&all.behind) && all.latest.len() < LATEST_MAX, "{}", all.behind);
        assert_eq!(all.average(), expected(&values));
    }

    #[test]
    fn parts_that_overlap_give_about_the_average() {
        let values: Vec<(i64, i64)> = (0..4_000).map(|n| (n * 10, 100 + n % 7)).collect();
        let [mut even, odd] = [0, 1].map(|part| of(&values.iter().skip(part).step_by(2).copied().collect::<Vec<_>>()));
        even.merge(&odd);
        let (found, expected) = (even.average().unwrap(), expected(&values).unwrap());
        assert!((found / expected - 1.0).abs() < 0.01, "{found} for {expected}");
    }

    proptest! {
        #[test]
        fn values_come_in_any_order_and_go_on_from_their_text(
            values in prop::collection::vec((-50_i64..50, -9_i64..10), 0..60), cut in 0usize..60,
        ) {
            let cut = cut.min(values.len());
            let whole = of(&values);
            prop_assert_eq!(whole.average(), expected(&values));
            let mut right = HeldValues::default();
            (cut as u64..).zip(&values[cut..]).for_each(|(at, (time, value))| right.add(*time, at, Number::decimal((*value).into(), 0)));
            right.merge(&of(&values[..cut]));
            prop_assert_eq!(right.average(), whole.average());
            let saved = text(&whole);
            let loaded = HeldValues::load(&mut StateReader::new(saved.as_bytes()), &Settings::default()).unwrap();
            prop_assert_eq!(text(&loaded), saved);
        }
    }
}
