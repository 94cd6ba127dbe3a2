//! Outlines of JSON texts, and what is found in them: members, elements, and keys that come twice.

use std::borrow::Cow;
use std::cell::RefCell;

use json_fields::{Field, Kind, Outline, decode_string};

use super::no_value::NoValue;

/// Deeper values are jq's: with what a filter puts around them they stay within what a line may have.
const DEPTH_MAX: usize = 256;
/// Objects with more members than this are jq's: every key is compared with every other.
const MEMBERS_MAX: usize = 64;

/// Buffers for outlines, as many as were needed at the same time.
#[derive(Debug, Default)]
pub struct Outlines(RefCell<Vec<Outline>>);

impl Outlines {
    /// Calls `with` with the outline of a JSON text.
    #[inline]
    pub fn read<T>(&self, json: &[u8], with: impl FnOnce(&Outline) -> Result<T, NoValue>) -> Result<T, NoValue> {
        let mut outline = self.0.borrow_mut().pop().unwrap_or_default();
        let result = match outline.read(json) {
            Ok(()) if outline.depth() <= DEPTH_MAX => with(&outline),
            Ok(()) | Err(_) => Err(NoValue::LeftToJaq),
        };
        self.0.borrow_mut().push(outline);
        result
    }
}

/// No object of the text has a key twice.
pub fn no_repeats(outline: &Outline, json: &[u8]) -> Result<(), NoValue> {
    let objects = outline.tokens().iter().enumerate().filter(|(_, token)| token.field.kind == Kind::Object);
    objects.map(|(index, _)| index).try_for_each(|index| distinct(outline, index, json))
}

/// The keys of one object are all different.
#[inline]
pub fn distinct(outline: &Outline, object: usize, json: &[u8]) -> Result<(), NoValue> {
    let tokens = outline.tokens();
    let mut prints = [0; MEMBERS_MAX];
    let mut members = 0;
    let mut at = object + 1;
    while at < tokens[object].next {
        if members == MEMBERS_MAX || tokens[at].field.escaped {
            return Err(NoValue::LeftToJaq);
        }
        let print = fingerprint(tokens[at].field.string_body(json));
        if prints[..members].contains(&print) {
            // Two keys that look alike are rare, whether they are the same or not.
            return Err(NoValue::LeftToJaq);
        }
        prints[members] = print;
        members += 1;
        at = tokens[at + 1].next;
    }
    Ok(())
}

/// The same for the same bytes, and rarely for others.
#[inline]
pub fn fingerprint(key: &[u8]) -> u64 {
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    };
    match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            let mixed = u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29);
            mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ key.len() as u64
        }
        _ => word(key) ^ (key.len() as u64) << 60,
    }
}

/// The value of an object's key, of duplicates the last.
pub fn member(outline: &Outline, json: &[u8], key: &[u8]) -> Option<Field> {
    let tokens = outline.tokens();
    let mut found = None;
    let mut at = 1;
    while at < tokens.len() {
        if *key_text(tokens[at].field, json) == *key {
            found = Some(tokens[at + 1].field);
        }
        at = tokens[at + 1].next;
    }
    found
}

/// A key's text.
#[inline]
pub fn key_text(key: Field, json: &[u8]) -> Cow<'_, [u8]> {
    match key.escaped {
        true => Cow::Owned(decode_string(key.text(json)).into_owned().into_bytes()),
        false => Cow::Borrowed(key.string_body(json)),
    }
}

/// An array's element; negative indices count from its end.
pub fn element(outline: &Outline, index: i64) -> Option<Field> {
    let tokens = outline.tokens();
    let mut starts = Vec::new();
    let mut at = 1;
    while at < tokens.len() {
        if usize::try_from(index) == Ok(starts.len()) {
            return Some(tokens[at].field);
        }
        starts.push(at);
        at = tokens[at].next;
    }
    let back = usize::try_from(index.unsigned_abs()).ok().filter(|_| index < 0)?;
    let at = starts.len().checked_sub(back)?;
    Some(tokens[starts[at]].field)
}

/// How many keys and values an array or object has.
pub fn elements(outline: &Outline) -> usize {
    let tokens = outline.tokens();
    let mut count = 0;
    let mut at = 1;
    while at < tokens.len() {
        count += 1;
        at = tokens[at].next;
    }
    count
}
