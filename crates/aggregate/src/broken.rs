//! What ends a merge of spilled keys.

use millpipe::{Error, Fault};

/// Ends a merge.
pub struct Broken(pub Fault);

impl Broken {
    /// What was written by us, and had the right checksum.
    #[cold]
    pub fn unreadable() -> Broken {
        Broken(Error::data("spilled keys: a state without its parts").into())
    }
}

impl From<sorted_runs::Error> for Broken {
    fn from(error: sorted_runs::Error) -> Broken {
        let error = match &error {
            sorted_runs::Error::Io { place, source } => cannot_spill(place, source),
            sorted_runs::Error::Damaged { .. } => Error::temporary(format_args!("spilled keys: {error}")),
        };
        Broken(error.into())
    }
}

impl From<Broken> for Fault {
    fn from(Broken(fault): Broken) -> Fault {
        fault
    }
}

/// Keys cannot be sent to disk.
pub fn cannot_spill(place: &str, source: &std::io::Error) -> Error {
    Error::io(format_args!("keys beyond --memory cannot go to {place}"), source)
        .hint("--spill-dir DIR takes another folder, a larger --memory needs less of it")
}
