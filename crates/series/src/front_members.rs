//! Writes lines with new members in front.

use json_fields::{splice_behind, without_members};

/// Members that a tool writes in front of a line's own; a line loses those of these names that it has.
#[derive(Clone, Debug)]
pub struct FrontMembers {
    names: Vec<String>,
    stripped: Vec<u8>,
}

impl FrontMembers {
    #[must_use]
    pub fn new(names: &[impl AsRef<str>]) -> Self {
        Self { names: names.iter().map(|name| name.as_ref().to_owned()).collect(), stripped: Vec::new() }
    }

    /// Appends a line, without a newline, with `members` (such as `"a":1,"b":2`) in front. `object` is the offset after the
    /// line's opening brace.
    #[inline]
    pub fn write(&mut self, line: &[u8], object: usize, may_have_them: bool, members: &[u8], out: &mut Vec<u8>) {
        let line = if may_have_them {
            self.stripped.clear();
            without_members(line, &self.names, &mut self.stripped);
            &self.stripped
        } else {
            line
        };
        splice_behind(line, object, members, out);
    }
}
