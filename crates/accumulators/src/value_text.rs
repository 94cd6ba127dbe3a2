//! Numbers and kept values as text, for snapshots.

use values::Number;
use values::state_text::{DecimalOrFloat, StateReader, write_decimal, write_float};

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

/// Reads `sequence,"value"`.
pub(crate) fn load_arrival(from: &mut StateReader<'_>) -> Option<(u64, Vec<u8>)> {
    let at = from.number()?;
    from.literal(b",")?;
    let text = from.string()?.into_owned();
    (!text.is_empty()).then_some((at, text))
}
