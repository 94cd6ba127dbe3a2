//! jq's values as compact JSON, with nothing in it that is not JSON.

use jaq_json::{Num, Val};
use json_fields::DEPTH_LIMIT;

/// Integral floats up to here are written without an exponent or a fraction, as jq does.
const INTEGRAL_MAX: f64 = 1e17;

/// Appends a value. Numbers that were not computed keep their text; not-a-number becomes null and infinity the
/// largest number, as in jq.
///
/// # Errors
/// Why the value is not JSON, is nested too deep for the next reader, or makes the buffer longer than `bytes_max`.
pub fn write_json(value: &Val, out: &mut Vec<u8>, bytes_max: usize) -> Result<(), String> {
    write_at(value, 0, out, bytes_max)
}

fn write_at(value: &Val, depth: usize, out: &mut Vec<u8>, bytes_max: usize) -> Result<(), String> {
    // A small value can be written long: the same array many times in another.
    if out.len() > bytes_max {
        return Err(too_long(bytes_max));
    }
    match value {
        Val::Null => out.extend_from_slice(b"null"),
        Val::Bool(true) => out.extend_from_slice(b"true"),
        Val::Bool(false) => out.extend_from_slice(b"false"),
        Val::Num(number) => write_number(number, out),
        Val::TStr(text) => write_text(text, out),
        Val::BStr(_) => return Err("a result contains bytes, which JSON cannot".to_owned()),
        Val::Arr(_) | Val::Obj(_) if depth == DEPTH_LIMIT => {
            return Err(format!("a result is nested deeper than {DEPTH_LIMIT} levels"));
        }
        Val::Arr(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_at(item, depth + 1, out, bytes_max)?;
            }
            out.push(b']');
        }
        Val::Obj(members) => {
            out.push(b'{');
            for (index, (key, member)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                if !matches!(key, Val::TStr(_)) {
                    return Err(format!("a result has the key {key}, and keys must be strings"));
                }
                write_at(key, depth + 1, out, bytes_max)?;
                out.push(b':');
                write_at(member, depth + 1, out, bytes_max)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// The results of a line are longer than they may be.
pub fn too_long(bytes_max: usize) -> String {
    format!("its results are longer than {bytes_max} bytes (--max-output)")
}

/// A text as a JSON string. What is not UTF-8 in it becomes U+FFFD.
pub fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let plain = |byte: &u8| matches!(byte, 0x20..=0x7f) && !matches!(byte, b'"' | b'\\');
    if text.iter().all(plain) {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    } else {
        json_fields::write_string(&String::from_utf8_lossy(text), out);
    }
}

/// Appends a number; one that JSON does not have as the nearest that it has, or null.
pub fn write_number(number: &Num, out: &mut Vec<u8>) {
    match number {
        Num::Int(integer) => write_integer(*integer as i64, out),
        Num::BigInt(integer) => out.extend_from_slice(integer.to_string().as_bytes()),
        Num::Float(float) => write_float(*float, out),
        Num::Dec(text) if is_json_number(text) => out.extend_from_slice(text.as_bytes()),
        Num::Dec(text) => write_float(text.parse().unwrap_or(f64::NAN), out),
    }
}

/// A filter can make decimals that JSON does not write so: `"+1.50" | tonumber`.
pub fn is_json_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && json_fields::validate(text.as_bytes()).is_ok()
}

pub fn write_integer(integer: i64, out: &mut Vec<u8>) {
    // Writing a number to memory cannot fail.
    let _ = serde_json::to_writer(out, &integer);
}

/// As jq does: integral numbers without a fraction, nothing that JSON does not have.
pub fn write_float(float: f64, out: &mut Vec<u8>) {
    if float.is_nan() {
        out.extend_from_slice(b"null");
    } else if float.fract() == 0.0 && float.abs() < INTEGRAL_MAX {
        if float.is_sign_negative() && float == 0.0 {
            out.push(b'-');
        }
        write_integer(float as i64, out);
    } else {
        let _ = serde_json::to_writer(out, &float.clamp(f64::MIN, f64::MAX));
    }
}
