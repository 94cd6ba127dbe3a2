//! The least and the largest of values that may be strings, and the lines that have them.
//!
//! Numbers come before strings, as in jq; strings are in the order of their code points, as in SQL, but times in that of time:
//! see [`compare_texts`].

use std::cmp::Ordering;

use time_text::compare_texts;

use values::Number;

/// The strings of a field, as far as `min` and `max` want to know of them. Their texts are without quotes and escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strings {
    pub count: u64,
    pub min: Box<[u8]>,
    pub max: Box<[u8]>,
}

impl Strings {
    /// Takes a string in.
    pub fn add(known: &mut Option<Box<Strings>>, text: &[u8]) {
        match known {
            None => *known = Some(Box::new(Strings { count: 1, min: text.into(), max: text.into() })),
            Some(strings) => {
                strings.count += 1;
                if compare_texts(text, &strings.min).is_lt() {
                    strings.min = text.into();
                } else if compare_texts(text, &strings.max).is_gt() {
                    strings.max = text.into();
                }
            }
        }
    }

    pub fn merge(own: &mut Option<Box<Strings>>, other: Option<&Strings>) {
        let Some(other) = other else { return };
        match own {
            None => *own = Some(Box::new(other.clone())),
            Some(own) => {
                own.count += other.count;
                if compare_texts(&other.min, &own.min).is_lt() {
                    own.min.clone_from(&other.min);
                }
                if compare_texts(&other.max, &own.max).is_gt() {
                    own.max.clone_from(&other.max);
                }
            }
        }
    }
}

/// A value that has an order among others.
#[derive(Clone, Debug)]
pub(crate) enum Ordered {
    Number(Number),
    /// Without quotes and escapes.
    String(Box<[u8]>),
}

/// The same, of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Offered<'a> {
    Number(Number),
    String(&'a [u8]),
}

impl Offered<'_> {
    fn compare(self, known: &Ordered) -> Ordering {
        match (self, known) {
            (Offered::Number(own), Ordered::Number(known)) => own.cmp(known),
            (Offered::String(own), Ordered::String(known)) => compare_texts(own, known),
            (Offered::Number(_), Ordered::String(_)) => Ordering::Less,
            (Offered::String(_), Ordered::Number(_)) => Ordering::Greater,
        }
    }

    fn keep(self) -> Ordered {
        match self {
            Offered::Number(number) => Ordered::Number(number),
            Offered::String(text) => Ordered::String(text.into()),
        }
    }
}

/// The line with the largest (or least) value, of equal ones the first that arrived: what it has in another field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Best(pub Option<Box<Found>>);

#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub key: Ordered,
    /// The number of its line.
    pub at: u64,
    /// JSON text as it stands in the line.
    pub value: Vec<u8>,
}

impl Best {
    /// Takes a line in, for the value that is `wanted`: the largest is greater than all others.
    pub fn offer(&mut self, wanted: Ordering, key: Offered<'_>, at: u64, value: &[u8]) {
        match &mut self.0 {
            None => self.0 = Some(Box::new(Found { key: key.keep(), at, value: value.to_vec() })),
            Some(found) => {
                let order = key.compare(&found.key);
                if order == wanted || order == Ordering::Equal && at < found.at {
                    found.key = key.keep();
                    found.at = at;
                    found.value.clear();
                    found.value.extend_from_slice(value);
                }
            }
        }
    }

    pub fn merge(&mut self, wanted: Ordering, other: &Best) {
        if let Some(found) = &other.0 {
            let key = match &found.key {
                Ordered::Number(number) => Offered::Number(*number),
                Ordered::String(text) => Offered::String(text),
            };
            self.offer(wanted, key, found.at, &found.value);
        }
    }
}
