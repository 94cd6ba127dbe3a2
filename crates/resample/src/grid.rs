//! The steps of the grid, and how far a gap is filled.

use event_time::{TIME_MAX_MS, Window, WindowSize, Windowing, WindowingError};

/// Steps that follow each other, aligned as the windows of `window --size`.
pub struct Grid {
    windowing: Windowing,
    /// The length of a step in milliseconds, where all have the same.
    fixed_ms: Option<i64>,
    /// A step is filled if at most so many steps lie from the last one with numbers to it.
    gap_max: u64,
}

impl Grid {
    /// # Errors
    /// When a step is longer than a window may be.
    pub fn new(every: WindowSize, gap_max: u64) -> Result<Grid, WindowingError> {
        let mut windowing = Windowing::tumbling(every, None, 0)?;
        let first = windowing.slice_of(0);
        let fixed_ms = (!is_of_months(every)).then_some(first.end_ms - first.start_ms);
        Ok(Grid { windowing, fixed_ms, gap_max })
    }

    /// Returns the step that holds a time.
    #[inline]
    pub fn step(&mut self, time_ms: i64) -> Window {
        self.windowing.slice_of(time_ms)
    }

    /// Returns the start of the step after the one that starts at `start_ms`; none after the year 9999.
    pub fn next(&mut self, start_ms: i64) -> Option<i64> {
        let end_ms = self.step(start_ms).end_ms;
        (end_ms <= TIME_MAX_MS).then_some(end_ms)
    }

    /// Returns the start of the last step that may be filled after the one that starts at `start_ms`.
    pub fn reach(&mut self, start_ms: i64) -> i64 {
        if let Some(step_ms) = self.fixed_ms {
            let gap_max = i64::try_from(self.gap_max).unwrap_or(i64::MAX);
            return start_ms.saturating_add(step_ms.saturating_mul(gap_max));
        }
        (0..self.gap_max).try_fold(start_ms, |start_ms, _| self.next(start_ms)).unwrap_or(TIME_MAX_MS)
    }

    /// Returns how far before a step the rows may lie that its closing writes, in milliseconds: the longest gap.
    pub fn gap_ms(&mut self, start_ms: i64) -> i64 {
        self.reach(start_ms).saturating_sub(start_ms)
    }
}

fn is_of_months(every: WindowSize) -> bool {
    matches!(every, WindowSize::Calendar { unit: event_time::CalendarUnit::Month, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn grid(every: &str, gap_max: u64) -> Grid {
        Grid::new(every.parse().unwrap(), gap_max).unwrap()
    }

    #[test]
    fn steps_are_aligned_to_the_epoch_and_a_gap_is_a_number_of_them() {
        let mut grid = grid("10s", 3);
        assert_eq!(grid.step(-1), Window::new(-10_000, 0));
        assert_eq!((grid.next(0), grid.reach(20_000)), (Some(10_000), 50_000));
    }

    #[test]
    fn months_have_their_own_lengths() {
        let mut grid = grid("1mo", 2);
        assert_eq!(grid.next(0), Some(31 * DAY_MS));
        assert_eq!(grid.reach(0), 59 * DAY_MS);
    }

    #[test]
    fn time_ends_in_the_year_9999() {
        let mut day = grid("1d", u64::MAX);
        let last = day.step(TIME_MAX_MS).start_ms;
        assert_eq!((day.next(last), day.reach(last)), (None, i64::MAX));
        assert!(grid("1mo", 1_000_000).reach(last) <= TIME_MAX_MS);
    }
}
