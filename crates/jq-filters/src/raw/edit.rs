//! Objects with members changed, added or taken out, in the order that jq gives them.

use std::borrow::Cow;
use std::ops::Range;

use json_fields::{Kind, Outline, Token};

use super::copy::{self, fingerprint, key_text};
use super::evaluate::{Context, No, Scope};
use super::expression::{Change, ChangeKind};
use super::value::Value;
use crate::write::write_text;

/// One member of the object to be.
struct Member<'m> {
    print: u64,
    key: Cow<'m, [u8]>,
    value: Place,
}

/// Where a member's value is.
enum Place {
    /// A token of the object it was, which is the first or the second.
    Token(usize, bool),
    /// Written already.
    Written(Range<usize>),
}

/// The members of an object.
fn members<'m>(outline: &Outline, json: &'m [u8], second: bool, all: &mut Vec<Member<'m>>) {
    let tokens = outline.tokens();
    let mut at = 1;
    while at < tokens.len() {
        let key = key_text(tokens[at].field, json);
        insert(all, key, Place::Token(at + 1, second));
        at = tokens[at + 1].next;
    }
}

fn find(all: &[Member<'_>], key: &[u8]) -> Option<usize> {
    let print = fingerprint(key);
    all.iter().position(|member| member.print == print && *member.key == *key)
}

/// A key that is there keeps its place.
fn insert<'m>(all: &mut Vec<Member<'m>>, key: Cow<'m, [u8]>, value: Place) {
    match find(all, &key) {
        Some(at) => all[at].value = value,
        None => all.push(Member { print: fingerprint(&key), key, value }),
    }
}

impl<'a> Context<'a> {
    /// `left + right`
    pub fn merge(self, left: &[u8], right: &[u8], out: &mut Vec<u8>) -> Result<(), No> {
        copy::with_outline(self.outlines, left, |first| {
            copy::with_outline(self.outlines, right, |second| {
                let mut all = Vec::with_capacity(16);
                members(first, left, false, &mut all);
                members(second, right, true, &mut all);
                write(&all, [(first, left), (second, right)], &[], out)
            })
        })
    }

    /// The object with the changes, one after the other.
    pub fn edit(
        self,
        object: Value<'a>,
        changes: &'a [Change],
        scope: Scope<'_, 'a>,
        out: &mut Vec<u8>,
    ) -> Result<(), No> {
        let Value::Object(json) = &object else { return Err(No::Idea) };
        copy::with_outline(self.outlines, json, |outline| {
            if let [change] = changes
                && self.splice(outline, &object, change, scope, out)?
            {
                return Ok(());
            }
            let mut all = Vec::with_capacity(16);
            members(outline, json, false, &mut all);
            let mut written = Vec::new();
            for change in changes {
                let at = find(&all, change.key.as_bytes());
                let old = || match at.map(|at| &all[at].value) {
                    None => Ok(Value::Null),
                    Some(Place::Token(token, _)) => Value::inside(json, outline.tokens()[*token].field),
                    // Two changes of the same member are rare.
                    Some(Place::Written(_)) => Err(No::Idea),
                };
                let start = written.len();
                match self.change(&change.kind, old, scope, &mut written) {
                    Ok(()) => insert(&mut all, change.key.as_bytes().into(), Place::Written(start..written.len())),
                    Err(No::Result) if matches!(change.kind, ChangeKind::Delete | ChangeKind::Update(_)) => {
                        drop(at.map(|at| all.remove(at)))
                    }
                    Err(no) => return Err(no),
                }
            }
            write(&all, [(outline, json), (outline, json)], &written, out)
        })
    }

    /// Writes the object with one member set, where all else can be copied as it stands; false where it cannot.
    fn splice(
        self,
        outline: &Outline,
        object: &Value<'a>,
        change: &'a Change,
        scope: Scope<'_, 'a>,
        out: &mut Vec<u8>,
    ) -> Result<bool, No> {
        let Value::Object(json) = object else { return Ok(false) };
        let tokens = outline.tokens();
        let other_zero = |token: &Token| token.field.kind == Kind::Number && token.field.text(json) == b"-0";
        if matches!(change.kind, ChangeKind::Delete)
            || outline.is_spaced()
            || outline.has_escapes()
            || tokens.iter().any(other_zero)
            || copy::no_repeats(outline, json).is_err()
        {
            return Ok(false);
        }
        let start = out.len();
        let member = copy::member(outline, json, change.key.as_bytes());
        let behind = match member {
            Some(field) => {
                out.extend_from_slice(&json[..field.start]);
                field.end
            }
            None => {
                out.extend_from_slice(&json[..json.len() - 1]);
                if tokens.len() > 1 {
                    out.push(b',');
                }
                write_text(change.key.as_bytes(), out);
                out.push(b':');
                json.len() - 1
            }
        };
        let old = || member.map_or(Ok(Value::Null), |field| Value::inside(json, field));
        match self.change(&change.kind, old, scope, out) {
            Ok(()) => {
                out.extend_from_slice(&json[behind..]);
                Ok(true)
            }
            Err(No::Result) if matches!(change.kind, ChangeKind::Update(_)) => {
                out.truncate(start);
                Ok(false)
            }
            Err(no) => Err(no),
        }
    }

    /// Writes the member's new value.
    fn change(
        self,
        kind: &'a ChangeKind,
        old: impl Fn() -> Result<Value<'a>, No>,
        scope: Scope<'_, 'a>,
        written: &mut Vec<u8>,
    ) -> Result<(), No> {
        match kind {
            ChangeKind::Assign(value) => self.write(value, scope, written),
            ChangeKind::Update(value) => self.write(value, scope.with_input(&old()?), written),
            ChangeKind::Math(math, value) => {
                let value = self.value(value, scope)?;
                self.write_value(&self.math(old()?, *math, value)?, written)
            }
            ChangeKind::Alternative(value) => {
                let value = self.value(value, scope)?;
                let old = old()?;
                self.write_value(if old.is_true() { &old } else { &value }, written)
            }
            ChangeKind::Delete => Err(No::Result),
        }
    }
}

fn write(all: &[Member<'_>], from: [(&Outline, &[u8]); 2], written: &[u8], out: &mut Vec<u8>) -> Result<(), No> {
    out.push(b'{');
    for (index, member) in all.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(&member.key, out);
        out.push(b':');
        match &member.value {
            Place::Token(token, second) => {
                let (outline, json) = from[usize::from(*second)];
                copy::token(outline, *token, json, out)?;
            }
            Place::Written(range) => out.extend_from_slice(&written[range.clone()]),
        }
    }
    out.push(b'}');
    Ok(())
}
