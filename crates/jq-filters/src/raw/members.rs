//! The members of a new object, in the order that jq gives them.

use std::borrow::Cow;
use std::ops::Range;

use json_fields::Outline;

use super::copy;
use super::no_value::NoValue;
use super::outlines::{Outlines, fingerprint, key_text};
use crate::write::write_text;

/// The members of the object to be: no key comes twice, and one that is there keeps its place.
pub struct Members<'m> {
    all: Vec<Member<'m>>,
}

struct Member<'m> {
    /// The fingerprint of the key.
    print: u64,
    key: Cow<'m, [u8]>,
    value: Place,
}

/// Where a member's value is.
pub enum Place {
    /// A token of the first or the second of two objects.
    Token(usize, bool),
    /// In what was written for the new object.
    Written(Range<usize>),
}

impl<'m> Members<'m> {
    /// Returns an object without members, with room for some.
    pub fn new() -> Members<'m> {
        Members { all: Vec::with_capacity(16) }
    }

    /// Takes in the members of an object, which is the first or the second.
    pub fn insert_all(&mut self, outline: &Outline, json: &'m [u8], second: bool) {
        let tokens = outline.tokens();
        let mut at = 1;
        while at < tokens.len() {
            let key = key_text(tokens[at].field, json);
            self.insert(key, Place::Token(at + 1, second));
            at = tokens[at + 1].next;
        }
    }

    /// Sets a member.
    #[inline]
    pub fn insert(&mut self, key: Cow<'m, [u8]>, value: Place) {
        match self.position(&key) {
            Some(at) => self.all[at].value = value,
            None => self.all.push(Member { print: fingerprint(&key), key, value }),
        }
    }

    /// Takes out the member with an index.
    pub fn remove(&mut self, at: usize) {
        self.all.remove(at);
    }

    /// Returns where the value of the member with an index is.
    #[inline]
    pub fn value(&self, at: usize) -> &Place {
        &self.all[at].value
    }

    /// Returns the index of the member with a key, if there is one.
    #[inline]
    pub fn position(&self, key: &[u8]) -> Option<usize> {
        let print = fingerprint(key);
        self.all.iter().position(|member| member.print == print && *member.key == *key)
    }

    /// Appends the object. Its values are in the two objects `from`, and in what was written for it.
    pub fn write(&self, from: [(&Outline, &[u8]); 2], written: &[u8], out: &mut Vec<u8>) -> Result<(), NoValue> {
        out.push(b'{');
        for (index, member) in self.all.iter().enumerate() {
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
}

/// Appends `left + right` of two objects.
pub fn merge(outlines: &Outlines, left: &[u8], right: &[u8], out: &mut Vec<u8>) -> Result<(), NoValue> {
    outlines.read(left, |first| {
        outlines.read(right, |second| {
            let mut members = Members::new();
            members.insert_all(first, left, false);
            members.insert_all(second, right, true);
            members.write([(first, left), (second, right)], &[], out)
        })
    })
}
