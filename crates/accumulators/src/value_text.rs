//! Numbers and kept values as text, for snapshots.

use values::Number;
use values::state_text::{
    DecimalOrFloat, StateReader, write_base64, write_decimal, write_float, write_number, write_text,
};

pub(crate) fn save_number(number: &Number, out: &mut Vec<u8>) {
    match number.as_decimal() {
        Some(decimal) => write_decimal(decimal, out),
        None => write_float(number.to_f64(), out),
    }
}

pub(crate) fn load_number(from: &mut StateReader<'_>) -> Option<Number> {
    Some(match from.decimal_or_float()? {
        DecimalOrFloat::Decimal(mantissa, scale) => Number::decimal(mantissa, scale),
        DecimalOrFloat::Float(value) => Number::float(value),
    })
}

/// Appends `sequence,"value"`.
pub(crate) fn save_arrival(at: u64, text: &[u8], out: &mut Vec<u8>) {
    write_number(at, out);
    out.push(b',');
    write_text(text, out);
}

/// Reads `sequence,"value"`.
pub(crate) fn load_arrival(from: &mut StateReader<'_>) -> Option<(u64, Vec<u8>)> {
    let at = from.number()?;
    from.literal(b",")?;
    let text = from.string()?.into_owned();
    (!text.is_empty()).then_some((at, text))
}

/// Appends `{"name":"base64"}`.
pub(crate) fn save_bytes(name: &str, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    write_base64(bytes, out);
    out.push(b'}');
}
