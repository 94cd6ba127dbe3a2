use clap::Parser;
use millpipe::{
    Changes, Config, Counts, Driver, Error, Fault, Late, Mark, MarkKind, Merge, Out, Rejects, Stage, Stateful,
};
use proptest::prelude::*;
use testkit::{every_way, play_with};

use crate::by_time::ByTime;
use crate::cli::Cli;

fn stage(inputs: usize, flags: &str) -> ByTime {
    let names = ["a", "b", "c", "d"][..inputs].join(" ");
    let cli = Cli::parse_from(format!("merge --by-time --time t --max-ahead off {flags} {names}").split_whitespace());
    cli.check().unwrap();
    cli.sorted()
}

/// A stage whose lines and marks say which input they are of, as `of`; a mark `ended` is the end of an input.
struct Numbered(ByTime);

impl Numbered {
    fn turn_to(&mut self, text: &str) -> usize {
        let of = text.split_once("\"of\":").map_or(0, |(_, rest)| usize::from(rest.as_bytes()[0] - b'0'));
        self.0.at_input(of);
        of
    }
}

impl Stage for Numbered {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.turn_to(&String::from_utf8_lossy(line));
        self.0.line(line, out)
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        let of = self.turn_to(&mark.to_string());
        if mark.kind() == MarkKind::Other("ended") { self.0.input_ended(of, out) } else { self.0.mark(mark, out) }
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.0.end(out)
    }

    fn wake_at(&self) -> Option<i64> {
        self.0.wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.0.wake(out)
    }

    fn held(&self) -> u64 {
        self.0.held()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Numbered {
    fn flags(&self) -> String {
        self.0.flags()
    }

    fn snapshot(&self, to: &mut dyn std::io::Write) -> std::io::Result<()> {
        self.0.snapshot(to)
    }

    fn restore(&mut self, from: &mut dyn std::io::BufRead) -> Result<(), Error> {
        self.0.restore(from)
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.0.changes(to)
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.0.restore_entry(key, value)
    }
}

/// `0@5` is a line of input 0 at time 5; `0.` is its end; anything else a mark.
fn script(text: &str) -> String {
    let item = |item: &str| match (item.split_once('@'), item.strip_suffix('.')) {
        (Some((of, time)), _) => format!("{{\"of\":{of},\"t\":{time}}}\n"),
        (None, Some(of)) => format!("{{\"$\":\"ended\",\"of\":{of}}}\n"),
        (None, None) => format!("{item}\n"),
    };
    text.split(' ').map(item).collect()
}

/// Lines of the output as `0@5`, and the times of watermarks in brackets.
fn shown(out: &str) -> String {
    let line = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        match (value["$"].as_str(), value["time"].as_str()) {
            (None, _) => format!("{}@{}", value["of"], value["t"]),
            (Some("watermark"), Some(time)) => format!("[{}]", &time[14..19]),
            (Some(kind), _) => format!("[{kind}]"),
        }
    };
    out.lines().map(line).collect::<Vec<_>>().join(" ")
}

fn played(inputs: usize, flags: &str, text: &str) -> (String, Counts) {
    let mut config = Config::new("merge");
    config.policy.late = flags.contains("pass").then_some(Late::Pass);
    let played = play_with(Numbered(stage(inputs, flags)), config, &script(text));
    played.result.unwrap();
    (shown(&played.out), played.counts)
}

fn order(inputs: usize, flags: &str, text: &str) -> String {
    played(inputs, flags, text).0
}

#[test]
fn lines_come_in_the_order_of_time_and_equal_times_in_that_of_the_inputs() {
    assert_eq!(order(2, "", "1@1 1@2 1@2 0@1 0@2 0@2 0@3 1@3"), "0@1 1@1 0@2 0@2 1@2 1@2 0@3 1@3");
}

#[test]
fn a_line_waits_until_all_others_have_come_as_far() {
    let mut driver = Driver::new(Numbered(stage(3, "")), Config::new("merge"), Rejects::in_memory("merge"));
    let mut say = |text: &str| {
        driver.feed(script(text).as_bytes()).unwrap();
        (shown(&String::from_utf8(driver.out.take()).unwrap()), driver.stage.held())
    };
    assert_eq!(say("0@1 0@2 1@1"), (String::new(), 3));
    assert_eq!(say("2@1"), ("0@1 1@1".to_owned(), 2), "input 1 may still have a line at 1, which belongs before 2@1");
    assert_eq!(say("2@5 1@2"), ("2@1 0@2".to_owned(), 2));
    assert_eq!(say("0. 1."), ("1@2 2@5".to_owned(), 0));
}

#[test]
fn an_input_may_be_out_of_order_by_the_lateness() {
    assert_eq!(order(2, "--lateness 3s", "0@5 0@2 1@3 0@4 1@9 0@8 1@6 0@9 1@9"), "0@2 1@3 0@4 0@5 1@6 0@8 0@9 1@9 1@9");
}

#[test]
fn a_line_further_out_of_order_is_late() {
    let (out, counts) = played(2, "", "0@5 0@4 1@9 1@9");
    assert_eq!((&out[..], counts.late), ("0@5 1@9 1@9", 1));
    let (out, counts) = played(2, "--late pass", "0@5 0@4 1@9 1@9");
    assert_eq!((&out[..], counts.late_passed), ("0@4 0@5 1@9 1@9", 1));
}

#[test]
fn watermarks_of_the_inputs_move_time_too_and_the_least_is_written_behind_what_it_frees() {
    let null = "{\"$\":\"watermark\",\"of\":0}";
    let at = |of: u32, second: u32| {
        format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:{second:02}Z\",\"of\":{of}}}")
    };
    let text = format!("{null} 0@3 1@4 1@8 {} 0@7 {}", at(0, 5), at(0, 9));
    // An input with watermark marks has its time from them alone.
    assert_eq!(order(2, "", &text), "[watermark] 0@3 1@4 [00:05] 0@7 1@8 [00:08]");
}

#[test]
fn an_input_whose_partitions_are_all_over_holds_nothing_back() {
    let from = "{\"$\":\"from\",\"part\":\"p\",\"of\":0}";
    let idle = |last: bool| format!("{{\"$\":\"idle\",\"part\":\"p\",\"final\":{last},\"of\":0}}");
    assert_eq!(
        order(2, "", &format!("{from} 0@1 1@5 1@6 {} 1@7", idle(true))),
        "[watermark] 0@1 [00:01] 1@5 1@6 [00:06] 1@7 [00:07]"
    );
    let (out, counts) = played(2, "", &format!("{from} 1@5 {} 1@6 {from} 0@4 0@6 1@7", idle(true)));
    assert_eq!(counts.late, 1, "0@4 comes when later lines have been written: {out}");
}

#[test]
fn an_input_that_is_idle_for_now_is_waited_for_some_time() {
    let mut driver = Driver::new(Numbered(stage(2, "--idle 10s")), Config::new("merge"), Rejects::in_memory("merge"));
    driver.clock(1_000).unwrap();
    let idle = "{\"$\":\"idle\",\"part\":\"p\",\"final\":false,\"of\":0}";
    driver.feed(script(&format!("{{\"$\":\"from\",\"part\":\"p\",\"of\":0}} 1@5 {idle}")).as_bytes()).unwrap();
    assert_eq!((driver.stage.held(), driver.stage.wake_at()), (1, Some(11_000)));
    driver.clock(10_999).unwrap();
    assert_eq!(driver.stage.held(), 1);
    driver.clock(11_000).unwrap();
    assert_eq!((driver.stage.held(), driver.stage.wake_at()), (0, None));
}

#[test]
fn an_input_that_has_filled_its_buffer_has_no_room() {
    let mut driver =
        Driver::new(Numbered(stage(2, "--buffer 150B")), Config::new("merge"), Rejects::in_memory("merge"));
    driver.feed(script("0@1 0@2").as_bytes()).unwrap();
    assert!(driver.stage.0.has_room(0));
    driver.feed(script("0@3").as_bytes()).unwrap();
    assert!(!driver.stage.0.has_room(0) && driver.stage.0.has_room(1));
    driver.feed(script("1@9").as_bytes()).unwrap();
    assert!(driver.stage.0.has_room(0));
}

/// Lines of three inputs, interleaved; each input out of order by at most 4 s.
fn lines() -> impl Strategy<Value = Vec<(usize, i64)>> {
    proptest::collection::vec((0usize..3, 0i64..5, 0i64..3), 0..80).prop_map(|steps| {
        let mut at = [10; 3];
        let line = |(of, back, step): (usize, i64, i64)| {
            at[of] += step;
            (of, at[of] - back)
        };
        steps.into_iter().map(line).collect()
    })
}

fn text(lines: &[(usize, i64)]) -> String {
    let text: Vec<String> = lines.iter().map(|(of, t)| format!("{of}@{t}")).collect();
    if text.is_empty() { "0@1".to_owned() } else { text.join(" ") }
}

proptest! {
    /// The whole is a stable sort by time and input, however inputs interleave.
    #[test]
    fn the_output_is_sorted_whatever_arrives_first(lines in lines()) {
        let mut expected = lines.clone();
        expected.sort_by_key(|(of, t)| (*t, *of));
        let expected = if lines.is_empty() { "0@1".to_owned() } else { text(&expected) };
        prop_assert_eq!(order(3, "--lateness 4s", &text(&lines)), expected.clone());
        let mut apart = lines;
        apart.sort_by_key(|(of, _)| *of);
        prop_assert_eq!(order(3, "--lateness 4s", &text(&apart)), expected);
    }
}

#[test]
fn every_way_of_running_gives_the_same_bytes() {
    let mut input = String::new();
    for i in 0..240u32 {
        let of = i * 5 % 3;
        input += &match i % 40 {
            17 => format!("{{\"$\":\"from\",\"part\":\"p{}\",\"of\":{of}}}\n", i % 2),
            31 => format!("{{\"$\":\"idle\",\"part\":\"p{}\",\"final\":true,\"of\":{of}}}\n", i % 2),
            _ => format!("{{\"of\":{of},\"t\":{}}}\n", i + i * 31 % 17 - of),
        };
    }
    every_way(|| Numbered(stage(3, "--lateness 9s")), &input);
    every_way(|| Numbered(stage(3, "--lateness 20s")), &input);
}
