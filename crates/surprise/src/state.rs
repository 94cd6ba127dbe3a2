//! The text of lists of numbers in a state: base64 of their bytes, little-endian.

use values::state_text::{StateReader, write_base64};

pub fn write_floats(values: &[f64], out: &mut Vec<u8>) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    write_base64(&bytes, out);
}

/// Takes finite numbers only.
pub fn floats(from: &mut StateReader<'_>) -> Option<Vec<f64>> {
    let bytes = from.base64()?;
    let (numbers, []) = bytes.as_chunks() else { return None };
    let values: Vec<f64> = numbers.iter().map(|number| f64::from_le_bytes(*number)).collect();
    values.iter().all(|value| value.is_finite()).then_some(values)
}

pub fn write_words(values: &[u32], out: &mut Vec<u8>) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    write_base64(&bytes, out);
}

pub fn words(from: &mut StateReader<'_>) -> Option<Vec<u32>> {
    let bytes = from.base64()?;
    let (numbers, []) = bytes.as_chunks() else { return None };
    Some(numbers.iter().map(|number| u32::from_le_bytes(*number)).collect())
}
