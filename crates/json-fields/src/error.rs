//! Why a line is not JSON.

use std::fmt;

use thiserror::Error;

/// The first thing wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not JSON at byte {at}: {what}")]
pub struct ScanError {
    /// Offset in the line, from 0; the line's length where the line ends too early.
    pub at: usize,
    /// What is wrong there.
    pub what: Fault,
}

impl ScanError {
    #[cold]
    pub(crate) fn new(at: usize, what: Fault) -> ScanError {
        ScanError { at, what }
    }

    /// `expected` was not found at `at`, which may be the end of the line.
    #[cold]
    pub(crate) fn expected(line: &[u8], at: usize, expected: Expected) -> ScanError {
        let what = match at < line.len() {
            true => Fault::Expected(expected),
            false => Fault::EndOfLine(expected),
        };
        ScanError { at, what }
    }
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Something else stands here.
    #[error("expected {0}")]
    Expected(Expected),
    /// The line ends here.
    #[error("end of line, expected {0}")]
    EndOfLine(Expected),
    /// The line ends before the closing quote.
    #[error("end of line inside a string")]
    EndOfLineInString,
    /// A byte below 0x20 that should have been escaped.
    #[error("control character in string")]
    ControlCharacter,
    /// A backslash with something behind it that JSON does not know.
    #[error("invalid escape in string")]
    InvalidEscape,
    /// Half of a surrogate pair: no Unicode text can hold it.
    #[error("lone surrogate \\u{0:04x}")]
    LoneSurrogate(u16),
    /// Such as `01`, `1.`, `-` or `1e`.
    #[error("invalid number")]
    InvalidNumber,
    /// Bytes that are not UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// More levels than the limit, which is given.
    #[error("nesting deeper than {0}")]
    TooDeep(usize),
}

/// What should have stood somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Any JSON value.
    Value,
    /// A member's key.
    Key,
    /// A member's key, or the end of an empty object.
    KeyOrBrace,
    /// The colon behind a key.
    Colon,
    /// The next member or the end of the object.
    CommaOrBrace,
    /// The next element or the end of the array.
    CommaOrBracket,
    /// Nothing more.
    End,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expected::Value => "a value",
            Expected::Key => "a key",
            Expected::KeyOrBrace => "a key or '}'",
            Expected::Colon => "':'",
            Expected::CommaOrBrace => "',' or '}'",
            Expected::CommaOrBracket => "',' or ']'",
            Expected::End => "the end of the line",
        })
    }
}
