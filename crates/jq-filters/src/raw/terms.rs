//! Small pieces of filters.

use jaq_core::load::parse::Term;
use jaq_core::path::Part;
use json_fields::{FieldPath, Outline};

use super::copy;
use super::expression::{Expression, Key, Step};
use super::outlines::Outlines;
use super::value::Value;
use crate::syntax::constant_text;
use crate::write::{is_json_number, write_text};

/// A value that is the same for every line.
pub fn constant(value: Value<'static>) -> Expression {
    let mut json = Vec::new();
    // What a constant holds is as it is to be written.
    let _ = value.write(&Outlines::default(), &mut json);
    Expression::Constant(value, json)
}

/// A JSON text that has been checked, as a constant.
pub fn json_constant(json: &str) -> Option<Expression> {
    let mut outline = Outline::default();
    outline.read(json.as_bytes()).ok()?;
    let field = outline.tokens().first()?.field;
    let mut canonical = Vec::new();
    Some(constant(match Value::at(field, json.as_bytes()).ok()? {
        Value::Array(_) => {
            copy::json(&Outlines::default(), json.as_bytes(), &mut canonical).ok()?;
            Value::Array(canonical.into())
        }
        Value::Object(_) => {
            copy::json(&Outlines::default(), json.as_bytes(), &mut canonical).ok()?;
            Value::Object(canonical.into())
        }
        other => other.into_owned(),
    }))
}

/// A number as a filter has it.
pub fn constant_number(text: &str) -> Option<Value<'static>> {
    if let Ok(integer) = text.parse() {
        return Some(Value::Integer(integer));
    }
    let value = is_json_number(text).then(|| Value::of_number(text.as_bytes()).ok()).flatten();
    value.map(Value::into_owned)
}

/// `3` or `-3`
pub fn constant_index(term: &Term<&str>) -> Option<i64> {
    match term {
        Term::Num(text) => text.parse().ok(),
        Term::Neg(of) => match &**of {
            Term::Num(text) => text.parse::<i64>().ok()?.checked_neg(),
            _ => None,
        },
        _ => None,
    }
}

/// The key of `.key`, `."key"` or `.["key"]`.
pub fn path_of(term: &Term<&str>) -> Option<String> {
    match term {
        Term::Path(of, path) if matches!(**of, Term::Id) => match &path.0[..] {
            [(Part::Index(key), _)] => constant_text(key),
            _ => None,
        },
        _ => None,
    }
}

pub fn known_key(key: &str) -> Key {
    let mut json = Vec::new();
    write_text(key.as_bytes(), &mut json);
    json.push(b':');
    Key::Known(key.as_bytes().to_vec(), json)
}

/// The same path for a scan.
pub fn field_path(steps: &[Step]) -> Option<FieldPath> {
    let mut path = Vec::new();
    for step in steps {
        match step {
            Step::Key(key) => {
                path.push(b'.');
                write_text(key.as_bytes(), &mut path);
            }
            Step::Index(index) => path.extend_from_slice(format!("[{index}]").as_bytes()),
        }
    }
    String::from_utf8(path).ok()?.parse().ok()
}
