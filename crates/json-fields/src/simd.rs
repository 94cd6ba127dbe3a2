//! The two loops in which the time goes, sixteen bytes at a step: the end of a string, and two texts being equal.
//!
//! SSE2 is part of every x86-64, so nothing is chosen at run time; other machines take eight bytes at a step in
//! plain arithmetic. Both ways are tested against the obvious loop.
#![allow(unsafe_code)]

/// How many bytes a step takes; texts to compare are padded to a multiple of it.
pub(crate) const BLOCK: usize = 16;

/// Offset from `from` on of the first byte that is not plain inside a string: a quote, a backslash, a control
/// character, and with `NON_ASCII` any byte above 0x7f. The length of `bytes` when there is none.
#[inline(always)]
pub(crate) fn find_special<const NON_ASCII: bool>(bytes: &[u8], from: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    return sse2::find_special::<NON_ASCII>(bytes, from);
    #[cfg(not(target_arch = "x86_64"))]
    return portable::find_special::<NON_ASCII>(bytes, from);
}

/// `bytes` has at `at` the first `len` bytes of `padded`. The length of `padded` is a multiple of [`BLOCK`] and no
/// less than `len`.
#[inline(always)]
pub(crate) fn has_at(bytes: &[u8], at: usize, padded: &[u8], len: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    return sse2::has_at(bytes, at, padded, len);
    #[cfg(not(target_arch = "x86_64"))]
    return portable::has_at(bytes, at, padded, len);
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8,
        _mm_or_si128, _mm_set1_epi8,
    };

    use super::{BLOCK, portable};

    /// The sixteen bytes of `bytes` from `at` on.
    #[inline(always)]
    fn load(bytes: &[u8], at: usize) -> Option<__m128i> {
        let block: &[u8; BLOCK] = bytes.get(at..)?.first_chunk()?;
        // SAFETY: `block` is sixteen readable bytes, and this load asks for no alignment.
        Some(unsafe { _mm_loadu_si128(block.as_ptr().cast()) })
    }

    /// One bit for each byte that is not plain.
    #[inline(always)]
    fn special_mask<const NON_ASCII: bool>(block: __m128i) -> u32 {
        // SAFETY: SSE2 is part of the x86-64 baseline.
        let mask = unsafe {
            let quote = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'"' as i8));
            let backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'\\' as i8));
            // Signed, a byte above 0x7f is negative and so below 0x20 too.
            let outside = if NON_ASCII {
                _mm_cmplt_epi8(block, _mm_set1_epi8(0x20))
            } else {
                _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block)
            };
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), outside))
        };
        mask as u32
    }

    #[inline(always)]
    pub(super) fn find_special<const NON_ASCII: bool>(bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(block) = load(bytes, at) {
            let mask = special_mask::<NON_ASCII>(block);
            if mask != 0 {
                return at + mask.trailing_zeros() as usize;
            }
            at += BLOCK;
        }
        find_in_tail::<NON_ASCII>(bytes, at)
    }

    /// The last bytes, fewer than a block: a block that overlaps what was already seen, where the text is long enough.
    #[inline(always)]
    fn find_in_tail<const NON_ASCII: bool>(bytes: &[u8], at: usize) -> usize {
        let Some(start) = bytes.len().checked_sub(BLOCK) else {
            return portable::find_special::<NON_ASCII>(bytes, at);
        };
        let Some(block) = load(bytes, start) else {
            return bytes.len();
        };
        let seen = at.saturating_sub(start).min(BLOCK);
        let mask = special_mask::<NON_ASCII>(block) >> seen;
        match mask {
            0 => bytes.len(),
            _ => start + seen + mask.trailing_zeros() as usize,
        }
    }

    #[inline(always)]
    pub(super) fn has_at(bytes: &[u8], at: usize, padded: &[u8], len: usize) -> bool {
        let mut done = 0;
        while done < len {
            let (Some(have), Some(want)) = (load(bytes, at + done), load(padded, done)) else {
                return portable::has_at(bytes, at + done, &padded[done..], len - done);
            };
            // SAFETY: SSE2 is part of the x86-64 baseline.
            let same = unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(have, want)) } as u32;
            if (!same).trailing_zeros() as usize + done < len.min(done + BLOCK) {
                return false;
            }
            done += BLOCK;
        }
        true
    }
}

mod portable {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;

    /// The top bit of each byte below `n`; above a byte below `n` there may be bits too many.
    #[inline(always)]
    const fn below(word: u64, n: u64) -> u64 {
        word.wrapping_sub(ONES * n) & !word & TOPS
    }

    pub(super) fn find_special<const NON_ASCII: bool>(bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            // Little-endian: the lowest bit is the first byte's, and the lowest bit is never one too many.
            let word = u64::from_le_bytes(*word);
            let mut mask = below(word, 0x20);
            mask |= below(word ^ ONES * u64::from(b'"'), 1);
            mask |= below(word ^ ONES * u64::from(b'\\'), 1);
            if NON_ASCII {
                mask |= word & TOPS;
            }
            if mask != 0 {
                return at + (mask.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        let special =
            |&byte: &u8| byte < 0x20 || byte == b'"' || byte == b'\\' || (NON_ASCII && byte > 0x7f);
        let tail = bytes.get(at..).unwrap_or_default();
        at + tail.iter().position(special).unwrap_or(tail.len())
    }

    pub(super) fn has_at(bytes: &[u8], at: usize, padded: &[u8], len: usize) -> bool {
        bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(&padded[..len]))
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, find_special, has_at, portable};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn obvious(bytes: &[u8], from: usize, non_ascii: bool) -> usize {
        (from..bytes.len())
            .find(|&at| match bytes[at] {
                b'"' | b'\\' | ..0x20 => true,
                byte => non_ascii && byte > 0x7f,
            })
            .unwrap_or(bytes.len())
    }

    #[test]
    fn every_byte_at_every_place_is_found_alike() {
        for len in 0..50 {
            for place in 0..len {
                for byte in 0..=255 {
                    let mut bytes = vec![b'x'; len];
                    bytes[place] = byte;
                    for from in [0, 1, place, len] {
                        let want = obvious(&bytes, from, true);
                        assert_eq!(find_special::<true>(&bytes, from), want);
                        assert_eq!(portable::find_special::<true>(&bytes, from), want);
                        let want = obvious(&bytes, from, false);
                        assert_eq!(find_special::<false>(&bytes, from), want);
                        assert_eq!(portable::find_special::<false>(&bytes, from), want);
                    }
                }
            }
        }
    }

    #[test]
    fn random_bytes_are_searched_alike() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..100_000 {
            let len = rng.random_range(0..70);
            let bytes: Vec<u8> = (0..len)
                .map(|_| match rng.random_range(0..20) {
                    0 => rng.random(),
                    1 => 0x1f,
                    2 => 0x80,
                    3 => b'!',
                    _ => b'a',
                })
                .collect();
            let from = rng.random_range(0..=len);
            let want = obvious(&bytes, from, true);
            assert_eq!(find_special::<true>(&bytes, from), want, "{bytes:x?}");
            assert_eq!(portable::find_special::<true>(&bytes, from), want);
            let want = obvious(&bytes, from, false);
            assert_eq!(find_special::<false>(&bytes, from), want, "{bytes:x?}");
            assert_eq!(portable::find_special::<false>(&bytes, from), want);
        }
    }

    #[test]
    fn one_byte_of_difference_is_seen_wherever_it_is() {
        let text: Vec<u8> = (0..80).collect();
        for len in 0..50_usize {
            let mut padded = text[..len].to_vec();
            padded.resize(len.next_multiple_of(BLOCK), 0xff);
            for room in [0, 1, 15, 30] {
                let bytes = &text[..len + room];
                assert!(has_at(bytes, 0, &padded, len));
                assert!(portable::has_at(bytes, 0, &padded, len));
                for place in 0..len {
                    let mut other = bytes.to_vec();
                    other[place] ^= 0x40;
                    assert!(!has_at(&other, 0, &padded, len));
                    assert!(!portable::has_at(&other, 0, &padded, len));
                }
            }
            if len > 0 {
                assert!(!has_at(&text[..len - 1], 0, &padded, len));
                assert!(!has_at(&text[..len], len + 3, &padded, len));
            }
        }
    }
}
