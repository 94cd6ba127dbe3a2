//! What `shard --by` and a stage with keys must have said alike.

use crate::Expression;

/// How `shard --by` may say one part of a key that lines of two kinds have, each by its own expression.
#[must_use]
pub fn texts_of_either(left: &Expression, right: &Expression) -> Vec<String> {
    let (left, right) = (left.to_string(), right.to_string());
    if left == right {
        return vec![left];
    }
    let pairs = [(&left, &right), (&right, &left)];
    pairs.iter().flat_map(|(a, b)| [format!("{a} // {b}"), format!("{a}//{b}")]).collect()
}

/// The texts of a list of expressions, as flags of a state have them.
#[must_use]
pub fn expressions(list: &str) -> Vec<String> {
    let parsed = Expression::parse_list(list).unwrap_or_default();
    parsed.iter().map(ToString::to_string).collect()
}
