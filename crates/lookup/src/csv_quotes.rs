//! Quotes of a CSV. The `csv` crate takes any text: a quote that is never closed swallows all rows behind it, and one
//! that a later quote closes the rows in between.

use std::io::{self, Read};

/// Passes a CSV on, and fails where a quote is not closed or has text behind it.
pub struct CheckedQuotes<R> {
    from: R,
    delimiter: u8,
    state: State,
    /// What may still come of a byte order mark.
    byte_order_mark: &'static [u8],
    line: u64,
    /// The line of the last quote that opened a field.
    opened: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Where a field begins: only here a quote opens it.
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted field, which closes it unless another one follows.
    Closed,
}

impl<R: Read> CheckedQuotes<R> {
    pub fn new(from: R, delimiter: u8) -> CheckedQuotes<R> {
        CheckedQuotes { from, delimiter, state: State::Start, byte_order_mark: b"\xef\xbb\xbf", line: 1, opened: 0 }
    }

    fn take(&mut self, byte: u8) -> io::Result<()> {
        match self.byte_order_mark {
            [first, rest @ ..] if *first == byte => {
                self.byte_order_mark = rest;
                return Ok(());
            }
            _ => self.byte_order_mark = b"",
        }
        self.state = match (self.state, byte) {
            (State::Start, b'"') => {
                self.opened = self.line;
                State::Quoted
            }
            (State::Quoted, b'"') => State::Closed,
            (State::Quoted, _) | (State::Closed, b'"') => State::Quoted,
            (_, b'\n' | b'\r') => State::Start,
            (_, byte) if byte == self.delimiter => State::Start,
            (State::Closed, _) => return Err(self.wrong("has text behind it where it is closed")),
            (State::Start | State::Plain, _) => State::Plain,
        };
        self.line += u64::from(byte == b'\n');
        Ok(())
    }

    fn wrong(&self, why: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("line {}: the quote that opens here {why}", self.opened))
    }
}

impl<R: Read> Read for CheckedQuotes<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.from.read(into)?;
        if bytes == 0 && !into.is_empty() && self.state == State::Quoted {
            return Err(self.wrong("is never closed"));
        }
        into[..bytes].iter().try_for_each(|byte| self.take(*byte))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<String, String> {
        // In small pieces, so that every place is a seam.
        let mut from = io::BufReader::with_capacity(1, text.as_bytes());
        let mut out = String::new();
        let read = CheckedQuotes::new(&mut from, b',').read_to_string(&mut out);
        read.map(|_| out).map_err(|error| error.to_string())
    }

    #[test]
    fn a_csv_with_good_quotes_passes_unchanged() {
        for text in [
            "",
            "a,b\n1,\"two\"\n",
            "\u{feff}\"a\",b\r\n\"1\r\n2\",\"\"\r\n",
            "a\n\"say \"\"so\"\"\"",
            "a\n5\" disk\n \"x\" y\n",
            "\"\"\"\"\r\"a\"",
        ] {
            assert_eq!(checked(text), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told_with_its_line() {
        let open = |line: u32| Err(format!("line {line}: the quote that opens here is never closed"));
        assert_eq!(checked("ver,name\n1.1,\"Old\n2.2,New\n"), open(2));
        assert_eq!(checked("a,\"b\nc\",\"d\n"), open(2));
        assert_eq!(checked("\u{feff}\"a,b\n1,2\n"), open(1));
        assert_eq!(checked("a\n1\n\"x\"\""), open(3));
        assert_eq!(checked("a\n1\n\""), open(3));
    }

    #[test]
    fn a_quote_that_a_later_one_closes_is_told_with_its_line() {
        let why = "line 2: the quote that opens here has text behind it where it is closed";
        assert_eq!(checked("ver,name\n1.1,\"Old\n2.2,\"New\"\n"), Err(why.to_owned()));
        assert_eq!(checked("a\n\"x\" y\n"), Err(why.to_owned()));
    }
}
