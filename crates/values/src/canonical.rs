//! One spelling for equal values, so that they can be compared as bytes.

use std::borrow::Cow;

use json_fields::{Field, Kind, Outline, Token, canonical_string};

use crate::number_order::write_canonical_number;

/// Appends the value in its canonical spelling: numbers with the fewest digits, strings with the fewest escapes, a
/// field that is not there as `null`. Arrays and objects are without space, and what they contain is canonical too;
/// members stand in the order of their names, and of two with one name the last counts, as in jq.
///
/// The text must have been read by a scanner: an array or object that is no JSON, or nested deeper than
/// [`json_fields::DEPTH_LIMIT`], stays as it is written.
pub fn write_canonical(field: Option<&Field>, line: &[u8], out: &mut Vec<u8>) {
    let Some(field) = field else {
        out.extend_from_slice(b"null");
        return;
    };
    match field.kind {
        Kind::Array | Kind::Object => write_nested(field.text(line), out),
        _ => write_scalar(field, line, out),
    }
}

/// The value is written in its canonical spelling already. False also where that cannot be told at once.
#[inline]
#[must_use]
pub fn is_canonical(field: &Field, line: &[u8]) -> bool {
    match field.kind {
        Kind::String => !field.escaped,
        Kind::Number => is_short_integer(field.text(line)),
        Kind::Array | Kind::Object => false,
        Kind::True | Kind::False | Kind::Null => true,
    }
}

#[inline]
fn write_scalar(field: &Field, line: &[u8], out: &mut Vec<u8>) {
    let text = field.text(line);
    match field.kind {
        _ if is_canonical(field, line) => out.extend_from_slice(text),
        Kind::String => out.extend_from_slice(&canonical_string(text)),
        _ => {
            if !write_canonical_number(text, out) {
                out.extend_from_slice(text);
            }
        }
    }
}

/// Out of line: keys are scalars nearly always.
#[inline(never)]
fn write_nested(json: &[u8], out: &mut Vec<u8>) {
    let mut outline = Outline::default();
    match outline.read(json) {
        Ok(()) => write_token(outline.tokens(), 0, json, out),
        Err(_) => out.extend_from_slice(json),
    }
}

/// Recurses as deep as the value is nested, which the outline has limited.
fn write_token(tokens: &[Token], at: usize, json: &[u8], out: &mut Vec<u8>) {
    let token = &tokens[at];
    match token.field.kind {
        Kind::Array => write_array(tokens, at, json, out),
        Kind::Object => write_object(tokens, at, json, out),
        _ => write_scalar(&token.field, json, out),
    }
}

fn write_array(tokens: &[Token], array: usize, json: &[u8], out: &mut Vec<u8>) {
    out.push(b'[');
    let mut at = array + 1;
    while at < tokens[array].next {
        if at > array + 1 {
            out.push(b',');
        }
        write_token(tokens, at, json, out);
        at = tokens[at].next;
    }
    out.push(b']');
}

fn write_object(tokens: &[Token], object: usize, json: &[u8], out: &mut Vec<u8>) {
    let mut members: Vec<(Cow<'_, [u8]>, usize)> = Vec::new();
    let mut at = object + 1;
    while at < tokens[object].next {
        members.push((canonical_string(tokens[at].field.text(json)), at + 1));
        at = tokens[at + 1].next;
    }
    // Stable: the last of one name stays the last. The closing quote would sort before a letter and behind a space.
    members.sort_by(|(a, _), (b, _)| a[..a.len() - 1].cmp(&b[..b.len() - 1]));
    out.push(b'{');
    let last_of_name = members.chunk_by(|(a, _), (b, _)| a == b).filter_map(<[_]>::last);
    for (number, (name, value)) in last_of_name.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name);
        out.push(b':');
        write_token(tokens, *value, json, out);
    }
    out.push(b'}');
}

fn is_short_integer(text: &[u8]) -> bool {
    text.len() <= 18 && text != b"-0" && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use json_fields::{DEPTH_LIMIT, FieldPath, Scanner};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn equal_values_have_equal_bytes() {
        for (line, expected) in [
            (r#"{"v":1.0}"#, "1"),
            (r#"{"v":-0}"#, "0"),
            (r#"{"v":1e2}"#, "100"),
            (r#"{"v":-17}"#, "-17"),
            (r#"{"v":1e999}"#, "1e999"),
            (r#"{"v":[10e998]}"#, "[1e999]"),
            (r#"{"v":340282366920938463463374607431768211455}"#, "340282366920938463463374607431768211455"),
            (r#"{"v":340282366920938463463374607431768211454.0}"#, "340282366920938463463374607431768211454"),
            (r#"{"v":"\u0061\/"}"#, r#""a/""#),
            (r#"{"v":"é"}"#, r#""é""#),
            (r#"{"v":"\u00e9"}"#, r#""é""#),
            (r#"{"v":[1.0, 2]}"#, "[1,2]"),
            (r#"{"v":[ ]}"#, "[]"),
            (r#"{"v":[[], { } ,"\u0061" ,-0.0]}"#, r#"[[],{},"a",0]"#),
            (r#"{"v":{"b":2,"a":1}}"#, r#"{"a":1,"b":2}"#),
            (r#"{"v":{"a b":1,"a":{"z" : 1,"y":[ 2 ]},"a!":3}}"#, r#"{"a":{"y":[2],"z":1},"a b":1,"a!":3}"#),
            (r#"{"v":{"a":1,"b":2,"\u0061":{"c":3}}}"#, r#"{"a":{"c":3},"b":2}"#),
            (r#"{"v":true}"#, "true"),
            (r#"{"v":null}"#, "null"),
            (r#"{}"#, "null"),
        ] {
            assert_eq!(canonical_member(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_canonical_at_once_is_told() {
        let is_canonical = |text: &str| {
            let line = format!("{{\"v\":{text}}}");
            let field = Scanner::new(&[FieldPath::key("v")]).scan(line.as_bytes()).unwrap().get(0).unwrap();
            is_canonical(&field, line.as_bytes())
        };
        for text in ["null", "true", "false", "0", "-17", "123456789012345678", "\"\"", "\"é\""] {
            assert!(is_canonical(text), "{text}");
        }
        for text in ["-0", "1.0", "1e2", "1234567890123456789", r#""\u0061""#, "[]", "[ ]", "{}"] {
            assert!(!is_canonical(text), "{text}");
        }
    }

    fn canonical_member(line: &str) -> String {
        let mut scanner = Scanner::new(&[FieldPath::key("v")]);
        let fields = scanner.scan(line.as_bytes()).unwrap();
        let mut out = Vec::new();
        write_canonical(fields.get(0).as_ref(), line.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn canonical(text: &str) -> String {
        canonical_member(&format!("{{\"v\":{text}}}"))
    }

    #[test]
    fn the_deepest_value_that_is_read_is_canonical_too() {
        let levels = DEPTH_LIMIT - 1;
        let nested = |inner: &str| format!("{}{inner}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(canonical(&nested(" 1.0")), nested("1"));
    }

    /// Few different values, so that two of them are often equal.
    fn value() -> impl Strategy<Value = Value> {
        let scalars = vec![json!(null), json!(true), json!(0), json!(-15), json!("a"), json!("é\n"), json!("")];
        prop::sample::select(scalars).prop_recursive(3, 12, 3, |inner| {
            let name = prop::sample::select(vec!["a", "a b", "b\"", ""]).prop_map(str::to_owned);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
                prop::collection::vec((name, inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// One of the ways to write the value; `choices` choose among them.
    fn spell(value: &Value, choices: &mut dyn Iterator<Item = u8>) -> String {
        let mut choose = |among: &[&str]| among[usize::from(choices.next().unwrap()) % among.len()].to_owned();
        let space = choose(&["", "", " ", "\t "]);
        let text = match value {
            Value::Null | Value::Bool(_) => value.to_string(),
            Value::Number(number) if number.as_i64() == Some(0) => choose(&["0", "-0", "0.00", "0e7"]),
            Value::Number(_) => choose(&["-15", "-15.0", "-1.5e1", "-150E-1"]),
            Value::String(text) => spell_string(text, choices),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| spell(item, choices)).collect();
                format!("[{space}{}]", items.join(","))
            }
            Value::Object(members) => {
                let mut texts = Vec::new();
                for (name, value) in members {
                    let (name, again) = (spell_string(name, choices), spell_string(name, choices));
                    let place = usize::from(choices.next().unwrap()) % (texts.len() + 1);
                    texts.insert(place, format!("{name} :{}", spell(value, choices)));
                    if choices.next().unwrap().is_multiple_of(4) {
                        texts.insert(place, format!("{again}:[7]"));
                    }
                }
                format!("{{{space}{}}}", texts.join(","))
            }
        };
        format!("{space}{text}{space}")
    }

    fn spell_string(text: &str, choices: &mut dyn Iterator<Item = u8>) -> String {
        let mut spelled = String::new();
        for character in text.chars() {
            let is_escaped = choices.next().unwrap().is_multiple_of(2) || matches!(character, '"' | '\n');
            if is_escaped { spelled.push_str(&format!("\\u{:04x}", character as u32)) } else { spelled.push(character) }
        }
        format!("\"{spelled}\"")
    }

    proptest! {
        #[test]
        fn values_are_equal_when_their_texts_are(
            a in value(),
            b in value(),
            choices in prop::collection::vec(any::<u8>(), 64),
        ) {
            let mut choices = choices.into_iter().cycle();
            let (first, again, other) = (spell(&a, &mut choices), spell(&a, &mut choices), spell(&b, &mut choices));
            let text = canonical(&first);
            prop_assert_eq!(&text, &canonical(&again), "{} and {}", first, again);
            prop_assert_eq!(text == canonical(&other), a == b, "{} and {}", first, other);
            prop_assert_eq!(canonical(&text), text, "what is canonical stays");
        }
    }
}
