//! Values by order of arrival: the first, the last, the first few.

/// The first and the last value, each with the sequence number of its line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ends {
    pub first_at: u64,
    pub last_at: u64,
    /// JSON text as it stands in the line; empty while there is none.
    pub first: Vec<u8>,
    pub last: Vec<u8>,
}

impl Ends {
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
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

fn replace(kept: &mut Vec<u8>, text: &[u8]) {
    kept.clear();
    kept.extend_from_slice(text);
}

/// The first values, in order of arrival.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct List {
    pub values: Vec<(u64, Box<[u8]>)>,
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
}
