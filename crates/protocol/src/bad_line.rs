//! Where a bad line is, and what is said of it.

use std::fmt::Display;

use stream::Error;

use crate::other_format;

/// Where in the input the current line is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    pub line: u64,
    pub byte: u64,
}

impl Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}", self.line)
    }
}

/// The end of a run with `--on-error stop`; `own_hint` is that of the reason, if it is not empty.
pub fn bad_line(at: &dyn Display, why: &str, own_hint: &str, line: &[u8]) -> Error {
    const GO_ON: &str = "--on-error reject keeps bad lines aside and goes on, skip only counts them";
    match other_format::recognise(why, line) {
        Some(format) => {
            let error = Error::data(format_args!("{at}: {why}: {}", format.what));
            if format.is_all { error.hint(format.hint) } else { error.hint(format_args!("{}\n{GO_ON}", format.hint)) }
        }
        None if own_hint.is_empty() => Error::data(format_args!("{at}: {why}")).hint(GO_ON),
        None => Error::data(format_args!("{at}: {why}")).hint(format_args!("{own_hint}\n{GO_ON}")),
    }
}
