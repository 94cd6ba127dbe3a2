//! What functions of ours are called in a rewritten filter: names that no filter can have.

use jaq_core::ops::Cmp;

pub const ASSIGN: &str = "!assign";
pub const UPDATE: &str = "!update";
pub const AT: &str = "!at";
pub const AT_OPTIONAL: &str = "!at?";
pub const SLICE: &str = "!slice";
pub const SLICE_OPTIONAL: &str = "!slice?";
pub const PRODUCT: &str = "!product";
pub const SUM: &str = "!sum";
/// `tostring`, whatever the filter calls so.
pub const TEXT: &str = "!text";
/// Counts calls of recursive functions, and says when they are too many or too deep.
pub const STEP: &str = "!step";
/// Says when a value that a loop makes is nested too deep.
pub const ROUND: &str = "!round";

/// The function that stands for a comparison.
pub const fn of_comparison(cmp: Cmp) -> &'static str {
    match cmp {
        Cmp::Lt => "!is less",
        Cmp::Le => "!is at most",
        Cmp::Gt => "!is greater",
        Cmp::Ge => "!is at least",
        Cmp::Eq => "!is",
        Cmp::Ne => "!is not",
    }
}

/// A function that stands for an operator, and makes nothing that is nested deeper than its arguments.
pub fn is_operator(name: &str) -> bool {
    const COMPARISONS: [Cmp; 6] = [Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge, Cmp::Eq, Cmp::Ne];
    matches!(name, AT | SLICE | PRODUCT | SUM) || COMPARISONS.into_iter().any(|cmp| of_comparison(cmp) == name)
}
