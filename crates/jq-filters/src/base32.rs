//! `@base32` and `@base32d`: texts in the 32 signs of RFC 4648.

use jaq_core::{Error, ValR};
use jaq_json::Val;
use jaq_std::ValT as _;

const SIGNS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Five bytes are eight signs; what is missing at the end is filled with `=`.
///
/// # Errors
/// When the value is no text.
pub fn encoded(text: &Val) -> ValR<Val> {
    let mut all = Vec::new();
    for five in text.try_as_bytes()?.chunks(5) {
        let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte)) << (8 * (5 - five.len()));
        let signs = (five.len() * 8).div_ceil(5);
        all.extend((0..signs).map(|sign| SIGNS[(bits >> (35 - 5 * sign)) as usize & 31]));
        all.resize(all.len().next_multiple_of(8), b'=');
    }
    Ok(Val::utf8_str(all))
}

/// The text of such signs, with or without `=` at the end; what is no UTF-8 in it becomes U+FFFD.
///
/// # Errors
/// When there is another sign in it.
pub fn decoded(text: &Val) -> ValR<Val> {
    let mut all = Vec::new();
    let (mut bits, mut count) = (0_u16, 0);
    for sign in text.try_as_bytes()?.trim_ascii_end().split(|byte| *byte == b'=').next().unwrap_or_default() {
        let Some(five) = SIGNS.iter().position(|other| other == sign) else {
            return Err(Error::str(format_args!("{text} is no base32")));
        };
        bits = bits << 5 | five as u16;
        count += 5;
        if count >= 8 {
            count -= 8;
            all.push((bits >> count) as u8);
        }
    }
    Ok(Val::utf8_str(String::from_utf8_lossy(&all).into_owned().into_bytes()))
}
