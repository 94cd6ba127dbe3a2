//! How steady the pace is: the gaps between lines that went while others waited.

use std::fmt;

/// Two numbers in one bin differ by at most a sixteenth.
const BINS_PER_DOUBLING: usize = 16;
const BINS: usize = 64 * BINS_PER_DOUBLING;

/// Gaps in microseconds, counted in bins that are as wide as they are long (as in an HDR histogram).
#[derive(Clone, Debug)]
pub(crate) struct Gaps {
    bins: Vec<u64>,
    count: u64,
    longest_us: u64,
    lines: u64,
    first_us: i64,
    last_us: i64,
    /// The line that goes next has waited since the last one went.
    is_next_waiting: bool,
}

impl Gaps {
    pub fn new() -> Gaps {
        let bins = vec![0; BINS];
        Gaps { bins, count: 0, longest_us: 0, lines: 0, first_us: 0, last_us: 0, is_next_waiting: false }
    }

    /// Lines go together.
    pub fn go(&mut self, lines: u64, now_us: i64) {
        if self.lines == 0 {
            self.first_us = now_us;
        } else if self.is_next_waiting {
            let gap_us = u64::try_from(now_us.saturating_sub(self.last_us)).unwrap_or(0);
            self.bins[bin(gap_us)] += 1;
            self.count += 1;
            self.longest_us = self.longest_us.max(gap_us);
        }
        self.lines += lines;
        self.last_us = now_us;
        self.is_next_waiting = true;
    }

    /// Nothing waits to go next: the gap that follows is not ours.
    pub fn rest(&mut self) {
        self.is_next_waiting = false;
    }

    /// The gap that this part of all do not exceed, to a sixteenth.
    fn quantile_us(&self, part: f64) -> u64 {
        let wanted = (part * self.count as f64).ceil() as u64;
        let mut seen = 0;
        let found = self.bins.iter().position(|bin| {
            seen += bin;
            seen >= wanted.max(1)
        });
        found.map_or(0, least_of).min(self.longest_us)
    }
}

/// Below 16 each number has its own bin; above, sixteen for each doubling.
fn bin(us: u64) -> usize {
    let per = BINS_PER_DOUBLING as u64;
    if us < per {
        return us as usize;
    }
    let doublings = us.ilog2() - per.ilog2();
    (doublings as usize + 1) * BINS_PER_DOUBLING + ((us >> doublings) - per) as usize
}

fn least_of(bin: usize) -> u64 {
    let (row, place) = (bin / BINS_PER_DOUBLING, (bin % BINS_PER_DOUBLING) as u64);
    if row == 0 { place } else { (BINS_PER_DOUBLING as u64 + place) << (row - 1) }
}

impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.last_us.saturating_sub(self.first_us) as f64 / 1e6;
        let ms = |us: u64| us as f64 / 1e3;
        write!(f, "{} lines in {seconds:.3} s; gaps while lines waited: {}", self.lines, self.count)?;
        if self.count == 0 {
            return Ok(());
        }
        let (p50, p99) = (ms(self.quantile_us(0.5)), ms(self.quantile_us(0.99)));
        write!(f, ", p50 {p50:.2} ms, p99 {p99:.2} ms, longest {:.2} ms", ms(self.longest_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_a_sixteenth_wide() {
        let mut last = 0;
        for us in (0..100_000).chain((0..44).map(|shift| 1_000_003 << shift)) {
            let found = bin(us);
            assert!(found >= last && found < BINS, "{us}");
            let least = least_of(found);
            assert!(least <= us && us - least <= us / 16, "{us}: {least}");
            last = found;
        }
    }

    #[test]
    fn only_gaps_in_which_a_line_waited_count() {
        let mut gaps = Gaps::new();
        (0..100).for_each(|n| gaps.go(1, n * 1_000));
        gaps.rest();
        (0..2).for_each(|n| gaps.go(1, 9_000_000 + n * 5_000));
        let text = gaps.to_string();
        assert_eq!(
            text,
            "102 lines in 9.005 s; gaps while lines waited: 100, p50 0.99 ms, p99 0.99 ms, longest 5.00 ms"
        );
        assert_eq!(Gaps::new().to_string(), "0 lines in 0.000 s; gaps while lines waited: 0");
    }
}
