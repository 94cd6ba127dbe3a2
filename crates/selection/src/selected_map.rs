//! A map that takes selected lines only.

use std::cell::RefCell;

use millpipe::{Fault, Map, Out};

use crate::flag::{Selector, WhereArgs};

/// The map, given what `--where` selects: all lines without the flag. The others are written as they came.
pub struct SelectedMap<M> {
    map: M,
    selector: Option<RefCell<Selector>>,
}

impl<M> SelectedMap<M> {
    pub fn new(map: M, args: &WhereArgs) -> Self {
        let selector = args.selection.as_ref().map(|selection| RefCell::new(selection.selector()));
        Self { map, selector }
    }
}

impl<M: Map> Map for SelectedMap<M> {
    #[inline]
    fn map(&self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        if let Some(selector) = &self.selector
            && !selector.borrow_mut().takes(line)?
        {
            out.line(line);
            return Ok(());
        }
        self.map.map(line, out)
    }
}
