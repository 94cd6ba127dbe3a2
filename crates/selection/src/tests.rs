use std::io::{self, BufRead, Write};

use millpipe::{Config, Error, Fault, Out, Stage, Stateful};
use testkit::{Played, every_way_with, play_with};

use crate::flag::WhereArgs;

/// Replaces each line by how many came to it.
#[derive(Default)]
struct Counter(u64);

impl Stage for Counter {
    fn line(&mut self, _line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.0 += 1;
        out.line(self.0.to_string().as_bytes());
        Ok(())
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Counter {
    fn flags(&self) -> String {
        "--count".to_owned()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        writeln!(to, "{}", self.0)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let mut text = String::new();
        from.read_line(&mut text).map_err(|error| Error::io("snapshot", &error))?;
        self.0 = text.trim().parse().map_err(Error::data)?;
        Ok(())
    }
}

fn config(filter: Option<&str>) -> Config {
    let args = WhereArgs { selection: filter.map(|filter| filter.parse().unwrap()) };
    args.select(Config::new("counter"))
}

fn counted(filter: Option<&str>, input: &str) -> Played {
    play_with(Counter::default(), config(filter), input)
}

const LINES: &str = "{\"kind\":\"bid\"}\n{ \"kind\":\"person\", \"n\":1.0 }\n{\"$\":\"idle\",\"part\":\"a\"}\n{\"kind\":\"bid\"}\n[1]\n";

#[test]
fn lines_that_are_not_selected_pass_unchanged_in_their_place() {
    let played = counted(Some("type == \"object\" and .kind == \"bid\""), LINES);
    assert_eq!(played.out, "1\n{ \"kind\":\"person\", \"n\":1.0 }\n{\"$\":\"idle\",\"part\":\"a\"}\n2\n[1]\n");
    assert_eq!((played.counts.lines_in, played.counts.settled), (4, 4));
}

#[test]
fn without_a_selection_all_lines_are_taken() {
    assert_eq!(counted(None, LINES).data(), "1\n2\n3\n4\n");
}

#[test]
fn a_line_on_which_the_filter_fails_is_bad() {
    let played = counted(Some(".kind.x"), "{\"kind\":{\"x\":false}}\n{\"kind\":7}\n");
    assert_eq!(played.out, "{\"kind\":{\"x\":false}}\n");
    let error = format!("{:?}", played.result);
    assert!(error.contains("line 2, byte 21: cannot index"), "{error}");
}

#[test]
fn a_snapshot_is_of_a_selection() {
    let flag = |filter| config(filter).selection.map(|selection| selection.flag());
    assert_eq!((flag(None), flag(Some(".kind"))), (None, Some(" --where '.kind'".to_owned())));
}

#[test]
fn every_way_of_running_gives_the_same_lines() {
    let line = |n: usize| format!("{{\"n\":{n},\"kind\":{:?}}}\n", ["bid", "person"][n * n / 3 % 2]);
    every_way_with(Counter::default, &config(Some(".kind == \"bid\"")), &(0..200).map(line).collect::<String>());
}
