//! Draws how delays are distributed, as bars of text.

use crate::words::short;

/// The width of the longest bar.
const BAR_WIDTH: u64 = 40;

/// Returns a row for each power of two of milliseconds between the least and the largest delay: its upper end, a bar, how many.
pub fn histogram(delays_ms: impl Iterator<Item = u64>) -> Vec<String> {
    let mut counts = [0_u64; 65];
    delays_ms.for_each(|delay_ms| counts[power(delay_ms)] += 1);
    let largest = counts.iter().copied().max().unwrap_or_default();
    let (Some(first), Some(last)) = (counts.iter().position(|n| *n > 0), counts.iter().rposition(|n| *n > 0)) else {
        return Vec::new();
    };
    let row = |(power, count): (usize, &u64)| {
        let up_to = 1_u64
            .checked_shl(power as u32)
            .and_then(|ms| i64::try_from(ms).ok())
            .map_or_else(|| short(i64::MAX), short);
        let bar = "█".repeat((count * BAR_WIDTH).div_ceil(largest) as usize);
        format!("  up to {up_to:>6} {bar} {count}")
    };
    counts.iter().enumerate().take(last + 1).skip(first).map(row).collect()
}

/// The least power of two that is not below it.
fn power(delay_ms: u64) -> usize {
    delay_ms.checked_next_power_of_two().map_or(64, u64::trailing_zeros) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_there_are_delays() {
        let rows = histogram([0, 1, 1, 1, 3, 4, 9].into_iter());
        let expected = [
            format!("  up to    1ms {} 4", "█".repeat(40)),
            "  up to    2ms  0".to_owned(),
            format!("  up to    4ms {} 2", "█".repeat(20)),
            "  up to    8ms  0".to_owned(),
            format!("  up to   16ms {} 1", "█".repeat(10)),
        ];
        assert_eq!(rows, expected);
        assert!(histogram(std::iter::empty()).is_empty());
        assert_eq!(histogram([u64::MAX].into_iter()).len(), 1);
    }
}
