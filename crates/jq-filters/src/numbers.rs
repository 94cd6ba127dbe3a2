//! The kinds of numbers that a filter can compute with.

/// What numbers are computed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// jq's: integers, and doubles for all else.
    #[default]
    Doubles,
    /// Decimals: `+`, `-`, `*`, `%`, comparisons, `add`, `floor`, `ceil`, `round` and `trunc` are exact, and a quotient has 34
    /// significant digits, rounded half to even. What was computed is written without an exponent, and without zeros at the
    /// end of a fraction. More than 1,000 digits, and a division by zero, are failures of the line.
    Decimals,
}
