//! JSON from the line into a result: compact, strings in their one spelling, and of duplicate keys none.

use json_fields::{Field, Kind, Outline, canonical_string};

use super::no_value::NoValue;
use super::outlines::{Outlines, distinct};

/// Appends a JSON text as jq would write it.
///
/// # Errors
/// Left to jaq, where a key comes twice in an object.
pub fn json(outlines: &Outlines, json: &[u8], out: &mut Vec<u8>) -> Result<(), NoValue> {
    outlines.read(json, |outline| token(outline, 0, json, out))
}

/// Appends a field of the line.
#[inline]
pub fn field(outlines: &Outlines, field: Field, line: &[u8], out: &mut Vec<u8>) -> Result<(), NoValue> {
    let text = field.text(line);
    match field.kind {
        Kind::Object | Kind::Array => return json(outlines, text, out),
        _ => scalar(text, field.escaped, out),
    }
    Ok(())
}

/// Appends one of the values of a JSON text.
pub fn token(outline: &Outline, index: usize, json: &[u8], out: &mut Vec<u8>) -> Result<(), NoValue> {
    let tokens = outline.tokens();
    let mut other_spelling = outline.is_spaced() || outline.has_escapes();
    for (at, token) in tokens[index..tokens[index].next].iter().enumerate() {
        match token.field.kind {
            Kind::Object => distinct(outline, index + at, json)?,
            Kind::Number => other_spelling |= token.field.text(json) == b"-0",
            _ => (),
        }
    }
    if other_spelling {
        return slowly(outline, index, json, out);
    }
    out.extend_from_slice(tokens[index].field.text(json));
    Ok(())
}

fn slowly(outline: &Outline, index: usize, json: &[u8], out: &mut Vec<u8>) -> Result<(), NoValue> {
    let tokens = outline.tokens();
    let token = &tokens[index];
    let (open, close) = match token.field.kind {
        Kind::Object => (b'{', b'}'),
        Kind::Array => (b'[', b']'),
        _ => {
            scalar(token.field.text(json), token.field.escaped, out);
            return Ok(());
        }
    };
    out.push(open);
    let mut at = index + 1;
    while at < token.next {
        if at > index + 1 {
            out.push(b',');
        }
        if tokens[at].key {
            scalar(tokens[at].field.text(json), tokens[at].field.escaped, out);
            out.push(b':');
            at += 1;
        }
        slowly(outline, at, json, out)?;
        at = tokens[at].next;
    }
    out.push(close);
    Ok(())
}

/// Appends a value that is neither object nor array. A number that nobody computes with keeps its digits, but to jq
/// there is one integer zero.
#[inline]
pub fn scalar(text: &[u8], escaped: bool, out: &mut Vec<u8>) {
    match text {
        b"-0" => out.push(b'0'),
        _ if escaped => out.extend_from_slice(&canonical_string(text)),
        _ => out.extend_from_slice(text),
    }
}
