//! Reads the key of a line of either side, for those who watch which keys come most often.

use line_values::{Expression, Expressions};
use millpipe::{LineKeys, ReadKey};
use selection::Selection;

/// Which lines a side has, and their key; of both sides.
#[derive(Clone, Debug)]
pub struct SideKeys([(Selection, Expressions); 2]);

impl SideKeys {
    pub fn new(left: &Selection, right: &Selection, on: &[(Expression, Expression)]) -> Self {
        let (left_key, right_key) = on.iter().cloned().unzip();
        Self([(left.clone(), Expressions(left_key)), (right.clone(), Expressions(right_key))])
    }
}

impl LineKeys for SideKeys {
    fn reader(&self) -> ReadKey {
        let mut sides = self.0.each_ref().map(|(lines, key)| (lines.selector(), key.reader()));
        Box::new(move |line| {
            sides.iter_mut().find_map(|(lines, read)| lines.takes(line).ok()?.then(|| read(line)).flatten())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_has_its_own_key() {
        let [left, right] = [".kind == 1", ".kind == 2"].map(|filter| filter.parse().unwrap());
        let on = [("seller", "id")].map(|(left, right)| (left.parse().unwrap(), right.parse().unwrap()));
        let mut read = SideKeys::new(&left, &right, &on).reader();
        let keys = [r#"{"kind":1,"seller":7}"#, r#"{"kind":2,"id":"x"}"#, r#"{"kind":3,"id":9}"#]
            .map(|line| read(line.as_bytes()));
        assert_eq!(keys, [Some("7".to_owned()), Some("\"x\"".to_owned()), None]);
    }
}
