use crate::cli::Cli;
use crate::{Overflow, Settings, Throttle};
use clap::Parser;
use millpipe::{Config, Driver, Exit, Fault, Queue, Rejects, Stateful};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::every_way;

fn settings(flags: &str) -> Settings {
    Cli::parse_from(format!("throttle {flags}").split_whitespace()).settings().unwrap()
}

fn throttle(flags: &str) -> Throttle {
    Throttle::new(settings(flags)).unwrap()
}

fn driver(flags: &str) -> Driver<Throttle> {
    let mut driver = Driver::new(throttle(flags), Config::new("throttle"), Rejects::in_memory("throttle"));
    driver.clock(0).unwrap();
    driver
}

fn lines(numbers: impl IntoIterator<Item = usize>) -> String {
    numbers.into_iter().map(|n| format!("{n}\n")).collect()
}

fn written(driver: &mut Driver<Throttle>) -> String {
    String::from_utf8(driver.out.take()).unwrap()
}

fn at_ms(driver: &mut Driver<Throttle>, now_ms: i64) -> String {
    driver.clock(now_ms).unwrap();
    written(driver)
}

/// The lines that were dropped.
fn dropped(driver: &mut Driver<Throttle>) -> String {
    let rejects = driver.out.rejects().take();
    let line = |reject: &String| serde_json::from_str::<serde_json::Value>(reject).unwrap()["line"].clone();
    rejects.iter().map(|reject| format!("{}\n", line(reject).as_str().unwrap())).collect()
}

#[test]
fn a_burst_goes_at_once_and_then_each_in_its_time() {
    let mut driver = driver("--rate 10/s --burst 3");
    driver.feed(lines(1..=6).as_bytes()).unwrap();
    assert_eq!(written(&mut driver), lines(1..=3));
    assert_eq!(at_ms(&mut driver, 99), "");
    assert_eq!(at_ms(&mut driver, 100), lines([4]));
    assert_eq!(at_ms(&mut driver, 145), "");
    assert_eq!(at_ms(&mut driver, 310), lines([5, 6]), "late by ten, and the second is due");
    assert_eq!(driver.counts().1, 0);
}

#[test]
fn after_a_rest_no_more_than_a_burst_goes() {
    let mut driver = driver("--rate 10/s --burst 3");
    driver.feed(lines([1]).as_bytes()).unwrap();
    driver.clock(60_000).unwrap();
    driver.feed(lines(2..=9).as_bytes()).unwrap();
    assert_eq!(written(&mut driver), lines(1..=4));
}

#[test]
fn a_batch_goes_together_and_a_part_of_one_when_it_has_lingered() {
    let mut driver = driver("--rate 100/s --batch 10 --linger 2s");
    driver.feed(lines(0..25).as_bytes()).unwrap();
    assert_eq!(written(&mut driver), lines(0..10));
    assert_eq!(at_ms(&mut driver, 99), "");
    assert_eq!(at_ms(&mut driver, 100), lines(10..20));
    assert_eq!(at_ms(&mut driver, 2_099), "");
    assert_eq!(at_ms(&mut driver, 2_100), lines(20..25));
    driver.feed(lines(25..30).as_bytes()).unwrap();
    assert_eq!(written(&mut driver), "");
    driver.feed(lines(30..36).as_bytes()).unwrap();
    assert_eq!(written(&mut driver), lines(25..35));
    driver.finish().unwrap();
    assert_eq!(written(&mut driver), lines([35]));
}

#[test]
fn bytes_are_paced_and_a_long_line_is_paid_for_later() {
    let line = format!("\"{}\"\n", "x".repeat(97));
    let mut driver = driver("--bytes 1000B/s");
    driver.feed(line.repeat(4).as_bytes()).unwrap();
    assert_eq!(written(&mut driver), line);
    assert_eq!(at_ms(&mut driver, 99), "");
    assert_eq!(at_ms(&mut driver, 100), line);
    assert_eq!(at_ms(&mut driver, 200), line);
    driver.finish().unwrap();
    assert_eq!(driver.out.now_ms(), 300);
}

#[test]
fn marks_keep_their_place_and_cost_nothing() {
    let sonar = "{\"$\":\"sonar\",\"n\":1}\n";
    let mut driver = driver("--rate 10/s");
    driver.feed(format!("{sonar}1\n{sonar}{sonar}2\n{sonar}3\n").as_bytes()).unwrap();
    assert_eq!(written(&mut driver), format!("{sonar}1\n{sonar}{sonar}"));
    assert_eq!(at_ms(&mut driver, 100), format!("2\n{sonar}"));
}

#[test]
fn barriers_and_what_is_about_the_pipe_go_past_the_queue() {
    let mut driver = driver("--rate 10/s");
    driver.feed(b"{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n").unwrap();
    written(&mut driver);
    let [barrier, waiting] =
        ["{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":2}\n", "{\"$\":\"waiting\",\"for\":\"r.1\"}\n"];
    let reject = "{\"$\":\"reject\",\"by\":\"window\",\"why\":\"late\",\"at\":\"line 1\",\"line\":\"1\"}\n";
    driver.feed(format!("1\n2\n{barrier}{waiting}{reject}").as_bytes()).unwrap();
    let out = written(&mut driver);
    assert!(out.starts_with("1\n{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":1,"), "{out}");
    assert!(out.ends_with(&format!("{waiting}{reject}")), "{out}");
    assert_eq!(driver.counts().1, 1);
}

#[test]
fn behind_the_last_barrier_of_a_stop_what_waits_stays_where_it_is() {
    let mut driver = driver("--rate 10/s --queue 5");
    driver.feed(b"{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n1\n2\n3\n").unwrap();
    written(&mut driver);
    driver.feed(b"{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":3,\"last\":true}\n").unwrap();
    assert!(written(&mut driver).contains("\"lines\":1,\"last\":true"));
    driver.clock(60_000).unwrap();
    let [waiting, end] = ["{\"$\":\"waiting\",\"for\":\"r.1\"}\n", "{\"$\":\"end\",\"lines\":0,\"drain\":false}\n"];
    driver.feed(format!("{waiting}{end}").as_bytes()).unwrap();
    driver.finish().unwrap();
    assert_eq!((written(&mut driver), driver.counts().1), (format!("{waiting}{end}"), 2));
    assert_eq!(driver.out.now_ms(), 60_000);
}

#[test]
fn a_full_queue_that_blocks_takes_nothing_more() {
    let mut driver = driver("--rate 10/s --queue 3");
    assert_eq!(driver.offer(lines(1..=9).as_bytes()).unwrap(), 8);
    assert_eq!((written(&mut driver), driver.counts().1), (lines([1]), 3));
    assert_eq!(driver.offer(lines(5..=9).as_bytes()).unwrap(), 0);
    driver.clock(100).unwrap();
    assert_eq!(driver.offer(lines(5..=9).as_bytes()).unwrap(), 2);
    driver.feed(lines(6..=9).as_bytes()).unwrap();
    driver.finish().unwrap();
    assert_eq!((written(&mut driver), driver.out.now_ms()), (lines(2..=9), 800));
}

#[test]
fn the_buffer_limits_the_queue_too() {
    let mut driver = driver("--rate 10/s --buffer 100B");
    let line = format!("\"{}\"\n", "x".repeat(48));
    driver.offer(line.repeat(9).as_bytes()).unwrap();
    assert_eq!(driver.counts().1, 2);
    let long = format!("\"{}\"\n", "x".repeat(500));
    driver.clock(1_000).unwrap();
    assert_eq!(driver.offer(long.repeat(3).as_bytes()).unwrap(), long.len(), "one line may be more than the limit");
    assert_eq!(driver.counts().1, 2);
}

#[test]
fn the_newest_lines_are_dropped_and_kept_aside() {
    let mut driver = driver("--rate 10/s --queue 3 --overflow drop-newest");
    driver.feed(lines(1..=9).as_bytes()).unwrap();
    assert_eq!((written(&mut driver), dropped(&mut driver)), (lines([1]), lines(5..=9)));
    driver.finish().unwrap();
    assert_eq!(written(&mut driver), lines(2..=4));
    let warnings = driver.out.rejects().warnings();
    assert!(warnings[0].starts_with("line 5: the queue is full; lines that do not fit are dropped"), "{warnings:?}");
    assert_eq!(warnings[1..], ["5 lines dropped: the queue was full"]);
    assert_eq!(driver.counts().0.rejected, 5);
}

#[test]
fn the_oldest_lines_are_dropped_and_marks_are_not() {
    let sonar = "{\"$\":\"sonar\"}\n";
    let mut driver = driver("--rate 10/s --queue 3 --overflow drop-oldest");
    driver.feed(format!("1\n2\n{sonar}3\n4\n5\n6\n").as_bytes()).unwrap();
    let rejects = driver.out.rejects().take();
    let expected = r#"{"by":"throttle","why":"dropped: the queue is full","at":"line 2","line":"2"}"#;
    assert_eq!((rejects[0].as_str(), rejects.len()), (expected, 2));
    driver.finish().unwrap();
    assert_eq!(written(&mut driver), format!("1\n{sonar}4\n5\n6\n"));
}

#[test]
fn as_many_marks_as_the_queue_has_lines_make_it_full() {
    let mut driver = driver("--rate 10/s --queue 2 --overflow drop-oldest");
    driver.offer("1\n2\n{\"$\":\"a\"}\n{\"$\":\"b\"}\n3\n".as_bytes()).unwrap();
    assert!(driver.stage.is_full() && driver.offer(b"3\n").unwrap() == 0);
    driver.clock(100).unwrap();
    assert!(!driver.stage.is_full());
}

#[test]
fn a_full_queue_can_end_the_run() {
    let mut driver = driver("--rate 10/s --queue 3 --overflow fail");
    let Err(Fault::Stop(error)) = driver.feed(lines(1..=9).as_bytes()) else { panic!("it went on") };
    assert_eq!(error.exit, Exit::Temporary);
    assert!(error.message.starts_with("line 5: the queue is full, with 3 lines (--queue 3,"), "{error}");
}

/// A file that nobody else has.
struct Folder(tempfile::TempDir, AtomicUsize);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap(), AtomicUsize::new(0))
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(self.1.fetch_add(1, Ordering::Relaxed).to_string())
    }

    fn throttle(&self, flags: &str) -> Throttle {
        let settings = Settings { overflow: Overflow::Spill(self.file()), ..settings(flags) };
        let mut stage = Throttle::new(settings).unwrap();
        stage.begin_checkpoints().unwrap();
        stage
    }
}

#[test]
fn what_does_not_fit_comes_back_from_a_file_in_order() {
    let folder = Folder::new();
    let path = folder.file();
    let flags = format!("--rate 1000000/s --queue 3 --overflow spill:{}", path.display());
    let mut driver = driver(&flags);
    let sonar = "{\"$\":\"sonar\"}\n";
    let text = lines(100_000..120_000) + sonar + &lines(120_000..140_000);
    driver.feed(text.as_bytes()).unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() > 200_000);
    assert_eq!(driver.counts().1, 39_999);
    driver.clock(10).unwrap();
    driver.feed(lines(140_000..140_010).as_bytes()).unwrap();
    driver.finish().unwrap();
    assert_eq!(written(&mut driver), text + &lines(140_000..140_010));
    assert!(!path.exists());
}

#[test]
fn a_file_with_something_in_it_is_not_spilled_into() {
    let folder = Folder::new();
    let path = folder.file();
    std::fs::write(&path, "1\n").unwrap();
    let result = driver(&format!("--rate 1/s --overflow spill:{}", path.display())).feed(b"2\n");
    assert!(format!("{result:?}").contains("2 bytes of a run that did not come to its end"), "{result:?}");
}

/// Lines with marks between them.
fn mixed(count: usize) -> String {
    let mark = |n: usize| if n.is_multiple_of(7) { format!("{{\"$\":\"sonar\",\"n\":{n}}}\n") } else { String::new() };
    (0..count).map(|n| format!(" {{\"n\":\"\\u00e9 {n}\"}}\r\n{}", mark(n))).collect()
}

#[test]
fn every_way_of_running_gives_the_same() {
    every_way(|| throttle("--rate 100/s --queue 10"), &mixed(150));
    every_way(|| throttle("--rate 100/s --burst 40 --batch 7 --queue 10"), &mixed(150));
    every_way(|| throttle("--bytes 1KiB/s --buffer 300B"), &mixed(150));
    let folder = Folder::new();
    every_way(|| folder.throttle("--rate 100/s --burst 3 --queue 5"), &mixed(150));
}

#[test]
fn lines_go_into_the_file_once_a_checkpoint_has_them() {
    let folder = Folder::new();
    let stage = folder.throttle("--rate 1/s --queue 5");
    let mut driver = Driver::new(stage, Config::new("throttle"), Rejects::in_memory("throttle"));
    let file = folder.0.path().join("0");
    let save = |driver: &mut Driver<Throttle>| {
        let mut changes = millpipe::Changes::default();
        driver.stage.changes(&mut changes).unwrap();
        changes.len()
    };
    driver.feed(lines(100_000..120_000).as_bytes()).unwrap();
    assert_eq!((std::fs::metadata(&file).unwrap().len(), save(&mut driver)), (0, 19_999));
    driver.feed(lines([1]).as_bytes()).unwrap();
    assert_eq!((std::fs::metadata(&file).unwrap().len(), save(&mut driver)), (19_994 * 7, 1));
    driver.finish().unwrap();
    assert_eq!((written(&mut driver), save(&mut driver)), (lines(100_000..120_000) + "1\n", 20_000));
}

#[test]
fn a_run_that_goes_on_has_no_burst() {
    let mut first = driver("--rate 10/s --burst 5");
    first.feed(lines(1..=8).as_bytes()).unwrap();
    let (mut head, mut changes) = (Vec::new(), millpipe::Changes::default());
    first.stage.snapshot(&mut head).unwrap();
    first.stage.changes(&mut changes).unwrap();
    let mut again = throttle("--rate 10/s --burst 5");
    again.restore(&mut head.as_slice()).unwrap();
    for line in std::str::from_utf8(changes.text()).unwrap().lines() {
        let (name, value): (String, Box<serde_json::value::RawValue>) = serde_json::from_str(line).unwrap();
        again.restore_entry(&name, value.get().as_bytes()).unwrap();
    }
    let mut again = Driver::new(again, Config::new("throttle"), Rejects::in_memory("throttle"));
    again.clock(0).unwrap();
    assert_eq!(at_ms(&mut again, 50), "");
    assert_eq!((at_ms(&mut again, 100), again.counts().1), (lines([6]), 2));
    assert!(again.stage.restore_entry("x", b"\"1\"").is_err() && again.stage.restore(&mut "{}".as_bytes()).is_err());
}

#[test]
fn what_is_not_json_is_a_bad_line() {
    let result = driver("--rate 1/s").feed(b"{\"a\":tru}\n");
    assert!(format!("{result:?}").contains("line 1, byte 0: "), "{result:?}");
}

/// A queue in front of a bucket that a millisecond fills by one, looked at each millisecond.
struct Model {
    tokens: usize,
    burst: usize,
    room: usize,
    queue: VecDeque<usize>,
    out: Vec<usize>,
    dropped: Vec<usize>,
}

impl Model {
    fn millisecond(&mut self) {
        self.tokens = (self.tokens + 1).min(self.burst);
        self.release();
    }

    fn release(&mut self) {
        while self.tokens > 0
            && let Some(line) = self.queue.pop_front()
        {
            self.tokens -= 1;
            self.out.push(line);
        }
    }

    fn line(&mut self, line: usize, oldest: bool) {
        if self.queue.len() < self.room {
            self.queue.push_back(line);
        } else if oldest {
            self.dropped.extend(self.queue.pop_front());
            self.queue.push_back(line);
        } else {
            self.dropped.push(line);
        }
        self.release();
    }
}

proptest! {
    #[test]
    fn what_goes_when_and_what_is_dropped_is_as_in_the_model(
        steps in proptest::collection::vec((0i64..20, 0usize..30), 1..40),
        burst in 1usize..10, room in 1usize..20, oldest in any::<bool>(),
    ) {
        let overflow = if oldest { "drop-oldest" } else { "drop-newest" };
        let mut driver = driver(&format!("--rate 1000/s --burst {burst} --queue {room} --overflow {overflow}"));
        let mut model = Model { tokens: burst, burst, room, queue: VecDeque::new(), out: Vec::new(), dropped: Vec::new() };
        let (mut now_ms, mut next) = (0, 0);
        for (wait_ms, count) in steps {
            for _ in 0..wait_ms {
                now_ms += 1;
                driver.clock(now_ms).unwrap();
                model.millisecond();
            }
            driver.feed(lines(next..next + count).as_bytes()).unwrap();
            (next..next + count).for_each(|line| model.line(line, oldest));
            next += count;
            prop_assert_eq!(written(&mut driver), lines(model.out.drain(..)));
            prop_assert_eq!(dropped(&mut driver), lines(model.dropped.drain(..)));
            prop_assert_eq!(driver.counts().1, model.queue.len() as u64);
        }
    }
}
