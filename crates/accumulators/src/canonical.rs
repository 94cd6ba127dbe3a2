//! One spelling for equal values, so that they can be compared as bytes.

use json_fields::{Field, Kind, canonical_string};

use crate::number::Number;

/// Appends the value in its canonical spelling: numbers with the fewest digits, strings with the fewest escapes, a
/// field that is not there as `null`. Objects and arrays stay as they are written, spaces and order included.
pub fn write_canonical(field: Option<&Field>, line: &[u8], out: &mut Vec<u8>) {
    let Some(field) = field else {
        out.extend_from_slice(b"null");
        return;
    };
    let text = field.text(line);
    match field.kind {
        Kind::String if field.escaped => out.extend_from_slice(&canonical_string(text)),
        Kind::Number if !is_short_integer(text) => match Number::parse(text) {
            Ok(number) => number.write(out),
            Err(_) => out.extend_from_slice(text),
        },
        _ => out.extend_from_slice(text),
    }
}

fn is_short_integer(text: &[u8]) -> bool {
    text.len() <= 18 && text != b"-0" && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use json_fields::{FieldPath, Scanner};

    #[test]
    fn equal_values_have_equal_bytes() {
        for (line, expected) in [
            (r#"{"v":1.0}"#, "1"),
            (r#"{"v":-0}"#, "0"),
            (r#"{"v":1e2}"#, "100"),
            (r#"{"v":-17}"#, "-17"),
            (r#"{"v":1e999}"#, "1e999"),
            (r#"{"v":"\u0061\/"}"#, r#""a/""#),
            (r#"{"v":"é"}"#, r#""é""#),
            (r#"{"v":"\u00e9"}"#, r#""é""#),
            (r#"{"v":[1.0, 2]}"#, "[1.0, 2]"),
            (r#"{"v":true}"#, "true"),
            (r#"{"v":null}"#, "null"),
            (r#"{}"#, "null"),
        ] {
            let mut scanner = Scanner::new(&[FieldPath::key("v")]);
            let fields = scanner.scan(line.as_bytes()).unwrap();
            let mut out = Vec::new();
            write_canonical(fields.get(0).as_ref(), line.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{line}");
        }
    }
}
