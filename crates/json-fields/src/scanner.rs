//! The scanner: remembered shapes first, the full walk where they do not fit.

use crate::DEPTH_LIMIT;
use crate::error::ScanError;
use crate::field::{Field, Fields};
use crate::finder::{Finder, Frame};
use crate::path::FieldPath;
use crate::shapes::Shapes;
use crate::token::skip_space;
use crate::tree::Tree;
use crate::walk::walk;

/// Finds the wanted fields in line after line.
///
/// What it answers depends on the line alone, never on the lines before; only its speed does: lines of a shape
/// that came lately (the same keys in the same order, values of the same kinds) are found faster.
#[derive(Clone, Debug)]
pub struct Scanner {
    tree: Tree,
    depth_limit: usize,
    found: Vec<Option<Field>>,
    outer: Vec<Frame>,
    scalars: Vec<Field>,
    shapes: Shapes,
    remembers: bool,
}

impl Scanner {
    /// A scanner for these paths; the same path may be given more than once.
    #[must_use]
    pub fn new(paths: &[FieldPath]) -> Scanner {
        let tree = Tree::new(paths);
        Scanner {
            depth_limit: DEPTH_LIMIT,
            found: vec![None; tree.slots],
            outer: Vec::new(),
            scalars: Vec::new(),
            shapes: Shapes::default(),
            remembers: true,
            tree,
        }
    }

    /// Allows `levels` of objects and arrays inside each other; more are an error.
    #[must_use]
    pub fn with_depth_limit(mut self, levels: usize) -> Scanner {
        self.depth_limit = levels;
        self.shapes = Shapes::default();
        self
    }

    /// Takes the full walk for every line; for tests and measurements.
    #[must_use]
    pub fn without_shapes(mut self) -> Scanner {
        self.remembers = false;
        self
    }

    /// Checks the whole line and finds the wanted fields. Space around the value is allowed (a `\r` at the end
    /// is space); the line comes without its newline.
    ///
    /// # Errors
    /// The first fault in the line. The next line can be scanned as if nothing had been.
    #[inline]
    pub fn scan(&mut self, line: &[u8]) -> Result<Fields<'_>, ScanError> {
        if self.remembers {
            if let Some(shape) = self.shapes.find(line, &mut self.found[..self.tree.paths])? {
                self.tree.repeat(&mut self.found);
                return Ok(Fields { slots: &self.found[..self.tree.paths], object: shape.object, empty: shape.empty });
            }
            if self.shapes.wants_to_learn(line) {
                return self.scan_fully::<true>(line);
            }
        }
        self.scan_fully::<false>(line)
    }

    #[inline(never)]
    fn scan_fully<const LEARN: bool>(&mut self, line: &[u8]) -> Result<Fields<'_>, ScanError> {
        let mut finder = Finder::<LEARN>::new(&self.tree, &mut self.found, &mut self.outer, &mut self.scalars);
        walk(line, self.depth_limit, &mut finder)?;
        let (object, repeated) = (finder.object, finder.repeated);
        let empty = object.is_some_and(|at| line.get(skip_space(line, at)) == Some(&b'}'));
        if LEARN && !repeated {
            let wanted = &self.found[..self.tree.paths];
            self.shapes.learn(line, wanted, &self.scalars, object, empty);
        }
        self.tree.repeat(&mut self.found);
        Ok(Fields { slots: &self.found[..self.tree.paths], object, empty })
    }
}
