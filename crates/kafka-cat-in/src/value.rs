//! From a message's value to a line.

use json_fields::{Scanner, compact, write_string};
use memchr::memchr;
use millpipe::{PREFIX, without_byte_order_mark};

/// Checks values, faster when they look like those before.
pub struct Checker(Scanner);

impl Default for Checker {
    fn default() -> Self {
        Self(Scanner::new(&[]))
    }
}

/// Appends a value that is JSON, without a newline behind it.
///
/// The bytes stay as they are, but for three things: a byte order mark before a value is no part of it, a value over
/// several lines loses the space between its tokens, and one that begins like a mark gets a space after its brace.
///
/// # Errors
/// Why it is not JSON; nothing is appended.
pub fn write_json(value: &[u8], checker: &mut Checker, out: &mut Vec<u8>) -> Result<(), String> {
    let start = out.len();
    let value = without_byte_order_mark(value);
    if memchr(b'\n', value).is_some() {
        compact(value, out).map_err(|error| error.to_string())?;
    } else {
        checker.0.scan(value).map_err(|error| error.to_string())?;
        out.extend_from_slice(value);
    }
    if out[start..].starts_with(PREFIX) {
        out.insert(start + 1, b' ');
    }
    Ok(())
}

/// Appends a value of any text as a JSON string.
///
/// # Errors
/// When it is not UTF-8; nothing is appended.
pub fn write_text(value: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    match std::str::from_utf8(value) {
        Ok(text) => write_string(text, out),
        Err(error) => return Err(format!("not UTF-8 at byte {}", error.valid_up_to())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &[u8]) -> Result<String, String> {
        let mut out = b"before ".to_vec();
        let result = write_json(value, &mut Checker::default(), &mut out);
        let text = String::from_utf8(out).unwrap();
        result.map(|()| text.strip_prefix("before ").unwrap().to_owned())
    }

    #[test]
    fn a_value_on_one_line_keeps_its_bytes() {
        assert_eq!(json(b" {\"a\": 1.50}\r").unwrap(), " {\"a\": 1.50}\r");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_value() {
        assert_eq!(json(b"\xef\xbb\xbf{\"a\":1}").unwrap(), "{\"a\":1}");
        assert_eq!(json(b"\xef\xbb\xbf{\n\"a\":1}\r\n").unwrap(), "{\"a\":1}");
        assert_eq!(json(b"\xef\xbb\xbf{\"$\":1}").unwrap(), "{ \"$\":1}");
    }

    #[test]
    fn a_value_over_several_lines_is_put_on_one() {
        assert_eq!(json(b"{\n  \"a\": [1, 2],\n  \"b\": \"x y\"\n}\n").unwrap(), "{\"a\":[1,2],\"b\":\"x y\"}");
    }

    #[test]
    fn a_value_that_looks_like_a_mark_is_none_any_more() {
        assert_eq!(json(b"{\"$\":\"end\"}").unwrap(), "{ \"$\":\"end\"}");
        assert_eq!(json(b"{\n\"$\"\n:\"end\"}").unwrap(), "{ \"$\":\"end\"}");
        assert_eq!(json(b"{ \"$\":\"end\"}").unwrap(), "{ \"$\":\"end\"}");
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place() {
        assert!(json(b"{\"a").unwrap_err().starts_with("not JSON at byte 3: "));
        assert!(json(b"").unwrap_err().starts_with("not JSON at byte 0: "));
        assert!(json(b"{}\n{}").unwrap_err().starts_with("not JSON at byte 3: "));
    }

    #[test]
    fn text_becomes_a_string() {
        let mut out = Vec::new();
        write_text("a\n\"é\"".as_bytes(), &mut out).unwrap();
        assert_eq!(out, "\"a\\n\\\"é\\\"\"".as_bytes());
        assert_eq!(write_text(b"ab\xff", &mut out).unwrap_err(), "not UTF-8 at byte 2");
    }
}
