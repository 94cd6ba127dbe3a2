//! The last values of a key.

use std::collections::VecDeque;

use series::Step;

/// Values by time, oldest first; at most one for each time.
#[derive(Clone, Debug, Default)]
pub struct History {
    points: VecDeque<(i64, f64)>,
}

/// What happened to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// One more is kept.
    Added,
    /// As many as before: another one, of the same time or the oldest, is gone.
    Exchanged,
    /// It is older than all that are kept, and there is no room.
    TooOld,
}

impl History {
    /// Keeps a value, and the last `max` of them; of one time the last that came.
    pub fn take(&mut self, time_ms: i64, value: f64, max: usize) -> Taken {
        let at = match self.points.back() {
            Some((last_ms, _)) if *last_ms >= time_ms => {
                self.points.partition_point(|(known_ms, _)| *known_ms < time_ms)
            }
            _ => self.points.len(),
        };
        if let Some(known) = self.points.get_mut(at).filter(|(known_ms, _)| *known_ms == time_ms) {
            known.1 = value;
            return Taken::Exchanged;
        }
        let is_full = self.points.len() >= max;
        if is_full && at == 0 {
            return Taken::TooOld;
        }
        self.points.insert(at, (time_ms, value));
        if is_full {
            self.points.pop_front();
            return Taken::Exchanged;
        }
        Taken::Added
    }

    /// Adds a value that is later than all; for one that was saved.
    pub fn restore(&mut self, time_ms: i64, value: f64) -> Option<()> {
        let is_later = self.last_ms().is_none_or(|last_ms| last_ms < time_ms);
        is_later.then(|| self.points.push_back((time_ms, value)))
    }

    /// Returns what it takes in memory beside its own size.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.points.capacity() * size_of::<(i64, f64)>()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    pub fn clear(&mut self) {
        self.points.clear();
    }

    #[must_use]
    pub fn last_ms(&self) -> Option<i64> {
        self.points.back().map(|(time_ms, _)| *time_ms)
    }

    pub fn points(&self) -> impl Iterator<Item = (i64, f64)> {
        self.points.iter().copied()
    }

    /// Returns the distance of values, as [`Step::of`] tells it.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        Step::of(&self.points().map(|(time_ms, _)| time_ms).collect::<Vec<i64>>())
    }

    /// Puts the values on a grid of steps through the last one, at most `max` of them: of several at a step the latest
    /// counts, and those missing lie on a line between their neighbours. None without values.
    #[must_use]
    pub fn grid(&self, step: Step, max: usize) -> Option<Grid> {
        let last_ms = self.last_ms()?;
        let mut values: Vec<f64> = Vec::new();
        let mut filled = 0;
        for (time_ms, value) in self.points.iter().rev() {
            let place = usize::try_from(step.count(*time_ms, last_ms)).unwrap_or(usize::MAX);
            if place >= max {
                break;
            }
            // A step that has a value has a later one.
            if place >= values.len() {
                filled += place - values.len();
                fill(&mut values, place, *value);
            }
        }
        values.reverse();
        Some(Grid { values, filled, last_ms })
    }
}

/// Adds this value at a place, and a line from the last one before it.
fn fill(values: &mut Vec<f64>, place: usize, value: f64) {
    let start = values.len();
    if let Some(last) = values.last().copied() {
        let steps = (place + 1 - start) as f64;
        // The difference of two finite numbers may not be one, that of their parts is.
        let part = value / steps - last / steps;
        values.extend((1..place + 1 - start).map(|step| last + part * step as f64));
    }
    values.push(value);
}

/// A series without gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Oldest first.
    pub values: Vec<f64>,
    /// How many of them are made up.
    pub filled: usize,
    pub last_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(points: &[(i64, f64)], max: usize) -> (History, Vec<Taken>) {
        let mut history = History::default();
        let taken = points.iter().map(|(time_ms, value)| history.take(*time_ms, *value, max)).collect();
        (history, taken)
    }

    #[test]
    fn the_latest_values_are_kept_in_the_order_of_their_times() {
        let (history, taken) =
            history(&[(10, 1.0), (30, 3.0), (20, 2.0), (40, 4.0), (5, 0.0), (25, 2.5), (40, 5.0)], 3);
        assert_eq!(history.points().collect::<Vec<_>>(), [(25, 2.5), (30, 3.0), (40, 5.0)]);
        let (added, exchanged) = (Taken::Added, Taken::Exchanged);
        assert_eq!(taken, [added, added, added, exchanged, Taken::TooOld, exchanged, exchanged]);
    }

    #[test]
    fn gaps_are_filled_on_a_line_and_the_latest_of_a_step_counts() {
        let (history, _) = history(&[(0, 9.0), (100, 1.0), (131, 4.0), (141, 6.0), (142, 8.0)], 9);
        let grid = history.grid(Step::Fixed(10), 6).unwrap();
        assert_eq!(grid, Grid { values: vec![1.0, 2.0, 3.0, 4.0, 8.0], filled: 2, last_ms: 142 });
        assert_eq!(history.grid(Step::Fixed(10), 3).unwrap().values, [4.0, 8.0]);
        assert_eq!(History::default().grid(Step::Fixed(10), 3), None);
    }

    #[test]
    fn a_gap_of_a_year_makes_no_long_series() {
        let long = 4_000_000_000_000_000;
        let (history, _) = history(&[(-long, 1e308), (0, -1e308), (long, 2.0)], 9);
        assert_eq!(history.grid(Step::Fixed(1), 1_000).unwrap().values, [2.0]);
        assert_eq!(history.grid(Step::Fixed(long), 1_000).unwrap().values, [1e308, -1e308, 2.0]);
        let halves = history.grid(Step::Fixed(long / 2), 1_000).unwrap();
        assert_eq!((halves.values[1], halves.filled), (0.0, 2));
    }
}
