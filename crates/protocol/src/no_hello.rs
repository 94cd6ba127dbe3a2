//! Lines without a hello before them, where `--exactly-once` says that the pipe has one.

use stream::{Error, Mark, MarkKind, is_mark};

use crate::lines::is_blank;

/// Whether what comes instead of the hello is no data. A stage whose source has failed before its hello may have written
/// marks about time: then the source's own exit code counts, and nothing is to be said.
///
/// # Errors
/// For a line, and for a line that was rejected.
pub fn is_passed_over(line: &[u8], line_number: u64) -> Result<bool, Error> {
    if is_blank(line) {
        return Ok(true);
    }
    let mark = if is_mark(line) { Some(Mark::parse(line)?) } else { None };
    match mark.as_ref().map(Mark::kind) {
        Some(MarkKind::Hello) => Ok(false),
        None | Some(MarkKind::Reject) => Err(error(line_number)),
        Some(_) => Ok(true),
    }
}

pub fn error(line_number: u64) -> Error {
    Error::data(format_args!(
        "line {line_number}: lines come without the hello mark of an exactly-once pipe, and nothing is written (--exactly-once)"
    ))
    .hint(
        "a program before this one that takes marks out (grep, jq 'select(…)')? filter and parallel-map FILTER keep them, and \
         any other program can run inside parallel-map -- CMD\n\
         or a source without --exactly-once --state DIR?",
    )
}
