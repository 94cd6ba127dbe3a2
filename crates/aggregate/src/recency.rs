//! Groups in the order of their last line: a doubly linked list in two columns.

const NONE: u32 = u32::MAX;

/// Least recently touched first.
#[derive(Debug)]
pub struct Recency {
    before: Vec<u32>,
    after: Vec<u32>,
    oldest: u32,
    newest: u32,
}

impl Default for Recency {
    fn default() -> Recency {
        Recency { before: Vec::new(), after: Vec::new(), oldest: NONE, newest: NONE }
    }
}

impl Recency {
    pub fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// Puts a new group at the end. It must not be in the list.
    pub fn push(&mut self, id: u32) {
        let len = self.before.len().max(id as usize + 1);
        self.before.resize(len, NONE);
        self.after.resize(len, NONE);
        self.before[id as usize] = self.newest;
        self.after[id as usize] = NONE;
        match self.newest {
            NONE => self.oldest = id,
            newest => self.after[newest as usize] = id,
        }
        self.newest = id;
    }

    pub fn remove(&mut self, id: u32) {
        let (before, after) = (self.before[id as usize], self.after[id as usize]);
        match before {
            NONE => self.oldest = after,
            before => self.after[before as usize] = after,
        }
        match after {
            NONE => self.newest = before,
            after => self.before[after as usize] = before,
        }
    }

    /// Moves a group to the end.
    pub fn touch(&mut self, id: u32) {
        if self.newest != id {
            self.remove(id);
            self.push(id);
        }
    }

    /// All, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        std::iter::successors(self.oldest(), |id| Some(self.after[*id as usize]).filter(|after| *after != NONE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touched_group_goes_to_the_end() {
        let mut recency = Recency::default();
        (0..4).for_each(|id| recency.push(id));
        recency.touch(0);
        recency.touch(2);
        recency.touch(2);
        assert_eq!(recency.iter().collect::<Vec<_>>(), [1, 3, 0, 2]);
        recency.remove(3);
        recency.remove(1);
        recency.remove(2);
        assert_eq!(recency.iter().collect::<Vec<_>>(), [0]);
        recency.remove(0);
        assert_eq!(recency.oldest(), None);
        recency.push(2);
        assert_eq!(recency.iter().collect::<Vec<_>>(), [2]);
    }
}
