//! Follows a walk and notes where the wanted values stand.

use crate::field::{Field, Kind};
use crate::tree::{NodeId, ROOT, Tree, UNWANTED};
use crate::walk::Events;

/// An open object or array on the way to wanted values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    node: NodeId,
    key_lengths: u64,
    start: usize,
    array: bool,
    /// How many elements of an array have come.
    elements: usize,
}

/// With `LEARN` all scalars of the line are noted too, for a shape.
pub(crate) struct Finder<'s, const LEARN: bool> {
    tree: &'s Tree,
    found: &'s mut [Option<Field>],
    /// The open levels but for the innermost, which is `top`.
    outer: &'s mut Vec<Frame>,
    top: Frame,
    scalars: &'s mut Vec<Field>,
    /// The node of the value that comes next, where the innermost level is an object or the line itself.
    next: NodeId,
    /// How many levels are open that nobody wants.
    unwanted: usize,
    /// A wanted key came twice in the same object.
    pub(crate) repeated: bool,
    /// Offset behind the opening brace of the outermost object.
    pub(crate) object: Option<usize>,
}

impl<'s, const LEARN: bool> Finder<'s, LEARN> {
    pub(crate) fn new(
        tree: &'s Tree,
        found: &'s mut [Option<Field>],
        outer: &'s mut Vec<Frame>,
        scalars: &'s mut Vec<Field>,
    ) -> Finder<'s, LEARN> {
        found.fill(None);
        outer.clear();
        scalars.clear();
        Finder {
            tree,
            found,
            outer,
            top: Frame { node: UNWANTED, key_lengths: 0, start: 0, array: false, elements: 0 },
            scalars,
            next: ROOT,
            unwanted: 0,
            repeated: false,
            object: None,
        }
    }

    /// The node of the value that comes now.
    #[inline(always)]
    fn node(&mut self) -> NodeId {
        if !self.top.array {
            return self.next;
        }
        let index = self.top.elements;
        self.top.elements += 1;
        self.tree.element(self.top.node, index)
    }
}

impl<const LEARN: bool> Events for Finder<'_, LEARN> {
    #[inline(always)]
    fn key(&mut self, line: &[u8], key: Field) {
        if self.unwanted > 0 {
            return;
        }
        self.next = self.tree.member(self.top.node, self.top.key_lengths, line, key);
        if self.next != UNWANTED && self.found[self.tree.slot(self.next)].is_some() {
            self.repeated = true;
            self.tree.forget(self.next, self.found);
        }
    }

    #[inline(always)]
    fn scalar(&mut self, value: Field) {
        if LEARN {
            self.scalars.push(value);
        }
        if self.unwanted > 0 {
            return;
        }
        let node = self.node();
        if node != UNWANTED {
            self.found[self.tree.slot(node)] = Some(value);
        }
    }

    #[inline(always)]
    fn open(&mut self, at: usize, kind: Kind) {
        if self.unwanted > 0 {
            self.unwanted += 1;
            return;
        }
        let node = self.node();
        if node == UNWANTED {
            self.unwanted = 1;
            return;
        }
        if node == ROOT && kind == Kind::Object {
            self.object = Some(at + 1);
        }
        self.outer.push(self.top);
        let key_lengths = self.tree.key_lengths(node);
        self.top = Frame { node, key_lengths, start: at, array: kind == Kind::Array, elements: 0 };
    }

    #[inline(always)]
    fn close(&mut self, at: usize, kind: Kind) {
        if self.unwanted > 0 {
            self.unwanted -= 1;
            return;
        }
        self.found[self.tree.slot(self.top.node)] =
            Some(Field { start: self.top.start, end: at + 1, kind, escaped: false });
        if let Some(outer) = self.outer.pop() {
            self.top = outer;
        }
    }
}
