//! The wanted paths as a tree of steps, so that one walk over a line serves all of them.

use crate::field::Field;
use crate::path::{FieldPath, Step};
use crate::text::decode_string;

/// Number of a node; the root, the whole line, is 0.
pub(crate) type NodeId = u32;

pub(crate) const ROOT: NodeId = 0;
/// The node of everything that nobody wants.
pub(crate) const UNWANTED: NodeId = NodeId::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// Paths that were given before: slot to copy from, slot to copy to.
    repeats: Vec<(usize, usize)>,
    /// Members of the line that have the whole text of a path as their name: their slot, and that of the path.
    named_like_paths: Vec<(usize, usize)>,
    /// The first slots belong to the paths in their order, the others to the steps on the way.
    pub(crate) paths: usize,
    pub(crate) slots: usize,
}

#[derive(Clone, Debug)]
struct Node {
    children: Vec<(Step, NodeId)>,
    /// One bit for each length of a child's key, modulo 64: most keys of a line are told apart by that.
    key_lengths: u64,
    slot: usize,
}

impl Tree {
    /// `takes_names`: a path that finds nothing takes the member that is named like it.
    pub(crate) fn new(paths: &[FieldPath], takes_names: bool) -> Tree {
        let mut tree = Tree {
            nodes: vec![Node::new()],
            repeats: Vec::new(),
            named_like_paths: Vec::new(),
            paths: paths.len(),
            slots: paths.len(),
        };
        for (slot, path) in paths.iter().enumerate() {
            let mut id = ROOT;
            for step in path.steps() {
                id = tree.child_or_new(id, step);
            }
            let node = &mut tree.nodes[id as usize];
            match node.slot {
                usize::MAX => node.slot = slot,
                first => tree.repeats.push((first, slot)),
            }
        }
        let repeats: Vec<usize> = tree.repeats.iter().map(|(_, slot)| *slot).collect();
        let firsts = paths.iter().enumerate().filter(|(slot, _)| !repeats.contains(slot));
        let firsts = firsts.filter(|_| takes_names);
        let likes: Vec<(NodeId, usize)> = firsts.filter_map(|(slot, path)| tree.like(path, slot)).collect();
        for node in &mut tree.nodes {
            if node.slot == usize::MAX {
                node.slot = tree.slots;
                tree.slots += 1;
            }
        }
        tree.named_like_paths = likes.into_iter().map(|(id, slot)| (tree.slot(id), slot)).collect();
        tree
    }

    /// The member of the line that has the path's whole text as its name: `.a.b` may be `"a.b"`, as results of `--by a.b` have
    /// it. None for a path that is such a member anyway.
    fn like(&mut self, path: &FieldPath, slot: usize) -> Option<(NodeId, usize)> {
        let is_longer = !path.is_top_level() && !path.steps().is_empty();
        is_longer.then(|| (self.child_or_new(ROOT, &Step::Key(path.name())), slot))
    }

    /// Gives a path that found nothing the member that is named like it.
    #[inline(always)]
    pub(crate) fn take_named_like_paths(&self, found: &mut [Option<Field>]) {
        for &(from, to) in &self.named_like_paths {
            if found[to].is_none() {
                found[to] = found[from];
            }
        }
    }

    fn child_or_new(&mut self, id: NodeId, step: &Step) -> NodeId {
        let new = NodeId::try_from(self.nodes.len()).unwrap_or(UNWANTED);
        let node = &mut self.nodes[id as usize];
        if let Some((_, child)) = node.children.iter().find(|(known, _)| known == step) {
            return *child;
        }
        if let Step::Key(key) = step {
            node.key_lengths |= length_bit(key.len());
        }
        node.children.push((step.clone(), new));
        self.nodes.push(Node::new());
        new
    }

    #[inline(always)]
    pub(crate) fn slot(&self, id: NodeId) -> usize {
        self.nodes[id as usize].slot
    }

    /// The lengths that keys of wanted members of this node have, for [`Tree::member`].
    #[inline(always)]
    pub(crate) fn key_lengths(&self, id: NodeId) -> u64 {
        self.nodes[id as usize].key_lengths
    }

    /// The child for a key as it stands in the line.
    #[inline(always)]
    pub(crate) fn member(&self, id: NodeId, key_lengths: u64, line: &[u8], key: Field) -> NodeId {
        if key.escaped {
            return self.nodes[id as usize].member(decode_string(key.text(line)).as_bytes());
        }
        match key_lengths & length_bit(key.end - key.start - 2) {
            0 => UNWANTED,
            _ => self.nodes[id as usize].member(key.string_body(line)),
        }
    }

    pub(crate) fn element(&self, id: NodeId, index: usize) -> NodeId {
        let children = &self.nodes[id as usize].children;
        let found = children.iter().find(|(step, _)| matches!(step, Step::Index(wanted) if *wanted == index));
        found.map_or(UNWANTED, |(_, child)| *child)
    }

    /// Gives the paths that were given twice what was found for the first.
    #[inline(always)]
    pub(crate) fn repeat(&self, found: &mut [Option<Field>]) {
        for &(from, to) in &self.repeats {
            found[to] = found[from];
        }
    }

    /// Forgets what was found at `id` and below: a later duplicate replaces all of it.
    #[cold]
    pub(crate) fn forget(&self, id: NodeId, found: &mut [Option<Field>]) {
        let mut ids = vec![id];
        while let Some(id) = ids.pop() {
            let node = &self.nodes[id as usize];
            found[node.slot] = None;
            ids.extend(node.children.iter().map(|(_, child)| *child));
        }
    }
}

impl Node {
    fn new() -> Node {
        Node { children: Vec::new(), key_lengths: 0, slot: usize::MAX }
    }

    #[inline]
    fn member(&self, key: &[u8]) -> NodeId {
        let found =
            self.children.iter().find(|(step, _)| matches!(step, Step::Key(wanted) if wanted.as_bytes() == key));
        found.map_or(UNWANTED, |(_, child)| *child)
    }
}

fn length_bit(len: usize) -> u64 {
    1 << (len & 63)
}
