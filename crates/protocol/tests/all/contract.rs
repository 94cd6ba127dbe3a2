//! The contract of the stream, on the state machine that keeps it: no process, no pipe.

use std::io::{self, BufRead, Write};

use proptest::prelude::*;
use protocol::{Config, Driver, OnError, Out, Rejects, Stage, Stateful};
use stream::{Error, Exit, Fault, Mark};

/// Numbers its lines, holds none, and takes `bad` for a bad line.
#[derive(Default)]
struct Numbering {
    lines: u64,
    ended: bool,
}

impl Stage for Numbering {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        out.mark(&Mark::new("started"));
        Ok(())
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        if line == b"bad" {
            return Err(Fault::bad("it says so"));
        }
        self.lines += 1;
        write!(out.buffer(), "{} ", self.lines).unwrap();
        out.line(line);
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.ended = true;
        out.buffer().extend_from_slice(b"flushed");
        out.end_result();
        Ok(())
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Numbering {
    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        writeln!(to, "{}", self.lines)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let mut text = String::new();
        from.read_line(&mut text).map_err(Error::data)?;
        self.lines = text.trim().parse().map_err(Error::data)?;
        Ok(())
    }
}

fn driver(config: Config) -> Driver<Numbering> {
    Driver::new(Numbering::default(), config, Rejects::in_memory("numbering"))
}

fn run(input: &str) -> (String, Result<(), Fault>) {
    let mut driver = driver(Config::new("numbering"));
    let result = driver.feed(input.as_bytes()).and_then(|()| driver.finish());
    (String::from_utf8(driver.out.take()).unwrap(), result)
}

fn stopped(input: &str) -> Error {
    match run(input).1 {
        Err(Fault::Stop(error)) => error,
        other => panic!("{other:?}"),
    }
}

const HELLO: &str = "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":3}\n";

#[test]
fn the_end_of_a_plain_stream_flushes() {
    assert_eq!(run("a\nb\n").0, "{\"$\":\"started\"}\n1 a\n2 b\nflushed\n");
    assert_eq!(run("").0, "{\"$\":\"started\"}\nflushed\n");
}

#[test]
fn a_checked_stream_passes_hello_barrier_and_end_with_its_own_counts() {
    let (out, result) = run(&format!(
        "{HELLO}a\nb\n{{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":2,\"hops\":[\"src\"],\"at\":7}}\nc\n{{\"$\":\"end\",\"lines\":1,\"drain\":true}}\n"
    ));
    assert_eq!(result, Ok(()));
    assert_eq!(
        out,
        "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":4}\n{\"$\":\"started\"}\n1 a\n2 b\n\
         {\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":2,\"hops\":[\"src\",\"numbering\"],\"at\":7}\n3 c\nflushed\n\
         {\"$\":\"end\",\"lines\":2,\"drain\":true}\n"
    );
}

#[test]
fn an_end_without_drain_flushes_nothing() {
    let (out, result) = run(&format!("{HELLO}a\n{{\"$\":\"end\",\"lines\":1,\"drain\":false}}\n"));
    assert_eq!(result, Ok(()));
    assert!(!out.contains("flushed"), "{out}");
}

#[test]
fn a_checked_stream_without_end_was_cut_short() {
    let error = stopped(&format!("{HELLO}a\n"));
    assert_eq!((error.exit, error.message.as_str()), (Exit::Temporary, "the stream was cut short without an end mark"));
    let error = stopped(&format!("{HELLO}a\nb"));
    assert_eq!(error.message, "the stream was cut short in the middle of a line");
}

#[test]
fn a_stream_that_was_cut_in_its_hello_is_no_plain_one() {
    for torn in [&HELLO[..7], &HELLO[..20], HELLO.trim_end()] {
        let error = stopped(torn);
        assert_eq!(error.exit, Exit::Temporary, "{torn}");
        assert_eq!(error.message, "the stream was cut short in its first line");
    }
}

#[test]
fn a_difference_in_the_counts_names_both_neighbours() {
    let barrier = "{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":2,\"hops\":[\"src\",\"window\"]}\n";
    let error = stopped(&format!("{HELLO}a\n{barrier}"));
    assert_eq!(error.exit, Exit::Data);
    assert!(error.message.ends_with("a program between window and numbering dropped 1"), "{error}");
    let error = stopped(&format!("{HELLO}a\nb\nc\nd\n{barrier}"));
    assert!(error.message.ends_with("a program between window and numbering added 2"), "{error}");
}

#[test]
fn a_blank_line_is_no_line() {
    let end = |lines| format!("{{\"$\":\"end\",\"lines\":{lines},\"drain\":false}}\n");
    assert_eq!(run(&format!("{HELLO}a\n \t\n\nb\n{}", end(2))).1, Ok(()));
    let error = stopped(&format!("{HELLO}a\n\nb\n{}", end(3)));
    assert!(error.message.ends_with("dropped 1"), "a program that makes lines blank loses them: {error}");
}

#[test]
fn a_byte_order_mark_before_a_plain_stream_is_no_part_of_it() {
    assert_eq!(run("\u{feff}a\n\u{feff}b\n").0, "{\"$\":\"started\"}\n1 a\n2 \u{feff}b\nflushed\n");
    assert_eq!(run("\u{feff}").0, run("").0);
    assert_eq!(run("\u{feff}{\"$\":\"sonar\"}\n").0, run("{\"$\":\"sonar\"}\n").0);
}

#[test]
fn a_bad_line_leaves_what_was_before_it() {
    let (out, result) = run("a\nbad\nb\n");
    assert_eq!(out, "{\"$\":\"started\"}\n1 a\n");
    assert!(matches!(result, Err(Fault::Stop(e)) if e.message == "line 2, byte 2: it says so"));
}

#[test]
fn a_checked_stream_carries_bad_lines_as_marks() {
    let (out, _) = run(&format!("{HELLO}bad\nb\n{{\"$\":\"end\",\"lines\":2,\"drain\":false}}\n"));
    let reject =
        "{\"$\":\"reject\",\"by\":\"numbering\",\"why\":\"it says so\",\"at\":\"line 2\",\"line\":\"bad\"}\n1 b\n";
    assert!(out.contains(reject), "{out}");
}

#[test]
fn a_line_over_the_limit_is_a_bad_line() {
    let mut config = Config::new("numbering");
    config.line_bytes_max = 4;
    config.policy.on_error = Some(OnError::Skip);
    let mut driver = driver(config);
    for chunk in ["ab\ntoo l", "ong\ncd", "\n"] {
        driver.feed(chunk.as_bytes()).unwrap();
    }
    driver.finish().unwrap();
    assert!(driver.out.take().ends_with(b"1 ab\n2 cd\nflushed\n"));
    assert_eq!(driver.counts().0.rejected, 1);
}

#[test]
fn what_follows_the_end_is_an_error() {
    let error = stopped(&format!("{HELLO}{{\"$\":\"end\",\"lines\":0,\"drain\":true}}\nx\n"));
    assert!(error.message.contains("follows the end mark"), "{error}");
}

#[test]
fn a_line_over_the_limit_behind_the_end_is_that_error_too() {
    let mut config = Config::new("numbering");
    config.line_bytes_max = 100;
    let mut driver = driver(config);
    driver.feed(format!("{HELLO}{{\"$\":\"end\",\"lines\":0,\"drain\":true}}\n").as_bytes()).unwrap();
    let result = driver.feed("x".repeat(200).as_bytes());
    assert!(matches!(&result, Err(Fault::Stop(e)) if e.message.contains("follows the end mark")), "{result:?}");
}

proptest! {
    #[test]
    fn chunks_make_no_difference(
        items in proptest::collection::vec("[a-z]{0,6}|bad|\\{\"\\$\":\"sonar\"\\}", 0..20),
        checked in any::<bool>(),
        chunk in 1usize..40,
    ) {
        let lines = items.iter().filter(|i| !i.is_empty() && !i.starts_with('{')).count();
        let body: String = items.iter().map(|i| format!("{i}\n")).collect();
        let input = if checked { format!("{HELLO}{body}{{\"$\":\"end\",\"lines\":{lines},\"drain\":true}}\n") } else { body };
        let (whole, result) = run(&input);
        let mut driver = driver(Config::new("numbering"));
        let mut chunked = Ok(());
        for part in input.as_bytes().chunks(chunk) {
            chunked = chunked.and_then(|()| driver.feed(part));
        }
        chunked = chunked.and_then(|()| driver.finish());
        prop_assert_eq!(String::from_utf8(driver.out.take()).unwrap(), whole);
        prop_assert_eq!(chunked, result);
    }
}

#[test]
fn blank_lines_before_a_hello_and_after_an_end_are_no_lines() {
    let end = "{\"$\":\"end\",\"lines\":1,\"drain\":true}\n";
    let plain = run(&format!("{HELLO}a\n{end}"));
    assert_eq!(plain.1, Ok(()));
    assert_eq!(run(&format!("\n \r\n{HELLO}\na\n\t\n{end}\n  \n")), plain);
}
