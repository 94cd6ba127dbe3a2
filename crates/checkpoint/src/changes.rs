//! The entries of a stage's state that changed since its last snapshot.

/// Puts and removals, in any order; the last word on a key counts. All in one block of memory, ready to be written.
#[derive(Debug, Default)]
pub struct Changes {
    /// `["key",value]\n` or `["key"]\n`, one after the other.
    lines: Vec<u8>,
    /// Where each line starts, and where its key ends.
    entries: Vec<(usize, usize)>,
}

/// An entry's line with its newline, and its key as JSON text.
pub(crate) struct Change<'a> {
    pub key: &'a [u8],
    pub line: &'a [u8],
}

impl Change<'_> {
    pub fn is_removal(&self) -> bool {
        self.line.len() == self.key.len() + b"[]\n".len()
    }
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

    /// All of another, behind these.
    pub fn append(&mut self, mut other: Changes) {
        let start = self.lines.len();
        self.lines.append(&mut other.lines);
        self.entries.extend(other.entries.iter().map(|(line, key_end)| (line + start, key_end + start)));
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

    /// What was put and removed, in the order of the calls: lines `["key",value]` and `["key"]`.
    pub fn text(&self) -> &[u8] {
        &self.lines
    }

    fn key(&mut self, key: &str) {
        let start = self.lines.len();
        self.lines.push(b'[');
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.lines, key);
        self.entries.push((start, self.lines.len()));
    }

    /// The last change of each key, in the order of the keys' JSON text.
    pub(crate) fn sorted(&self) -> Vec<Change<'_>> {
        let ends = self.entries.iter().skip(1).map(|entry| entry.0).chain([self.lines.len()]);
        let change = |(&(start, key_end), end): (&(usize, usize), usize)| Change {
            key: &self.lines[start + 1..key_end],
            line: &self.lines[start..end],
        };
        // Newest first, so that of equal keys the newest is kept.
        let mut sorted: Vec<_> = self.entries.iter().zip(ends).map(change).collect();
        sorted.reverse();
        sorted.sort_by(|a, b| a.key.cmp(b.key));
        sorted.dedup_by(|later, first| later.key == first.key);
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_younger() {
        let [mut first, mut second] = [Changes::default(), Changes::default()];
        first.put("a", |to| to.push(b'1'));
        first.remove("b");
        second.put("b", |to| to.push(b'2'));
        second.remove("c");
        first.append(second);
        let lines: Vec<_> =
            first.sorted().iter().map(|change| String::from_utf8_lossy(change.line).into_owned()).collect();
        assert_eq!(lines, ["[\"a\",1]\n", "[\"b\",2]\n", "[\"c\"]\n"]);
        assert_eq!(first.len(), 4);
    }

    #[test]
    fn the_last_word_on_a_key_counts() {
        let mut changes = Changes::default();
        changes.put("b", |to| to.push(b'1'));
        changes.put("a", |to| to.push(b'2'));
        changes.remove("b");
        changes.put("a", |to| to.push(b'3'));
        let lines: Vec<_> =
            changes.sorted().iter().map(|change| String::from_utf8_lossy(change.line).into_owned()).collect();
        assert_eq!(lines, ["[\"a\",3]\n", "[\"b\"]\n"]);
        let removals: Vec<_> = changes.sorted().iter().map(Change::is_removal).collect();
        assert_eq!(removals, [false, true]);
    }
}
