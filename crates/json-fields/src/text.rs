//! JSON strings and the text that they stand for.

use std::borrow::Cow;

use crate::token::hex;

/// The text of a JSON string, `raw` with its quotes and as a scan found it.
///
/// Never panics: of bytes that no scan would have let pass, what is wrong becomes U+FFFD.
#[must_use]
pub fn decode_string(raw: &[u8]) -> Cow<'_, str> {
    let body = raw.strip_prefix(b"\"").unwrap_or(raw);
    let body = body.strip_suffix(b"\"").unwrap_or(body);
    if memchr::memchr(b'\\', body).is_none() {
        return String::from_utf8_lossy(body);
    }
    Cow::Owned(decode(body))
}

fn decode(mut body: &[u8]) -> String {
    let mut text = String::with_capacity(body.len());
    while let Some(at) = memchr::memchr(b'\\', body) {
        text.push_str(&String::from_utf8_lossy(&body[..at]));
        let (decoded, len) = decode_escape(&body[at..]);
        text.push(decoded);
        body = body.get(at + len..).unwrap_or_default();
    }
    text.push_str(&String::from_utf8_lossy(body));
    text
}

/// The character that the escape at the beginning of `escape` stands for, and the escape's length.
fn decode_escape(escape: &[u8]) -> (char, usize) {
    let short = match escape.get(1) {
        Some(b'u') => return decode_units(escape),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(&other @ (b'"' | b'\\' | b'/')) => char::from(other),
        _ => char::REPLACEMENT_CHARACTER,
    };
    (short, 2)
}

fn decode_units(escape: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let text = escape.get(at..at + 6)?.strip_prefix(b"\\u")?;
        hex(text).map(u32::from)
    };
    match (unit(0), unit(6)) {
        (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
            let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            (char_or_replacement(code), 12)
        }
        (Some(code), _) => (char_or_replacement(code), 6),
        (None, _) => (char::REPLACEMENT_CHARACTER, 2),
    }
}

fn char_or_replacement(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The same string in its one canonical spelling: only `"`, `\` and control characters are escaped, as
/// [`write_string`] does. So two strings of the same text have the same bytes. `raw` has its quotes.
#[must_use]
pub fn canonical_string(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut canonical = Vec::with_capacity(raw.len());
    write_string(&decode_string(raw), &mut canonical);
    Cow::Owned(canonical)
}

/// Appends `text` as a JSON string, quotes included.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    loop {
        let escapes = |&byte: &u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        let at = rest.iter().position(escapes).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..at]);
        let Some(&special) = rest.get(at) else { break };
        write_escape(special, out);
        rest = &rest[at + 1..];
    }
    out.push(b'"');
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        b'"' | b'\\' => byte,
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
