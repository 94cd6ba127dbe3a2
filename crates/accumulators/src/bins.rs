//! Counts by number of bin, of one sign of a [`crate::ddsketch::DdSketch`].

/// Counts of a contiguous run of bins; bins below the highest `bins_max` are one with the lowest of those.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bins {
    pub first: i32,
    pub counts: Vec<u64>,
    pub total: u64,
    pub bins_max: usize,
}

impl Bins {
    pub fn add(&mut self, bin: i32, count: u64) {
        if self.counts.is_empty() {
            self.first = bin;
        }
        let last = self.first + self.counts.len() as i32 - 1;
        if bin > last {
            self.counts.resize((bin - self.first) as usize + 1, 0);
            self.collapse();
        } else if bin < self.first {
            let room = self.bins_max - self.counts.len();
            let growth = ((self.first - bin) as usize).min(room);
            self.counts.splice(0..0, std::iter::repeat_n(0, growth));
            self.first -= growth as i32;
        }
        let slot = (bin - self.first).max(0) as usize;
        self.counts[slot] += count;
        self.total += count;
    }

    /// Makes a run of bins exist; false if not all of it can, as the lowest bins are folded.
    pub fn cover(&mut self, lowest: i32, highest: i32) -> bool {
        let (first, end) = match self.counts.is_empty() {
            true => (lowest, highest + 1),
            false => (self.first.min(lowest), (self.first + self.counts.len() as i32).max(highest + 1)),
        };
        if (end - first) as usize > self.bins_max {
            return false;
        }
        if self.counts.is_empty() {
            self.first = first;
        }
        if first < self.first {
            self.counts.splice(0..0, std::iter::repeat_n(0, (self.first - first) as usize));
            self.first = first;
        }
        self.counts.resize((end - first) as usize, 0);
        true
    }

    /// Counts one value in each of `bins`, which exist.
    pub fn count(&mut self, bins: &[i32]) {
        bins.iter().for_each(|bin| self.counts[(bin - self.first) as usize] += 1);
        self.total += bins.len() as u64;
    }

    /// Folds the lowest bins together once there are more than `bins_max`.
    fn collapse(&mut self) {
        let excess = self.counts.len().saturating_sub(self.bins_max);
        if excess > 0 {
            let folded: u64 = self.counts.drain(..excess).sum();
            self.counts[0] += folded;
            self.first += excess as i32;
        }
    }

    pub fn merge(&mut self, other: &Bins) {
        // From the top, so that the run grows once and what lies too low folds as it would have on its own.
        for (slot, count) in other.counts.iter().enumerate().rev().filter(|(_, count)| **count > 0) {
            self.add(other.first + slot as i32, *count);
        }
    }

    /// The bins that are not empty, with their counts.
    pub fn filled(&self) -> impl DoubleEndedIterator<Item = (i32, u64)> {
        let bins = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        bins.map(|(slot, count)| (self.first + slot as i32, *count))
    }

    pub fn bin_at(&self, rank: u64) -> i32 {
        let mut seen = 0;
        let slot = self.counts.iter().position(|count| {
            seen += count;
            seen > rank
        });
        self.first + slot.unwrap_or(self.counts.len().saturating_sub(1)) as i32
    }
}
