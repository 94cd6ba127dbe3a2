//! The loops in which the time goes: which bytes end a run of plain text in a string, which are digits, and whether
//! two texts are equal.
//!
//! SSE2 is part of every x86-64, so nothing is chosen at run time; other machines take eight bytes at a step in
//! plain arithmetic. Both ways are tested against the obvious loop.
#![allow(unsafe_code)]

/// How many bytes are compared at a step.
pub(crate) const BLOCK: usize = 16;

/// How many bytes one mask of specials covers.
pub(crate) const WINDOW: usize = 64;

#[cfg(not(target_arch = "x86_64"))]
use portable as chosen;
#[cfg(target_arch = "x86_64")]
use sse2 as chosen;

/// One bit for each of the bytes, the lowest for the first: it is a quote, a backslash, a control character or above
/// 0x7f.
#[inline(always)]
pub(crate) fn special_mask(window: &[u8; WINDOW]) -> u64 {
    chosen::special_mask(window)
}

/// One bit for each of the bytes, the lowest for the first: it is a decimal digit.
#[inline(always)]
pub(crate) fn digit_mask(block: &[u8; BLOCK]) -> u32 {
    chosen::digit_mask(block)
}

/// One bit for each of the bytes, the lowest for the first: it is the same in both.
#[inline(always)]
pub(crate) fn same_mask(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> u32 {
    chosen::same_mask(a, b)
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8, _mm_sub_epi8, _mm_xor_si128,
    };

    use super::{BLOCK, WINDOW};

    #[inline(always)]
    fn load(block: &[u8; BLOCK]) -> __m128i {
        // SAFETY: `block` is sixteen readable bytes, and this load asks for no alignment.
        unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
    }

    #[inline(always)]
    pub(super) fn special_mask(window: &[u8; WINDOW]) -> u64 {
        let (blocks, _) = window.as_chunks::<BLOCK>();
        let mut mask = 0;
        for (place, block) in blocks.iter().enumerate() {
            let block = load(block);
            // SAFETY: SSE2 is part of the x86-64 baseline.
            let bits = unsafe {
                let backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'\\' as i8));
                // With this bit turned over, a quote is 0x20, what was below stays below, and all others are above; signed, so
                // that a byte above 0x7f is negative.
                let turned = _mm_xor_si128(block, _mm_set1_epi8(b'"' as i8 ^ 0x20));
                let others = _mm_cmplt_epi8(turned, _mm_set1_epi8(0x21));
                _mm_movemask_epi8(_mm_or_si128(backslash, others))
            };
            mask |= u64::from(bits as u32) << (place * BLOCK);
        }
        mask
    }

    #[inline(always)]
    pub(super) fn digit_mask(block: &[u8; BLOCK]) -> u32 {
        let block = load(block);
        // SAFETY: SSE2 is part of the x86-64 baseline.
        let mask = unsafe {
            let value = _mm_sub_epi8(block, _mm_set1_epi8(b'0' as i8));
            _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value))
        };
        mask as u32
    }

    #[inline(always)]
    pub(super) fn same_mask(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> u32 {
        let (a, b) = (load(a), load(b));
        // SAFETY: SSE2 is part of the x86-64 baseline.
        let same = unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) };
        same as u32
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use super::{BLOCK, WINDOW};

    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;

    /// The top bit of each byte that is zero, exactly.
    const fn zeros(word: u64) -> u64 {
        !(((word & !TOPS) + !TOPS) | word) & TOPS
    }

    /// The top bits of the eight bytes, side by side.
    const fn gather(tops: u64) -> u64 {
        (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }

    pub(super) fn special_mask(window: &[u8; WINDOW]) -> u64 {
        let (words, _) = window.as_chunks::<8>();
        let mut mask = 0;
        for (place, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let control = zeros(word & (ONES * 0xe0));
            let quote = zeros(word ^ (ONES * b'"' as u64));
            let backslash = zeros(word ^ (ONES * b'\\' as u64));
            let tops = control | quote | backslash | (word & TOPS);
            mask |= gather(tops) << (place * 8);
        }
        mask
    }

    pub(super) fn digit_mask(block: &[u8; BLOCK]) -> u32 {
        let bit = |(place, byte): (usize, &u8)| u32::from(byte.is_ascii_digit()) << place;
        block.iter().enumerate().map(bit).sum()
    }

    pub(super) fn same_mask(a: &[u8; BLOCK], b: &[u8; BLOCK]) -> u32 {
        let bit = |place| u32::from(a[place] == b[place]) << place;
        (0..BLOCK).map(bit).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, WINDOW, digit_mask, portable, same_mask, special_mask};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn obvious_specials(window: &[u8; WINDOW]) -> u64 {
        (0..WINDOW).filter(|&at| matches!(window[at], b'"' | b'\\' | ..0x20 | 0x80..)).map(|at| 1 << at).sum()
    }

    #[test]
    fn every_byte_at_every_place_is_told_alike() {
        for place in 0..WINDOW {
            for byte in 0..=255 {
                for other in [b'x', b'!', 0x7f, 0, 0xff] {
                    let mut window = [other; WINDOW];
                    window[place] = byte;
                    let want = obvious_specials(&window);
                    assert_eq!(special_mask(&window), want);
                    assert_eq!(portable::special_mask(&window), want);
                }
            }
        }
    }

    #[test]
    fn random_windows_have_the_same_specials() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..100_000 {
            let window = std::array::from_fn(|_| match rng.random_range(0..20) {
                0..8 => rng.random(),
                8 => 0x1f,
                9 => 0x20,
                10 => b'!',
                11 => b'#',
                12 => b'"',
                _ => b'a',
            });
            let want = obvious_specials(&window);
            assert_eq!(special_mask(&window), want, "{window:x?}");
            assert_eq!(portable::special_mask(&window), want, "{window:x?}");
        }
    }

    #[test]
    fn bytes_that_differ_are_told_from_bytes_that_do_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..10_000 {
            let a: [u8; BLOCK] = rng.random();
            let differs: u32 = rng.random_range(0..1 << BLOCK);
            let b = std::array::from_fn(|at| a[at] ^ ((differs >> at) as u8 & 1) << 6);
            assert_eq!(same_mask(&a, &b), 0xffff & !differs);
            assert_eq!(portable::same_mask(&a, &b), 0xffff & !differs);
        }
    }

    #[test]
    fn digits_are_told_from_every_other_byte() {
        for place in 0..BLOCK {
            for byte in 0..=255_u8 {
                let mut block = [b'7'; BLOCK];
                block[place] = byte;
                let want = 0xffff & !(u32::from(!byte.is_ascii_digit()) << place);
                assert_eq!(digit_mask(&block), want);
                assert_eq!(portable::digit_mask(&block), want);
            }
        }
    }
}
