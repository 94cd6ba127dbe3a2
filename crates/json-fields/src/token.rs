//! The grammar of one scalar: where it ends, and whether it is well formed.

use crate::error::{Fault, ScanError};
use crate::field::Kind;
use crate::simd::{BLOCK, digit_mask};
use crate::specials::Specials;

/// Where the string ends whose opening quote stands just before `from`: offset behind the closing quote, and
/// whether the string has a backslash. Sets `non_ascii` when it has a byte above 0x7f; whether those are UTF-8 is
/// for the caller to check, for the whole line at once.
#[inline(always)]
pub(crate) fn string_rest(
    line: &[u8],
    from: usize,
    specials: &mut Specials,
    non_ascii: &mut bool,
) -> Result<(usize, bool), ScanError> {
    let at = specials.next(line, from);
    match line.get(at) {
        Some(b'"') => Ok((at + 1, false)),
        _ => string_slow(line, at, non_ascii),
    }
}

/// Offset behind the string whose opening quote stands at `at`, for texts that are no lines.
pub(crate) fn string_end(text: &[u8], at: usize) -> Result<usize, ScanError> {
    string_slow(text, at + 1, &mut false).map(|(end, _)| end)
}

/// The same from its first special byte on.
#[inline(never)]
pub(crate) fn string_slow(line: &[u8], mut at: usize, non_ascii: &mut bool) -> Result<(usize, bool), ScanError> {
    let mut escaped = false;
    loop {
        match line.get(at) {
            None => return Err(ScanError::new(line.len(), Fault::EndOfLineInString)),
            Some(b'"') => return Ok((at + 1, escaped)),
            Some(b'\\') => {
                escaped = true;
                at = escape(line, at)?;
            }
            Some(..0x20) => return Err(ScanError::new(at, Fault::ControlCharacter)),
            Some(0x80..) => {
                *non_ascii = true;
                at += 1;
            }
            Some(_) => at += 1,
        }
    }
}

/// Offset behind the escape that starts at `at`, a pair of surrogates being one.
fn escape(line: &[u8], at: usize) -> Result<usize, ScanError> {
    match line.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match unit(line, at)? {
            high @ 0xd800..=0xdbff => match unit(line, at + 6) {
                Ok(0xdc00..=0xdfff) => Ok(at + 12),
                _ => Err(ScanError::new(at, Fault::LoneSurrogate(high))),
            },
            low @ 0xdc00..=0xdfff => Err(ScanError::new(at, Fault::LoneSurrogate(low))),
            _ => Ok(at + 6),
        },
        Some(_) => Err(ScanError::new(at, Fault::InvalidEscape)),
        None => Err(ScanError::new(line.len(), Fault::EndOfLineInString)),
    }
}

/// The UTF-16 unit of the escape `\uXXXX` at `at`.
fn unit(line: &[u8], at: usize) -> Result<u16, ScanError> {
    let text = line.get(at..at + 6).and_then(|text| text.strip_prefix(b"\\u"));
    text.and_then(hex).ok_or_else(|| ScanError::new(at, Fault::InvalidEscape))
}

/// The number that four hexadecimal digits stand for.
pub(crate) fn hex(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0u16, |unit, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    })
}

/// Offset behind the number that starts at `at` with a digit or a minus.
#[inline(always)]
pub(crate) fn number(line: &[u8], at: usize) -> Result<usize, ScanError> {
    match short_number(line, at) {
        Some(end) => Ok(end),
        None => number_slow(line, at),
    }
}

/// The same without a loop, for numbers without an exponent that end within a block; none for others, well formed
/// or not.
#[inline(always)]
pub(crate) fn short_number(line: &[u8], at: usize) -> Option<usize> {
    let first = at + usize::from(line.get(at) == Some(&b'-'));
    let block: &[u8; BLOCK] = line.get(first..)?.first_chunk()?;
    let others = !digit_mask(block);
    let whole = others.trailing_zeros() as usize;
    if whole == 0 || (block[0] == b'0' && whole > 1) {
        return None;
    }
    let mut len = whole;
    if *block.get(len)? == b'.' {
        len = (others & (others - 1)).trailing_zeros() as usize;
        if len == whole + 1 {
            return None;
        }
    }
    match *block.get(len)? {
        b'e' | b'E' => None,
        _ => Some(first + len),
    }
}

#[inline(never)]
pub(crate) fn number_slow(line: &[u8], at: usize) -> Result<usize, ScanError> {
    let first = at + usize::from(line.get(at) == Some(&b'-'));
    let mut end = digits(line, first);
    if end == first || (line[first] == b'0' && end > first + 1) {
        return Err(ScanError::new(end, Fault::InvalidNumber));
    }
    if line.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(line, fraction);
        if end == fraction {
            return Err(ScanError::new(end, Fault::InvalidNumber));
        }
    }
    match line.get(end) {
        Some(b'e' | b'E') => exponent(line, end),
        _ => Ok(end),
    }
}

fn exponent(line: &[u8], at: usize) -> Result<usize, ScanError> {
    let first = at + 1 + usize::from(matches!(line.get(at + 1), Some(b'+' | b'-')));
    let end = digits(line, first);
    match end > first {
        true => Ok(end),
        false => Err(ScanError::new(end, Fault::InvalidNumber)),
    }
}

fn digits(line: &[u8], mut at: usize) -> usize {
    while line.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// The keyword at `at` and the offset behind it.
#[inline]
pub(crate) fn keyword(line: &[u8], at: usize) -> Option<(usize, Kind)> {
    let rest = line.get(at..)?;
    if rest.starts_with(b"true") {
        Some((at + 4, Kind::True))
    } else if rest.starts_with(b"null") {
        Some((at + 4, Kind::Null))
    } else if rest.starts_with(b"false") {
        Some((at + 5, Kind::False))
    } else {
        None
    }
}

/// Offset of the first byte from `at` on that is no space.
#[inline(always)]
pub(crate) fn skip_space(line: &[u8], at: usize) -> usize {
    match line.get(at) {
        Some(..=b' ') => skip_space_slow(line, at),
        _ => at,
    }
}

#[inline(never)]
fn skip_space_slow(line: &[u8], mut at: usize) -> usize {
    while matches!(line.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}
