//! The text of states: JSON on one line, without spaces, to the last bit.
//!
//! An exact number has as many places as it is kept with (`30.750`), a float an exponent (`3.075e1`), so that reading
//! gives back the very representation. Plain lists of floats need no such difference. What is no number for JSON is a
//! string, as are values, which need not be JSON that everybody can read (`1e999`); sketches are base64.

use std::borrow::Cow;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use json_fields::write_string;

use crate::number::Number;
use crate::number_text::parse_short;
use crate::powers::SCALE_MAX;

/// Larger counts are damage: none can be reached, and sums of a few stay in a `u64`.
pub const COUNT_MAX: u64 = 1 << 60;

/// Appends a whole number.
#[inline]
pub fn write_number(number: u64, out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, &number);
}

/// Appends a whole number, which may be negative.
#[inline]
pub fn write_signed(number: i64, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, &number);
}

/// Appends a finite float for [`StateReader::finite`].
pub fn write_finite(value: f64, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(&mut *out, &value);
    if out.ends_with(b".0") {
        out.truncate(out.len() - 2);
    }
}

/// Appends any float, told apart from a decimal by its exponent.
pub fn write_float(value: f64, out: &mut Vec<u8>) {
    let _ = if value.is_finite() { write!(out, "{value:e}") } else { write!(out, "\"{value}\"") };
}

/// Appends `mantissa / 10^scale` with all its places.
pub fn write_decimal((mantissa, scale): (i128, u8), out: &mut Vec<u8>) {
    if mantissa < 0 {
        out.push(b'-');
    }
    let start = out.len();
    match u64::try_from(mantissa.unsigned_abs()) {
        Ok(short) => write_number(short, out),
        Err(_) => drop(write!(out, "{}", mantissa.unsigned_abs())),
    }
    let places = usize::from(scale);
    if places > 0 {
        let missing = (places + 1).saturating_sub(out.len() - start);
        out.splice(start..start, std::iter::repeat_n(b'0', missing));
        out.insert(out.len() - places, b'.');
    }
}

/// Appends a number with all of its digits, for [`StateReader::exact`].
pub fn write_exact(number: &Number, out: &mut Vec<u8>) {
    match number.as_decimal() {
        Some(decimal) => write_decimal(decimal, out),
        None => write_float(number.to_f64(), out),
    }
}

/// Appends a value's JSON text as a string. Lines are checked to be UTF-8 before they get here.
pub fn write_text(text: &[u8], out: &mut Vec<u8>) {
    write_string(&String::from_utf8_lossy(text), out);
}

/// Appends bytes as a string.
pub fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    // There is as much room as it takes.
    let _ = BASE64.encode_slice(bytes, &mut out[start..]);
    out.push(b'"');
}

/// Appends `[item,item]`.
pub fn write_items<T>(items: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// Takes such text apart from the front. Every method gives `None` when something else stands there.
#[derive(Clone, Debug)]
pub struct StateReader<'a> {
    rest: &'a [u8],
}

impl<'a> StateReader<'a> {
    #[must_use]
    pub fn new(text: &'a [u8]) -> StateReader<'a> {
        StateReader { rest: text }
    }

    /// Exactly this text.
    #[inline]
    pub fn literal(&mut self, text: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// Nothing is left.
    #[must_use]
    pub fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }

    #[must_use]
    pub fn is_at(&self, byte: u8) -> bool {
        self.rest.first() == Some(&byte)
    }

    /// A whole number of `u64`.
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        let mut value: u64 = 0;
        let mut len = 0;
        while let Some(digit) = self.rest.get(len).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
            len += 1;
        }
        self.rest = &self.rest[len..];
        (len > 0).then_some(value)
    }

    /// A number of things.
    #[inline]
    pub fn count(&mut self) -> Option<u64> {
        self.number().filter(|count| *count <= COUNT_MAX)
    }

    /// A whole number of `i64`.
    pub fn signed(&mut self) -> Option<i64> {
        let negative = self.literal(b"-").is_some();
        let number = i128::from(self.number()?);
        i64::try_from(if negative { -number } else { number }).ok()
    }

    /// A number or null.
    pub fn signed_or_null(&mut self) -> Option<Option<i64>> {
        match self.literal(b"null") {
            Some(()) => Some(None),
            None => self.signed().map(Some),
        }
    }

    fn number_text(&mut self) -> &'a [u8] {
        let is_part = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e');
        let (text, rest) = self.rest.split_at(self.rest.iter().take_while(is_part).count());
        self.rest = rest;
        text
    }

    pub fn finite(&mut self) -> Option<f64> {
        let text = self.number_text();
        match parse_short(text) {
            // Zero may have a sign.
            Some((mantissa, scale)) if mantissa != 0 => Some(Number::decimal(mantissa.into(), scale).to_f64()),
            _ => str::from_utf8(text).ok()?.parse().ok().filter(|value: &f64| value.is_finite()),
        }
    }

    pub fn decimal_or_float(&mut self) -> Option<DecimalOrFloat> {
        if self.is_at(b'"') {
            return match &*self.string()? {
                b"inf" => Some(DecimalOrFloat::Float(f64::INFINITY)),
                b"-inf" => Some(DecimalOrFloat::Float(f64::NEG_INFINITY)),
                b"NaN" => Some(DecimalOrFloat::Float(f64::NAN)),
                _ => None,
            };
        }
        let text = self.number_text();
        match parse_short(text) {
            Some((mantissa, scale)) => Some(DecimalOrFloat::Decimal(mantissa.into(), scale)),
            None => parse_long(str::from_utf8(text).ok()?),
        }
    }

    /// A number that `write_exact` wrote.
    pub fn exact(&mut self) -> Option<Number> {
        Some(match self.decimal_or_float()? {
            DecimalOrFloat::Decimal(mantissa, scale) => Number::decimal(mantissa, scale),
            DecimalOrFloat::Float(value) => Number::float(value),
        })
    }

    pub fn float(&mut self) -> Option<f64> {
        match self.decimal_or_float()? {
            DecimalOrFloat::Float(value) => Some(value),
            DecimalOrFloat::Decimal(..) => None,
        }
    }

    /// A string, its escapes resolved.
    pub fn string(&mut self) -> Option<Cow<'a, [u8]>> {
        self.literal(b"\"")?;
        let len = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if self.rest[len] == b'"' {
            let (text, rest) = self.rest.split_at(len);
            self.rest = &rest[1..];
            return Some(Cow::Borrowed(text));
        }
        self.escaped_string(len).map(Cow::Owned)
    }

    /// A string whose first escape is at `at`.
    fn escaped_string(&mut self, mut at: usize) -> Option<Vec<u8>> {
        while *self.rest.get(at)? != b'"' {
            at += if self.rest[at] == b'\\' { 2 } else { 1 };
        }
        let quoted = [b"\"", self.rest.get(..=at)?].concat();
        self.rest = &self.rest[at + 1..];
        serde_json::from_slice::<String>(&quoted).ok().map(String::into_bytes)
    }

    pub fn base64(&mut self) -> Option<Vec<u8>> {
        BASE64.decode(self.string()?).ok()
    }

    /// `[item,item]`, each taken by `item`.
    pub fn items(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.literal(b"[")?;
        if self.literal(b"]").is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            if self.literal(b"]").is_some() {
                return Some(());
            }
            self.literal(b",")?;
        }
    }
}

/// What a number was written from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DecimalOrFloat {
    Decimal(i128, u8),
    Float(f64),
}

/// A float, or a decimal of many digits.
#[cold]
fn parse_long(text: &str) -> Option<DecimalOrFloat> {
    if text.contains('e') {
        return text.parse().ok().filter(|value: &f64| value.is_finite()).map(DecimalOrFloat::Float);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= SCALE_MAX)?;
    // A sign within the text would be none of ours.
    if whole.is_empty() || fraction.contains(['-', '+']) || (text.contains('.') && fraction.is_empty()) {
        return None;
    }
    Some(DecimalOrFloat::Decimal([whole, fraction].concat().parse().ok()?, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals_keep_their_places_and_floats_have_an_exponent() {
        for (decimal, expected) in [((3075, 2), "30.75"), ((-5, 3), "-0.005"), ((0, 2), "0.00"), ((12, 0), "12")] {
            assert_eq!(text(|out| write_decimal(decimal, out)), expected);
        }
        let floats = [(30.75, "3.075e1"), (-0.0, "-0e0"), (f64::INFINITY, "\"inf\""), (f64::NAN, "\"NaN\"")];
        for (float, expected) in floats {
            assert_eq!(text(|out| write_float(float, out)), expected);
        }
        assert_eq!(text(|out| [1.0, 0.5, -0.0, 1e300].iter().for_each(|v| write_finite(*v, out))), "10.5-01e+300");
    }

    #[test]
    fn what_was_not_written_so_is_refused() {
        for wrong in
            ["", "-", "1.", ".5", "1.2.3", "1-2.5", "9999999999999999999999-1.5", "1e999", "1e", "\"infinity\""]
        {
            assert_eq!(StateReader::new(wrong.as_bytes()).decimal_or_float(), None, "{wrong}");
        }
        assert_eq!(StateReader::new(b"18446744073709551616").number(), None);
        assert_eq!(StateReader::new(b"1152921504606846977").count(), None);
        assert_eq!(StateReader::new(b"-9223372036854775809").signed(), None);
        for wrong in ["\"", "\"a", "\"\\\"", "\"\\", "\"\\x\"", "\"\\ud800\""] {
            assert_eq!(StateReader::new(wrong.as_bytes()).string(), None, "{wrong}");
        }
        for wrong in ["[", "[1", "[1,", "[1 ]", "[1,]"] {
            assert_eq!(StateReader::new(wrong.as_bytes()).items(|reader| reader.number().map(drop)), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn decimals_are_read_back(mantissa: i128, shift in 0u32..127, scale in 0..=SCALE_MAX) {
            let written = text(|out| write_decimal((mantissa >> shift, scale), out));
            let read = StateReader::new(written.as_bytes()).decimal_or_float();
            prop_assert_eq!(read, Some(DecimalOrFloat::Decimal(mantissa >> shift, scale)), "{}", written);
        }

        #[test]
        fn floats_are_read_back_to_the_bit(bits: u64) {
            let value = f64::from_bits(bits);
            let written = text(|out| write_float(value, out));
            let read = StateReader::new(written.as_bytes()).float().unwrap();
            prop_assert!(read.to_bits() == bits || value.is_nan() && read.is_nan(), "{}", written);
            if value.is_finite() {
                let written = text(|out| write_finite(value, out));
                prop_assert_eq!(StateReader::new(written.as_bytes()).finite().unwrap().to_bits(), bits);
            }
        }

        #[test]
        fn strings_and_bytes_are_read_back(string: String, bytes: Vec<u8>) {
            let written = text(|out| { write_text(string.as_bytes(), out); write_base64(&bytes, out) });
            let mut reader = StateReader::new(written.as_bytes());
            prop_assert_eq!(&*reader.string().unwrap(), string.as_bytes());
            prop_assert_eq!(reader.base64().unwrap(), bytes);
            prop_assert_eq!(reader.end(), Some(()));
        }
    }
}
