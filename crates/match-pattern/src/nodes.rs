//! Which variable each row of a partial match has: lists that share their beginnings.

/// The variable of a row, and whether it is to be left out of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub variable: u8,
    pub is_excluded: bool,
}

/// The last row of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(u32);

impl NodeId {
    /// No row.
    pub const NONE: NodeId = NodeId(u32::MAX);
}

#[derive(Debug, Default)]
pub struct Nodes {
    list: Vec<(NodeId, Label)>,
    /// So many are looked through for what is not needed any more.
    limit: usize,
}

/// Room for more is given back: a key may have had many once.
const KEPT_MAX: usize = 1024;

/// Fewer are not worth it.
const LIMIT_MIN: usize = 4096;

impl Nodes {
    pub fn push(&mut self, before: NodeId, label: Label) -> NodeId {
        self.list.push((before, label));
        NodeId((self.list.len() - 1) as u32)
    }

    /// Returns the labels from the first row on.
    #[must_use]
    pub fn labels(&self, mut last: NodeId) -> Vec<Label> {
        let mut labels = Vec::new();
        while let Some((before, label)) = self.list.get(last.0 as usize) {
            labels.push(*label);
            last = *before;
        }
        labels.reverse();
        labels
    }

    pub fn clear(&mut self) {
        self.list.clear();
        if self.list.capacity() > KEPT_MAX {
            self.list = Vec::new();
        }
        self.limit = 0;
    }

    /// Returns what they take in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.list.len() * size_of::<(NodeId, Label)>()
    }

    #[must_use]
    pub fn is_large(&self) -> bool {
        self.list.len() > self.limit.max(LIMIT_MIN)
    }

    /// Forgets all but the lists that end with these; the ends get their new numbers.
    pub fn keep(&mut self, ends: Vec<&mut NodeId>) {
        let mut new = vec![NodeId::NONE; self.list.len()];
        for end in &ends {
            let mut at = end.0 as usize;
            while at < new.len() && new[at] == NodeId::NONE {
                new[at] = NodeId(0);
                at = self.list[at].0.0 as usize;
            }
        }
        // A row is always after those before it.
        let mut kept: Vec<(NodeId, Label)> = Vec::new();
        for (number, (before, label)) in self.list.drain(..).enumerate() {
            if new[number] != NodeId::NONE {
                new[number] = NodeId(kept.len() as u32);
                kept.push((new.get(before.0 as usize).copied().unwrap_or(NodeId::NONE), label));
            }
        }
        for end in ends {
            *end = new.get(end.0 as usize).copied().unwrap_or(NodeId::NONE);
        }
        self.list = kept;
        self.limit = self.list.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_share_their_beginnings_and_outlive_those_that_are_forgotten() {
        let label = |variable| Label { variable, is_excluded: false };
        let mut nodes = Nodes::default();
        let a = nodes.push(NodeId::NONE, label(0));
        let gone = nodes.push(a, label(1));
        let mut b = nodes.push(a, label(2));
        let mut c = nodes.push(a, label(3));
        nodes.push(gone, label(4));
        let mut none = NodeId::NONE;
        nodes.keep(vec![&mut b, &mut c, &mut none]);
        assert_eq!(nodes.bytes(), 3 * size_of::<(NodeId, Label)>());
        assert_eq!(nodes.labels(b), [label(0), label(2)]);
        assert_eq!(nodes.labels(c), [label(0), label(3)]);
        assert!(nodes.labels(none).is_empty());
    }
}
