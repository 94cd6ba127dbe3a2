//! How often a schema makes one value be looked at.
//!
//! `allOf`, `anyOf`, `$ref` and their like look at the same value again, and through references that can be twice as often with each
//! definition: forty small ones are more looks than a machine can do.

use std::collections::HashMap;

use serde_json::Value;

/// More looks at one value are not begun.
pub(crate) const LOOKS_MAX: u64 = 100_000;

/// How often the worst schema in this one looks at one value.
pub(crate) fn looks(root: &Value) -> u64 {
    let mut known = Looks { root, of: HashMap::new() };
    let mut most = 0;
    let mut open = vec![root];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                most = most.max(known.at(value, 0));
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            _ => (),
        }
    }
    most
}

struct Looks<'s> {
    root: &'s Value,
    /// By the place in memory: a schema is not moved while it is read.
    of: HashMap<*const Value, u64>,
}

/// A chain of references that is longer is counted no further: it ends, or it is a circle, which the validator knows.
const CHAIN_MAX: usize = 200;

impl<'s> Looks<'s> {
    fn at(&mut self, schema: &'s Value, depth: usize) -> u64 {
        let Value::Object(members) = schema else { return 1 };
        if let Some(looks) = self.of.get(&std::ptr::from_ref(schema)) {
            return *looks;
        }
        if depth == CHAIN_MAX {
            return 1;
        }
        // What leads back to itself is counted once.
        self.of.insert(std::ptr::from_ref(schema), 1);
        let mut looks: u64 = 1;
        for (keyword, value) in members {
            let more = match (keyword.as_str(), value) {
                ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => {
                    all.iter().fold(0_u64, |sum, one| sum.saturating_add(self.at(one, depth + 1)))
                }
                ("not" | "if" | "then" | "else", one) => self.at(one, depth + 1),
                ("dependentSchemas", Value::Object(all)) => {
                    all.values().fold(0_u64, |sum, one| sum.saturating_add(self.at(one, depth + 1)))
                }
                ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(to)) => {
                    let target = to.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
                    target.map_or(0, |target| self.at(target, depth + 1))
                }
                _ => 0,
            };
            looks = looks.saturating_add(more);
        }
        self.of.insert(std::ptr::from_ref(schema), looks);
        looks
    }
}
