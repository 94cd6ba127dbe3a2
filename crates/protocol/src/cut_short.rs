//! A checked stream that ends before its end mark.

use stream::{Error, is_mark};

/// Whether a torn first line is, or was about to become, a hello.
pub fn is_hello(torn: &[u8]) -> bool {
    const HELLO: &[u8] = b"{\"$\":\"hello\"";
    torn.starts_with(HELLO) || is_mark(torn) && HELLO.starts_with(torn)
}

/// A checked stream without its end. `failed` is the stage that said that it has failed for good, `died` the one whose end it
/// was.
pub fn cut_short(what: &str, failed: Option<&str>, died: Option<&str>) -> Error {
    if let Some(name) = failed {
        return Error::data(format_args!("the stream was cut short: {name}, before this stage, has failed"))
            .hint("what it says is the reason; started again, the pipeline would fail again");
    }
    match died {
        Some(name) => Error::temporary(format_args!("the stream was cut short {what}: {name}, or a program after it, has ended too early"))
            .hint("a message of its own says why; without one it was killed, or a program after it stopped reading (head). Start the whole pipeline again"),
        None => Error::temporary(format_args!("the stream was cut short {what}")).hint(
            "a stage before this one died, or a program between stopped reading (head); start the whole pipeline again",
        ),
    }
}
