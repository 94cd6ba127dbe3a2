//! The largest surprises of a time, for `--alarms`.

use std::collections::VecDeque;

use values::state_text::{StateReader, write_finite, write_items, write_signed};

/// The most surprises that are compared with; beyond it, the smallest are left out.
const PEAKS_MAX: usize = 64;

/// Surprises of the last time that fewer than so many later ones reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Records {
    /// The time of the first point.
    first_ms: i64,
    /// Times and surprises.
    peaks: VecDeque<(i64, f64)>,
}

impl Records {
    pub fn new(first_ms: i64) -> Self {
        Self { first_ms, peaks: VecDeque::new() }
    }

    /// Returns true if there were not yet points for so long.
    pub fn is_younger_than(&self, within_ms: i64, time_ms: i64) -> bool {
        time_ms.saturating_sub(self.first_ms) < within_ms
    }

    /// Takes a surprise. Returns true if fewer than `count` points of the time before had one as large.
    pub fn take(&mut self, surprise: f64, time_ms: i64, count: usize, within_ms: i64) -> bool {
        let first_ms = time_ms.saturating_sub(within_ms);
        self.peaks.retain(|(peak_ms, _)| *peak_ms > first_ms);
        if surprise <= 0.0 {
            return false;
        }
        let is_record = self.peaks.iter().filter(|(_, peak)| *peak >= surprise).count() < count;
        self.peaks.push_back((time_ms, surprise));
        self.leave_out(count);
        is_record
    }

    /// Leaves out peaks that `count` later ones reach: they decide nothing any more.
    fn leave_out(&mut self, count: usize) {
        let peaks = &self.peaks;
        let later = |place: usize| peaks.iter().skip(place + 1).filter(|other| other.1 >= peaks[place].1).count();
        let kept: VecDeque<(i64, f64)> =
            (0..peaks.len()).filter(|place| later(*place) < count).map(|place| peaks[place]).collect();
        self.peaks = kept;
        if self.peaks.len() > PEAKS_MAX {
            let smallest = self.peaks.iter().enumerate().min_by(|a, b| a.1.1.total_cmp(&b.1.1)).map(|(place, _)| place);
            self.peaks.remove(smallest.unwrap_or(0));
        }
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        self.peaks.capacity() * size_of::<(i64, f64)>()
    }

    /// Appends the first part of the state.
    pub fn save_first(&self, out: &mut Vec<u8>) {
        write_signed(self.first_ms, out);
    }

    /// Appends the second part.
    pub fn save_peaks(&self, out: &mut Vec<u8>) {
        let peaks: Vec<(i64, f64)> = self.peaks.iter().copied().collect();
        write_items(&peaks, out, |(time_ms, surprise), out| {
            out.push(b'[');
            write_signed(*time_ms, out);
            out.push(b',');
            write_finite(*surprise, out);
            out.push(b']');
        });
    }

    /// Takes the second part; the first one is known.
    pub fn load(from: &mut StateReader<'_>, first_ms: i64) -> Option<Self> {
        let mut records = Self::new(first_ms);
        from.items(|from| {
            from.literal(b"[")?;
            let time_ms = from.signed()?;
            from.literal(b",")?;
            records.peaks.push_back((time_ms, from.finite()?));
            from.literal(b"]")
        })?;
        Some(records)
    }
}
