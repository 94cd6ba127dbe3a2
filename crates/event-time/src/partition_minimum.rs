//! The minimum over many values of which one changes at a time: a tournament tree.

/// Values by index with their minimum; setting one takes the logarithm of their number.
#[derive(Debug, Clone)]
pub(crate) struct PartitionMinimum {
    /// A binary heap's layout: the root at 1, leaf `i` at `leaves + i`; absent ones are `i64::MAX`.
    nodes: Vec<i64>,
    leaves: usize,
}

impl Default for PartitionMinimum {
    fn default() -> Self {
        Self { nodes: vec![i64::MAX; 2], leaves: 1 }
    }
}

impl PartitionMinimum {
    pub(crate) fn set(&mut self, index: usize, value: i64) {
        while index >= self.leaves {
            self.grow();
        }
        let mut node = self.leaves + index;
        self.nodes[node] = value;
        while node > 1 {
            node /= 2;
            self.nodes[node] = self.nodes[2 * node].min(self.nodes[2 * node + 1]);
        }
    }

    pub(crate) fn minimum(&self) -> i64 {
        self.nodes[1]
    }

    fn grow(&mut self) {
        let old = self.nodes.split_off(self.leaves);
        self.leaves *= 2;
        self.nodes = vec![i64::MAX; 2 * self.leaves];
        self.nodes[self.leaves..self.leaves + old.len()].copy_from_slice(&old);
        for node in (1..self.leaves).rev() {
            self.nodes[node] = self.nodes[2 * node].min(self.nodes[2 * node + 1]);
        }
    }
}
