//! `*`, where it is not of two numbers: a text so many times, and objects merged.

use jaq_core::ops::Math;
use jaq_core::{Cv, Error, ValR};
use jaq_json::Val;
use jaq_std::ValT as _;

use crate::program::Data;

/// A text that was repeated is at most as long as a line.
const REPEATED_BYTES_MAX: usize = 64 << 20;

/// `left * right` in a filter.
pub fn product(mut cv: Cv<'_, Data>) -> ValR<Val> {
    let right = cv.0.pop_var();
    let left = cv.0.pop_var();
    compute(left, Math::Mul, right)
}

/// `left OP right` with jq's numbers.
///
/// # Errors
/// jq's, and a text that would be too long.
pub fn compute(left: Val, math: Math, right: Val) -> ValR<Val> {
    if math == Math::Mul {
        match (&left, &right) {
            (Val::TStr(_), Val::Num(_)) => return repeated(left, &right),
            (Val::Num(_), Val::TStr(_)) => return repeated(right, &left),
            _ => (),
        }
    }
    math.run(left, right)
}

/// As jq 1.8 has it: 0.5 times is not once, and less than never is null.
fn repeated(text: Val, times: &Val) -> ValR<Val> {
    let times = times.as_f64().unwrap_or(f64::NAN);
    let bytes = text.try_as_bytes()?;
    if times.is_nan() || times < 0.0 {
        return Ok(Val::Null);
    }
    if bytes.len() as f64 * times.trunc() > REPEATED_BYTES_MAX as f64 {
        return Err(Error::str(format_args!("a text would be longer than {REPEATED_BYTES_MAX} bytes")));
    }
    Ok(Val::utf8_str(bytes.repeat(if bytes.is_empty() { 0 } else { times as usize })))
}
