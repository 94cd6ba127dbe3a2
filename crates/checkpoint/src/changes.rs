//! The entries of a stage's state that changed since its last snapshot.

/// Puts and removals, each key at most once, in any order. All in one block of memory, ready to be written.
#[derive(Debug, Default)]
pub struct Changes {
    /// `["key",value]\n` or `["key"]\n`, one after the other.
    lines: Vec<u8>,
    /// Where each line starts, and where its key ends.
    entries: Vec<(usize, usize)>,
}

impl Changes {
    /// Sets the value of a key; `value` writes it as JSON on one line.
    pub fn put(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.key(key);
        self.lines.push(b',');
        value(&mut self.lines);
        self.lines.extend_from_slice(b"]\n");
    }

    /// The key is gone.
    pub fn remove(&mut self, key: &str) {
        self.key(key);
        self.lines.extend_from_slice(b"]\n");
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.lines.len()
    }

    fn key(&mut self, key: &str) {
        let start = self.lines.len();
        self.lines.push(b'[');
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.lines, key);
        self.entries.push((start, self.lines.len()));
    }

    /// Each entry's line with its newline, and its key as JSON text, in the order of the keys' bytes.
    pub(crate) fn sorted(&self) -> Vec<(&[u8], &[u8])> {
        let ends = self.entries.iter().skip(1).map(|entry| entry.0).chain([self.lines.len()]);
        let mut sorted: Vec<_> = self
            .entries
            .iter()
            .zip(ends)
            .map(|(&(start, key_end), end)| (&self.lines[start + 1..key_end], &self.lines[start..end]))
            .collect();
        sorted.sort_unstable_by_key(|entry| entry.0);
        sorted
    }
}
