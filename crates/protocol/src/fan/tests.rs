//! The state machines, without pipes.

use proptest::prelude::*;
use stream::{Error, Exit, Fault, Mark};

use super::fan_in::{Confluence, FanIn, Origin};
use super::fan_out::{FanOut, Route};
use super::turns::{Ordered, Turns};
use crate::config::Config;
use crate::driver::Driver;
use crate::rejects::Rejects;

/// Writes down what comes.
#[derive(Default)]
struct Book {
    text: String,
}

impl Confluence for Book {
    fn item(&mut self, from: Origin, line: &[u8]) -> Result<(), Fault> {
        self.text += &format!("{}:{} ", from.input, String::from_utf8_lossy(line));
        Ok(())
    }

    fn too_long(&mut self, from: Origin, shown: &[u8]) -> Result<(), Fault> {
        self.text += &format!("{}:{}… ", from.input, String::from_utf8_lossy(shown));
        Ok(())
    }

    fn aligned(&mut self, mark: Mark) -> Result<(), Fault> {
        self.text += &format!("{mark} ");
        Ok(())
    }

    fn input_ended(&mut self, input: usize) -> Result<(), Fault> {
        self.text += &format!("{input}! ");
        Ok(())
    }
}

fn fan_in(inputs: usize) -> FanIn {
    FanIn::new((0..inputs).map(|n| format!("in {n}")).collect(), "merge", 200)
}

/// Chunks with their input; an empty one is the end of its file.
fn flow(inputs: usize, chunks: &[(usize, &str)]) -> Result<String, Error> {
    let (mut fan_in, mut book) = (fan_in(inputs), Book::default());
    for (input, chunk) in chunks {
        let result = match chunk.is_empty() {
            true => fan_in.finish(*input, &mut book),
            false => fan_in.feed(*input, chunk.as_bytes(), &mut book),
        };
        result.map_err(|fault| match fault {
            Fault::Stop(error) => error,
            other => panic!("{other:?}"),
        })?;
    }
    Ok(book.text.trim_end().to_owned())
}

fn failure(inputs: usize, chunks: &[(usize, &str)]) -> Error {
    flow(inputs, chunks).unwrap_err()
}

const HELLO: &str = "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":3}\n";

fn barrier(id: u32, lines: usize, hop: &str) -> String {
    format!(
        "{{\"$\":\"barrier\",\"id\":\"r.{id}\",\"lines\":{lines},\"hops\":[\"src\",\"{hop}\"],\"snapshots\":[\"1-src\",\"2-{hop}\"]}}\n"
    )
}

fn end(lines: usize) -> String {
    format!("{{\"$\":\"end\",\"lines\":{lines},\"drain\":true}}\n")
}

#[test]
fn lines_of_plain_inputs_come_as_they_are_given() {
    let text = flow(2, &[(0, "a\nb"), (1, "x\n"), (0, "c\n"), (1, "y"), (0, ""), (1, "")]);
    assert_eq!(text.unwrap(), "0:a 1:x 0:bc 0! 1:y 1!");
}

#[test]
fn each_plain_input_may_begin_with_a_byte_order_mark() {
    let text = flow(2, &[(0, "\u{feff}a\n\u{feff}b\n"), (1, "\u{feff}x"), (0, ""), (1, "")]);
    assert_eq!(text.unwrap(), "0:a 0:\u{feff}b 0! 1:x 1!");
}

#[test]
fn blank_lines_of_a_checked_input_do_not_count() {
    let ok = format!("{HELLO}1\n\n \n2\n{}", end(2));
    assert!(flow(1, &[(0, &ok), (0, "")]).is_ok());
    let error = failure(1, &[(0, &format!("{HELLO}1\n\n{}", end(2)))]);
    assert!(error.message.ends_with("dropped 1"), "{error}");
}

#[test]
fn a_barrier_waits_for_all_inputs_and_what_is_behind_it_too() {
    let (a, b) = (barrier(1, 2, "a"), barrier(1, 1, "b"));
    let first = format!("{HELLO}1\n2\n{a}3\n");
    let (mut fan_in, mut book) = (fan_in(2), Book::default());
    fan_in.feed(0, first.as_bytes(), &mut book).unwrap();
    assert_eq!(book.text, "", "hello waits");
    assert!(!fan_in.wants(0) && fan_in.wants(1));
    fan_in.feed(1, format!("{HELLO}x\n").as_bytes(), &mut book).unwrap();
    assert!(!fan_in.wants(0), "input 0 is at its barrier");
    assert!(!book.text.contains("barrier") && !book.text.contains("0:3"), "{}", book.text);
    fan_in.feed(1, b.as_bytes(), &mut book).unwrap();
    assert!(fan_in.wants(0));
    assert_eq!(
        book.text,
        "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":3} 0:1 0:2 1:x \
         {\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":3,\"hops\":[\"src\",\"a\",\"b\"],\"snapshots\":[\"1-src\",\"2-a\",\"2-b\"]} 0:3 "
    );
}

#[test]
fn the_end_comes_when_all_have_ended() {
    let chunks = [format!("{HELLO}1\n{}", end(1)), format!("{HELLO}{}", end(0))];
    let text = flow(2, &[(0, &chunks[0]), (0, ""), (1, &chunks[1]), (1, "")]).unwrap();
    // Behind it, an input that has ended is of no account.
    assert!(text.ends_with("0:1 {\"$\":\"end\",\"lines\":1,\"drain\":true}"), "{text}");
}

#[test]
fn the_end_of_a_file_without_an_end_mark_names_the_input() {
    for tail in ["", "x\n", "x"] {
        let second = format!("{HELLO}{tail}");
        let error = failure(2, &[(0, HELLO), (1, &second), (1, "")]);
        assert_eq!(error.exit, Exit::Temporary);
        assert!(error.message.starts_with("in 1: the stream was cut short"), "{error}");
    }
    for chunks in [[(0, HELLO), (1, "")], [(1, ""), (0, HELLO)]] {
        let error = failure(2, &chunks);
        assert_eq!(
            (error.exit, &error.message[..]),
            (Exit::Temporary, "in 1: the stream was cut short before its first line")
        );
    }
}

#[test]
fn inputs_that_do_not_belong_together_are_refused() {
    let other = HELLO.replace("\"r\"", "\"s\"");
    let error = failure(2, &[(0, HELLO), (1, &other)]);
    assert!(error.message.contains("in 0 is of run r, in 1 of run s: two sources"), "{error}");
    assert!(error.hint.unwrap().contains("one source must begin the pipe"));
    for chunks in [[(0, HELLO), (1, "x\n")], [(1, "x\n"), (0, HELLO)]] {
        let error = failure(2, &chunks);
        assert_eq!(error.exit, Exit::Data);
        assert!(error.message.contains("checked stream"), "{error}");
    }
    let (one, two) = (format!("{HELLO}{}", barrier(1, 0, "a")), format!("{HELLO}{}", barrier(2, 0, "a")));
    assert!(failure(2, &[(0, &one), (1, &two)]).message.contains("they are not of one source"));
    let ended = format!("{HELLO}{}", end(0));
    assert!(failure(2, &[(0, &one), (1, &ended)]).message.contains("they are not of one source"));
}

#[test]
fn each_input_is_counted_by_itself() {
    let lost = format!("{HELLO}1\n{}", barrier(1, 2, "a"));
    let error = failure(2, &[(0, HELLO), (1, &lost)]);
    assert!(
        error.message.ends_with(
            "in 1: line 3: a sent 2 lines since the last barrier, 1 arrived: a program between a and merge dropped 1"
        ) || error.message.starts_with("in 1: line 3: a sent 2 lines"),
        "{error}"
    );
    let behind = format!("{HELLO}{}x\n", end(0));
    assert!(failure(1, &[(0, &behind)]).message.contains("in 0: line 3: something follows the end mark"));
}

proptest! {
    /// However chunks are cut and take turns: each input's lines in their order, and no line on the wrong side of a barrier.
    #[test]
    fn lines_stay_in_their_epoch(
        epochs in proptest::collection::vec((0usize..5, 0usize..5), 1..5),
        turns in proptest::collection::vec((0usize..2, 1usize..60), 1..200),
    ) {
        let mut texts = [HELLO.to_owned(), HELLO.to_owned()];
        for (id, (a, b)) in epochs.iter().enumerate() {
            for (input, lines) in [(0, *a), (1, *b)] {
                (0..lines).for_each(|n| texts[input] += &format!("{id}.{n}\n"));
                texts[input] += &barrier(id as u32, lines, "a");
            }
        }
        texts.iter_mut().for_each(|text| *text += &end(0));
        let (mut fan_in, mut book, mut at) = (fan_in(2), Book::default(), [0, 0]);
        let rest = [(0, 10_000), (1, 10_000)].repeat(2 * epochs.len() + 4);
        for (input, bytes) in turns.into_iter().chain(rest) {
            let end = texts[input].len().min(at[input] + bytes);
            if fan_in.wants(input) && at[input] < end {
                fan_in.feed(input, &texts[input].as_bytes()[at[input]..end], &mut book).unwrap();
                at[input] = end;
            }
        }
        for input in [0, 1] {
            fan_in.finish(input, &mut book).unwrap();
        }
        prop_assert!(fan_in.is_over());
        let mut epoch = 0;
        for item in book.text.split(' ') {
            if item.contains("barrier") {
                let lines = epochs[epoch].0 + epochs[epoch].1;
                let (id, lines) = (format!("\"id\":\"r.{epoch}\""), format!("\"lines\":{lines},"));
                prop_assert!(item.contains(&id) && item.contains(&lines), "{}", item);
                epoch += 1;
            } else if let Some((_, line)) = item.split_once(':').filter(|_| !item.starts_with('{')) {
                prop_assert!(line.starts_with(&format!("{epoch}.")), "{} in epoch {}", item, epoch);
            }
        }
        prop_assert_eq!(epoch, epochs.len());
    }
}

/// Lines go where their first digit says.
struct ByDigit;

impl Route for ByDigit {
    fn shard(&mut self, line: &[u8]) -> Result<usize, Fault> {
        match line.first() {
            Some(digit) if digit.is_ascii_digit() => Ok(usize::from(digit - b'0')),
            _ => Err(Fault::bad("no digit")),
        }
    }

    fn flags(&self) -> String {
        String::new()
    }
}

/// What each shard gets.
fn divide(input: &str, shards: usize, turns: Option<Turns>) -> Driver<FanOut<ByDigit>> {
    let stage = FanOut::new(ByDigit, shards, turns);
    let mut driver = Driver::new(stage, Config::new("shard"), Rejects::in_memory("shard"));
    driver.feed(input.as_bytes()).unwrap();
    driver.finish().unwrap();
    driver.stage.send_marks(&mut driver.out).unwrap();
    driver
}

fn waiting(driver: &Driver<FanOut<ByDigit>>, shard: usize) -> String {
    String::from_utf8_lossy(driver.stage.ports[shard].waiting()).into_owned()
}

#[test]
fn each_line_goes_to_one_shard_and_each_mark_to_all_with_its_own_count() {
    let input = format!("{HELLO}0a\n1b\n1c\n{{\"$\":\"sonar\"}}\n0d\n{}1e\n{}", barrier(1, 4, "a"), end(1));
    let driver = divide(&input, 2, None);
    let hops = "\"hops\":[\"src\",\"a\",\"shard\"],\"snapshots\":[\"1-src\",\"2-a\"]";
    for (shard, lines, count, last, rest) in
        [(0, "0a\n{\"$\":\"sonar\"}\n0d\n", 2, "", 0), (1, "1b\n1c\n{\"$\":\"sonar\"}\n", 2, "1e\n", 1)]
    {
        assert_eq!(
            waiting(&driver, shard),
            format!(
                "{{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":4,\"shard\":\"{shard}\"}}\n{lines}\
                 {{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":{count},{hops}}}\n{last}\
                 {{\"$\":\"end\",\"lines\":{rest},\"drain\":true}}\n"
            )
        );
    }
    let (counts, held) = driver.counts();
    assert_eq!((counts.lines_in, counts.settled, held), (5, 5, 0));
}

#[test]
fn a_reject_goes_to_one_shard() {
    let driver = divide(&format!("{HELLO}bad\n0a\n{}", end(2)), 2, None);
    let rejects = |shard| waiting(&driver, shard).matches("\"reject\"").count();
    assert_eq!(rejects(0) + rejects(1), 1);
}

#[test]
fn several_partitions_are_warned_of_once() {
    let from = |part: &str| format!("{{\"$\":\"from\",\"part\":\"{part}\"}}\n");
    let warnings = |input: &str| divide(input, 2, None).out.rejects().warnings().len();
    assert_eq!(warnings(&format!("{}0a\n{}", from("x"), from("x"))), 0);
    assert_eq!(warnings(&format!("{}{}{}{}", from("x"), from("y"), from("x"), from("z"))), 1);
}

#[test]
fn shards_in_shards_have_numbers_behind_those_around_them() {
    let inner = HELLO.replace("\"hop\":3", "\"hop\":3,\"shard\":\"1\"");
    let driver = divide(&format!("{inner}{}", end(0)), 2, None);
    assert!(waiting(&driver, 0).contains("\"shard\":\"1.0\""));
}

/// What comes back, in chunks from shards, in order.
fn in_order(input: &str, chunks: &[(usize, &str)]) -> Result<String, Error> {
    let mut driver = divide(input, 2, Some(Turns::default()));
    let turns = driver.stage.turns.as_mut().unwrap();
    let (mut fan_in, mut book, mut ordered) = (fan_in(2), Book::default(), Ordered::new(2, 1000));
    for (shard, chunk) in chunks {
        let result = match chunk.is_empty() {
            true => ordered.finish(*shard, turns, &mut fan_in, &mut book),
            false => ordered.feed(*shard, chunk.as_bytes(), turns, &mut fan_in, &mut book),
        };
        match result {
            Err(Fault::Stop(error)) => return Err(error),
            other => other.unwrap(),
        }
    }
    Ok(book.text.trim_end().to_owned())
}

#[test]
fn lines_come_back_in_the_order_of_the_input() {
    let input = "0a\n1b\n1c\n{\"$\":\"sonar\"}\n0d\n";
    let sonar = "{\"$\":\"sonar\"}\n";
    let back = [
        (1, format!("B\nC\n{sonar}")),
        (0, "A".to_owned()),
        (0, format!("\n{sonar}D")),
        (1, String::new()),
        (0, String::new()),
    ];
    let back: Vec<(usize, &str)> = back.iter().map(|(shard, text)| (*shard, text.as_str())).collect();
    assert_eq!(in_order(input, &back).unwrap(), "0:A 1:B 1:C 0:{\"$\":\"sonar\"} 1:{\"$\":\"sonar\"} 1! 0:D 0!");
}

#[test]
fn a_shard_that_adds_or_drops_a_line_is_found() {
    let sonar = "{\"$\":\"sonar\"}\n";
    let input = format!("0a\n1b\n{sonar}");
    for (wrong, how) in
        [(format!("A\nA\n{sonar}"), "more"), (sonar.to_owned(), "fewer"), (format!("A\n{sonar}A\n"), "more")]
    {
        let error = in_order(&input, &[(1, &format!("B\n{sonar}")), (0, &wrong)]).unwrap_err();
        assert!(error.message.contains(&format!("shard 0 has written {how} lines")), "{how}: {error}");
    }
    let error = in_order("0a\n0b\n", &[(0, "A\n"), (0, "")]).unwrap_err();
    assert!(error.message.contains("fewer"), "{error}");
}

#[test]
fn a_reject_takes_the_turn_of_its_line() {
    let reject = "{\"$\":\"reject\",\"by\":\"x\"}\n";
    let text = in_order("0a\n1b\n0c\n", &[(0, &format!("{reject}C\n")), (1, "B\n")]).unwrap();
    assert_eq!(text, "0:{\"$\":\"reject\",\"by\":\"x\"} 1:B 0:C");
}

#[test]
fn a_shard_that_is_ahead_waits_when_there_is_no_room() {
    let mut driver = divide("0a\n1b\n1c\n", 2, Some(Turns::default()));
    let turns = driver.stage.turns.as_mut().unwrap();
    let (mut fan_in, mut book, mut ordered) = (fan_in(2), Book::default(), Ordered::new(2, 4));
    ordered.feed(1, b"B\nC\n", turns, &mut fan_in, &mut book).unwrap();
    assert!(ordered.is_full() && !ordered.has_room(1, turns) && ordered.has_room(0, turns));
    ordered.feed(0, b"A\n", turns, &mut fan_in, &mut book).unwrap();
    assert!(!ordered.is_full());
    assert_eq!(book.text, "0:A 1:B 1:C ");
}

#[test]
fn blank_lines_before_a_hello_and_after_an_end_are_no_lines() {
    let whole = |blank: &str| {
        let one = |n: usize| (n, format!("{blank}{HELLO}{n}{n}\n{blank}{}{blank}", end(1)));
        let [a, b] = [one(0), one(1)];
        flow(2, &[(a.0, &a.1), (b.0, &b.1), (0, ""), (1, "")]).unwrap()
    };
    assert_eq!(
        whole(" \n\n").replace("0: ", "").replace("1: ", "").split_whitespace().collect::<Vec<_>>(),
        whole("").split_whitespace().collect::<Vec<_>>()
    );
}
