//! The least and the largest of values that may be strings, and the lines that have them.
//!
//! Numbers come before strings, as in jq; strings are in the order of their code points, as in SQL, but times in that of time:
//! see [`compare_texts`].

use std::cmp::Ordering;

use time_text::compare_texts;
use values::Number;
use values::state_text::{StateReader, write_exact, write_items, write_number, write_text};

use crate::settings::Settings;
use crate::state::{State, block};
use crate::value_text::{load_arrival, save_arrival};

/// The strings of a field, as far as `min` and `max` want to know of them: most fields have none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strings(Option<Box<StringRange>>);

/// How many strings there are, and the least and the largest of them, without quotes and escapes.
#[derive(Clone, Debug)]
pub(crate) struct StringRange {
    pub count: u64,
    pub min: Box<[u8]>,
    pub max: Box<[u8]>,
}

impl Strings {
    /// What is known of the strings, if there are any.
    pub fn range(&self) -> Option<&StringRange> {
        self.0.as_deref()
    }

    /// Takes a string in.
    pub fn add(&mut self, text: &[u8]) {
        match &mut self.0 {
            None => self.0 = Some(Box::new(StringRange { count: 1, min: text.into(), max: text.into() })),
            Some(range) => {
                range.count += 1;
                if compare_texts(text, &range.min).is_lt() {
                    range.min = text.into();
                } else if compare_texts(text, &range.max).is_gt() {
                    range.max = text.into();
                }
            }
        }
    }

    /// Takes back a string that was added. The extremes stay.
    pub fn take_back(&mut self) {
        match &mut self.0 {
            Some(range) if range.count > 1 => range.count -= 1,
            _ => self.0 = None,
        }
    }

    /// Whether a string is the least or the largest.
    pub fn has_extreme(&self, text: &[u8]) -> bool {
        self.0.as_ref().is_some_and(|range| *text == *range.min || *text == *range.max)
    }

    pub fn merge(&mut self, other: &Strings) {
        let Some(other) = &other.0 else { return };
        match &mut self.0 {
            None => self.0 = Some(other.clone()),
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

impl State for Strings {
    const MEMBER: &'static [u8] = b",\"strings\":";
    const NAME: &'static str = "strings";

    /// `[count,"min","max"]`, or `[]`
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        if let Some(range) = &self.0 {
            write_number(range.count, out);
            for text in [&range.min, &range.max] {
                out.push(b',');
                write_text(text, out);
            }
        }
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Strings> {
        from.literal(b"[")?;
        if from.literal(b"]").is_some() {
            return Some(Strings::default());
        }
        let count = from.count()?;
        from.literal(b",")?;
        let min = from.string()?.into_owned().into_boxed_slice();
        from.literal(b",")?;
        let max = from.string()?.into_owned().into_boxed_slice();
        from.literal(b"]")?;
        Some(Strings(Some(Box::new(StringRange { count, min, max }))))
    }

    fn heap_bytes(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |range| block(size_of::<StringRange>()) + block(range.min.len()) + block(range.max.len()))
    }
}

/// A value that has an order among others.
#[derive(Clone, Debug)]
enum Ordered {
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
pub(crate) struct Best(Option<Box<Found>>);

#[derive(Clone, Debug)]
struct Found {
    key: Ordered,
    /// The number of its line.
    at: u64,
    /// JSON text as it stands in the line.
    value: Vec<u8>,
}

impl Best {
    /// The value given, as JSON text, if there is a line.
    pub fn value(&self) -> Option<&[u8]> {
        self.0.as_ref().map(|found| found.value.as_slice())
    }

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

impl State for Best {
    const MEMBER: &'static [u8] = b",\"best\":";
    const NAME: &'static str = "best lines";

    /// `[number,sequence,"value"]`, `[["string"],sequence,"value"]`, or `[]`
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        if let Some(found) = &self.0 {
            match &found.key {
                Ordered::Number(number) => write_exact(number, out),
                Ordered::String(text) => write_items(&[text], out, |text, out| write_text(text, out)),
            }
            out.push(b',');
            save_arrival(found.at, &found.value, out);
        }
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Best> {
        from.literal(b"[")?;
        if from.literal(b"]").is_some() {
            return Some(Best::default());
        }
        let key = match from.literal(b"[") {
            Some(()) => {
                let text = from.string()?.into_owned().into_boxed_slice();
                from.literal(b"]")?;
                Ordered::String(text)
            }
            None => Ordered::Number(from.exact()?),
        };
        from.literal(b",")?;
        let (at, value) = load_arrival(from)?;
        from.literal(b"]")?;
        Some(Best(Some(Box::new(Found { key, at, value }))))
    }

    fn heap_bytes(&self) -> usize {
        let Some(found) = &self.0 else { return 0 };
        let key = match &found.key {
            Ordered::Number(_) => 0,
            Ordered::String(text) => block(text.len()),
        };
        block(size_of::<Found>()) + key + block(found.value.capacity())
    }
}
