//! What the names in an expression stand for.

use super::value::Value;

/// The input of an expression, where that is not the line, and the variables around it.
#[derive(Clone, Copy, Default)]
pub struct Scope<'s, 'a> {
    input: Option<&'s Value<'a>>,
    bound: Option<&'s Bound<'s, 'a>>,
}

/// A variable's value, and the variables around it.
pub struct Bound<'s, 'a> {
    value: Value<'a>,
    outer: Option<&'s Bound<'s, 'a>>,
}

impl<'s, 'a> Scope<'s, 'a> {
    /// Returns the input, if it is not the line.
    #[inline]
    pub fn input(self) -> Option<&'s Value<'a>> {
        self.input
    }

    /// Returns the scope of an expression with this input.
    #[inline]
    pub fn with_input<'t>(self, input: &'t Value<'a>) -> Scope<'t, 'a>
    where
        's: 't,
    {
        Scope { input: Some(input), bound: self.bound }
    }

    /// Binds one more variable, for [`Scope::with_variable`].
    #[inline]
    pub fn bind(self, value: Value<'a>) -> Bound<'s, 'a> {
        Bound { value, outer: self.bound }
    }

    /// Returns the scope of an expression inside of a binding.
    #[inline]
    pub fn with_variable<'t>(self, bound: &'t Bound<'s, 'a>) -> Scope<'t, 'a>
    where
        's: 't,
    {
        Scope { input: self.input, bound: Some(bound) }
    }

    /// Returns the value of a variable, by how many others are inside of it.
    #[inline]
    pub fn variable(self, index: usize) -> Option<&'s Value<'a>> {
        let mut bound = self.bound?;
        for _ in 0..index {
            bound = bound.outer?;
        }
        Some(&bound.value)
    }
}
