//! Objects with members changed, added or taken out, in the order that jq gives them.

use std::borrow::Cow;

use json_fields::{Field, Kind, Outline, Token};

use super::expression::{Change, ChangeKind};
use super::members::{Members, Place};
use super::no_value::NoValue;
use super::outlines::{Outlines, member, no_repeats};
use super::value::Value;
use crate::write::write_text;

/// The value of a member before a change.
pub enum Old<'j, 'a> {
    Missing,
    /// In the object's JSON text.
    At(&'j Cow<'a, [u8]>, Field),
    /// Not known any more: it has been changed already.
    Changed,
}

impl<'a> Old<'_, 'a> {
    /// Returns the value: null for a member that is missing.
    pub fn value(self) -> Result<Value<'a>, NoValue> {
        match self {
            Old::Missing => Ok(Value::Null),
            Old::At(json, field) => Value::inside(json, field),
            // Two changes of the same member are rare.
            Old::Changed => Err(NoValue::LeftToJaq),
        }
    }
}

/// Appends the object with the changes, one after the other. `change` appends a member's new value, or has none where the member
/// is taken out.
pub fn edit<'a>(
    outlines: &Outlines,
    object: &Value<'a>,
    changes: &'a [Change],
    out: &mut Vec<u8>,
    change: impl Fn(&'a ChangeKind, Old<'_, 'a>, &mut Vec<u8>) -> Result<(), NoValue>,
) -> Result<(), NoValue> {
    let Value::Object(json) = object else { return Err(NoValue::LeftToJaq) };
    outlines.read(json, |outline| {
        if let [only] = changes
            && splice(outline, object, only, out, &change)?
        {
            return Ok(());
        }
        let mut members = Members::new();
        members.insert_all(outline, json, false);
        let mut written = Vec::new();
        for Change { key, kind } in changes {
            let at = members.position(key.as_bytes());
            let old = match at.map(|at| members.value(at)) {
                None => Old::Missing,
                Some(Place::Token(token, _)) => Old::At(json, outline.tokens()[*token].field),
                Some(Place::Written(_)) => Old::Changed,
            };
            let start = written.len();
            match change(kind, old, &mut written) {
                Ok(()) => members.insert(key.as_bytes().into(), Place::Written(start..written.len())),
                Err(NoValue::Empty) if matches!(kind, ChangeKind::Delete | ChangeKind::Update(_)) => {
                    at.into_iter().for_each(|at| members.remove(at));
                }
                Err(why) => return Err(why),
            }
        }
        members.write([(outline, json), (outline, json)], &written, out)
    })
}

/// Appends the object with one member set, where all else can be copied as it stands; false where it cannot.
fn splice<'a>(
    outline: &Outline,
    object: &Value<'a>,
    Change { key, kind }: &'a Change,
    out: &mut Vec<u8>,
    change: impl Fn(&'a ChangeKind, Old<'_, 'a>, &mut Vec<u8>) -> Result<(), NoValue>,
) -> Result<bool, NoValue> {
    let Value::Object(json) = object else { return Ok(false) };
    if matches!(kind, ChangeKind::Delete) || !can_be_copied(outline, json) {
        return Ok(false);
    }
    let start = out.len();
    let (old, behind) = match member(outline, json, key.as_bytes()) {
        Some(field) => {
            out.extend_from_slice(&json[..field.start]);
            (Old::At(json, field), field.end)
        }
        None => {
            out.extend_from_slice(&json[..json.len() - 1]);
            if outline.tokens().len() > 1 {
                out.push(b',');
            }
            write_text(key.as_bytes(), out);
            out.push(b':');
            (Old::Missing, json.len() - 1)
        }
    };
    match change(kind, old, out) {
        Ok(()) => {
            out.extend_from_slice(&json[behind..]);
            Ok(true)
        }
        Err(NoValue::Empty) if matches!(kind, ChangeKind::Update(_)) => {
            out.truncate(start);
            Ok(false)
        }
        Err(why) => Err(why),
    }
}

/// Tells whether the object stands in the line as jq would write it.
#[inline]
fn can_be_copied(outline: &Outline, json: &[u8]) -> bool {
    let other_zero = |token: &Token| token.field.kind == Kind::Number && token.field.text(json) == b"-0";
    !outline.is_spaced()
        && !outline.has_escapes()
        && !outline.tokens().iter().any(other_zero)
        && no_repeats(outline, json).is_ok()
}
