//! How parts of a series go together.

/// How a part enters: it is added to the others, or they are multiplied by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Additive,
    Multiplicative,
}
