//! Values by order of arrival: the first, the last, the first few.

use values::state_text::{StateReader, write_items};

use crate::settings::Settings;
use crate::state::{State, block};
use crate::value_text::{load_arrival, save_arrival};

/// The first and the last value, each with the sequence number of its line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ends {
    first_at: u64,
    last_at: u64,
    /// JSON text as it stands in the line; empty while there is none.
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Ends {
    fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The first value as JSON text, if there is any.
    pub fn first(&self) -> Option<&[u8]> {
        (!self.is_empty()).then_some(&self.first)
    }

    /// The last value as JSON text, if there is any.
    pub fn last(&self) -> Option<&[u8]> {
        (!self.is_empty()).then_some(&self.last)
    }

    /// Whether the last value is of this line.
    pub fn is_last(&self, at: u64) -> bool {
        self.last_at == at
    }

    /// The first value is another now; without one, there is none any more.
    pub fn set_first(&mut self, first: Option<(u64, &[u8])>) {
        match first {
            None => *self = Ends::default(),
            Some((at, text)) => {
                self.first_at = at;
                replace(&mut self.first, text);
            }
        }
    }

    pub fn add(&mut self, text: &[u8], at: u64) {
        if self.is_empty() || at < self.first_at {
            self.first_at = at;
            replace(&mut self.first, text);
        }
        if self.last.is_empty() || at >= self.last_at {
            self.last_at = at;
            replace(&mut self.last, text);
        }
    }

    pub fn merge(&mut self, other: &Ends) {
        if !other.is_empty() {
            self.add(&other.first, other.first_at);
            self.add(&other.last, other.last_at);
        }
    }
}

impl State for Ends {
    const MEMBER: &'static [u8] = b",\"ends\":";
    const NAME: &'static str = "ends";

    /// `[sequence,"first",sequence,"last"]`, or `[]`
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        if !self.is_empty() {
            save_arrival(self.first_at, &self.first, out);
            out.push(b',');
            save_arrival(self.last_at, &self.last, out);
        }
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Ends> {
        from.literal(b"[")?;
        if from.literal(b"]").is_some() {
            return Some(Ends::default());
        }
        let (first_at, first) = load_arrival(from)?;
        from.literal(b",")?;
        let (last_at, last) = load_arrival(from)?;
        from.literal(b"]")?;
        Some(Ends { first_at, first, last_at, last })
    }

    fn heap_bytes(&self) -> usize {
        block(self.first.capacity()) + block(self.last.capacity())
    }
}

fn replace(kept: &mut Vec<u8>, text: &[u8]) {
    kept.clear();
    kept.extend_from_slice(text);
}

/// The first values, in order of arrival.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct List {
    /// Each with the sequence number of its line.
    values: Vec<(u64, Box<[u8]>)>,
}

impl List {
    pub fn add(&mut self, text: &[u8], at: u64, max: usize) {
        if self.values.len() < max {
            self.values.push((at, text.into()));
        }
    }

    pub fn merge(&mut self, other: &List, max: usize) {
        self.values.extend_from_slice(&other.values);
        self.values.sort_by_key(|(at, _)| *at);
        self.values.truncate(max);
    }

    /// The values as JSON text.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter().map(|(_, text)| &**text)
    }
}

impl State for List {
    const MEMBER: &'static [u8] = b",\"lists\":";
    const NAME: &'static str = "lists";

    /// `[[sequence,"value"],…]`
    fn save(&self, out: &mut Vec<u8>) {
        write_items(&self.values, out, |(at, text), out| {
            out.push(b'[');
            save_arrival(*at, text, out);
            out.push(b']');
        });
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<List> {
        let mut values = Vec::new();
        from.items(|from| {
            from.literal(b"[")?;
            let (at, text) = load_arrival(from)?;
            values.push((at, text.into_boxed_slice()));
            from.literal(b"]")
        })?;
        Some(List { values })
    }

    fn heap_bytes(&self) -> usize {
        let texts = self.values.iter().map(|(_, text)| block(text.len())).sum::<usize>();
        block(self.values.capacity() * size_of::<(u64, Box<[u8]>)>()) + texts
    }
}
