//! `*` and `+`, where they are not of two numbers: a text so many times, and objects merged; texts and arrays one behind the other.
//!
//! What they make is limited: twice as much in each round of a loop would soon fill the memory.

use jaq_core::ops::Math;
use jaq_core::{Cv, Error, ValR, ValT as _};
use jaq_json::Val;
use jaq_std::ValT as _;

use crate::data::Data;

/// A text that was made is at most as long as a line.
pub const BYTES_MAX: usize = 64 << 20;
/// An array that was made takes as much memory, and so do an object's members.
const ELEMENTS_MAX: usize = BYTES_MAX / size_of::<Val>();

/// `left * right` in a filter.
pub fn product(mut cv: Cv<'_, Data>) -> ValR<Val> {
    let right = cv.0.pop_var();
    let left = cv.0.pop_var();
    compute(left, Math::Mul, right)
}

/// `left + right` in a filter.
pub fn sum(mut cv: Cv<'_, Data>) -> ValR<Val> {
    let right = cv.0.pop_var();
    let left = cv.0.pop_var();
    compute(left, Math::Add, right)
}

/// `add`: the elements of an array, or the values of an object, in one sum.
pub fn add(of: Val) -> ValR<Val> {
    of.values().try_fold(Val::Null, |sum, value| compute(sum, Math::Add, value?))
}

/// `left OP right` with jq's numbers.
///
/// # Errors
/// jq's, and a text, an array or an object that would be too long.
pub fn compute(left: Val, math: Math, right: Val) -> ValR<Val> {
    match (math, &left, &right) {
        (Math::Mul, Val::TStr(_), Val::Num(_)) => return repeated(left, &right),
        (Math::Mul, Val::Num(_), Val::TStr(_)) => return repeated(right, &left),
        (Math::Add, Val::TStr(a) | Val::BStr(a), Val::TStr(b) | Val::BStr(b)) if a.len() + b.len() > BYTES_MAX => {
            return Err(too_long());
        }
        (Math::Add, Val::Arr(a), Val::Arr(b)) if a.len() + b.len() > ELEMENTS_MAX => {
            return Err(Error::str(format_args!("an array would have more than {ELEMENTS_MAX} elements")));
        }
        (Math::Add, Val::Obj(a), Val::Obj(b)) if a.len() + b.len() > ELEMENTS_MAX => {
            return Err(Error::str(format_args!("an object would have more than {ELEMENTS_MAX} members")));
        }
        _ => (),
    }
    math.run(left, right)
}

/// A text would be longer than one may be.
pub fn too_long() -> Error<Val> {
    Error::str(format_args!("a text would be longer than {BYTES_MAX} bytes"))
}

/// As jq 1.8 has it: 0.5 times is not once, and less than never is null.
fn repeated(text: Val, times: &Val) -> ValR<Val> {
    let times = times.as_f64().unwrap_or(f64::NAN);
    let bytes = text.try_as_bytes()?;
    if times.is_nan() || times < 0.0 {
        return Ok(Val::Null);
    }
    if bytes.len() as f64 * times.trunc() > BYTES_MAX as f64 {
        return Err(too_long());
    }
    Ok(Val::utf8_str(bytes.repeat(if bytes.is_empty() { 0 } else { times as usize })))
}
