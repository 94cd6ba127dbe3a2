//! Goes over a line from special byte to special byte: quotes, backslashes, control characters, and bytes above 0x7f.

use crate::simd::{WINDOW, special_mask};

/// The special bytes of one window of the line, which moves forward only. Looking sixty-four bytes at a time ahead of
/// the grammar keeps the grammar from waiting for each string's end.
#[derive(Clone, Copy)]
pub(crate) struct Specials {
    base: usize,
    mask: u64,
}

impl Specials {
    #[inline(always)]
    pub(crate) fn new(line: &[u8]) -> Specials {
        Specials { base: 0, mask: mask(line, 0) }
    }

    /// Offset of the first special byte from `at` on; the line's length when there is none. `at` lies behind all
    /// answers before.
    #[inline(always)]
    pub(crate) fn next(&mut self, line: &[u8], at: usize) -> usize {
        debug_assert!(at >= self.base, "looking back");
        let ahead = at - self.base;
        if ahead < WINDOW {
            let mask = self.mask >> ahead;
            if mask != 0 {
                return at + mask.trailing_zeros() as usize;
            }
        }
        self.next_window(line, at)
    }

    #[inline(always)]
    fn next_window(&mut self, line: &[u8], at: usize) -> usize {
        // The last window ends with the line, overlapping the one before.
        let last = line.len().saturating_sub(WINDOW);
        while self.base < last {
            // Usually the window that follows, wherever `at` is in it; far ahead, the window at `at`.
            let base = self.base + WINDOW;
            let base = if at > base + WINDOW { at } else { base };
            self.base = base.min(last);
            self.mask = mask(line, self.base);
            let ahead = at.saturating_sub(self.base);
            let mask = self.mask.checked_shr(ahead as u32).unwrap_or(0);
            if mask != 0 {
                return at.max(self.base) + mask.trailing_zeros() as usize;
            }
        }
        line.len()
    }
}

#[inline(always)]
fn mask(line: &[u8], base: usize) -> u64 {
    match line.get(base..).and_then(|rest| rest.first_chunk()) {
        Some(window) => special_mask(window),
        None => short_mask(line),
    }
}

/// For a line shorter than a window.
#[inline(never)]
fn short_mask(line: &[u8]) -> u64 {
    let mut window = [b' '; WINDOW];
    let len = line.len().min(WINDOW);
    window[..len].copy_from_slice(&line[..len]);
    special_mask(&window)
}

#[cfg(test)]
mod tests {
    use super::Specials;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn every_special_byte_is_found_wherever_one_looks_from() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for round in 0..50_000 {
            let len = rng.random_range(0..400);
            let rare = rng.random_range(2..200);
            let line: Vec<u8> = (0..len)
                .map(|_| match rng.random_range(0..rare) {
                    0 => *b"\"\\\x1f\x80".get(round % 4).unwrap(),
                    _ => b'a',
                })
                .collect();
            let mut specials = Specials::new(&line);
            let mut at = 0;
            while at <= len {
                let obvious = (at..len).find(|&at| line[at] != b'a').unwrap_or(len);
                assert_eq!(specials.next(&line, at), obvious, "from {at} of {len}");
                at = obvious + 1;
                at += match rng.random_range(0..3) {
                    0 => rng.random_range(0..200),
                    _ => rng.random_range(0..9),
                };
            }
        }
    }
}
