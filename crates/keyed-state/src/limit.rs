//! How many keys there may be, and how much memory what is kept may take.

use std::num::NonZeroUsize;

use stream::Error;
use units::{ByteSize, parse_count};

/// Keys of a tool that keeps a little for each.
const KEYS_MAX: NonZeroUsize = NonZeroUsize::new(10_000_000).expect("it is not zero");

/// The flag `--max-keys`.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct KeyArgs {
    /// The most keys that are kept at a time; beyond it, stop
    #[arg(long, value_name = "N", default_value_t = KEYS_MAX, help_heading = "Limits", value_parser = parse_count::<NonZeroUsize>, allow_negative_numbers = true)]
    pub max_keys: NonZeroUsize,
}

impl KeyArgs {
    /// Returns the limit. `way` says, after how to allow more, what else keeps fewer keys; it may be empty.
    #[must_use]
    pub fn limit(self, way: &'static str) -> KeyLimit {
        KeyLimit { max: self.max_keys.get(), way }
    }
}

/// The most keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyLimit {
    max: usize,
    way: &'static str,
}

impl KeyLimit {
    /// Makes a limit, as [`KeyArgs::limit`].
    #[must_use]
    pub fn new(max: usize, way: &'static str) -> KeyLimit {
        KeyLimit { max, way }
    }

    /// Makes room for one more key.
    ///
    /// # Errors
    /// When there are as many keys as there may be.
    #[inline]
    pub fn check(self, keys: usize) -> Result<(), Error> {
        if keys < self.max { Ok(()) } else { Err(self.reached()) }
    }

    /// Says that what finds so many keys takes more than `--memory`.
    #[cold]
    #[must_use]
    pub fn memory_exceeded(self, keys: usize, memory: ByteSize) -> Error {
        Error::data(format_args!("finding {keys} keys on disk takes more than {memory}"))
            .hint(format_args!("--memory SIZE allows more{}", other_way(self.way)))
    }

    #[cold]
    fn reached(self) -> Error {
        Error::data(format_args!("more than {} keys", self.max))
            .hint(format_args!("--max-keys N allows more{}", other_way(self.way)))
    }
}

/// The most memory for what `--buffer` limits.
#[derive(Clone, Copy, Debug)]
pub struct BufferLimit {
    max: ByteSize,
    what: &'static str,
    way: &'static str,
}

impl BufferLimit {
    /// Makes a limit. `what` takes the memory, in the plural: `the best lines of all keys`. `way` says, after how to allow more,
    /// what else takes less; it may be empty.
    #[must_use]
    pub fn new(max: ByteSize, what: &'static str, way: &'static str) -> BufferLimit {
        BufferLimit { max, what, way }
    }

    /// Checks that so many bytes are not too many.
    ///
    /// # Errors
    /// When they are.
    #[inline]
    pub fn check(self, bytes: usize) -> Result<(), Error> {
        if bytes <= self.max.as_usize() { Ok(()) } else { Err(self.exceeded()) }
    }

    #[cold]
    fn exceeded(self) -> Error {
        Error::data(format_args!("{} take more than {}", self.what, self.max))
            .hint(format_args!("--buffer SIZE allows more{}", other_way(self.way)))
    }
}

fn other_way(way: &str) -> String {
    if way.is_empty() { String::new() } else { format!(", {way}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_says_what_to_do() {
        let limit = KeyLimit::new(2, "--within forgets old ones");
        assert_eq!(limit.check(1), Ok(()));
        let error = limit.check(2).unwrap_err();
        assert_eq!(error.message, "more than 2 keys");
        assert_eq!(error.hint.as_deref(), Some("--max-keys N allows more, --within forgets old ones"));
        let limit = BufferLimit::new(ByteSize(100), "the best lines of all keys", "");
        assert_eq!(limit.check(100), Ok(()));
        let error = limit.check(101).unwrap_err();
        assert_eq!(error.message, "the best lines of all keys take more than 100B");
        assert_eq!(error.hint.as_deref(), Some("--buffer SIZE allows more"));
    }
}
