//! What can go wrong, and the one table of exit codes.

use std::fmt;

/// Numbers of errors for which `std::io::ErrorKind` has no stable name; they are the same in every Unix.
const EBADF: i32 = 9;
const EMFILE: i32 = 24;
const EFBIG: i32 = 27;

/// The exit codes of every tool (death by SIGPIPE, when the reader left, is the fifth way to end).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// Bad data, a bad snapshot or a broken contract: running it again gives the same.
    Data = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Broker gone, stream cut short, disk full: start again from the last checkpoint.
    Temporary = 75,
}

/// An error that ends the tool: one line for people, perhaps a hint on the way out, and the exit code.
///
/// It carries neither the tool's name nor the line number: the runtime adds them when it prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub exit: Exit,
    pub message: String,
    pub hint: Option<String>,
}

impl Error {
    pub fn data(message: impl fmt::Display) -> Self {
        Self::new(Exit::Data, message)
    }

    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub fn temporary(message: impl fmt::Display) -> Self {
        Self::new(Exit::Temporary, message)
    }

    fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string(), hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// The same where there may be no hint.
    #[must_use]
    pub fn maybe_hint(self, hint: Option<impl fmt::Display>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// `Usage` by the first rule that is broken. A rule is whether it is, what is wrong, and the hint.
    ///
    /// # Errors
    /// A broken rule.
    pub fn of_broken_rule<'r>(rules: impl IntoIterator<Item = (bool, &'r str, &'r str)>) -> Result<(), Self> {
        match rules.into_iter().find(|(broken, ..)| *broken) {
            Some((_, message, hint)) => Err(Self::usage(message).hint(hint)),
            None => Ok(()),
        }
    }

    /// An entry of a checkpoint that is not what the stage has saved.
    #[cold]
    pub fn damaged_entry(name: &str) -> Self {
        Self::data(format_args!("the saved entry {name:?} is damaged"))
    }

    /// A failed read or write; a full disk and its like are temporary, as a restart can succeed.
    pub fn io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as MarkKind;
        let number = error.raw_os_error().unwrap_or_default();
        let exit = match error.kind() {
            _ if number == EMFILE || number == EBADF => Exit::Data,
            MarkKind::NotFound
            | MarkKind::PermissionDenied
            | MarkKind::IsADirectory
            | MarkKind::NotADirectory
            | MarkKind::AlreadyExists
            | MarkKind::ReadOnlyFilesystem
            | MarkKind::InvalidFilename
            | MarkKind::Unsupported
            | MarkKind::InvalidInput => Exit::Data,
            _ => Exit::Temporary,
        };
        // This process alone has too many: another start would come to the same. Those of the whole system come and go.
        let hint = match number {
            EMFILE => Some("ulimit -n 65536, before it is started, allows more"),
            EFBIG => Some("ulimit -f unlimited, before it is started, allows more"),
            _ => None,
        };
        Self::new(exit, format_args!("{what}: {}", plain_io_message(error))).maybe_hint(hint)
    }
}

/// `No space left on device`, without the "(os error 28)" that std appends.
fn plain_io_message(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What a stage, source or sink answers instead of `Ok`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This one line is bad, for this reason; `--on-error` decides what becomes of it. A second line that begins with `hint: ` says
    /// what to do.
    ///
    /// A stage finds out before it changes its state or writes: the line must leave no trace.
    Bad(String),
    /// The tool cannot go on.
    Stop(Error),
    /// The program that reads our output has gone: end quietly, as a Unix filter does.
    ReaderGone,
}

impl Fault {
    pub fn bad(why: impl fmt::Display) -> Self {
        Self::Bad(why.to_string())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Stop(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io(number: i32) -> Error {
        Error::io("/a", &std::io::Error::from_raw_os_error(number))
    }

    #[test]
    fn what_a_new_start_can_help_is_temporary_and_nothing_else() {
        let (eio, enfile, enomem, enospc, estale, edquot, etimedout) = (5, 23, 12, 28, 116, 122, 110);
        for number in [enospc, edquot, enfile, eio, enomem, estale, EFBIG, etimedout] {
            assert_eq!(io(number).exit, Exit::Temporary, "{number}");
        }
        let (enoent, eacces, erofs, enametoolong) = (2, 13, 30, 36);
        for number in [EMFILE, enametoolong, EBADF, enoent, eacces, erofs] {
            assert_eq!(io(number).exit, Exit::Data, "{number}");
        }
    }

    #[test]
    fn too_many_open_files_say_what_allows_more() {
        let error = io(EMFILE);
        assert_eq!(error.message, "/a: Too many open files");
        assert!(error.hint.is_some_and(|hint| hint.contains("ulimit -n")));
    }
}
