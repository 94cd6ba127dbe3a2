//! Knows what must come out, and looks at each commit.

use std::collections::HashMap;

use stream::Mark;

/// What an undisturbed run gives, less what has been committed.
#[derive(Clone, Debug)]
pub struct Judge {
    /// All lines in order, where the order is certain.
    in_order: bool,
    expected: Vec<Vec<u8>>,
    taken: usize,
    left: HashMap<Vec<u8>, usize>,
    rejects_left: HashMap<String, usize>,
}

impl Judge {
    /// `in_order`: the order of the lines is the same in any run.
    pub fn new(expected: Vec<Vec<u8>>, rejects: Vec<String>, in_order: bool) -> Self {
        Self { in_order, left: counted(&expected), rejects_left: counted(&rejects), taken: 0, expected }
    }

    /// Takes what one commit has made visible.
    ///
    /// # Errors
    /// The first line that should not be there, or not there yet.
    pub fn take(&mut self, lines: &[Vec<u8>], rejects: &[String]) -> Result<(), String> {
        for line in lines {
            let shown = || String::from_utf8_lossy(line).into_owned();
            if !take_one(&mut self.left, line) {
                return Err(format!("committed, but wrong or doubled: {}", shown()));
            }
            if self.in_order && self.expected.get(self.taken) != Some(line) {
                return Err(format!("committed out of order, in place {}: {}", self.taken, shown()));
            }
            self.taken += 1;
        }
        for reject in rejects {
            if !take_one(&mut self.rejects_left, reject) {
                return Err(format!("a reject that is wrong or doubled: {reject}"));
            }
        }
        Ok(())
    }

    /// Whether all has come.
    ///
    /// # Errors
    /// What is missing.
    pub fn is_complete(&self) -> Result<(), String> {
        if let Some((line, _)) = self.left.iter().filter(|(_, count)| **count > 0).min() {
            let missing: usize = self.left.values().sum();
            return Err(format!("{missing} lines are lost, one is {}", String::from_utf8_lossy(line)));
        }
        match self.rejects_left.iter().filter(|(_, count)| **count > 0).min() {
            Some((reject, _)) => Err(format!("a reject is lost: {reject}")),
            None => Ok(()),
        }
    }
}

fn counted<T: Clone + Eq + std::hash::Hash>(items: &[T]) -> HashMap<T, usize> {
    let mut counts = HashMap::new();
    for item in items {
        *counts.entry(item.clone()).or_insert(0) += 1;
    }
    counts
}

fn take_one<T: Eq + std::hash::Hash>(left: &mut HashMap<T, usize>, item: &T) -> bool {
    match left.get_mut(item) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

/// What of a reject mark is the same in every run: line numbers begin anew in each.
pub fn essence(reject: &Mark) -> String {
    let said = |field| reject.text(field).unwrap_or_default();
    format!("{}: {}: {}", said("by"), said("why"), said("line"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(in_order: bool) -> Judge {
        Judge::new(vec![b"a".to_vec(), b"b".to_vec()], Vec::new(), in_order)
    }

    #[test]
    fn a_doubled_line_is_found_at_once_and_a_lost_one_at_the_end() {
        let mut judge = judge(false);
        judge.take(&[b"b".to_vec()], &[]).unwrap();
        assert!(judge.is_complete().unwrap_err().contains("one is a"));
        assert!(judge.take(&[b"b".to_vec()], &[]).unwrap_err().contains("doubled: b"));
    }

    #[test]
    fn the_order_counts_where_it_is_certain() {
        assert!(judge(true).take(&[b"b".to_vec()], &[]).unwrap_err().contains("out of order"));
    }
}
