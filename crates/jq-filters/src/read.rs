//! A line as jq's values.

use jaq_core::box_iter::box_once;
use jaq_core::{Error, ValXs};
use jaq_json::{Map, Num, Val};
use jaq_std::ValT as _;
use json_fields::{DEPTH_LIMIT, Kind, Outline, decode_string};

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

/// `fromjson`: the values of a text, nested no deeper than those of a line.
pub fn parsed<'a>(text: &Val) -> ValXs<'a, Val> {
    let bytes = match text.try_as_utf8_bytes() {
        Ok(bytes) => bytes,
        Err(error) => return box_once(Err(error.into())),
    };
    if nesting(bytes) > DEPTH_LIMIT {
        let why = format_args!("cannot parse a text as JSON: it is nested deeper than {DEPTH_LIMIT} levels");
        return box_once(Err(Error::str(why).into()));
    }
    let mut values = Vec::new();
    for value in jaq_json::read::parse_many(bytes) {
        match value {
            Ok(value) => values.push(Ok(value)),
            // After an error there would be no end of them.
            Err(why) => {
                values.push(Err(Error::str(format_args!("cannot parse {text} as JSON: {why}")).into()));
                break;
            }
        }
    }
    Box::new(values.into_iter())
}

/// How many brackets are open at once, at most.
fn nesting(json: &[u8]) -> usize {
    let (mut open, mut most, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => open += 1,
            (false, b']' | b'}') => open = open.saturating_sub(1),
            _ => (),
        }
        most = most.max(open);
    }
    most
}
