//! How a decimal becomes a whole number.

/// How to come to a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Floor,
    Ceil,
    /// To the nearest, halves away from zero.
    Round,
    Trunc,
}
