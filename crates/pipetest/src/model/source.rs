//! The text of a file of tests: which line a place in it is in.

use std::ops::Range;
use std::path::{Path, PathBuf};

use millpipe::Error;

/// A file and its text.
#[derive(Clone, Debug)]
pub struct SourceText {
    pub path: PathBuf,
    pub text: String,
}

impl SourceText {
    /// The number of the line that a byte is in, from 1.
    #[must_use]
    pub fn line_of(&self, byte: usize) -> usize {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    /// The number of the line where the content of a text begins that is written there: after `'''` and a line's end it is the next.
    #[must_use]
    pub fn first_line_of(&self, span: &Range<usize>) -> usize {
        let token = self.text.get(span.clone()).unwrap_or_default();
        let body = token.strip_prefix("'''").or_else(|| token.strip_prefix("\"\"\"")).unwrap_or_default();
        let starts_below = body.starts_with('\n') || body.starts_with("\r\n");
        self.line_of(span.start) + usize::from(starts_below)
    }

    /// The folder that paths in the file begin at.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    /// What is wrong, with the file and the line.
    #[must_use]
    pub fn error(&self, byte: usize, what: impl std::fmt::Display) -> Error {
        Error::usage(format_args!("{}:{}: {what}", self.path.display(), self.line_of(byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_by_its_line() {
        let text = "a = 1\nb = '''\nx\n'''\nc = \"y\"\n".to_owned();
        let source = SourceText { path: "t.pipetest.toml".into(), text };
        assert_eq!((source.line_of(0), source.line_of(6), source.line_of(9999)), (1, 2, 6));
        let long = source.text.find("'''").unwrap();
        assert_eq!(source.first_line_of(&(long..long + 9)), 3);
        let short = source.text.find("\"y").unwrap();
        assert_eq!(source.first_line_of(&(short..short + 3)), 5);
        assert_eq!(source.error(6, "no such thing").message, "t.pipetest.toml:2: no such thing");
    }
}
