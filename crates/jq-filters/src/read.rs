//! A line as jq's values.

use jaq_json::{Map, Num, Val};
use json_fields::{Kind, Outline, decode_string};

/// The value of the text that the outline is of.
pub fn value(outline: &Outline, json: &[u8]) -> Val {
    value_at(outline, 0, json)
}

/// The value of one of its tokens. Nesting is limited by the outline.
fn value_at(outline: &Outline, index: usize, json: &[u8]) -> Val {
    let tokens = outline.tokens();
    let Some(token) = tokens.get(index) else { return Val::Null };
    let inside = token.next - index - 1;
    let mut at = index + 1;
    match token.field.kind {
        Kind::Object => {
            let mut members = Map::with_capacity_and_hasher((inside / 2).min(32), Default::default());
            while at < token.next {
                let key = tokens[at].field;
                let name = scalar(key.text(json), Kind::String, key.escaped);
                members.insert(name, value_at(outline, at + 1, json));
                at = tokens[at + 1].next;
            }
            Val::obj(members)
        }
        Kind::Array => {
            let mut items = Vec::with_capacity(inside.min(32));
            while at < token.next {
                items.push(value_at(outline, at, json));
                at = tokens[at].next;
            }
            Val::Arr(items.into())
        }
        kind => scalar(token.field.text(json), kind, token.field.escaped),
    }
}

/// A value that is neither object nor array, from its text.
pub fn scalar(text: &[u8], kind: Kind, escaped: bool) -> Val {
    match kind {
        Kind::True => Val::Bool(true),
        Kind::False => Val::Bool(false),
        Kind::Number => number(text),
        Kind::String if escaped => Val::utf8_str(decode_string(text).into_owned().into_bytes()),
        Kind::String => Val::utf8_str(text[1..text.len() - 1].to_vec()),
        Kind::Null | Kind::Object | Kind::Array => Val::Null,
    }
}

/// Integers are numbers to jq, others a text until somebody computes with them.
fn number(text: &[u8]) -> Val {
    let text = String::from_utf8_lossy(text);
    let integer = !text.contains(['.', 'e', 'E']);
    let number = integer.then(|| Num::from_str_radix(&text, 10)).flatten();
    Val::Num(number.unwrap_or_else(|| Num::Dec(text.into_owned().into())))
}
