//! From the bytes of a file to lines of the output.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use json_fields::{validate, write_string};
use memchr::memchr_iter;
use millpipe::{Mark, Out, PREFIX, push_as_data, without_byte_order_mark};

use crate::cli::Cli;
use crate::content::Limits;

/// So much of an over-long line is shown.
const SHOWN_BYTES: usize = 80;

/// What a line of the output is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Text,
    Envelope,
}

/// Where bytes come from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    pub file: &'a str,
    /// Of the first byte.
    pub offset: u64,
}

/// How much was taken of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub bytes: usize,
    /// There is another whole line, which is not for this turn.
    pub is_full: bool,
}

pub struct LineWriter {
    form: Form,
    marks: bool,
    line_bytes_max: usize,
    limits: Limits,
    lines_left: u64,
    /// Whose turn it is.
    part: String,
    /// The part that the last from mark named.
    marked: String,
}

impl LineWriter {
    pub fn new(cli: &Cli) -> Self {
        let form = match (cli.text, cli.envelope) {
            (true, _) => Form::Text,
            (_, true) => Form::Envelope,
            _ => Form::Json,
        };
        Self {
            form,
            marks: cli.marks || cli.exactly_once.exactly_once,
            line_bytes_max: cli.input.max_line.as_usize(),
            limits: cli.limits(),
            lines_left: cli.count.unwrap_or(u64::MAX),
            part: String::new(),
            marked: String::new(),
        }
    }

    /// All lines that are wanted are written.
    pub fn is_done(&self) -> bool {
        self.lines_left == 0
    }

    /// What is written next comes from this part.
    pub fn turn_to(&mut self, part: &str) {
        if self.part != part {
            part.clone_into(&mut self.part);
        }
    }

    /// Makes a part known before its first line.
    pub fn announce(&mut self, part: &str, out: &mut Out) {
        part.clone_into(&mut self.part);
        self.mark_part(out);
    }

    /// There is nothing to read in a part now, or `is_final`ly.
    pub fn idle(&mut self, part: &str, is_final: bool, out: &mut Out) {
        if self.marks {
            out.mark(&Mark::idle(part, is_final));
        }
    }

    /// Takes whole lines, as many as fit into `room` bytes; one at least, if `first`.
    pub fn give(&mut self, bytes: &[u8], room: usize, first: bool, origin: Origin<'_>, out: &mut Out) -> Taken {
        let (mut taken, mut run, mut limit) = (0, Run::default(), if first { usize::MAX } else { room });
        let plain_max = if self.form == Form::Json { self.line_bytes_max } else { 0 };
        for end in memchr_iter(b'\n', bytes) {
            if end >= limit || run.lines == self.lines_left {
                self.write_run(bytes, &mut run, taken, out);
                return Taken { bytes: taken, is_full: true };
            }
            let line = &bytes[taken..end];
            if line.len() <= plain_max && is_plain(line) {
                run.lines += 1;
            } else {
                self.write_run(bytes, &mut run, taken, out);
                self.line(line, Origin { offset: origin.offset + taken as u64, ..origin }, out);
                run.start = end + 1;
            }
            (taken, limit) = (end + 1, room);
        }
        self.write_run(bytes, &mut run, taken, out);
        Taken { bytes: taken, is_full: false }
    }

    fn write_run(&mut self, bytes: &[u8], run: &mut Run, end: usize, out: &mut Out) {
        if run.lines > 0 {
            self.mark_part(out);
            out.block(&bytes[run.start..end], run.lines);
            self.lines_left -= run.lines;
        }
        *run = Run { start: end, lines: 0 };
    }

    /// One line without its newline.
    pub fn line(&mut self, line: &[u8], origin: Origin<'_>, out: &mut Out) {
        let line = if origin.offset == 0 { without_byte_order_mark(line) } else { line };
        let is_blank = self.form != Form::Text && line.iter().all(u8::is_ascii_whitespace);
        if is_blank || self.is_done() {
            return;
        }
        if line.len() > self.line_bytes_max {
            return self.too_long(line, origin, out);
        }
        self.mark_part(out);
        match self.form {
            Form::Json => push_as_data(line, out.buffer()),
            Form::Envelope => write_envelope(line, origin, out.buffer()),
            Form::Text => match std::str::from_utf8(line) {
                Ok(text) => write_string(text, out.buffer()),
                Err(error) => {
                    let why = format!("not UTF-8 at byte {} of the line", error.valid_up_to());
                    return out.bad(place(origin), why, line);
                }
            },
        }
        out.end_line();
        self.lines_left -= 1;
    }

    /// Whether a blank line is a line.
    pub fn takes_blank_lines(&self) -> bool {
        self.form == Form::Text
    }

    /// Whether these bytes, without a newline, are more than blanks.
    pub fn is_line(&self, bytes: &[u8], offset: u64) -> bool {
        let bytes = if offset == 0 { without_byte_order_mark(bytes) } else { bytes };
        !bytes.is_empty() && (self.form == Form::Text || !bytes.iter().all(u8::is_ascii_whitespace))
    }

    /// Whether a line that ends here can be whole. Of text nobody knows.
    pub fn is_whole(&self, line: &[u8]) -> bool {
        self.form != Form::Json || validate(without_byte_order_mark(line)).is_ok()
    }

    /// Whether a line that ends here must be whole: JSON that nothing but blanks can follow. A number can go on.
    pub fn is_closed(&self, line: &[u8]) -> bool {
        let line = without_byte_order_mark(line);
        let first = line.iter().find(|byte| !byte.is_ascii_whitespace());
        self.form != Form::Text && matches!(first, Some(b'{' | b'[' | b'"')) && validate(line).is_ok()
    }

    /// What came after a line that was taken without its newline, up to that: blanks, or a bad line.
    pub fn rest_of_taken(&mut self, rest: &[u8], origin: Origin<'_>, out: &mut Out) {
        if rest.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let shown = if rest.len() > self.line_bytes_max { &rest[..SHOWN_BYTES.min(rest.len())] } else { rest };
        self.mark_part(out);
        let why =
            "the rest of a line whose start was taken as a line: it had no newline, and nobody seemed to go on with it";
        out.bad(place(origin), why, shown);
    }

    /// What reading may take.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Above which length a line is bad.
    pub fn line_bytes_max(&self) -> usize {
        self.line_bytes_max
    }

    /// A line that is too long, of which this is the start.
    pub fn too_long(&mut self, start: &[u8], origin: Origin<'_>, out: &mut Out) {
        let why = format!("a line longer than {} bytes (--max-line)", self.line_bytes_max);
        let shown = start.len().min(SHOWN_BYTES).min(self.line_bytes_max);
        self.mark_part(out);
        out.bad(place(origin), why, &start[..shown]);
    }

    fn mark_part(&mut self, out: &mut Out) {
        if self.marks && self.marked != self.part {
            self.part.clone_into(&mut self.marked);
            out.mark(&Mark::from_part(&self.part));
        }
    }
}

/// Surely neither blank nor like a mark, and no byte order mark before it: most lines are such, and are written as they are.
#[inline]
fn is_plain(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'!'..0xef)) && !line.starts_with(PREFIX)
}

/// Lines that follow each other and are written as they are.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    start: usize,
    lines: u64,
}

fn place(origin: Origin<'_>) -> String {
    format!("{}, byte {}", origin.file, origin.offset)
}

fn write_envelope(line: &[u8], origin: Origin<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"file\":");
    write_string(origin.file, out);
    out.extend_from_slice(format!(",\"offset\":{},", origin.offset).as_bytes());
    match std::str::from_utf8(line) {
        Ok(_) if validate(line).is_ok() => {
            out.extend_from_slice(b"\"value\":");
            out.extend_from_slice(line);
        }
        Ok(text) => {
            out.extend_from_slice(b"\"value_text\":");
            write_string(text, out);
        }
        Err(_) => {
            out.extend_from_slice(b"\"value_base64\":\"");
            out.extend_from_slice(STANDARD.encode(line).as_bytes());
            out.push(b'"');
        }
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use millpipe::{OnError, Policy, Rejects};

    const ORIGIN: Origin<'_> = Origin { file: "f", offset: 100 };

    fn writer(flags: &str) -> LineWriter {
        let arguments = ["file-cat-in", "f"].into_iter().chain(flags.split_whitespace());
        LineWriter::new(&Cli::try_parse_from(arguments).unwrap())
    }

    fn out() -> Out {
        let policy = Policy { on_error: Some(OnError::Reject), ..Policy::default() };
        Out::new(&policy, Rejects::in_memory("file-cat-in"))
    }

    fn written(flags: &str, bytes: &[u8]) -> String {
        let mut out = out();
        let taken = writer(flags).give(bytes, usize::MAX, true, ORIGIN, &mut out);
        assert_eq!(taken, Taken { bytes: bytes.len(), is_full: false });
        let text = String::from_utf8(out.take()).unwrap();
        assert_eq!(out.counts().lines_out, text.lines().filter(|line| !line.starts_with("{\"$\":")).count() as u64);
        text
    }

    #[test]
    fn lines_pass_as_they_are_but_for_blank_ones_and_those_like_marks() {
        let input = b"{\"a\": 1.50}\n\n  \t\r\n {\"b\":2}\r\n{\"$\":\"end\"}\n17\n{}\n";
        assert_eq!(written("", input), "{\"a\": 1.50}\n {\"b\":2}\r\n{ \"$\":\"end\"}\n17\n{}\n");
    }

    #[test]
    fn a_byte_order_mark_is_left_out_where_a_file_begins() {
        for (flags, expected) in [("", "1\n\u{feff}2\n"), ("--text", "\"1\"\n\"\u{feff}2\"\n")] {
            let (mut writer, mut out) = (writer(flags), out());
            writer.give(
                "\u{feff}1\n\u{feff}2\n".as_bytes(),
                usize::MAX,
                true,
                Origin { offset: 0, ..ORIGIN },
                &mut out,
            );
            assert_eq!(String::from_utf8(out.take()).unwrap(), expected, "{flags}");
        }
    }

    #[test]
    fn text_becomes_strings_empty_lines_too() {
        assert_eq!(
            written("--text", "a \"b\"\n\n{\"$\":1}\né\n".as_bytes()),
            "\"a \\\"b\\\"\"\n\"\"\n\"{\\\"$\\\":1}\"\n\"é\"\n"
        );
        let mut out = out();
        writer("--text").give(b"ok\nab\xff\n", usize::MAX, true, ORIGIN, &mut out);
        assert_eq!(out.take(), b"\"ok\"\n");
        assert!(out.rejects().take()[0].contains("\"why\":\"not UTF-8 at byte 2 of the line\",\"at\":\"f, byte 103\""));
    }

    #[test]
    fn an_envelope_says_where_a_line_was_and_keeps_any_bytes() {
        let expected = "{\"file\":\"f\",\"offset\":100,\"value\":{\"$\":1.0}}\n\
                        {\"file\":\"f\",\"offset\":111,\"value_text\":\"x y\"}\n\
                        {\"file\":\"f\",\"offset\":115,\"value_base64\":\"/w==\"}\n";
        assert_eq!(written("--envelope", b"{\"$\":1.0}\n\nx y\n\xff\n"), expected);
    }

    #[test]
    fn a_turn_takes_whole_lines_and_one_at_least() {
        let (mut writer, mut out) = (writer(""), out());
        let bytes = b"12\n345\n6\n";
        assert_eq!(writer.give(bytes, 7, true, ORIGIN, &mut out), Taken { bytes: 7, is_full: true });
        assert_eq!(writer.give(bytes, 6, true, ORIGIN, &mut out), Taken { bytes: 3, is_full: true });
        assert_eq!(writer.give(bytes, 1, true, ORIGIN, &mut out), Taken { bytes: 3, is_full: true });
        assert_eq!(writer.give(bytes, 1, false, ORIGIN, &mut out), Taken { bytes: 0, is_full: true });
        assert_eq!(out.take(), b"12\n345\n12\n12\n");
    }

    #[test]
    fn no_more_lines_than_wanted_are_taken() {
        let (mut writer, mut out) = (writer("-c 2"), out());
        assert_eq!(writer.give(b"\n1\n\n2\n3\n", 99, true, ORIGIN, &mut out), Taken { bytes: 6, is_full: true });
        assert!(writer.is_done());
        assert_eq!(out.take(), b"1\n2\n");
    }

    #[test]
    fn a_line_above_the_limit_is_bad_and_shown_in_part() {
        let mut out = out();
        let bytes = b"1\n12345678901\n1234567890\n";
        writer("--max-line 10B").give(bytes, 99, true, ORIGIN, &mut out);
        assert_eq!(out.take(), b"1\n1234567890\n");
        let reject = &out.rejects().take()[0];
        assert!(
            reject
                .contains("a line longer than 10 bytes (--max-line)\",\"at\":\"f, byte 102\",\"line\":\"1234567890\"")
        );
    }

    #[test]
    fn a_part_is_marked_before_its_first_line() {
        let (mut writer, mut out) = (writer("--marks"), out());
        writer.turn_to("a");
        writer.give(b"\n", 99, true, ORIGIN, &mut out);
        writer.turn_to("b");
        writer.give(b"1\n", 99, true, ORIGIN, &mut out);
        writer.turn_to("b");
        writer.give(b"2\n", 99, true, ORIGIN, &mut out);
        assert_eq!(out.take(), b"{\"$\":\"from\",\"part\":\"b\"}\n1\n2\n");
    }
}
