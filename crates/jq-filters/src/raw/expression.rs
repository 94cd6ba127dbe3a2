//! A compiled filter as a tree.

use jaq_core::ops::{Cmp, Math};

use super::functions::Function;
use super::value::Value;

/// A filter with any number of results.
#[derive(Debug)]
pub enum Stream {
    Nothing,
    One(Expression),
    Both(Box<Stream>, Box<Stream>),
    If(Expression, Box<Stream>, Box<Stream>),
    /// The value is the input of the rest.
    Then(Expression, Box<Stream>),
    /// The value is bound to a variable in the rest.
    Bind(Expression, Box<Stream>),
    /// Each element of the value is the input of the rest.
    Each(Expression, Box<Stream>),
    /// Each match of a pattern in the value is the input of the rest.
    Scan(Expression, usize, Box<Stream>),
}

impl Stream {
    /// The stream as an expression, if it has no more than one result.
    pub fn into_expression(self) -> Option<Expression> {
        let boxed = |stream: Box<Stream>| stream.into_expression().map(Box::new);
        Some(match self {
            Stream::Nothing => Expression::Empty,
            Stream::One(expression) => expression,
            Stream::If(condition, then, otherwise) => {
                Expression::If(Box::new(condition), boxed(then)?, boxed(otherwise)?)
            }
            Stream::Then(first, rest) => Expression::Then(Box::new(first), boxed(rest)?),
            Stream::Both(..) | Stream::Bind(..) | Stream::Each(..) | Stream::Scan(..) => return None,
        })
    }
}

/// A filter with at most one result.
#[derive(Debug)]
pub enum Expression {
    Empty,
    /// Only jaq knows.
    Unknown,
    /// The input, where that is not the line.
    Input,
    /// The line.
    Line,
    /// A field of the line, by the number of its path, and the path.
    Field(usize, Vec<Step>),
    /// Whether the line has such a field.
    Has(usize),
    /// A field of a value.
    Get(Box<Expression>, Vec<Step>),
    /// A value, and how it is written.
    Constant(Value<'static>, Vec<u8>),
    /// By how many bindings are inside of it.
    Variable(usize),
    Object(Vec<(Key, Expression)>),
    Array(Box<Stream>),
    Negative(Box<Expression>),
    Math(Box<Expression>, Math, Box<Expression>),
    Compare(Box<Expression>, Cmp, Box<Expression>),
    /// With the truth of the left side at which the right side is not looked at.
    Logic(Box<Expression>, bool, Box<Expression>),
    Alternative(Box<Expression>, Box<Expression>),
    If(Box<Expression>, Box<Expression>, Box<Expression>),
    Then(Box<Expression>, Box<Expression>),
    /// Texts, one behind the other; other values become text.
    Join(Vec<Expression>),
    /// Of an input and arguments.
    Call(Function, Box<Expression>, Vec<Expression>),
    /// With a pattern, by its number, on an input.
    Search(Search, Box<Expression>, usize),
    /// The element or member of a value that another value names.
    Index(Box<Expression>, Box<Expression>),
    /// Whether the value is one of a set, each of which is worked out on it.
    In(Box<Expression>, Vec<Expression>),
    /// A piece of a text.
    Slice(Box<Expression>, Option<i64>, Option<i64>),
    /// An object with members changed.
    Edit(Box<Expression>, Vec<Change>),
}

/// What is done with a pattern on an input.
#[derive(Debug)]
pub enum Search {
    Test,
    /// The named groups of the first match.
    Capture,
    /// One group of it, by its number.
    Group(usize),
    /// How many matches there are.
    Count,
    /// The input with matches replaced: what stands in their place is worked out on the named groups.
    Replace(Box<Expression>),
}

/// One step down into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(i64),
}

/// The key of a new object's member.
#[derive(Debug)]
pub enum Key {
    /// Its text, and how it is written, with the colon.
    Known(Vec<u8>, Vec<u8>),
    Computed(Expression),
}

/// What becomes of one member of an object.
#[derive(Debug)]
pub struct Change {
    pub key: String,
    pub kind: ChangeKind,
}

#[derive(Debug)]
pub enum ChangeKind {
    /// `.key = f`, f of the object.
    Assign(Expression),
    /// `.key |= f`, f of the member.
    Update(Expression),
    /// `.key += f`, f of the object.
    Math(Math, Expression),
    /// `.key //= f`, f of the object.
    Alternative(Expression),
    /// `del(.key)`
    Delete,
}
