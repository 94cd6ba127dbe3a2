use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam_channel::bounded;
use proptest::prelude::*;
use protocol::{Config, Counts, Driver, Map, OnError, Policy, Rejects, Station};

use super::*;
use crate::running::run_map::{LineWorker, MapStage};
use crate::running::whole_lines::feed_buffer;

/// `x` is bad, `twice` gives two lines, `none` gives none, everything else comes back in brackets.
struct Brackets;

impl Map for Brackets {
    fn map(&self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        match line {
            b"x" => return Err(Fault::bad("an x")),
            b"twice" => {
                out.buffer().extend_from_slice(b"once");
                out.end_result();
                out.line(b"and again");
            }
            b"none" => out.leave_out(1),
            b"panic" => panic!("no way"),
            b"stop" => return Err(Error::data("stopped here").into()),
            _ => out.line(&[b"<", line, b">"].concat()),
        }
        Ok(())
    }
}

const STACK_BYTES: usize = 1 << 20;

/// All that a run shows.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    out: String,
    rejects: Vec<String>,
    result: Result<(), Fault>,
    counts: Option<Counts>,
}

fn shown<S: Station>(stage: S, input: &str, chunk: usize, on_error: Option<OnError>) -> Shown {
    shown_by(stage, on_error, |driver| input.as_bytes().chunks(chunk).try_for_each(|chunk| driver.feed(chunk)))
}

fn shown_by<S: Station>(
    stage: S,
    on_error: Option<OnError>,
    feed: impl FnOnce(&mut Driver<S>) -> Result<(), Fault>,
) -> Shown {
    let config =
        Config { policy: Policy { on_error, ..Policy::default() }, line_bytes_max: 90, ..Config::new("brackets") };
    let mut driver = Driver::new(stage, config, Rejects::in_memory("brackets"));
    let mut result = feed(&mut driver);
    result = result.and_then(|()| driver.finish());
    if result.is_err() {
        driver.stage.give_up(&mut driver.out);
    }
    let (counts, held) = driver.counts();
    let identity = counts.lines_in == counts.settled + counts.left_out + counts.late + counts.rejected + held;
    assert!(identity || result.is_err(), "{counts:?}, held {held}");
    Shown {
        out: String::from_utf8(driver.out.take()).unwrap(),
        rejects: driver.out.rejects().take(),
        // After an error it depends on the chunks how much was read behind it.
        counts: result.is_ok().then_some(counts),
        result,
    }
}

/// The same through whole chunks of lines.
fn shown_by_buffers(stage: Pool, input: &str, chunk: usize, on_error: Option<OnError>) -> Shown {
    shown_by(stage, on_error, |driver| {
        let mut rest = input.as_bytes();
        while !rest.is_empty() {
            // As the reading thread cuts them; sometimes anywhere.
            let piece = &rest[..chunk.min(rest.len())];
            let cut =
                memchr::memrchr(b'\n', piece).filter(|_| !chunk.is_multiple_of(3)).map_or(piece.len(), |at| at + 1);
            let mut buffer = piece[..cut].to_vec();
            buffer.extend_from_slice(b"what is not filled");
            rest = &rest[cut..];
            feed_buffer(driver, buffer, cut)?;
        }
        Ok(())
    })
}

fn jobs(workers: usize, batch_bytes: usize) -> Jobs {
    Jobs { workers, batch_bytes, unordered: false, linger: Duration::ZERO }
}

fn pool(jobs: Jobs) -> Pool {
    Pool::start(jobs, STACK_BYTES, || LineWorker::new(Brackets, None)).unwrap()
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-f]{1,20}",
        1 => Just("x".to_owned()),
        1 => Just("twice".to_owned()),
        1 => Just("none".to_owned()),
        1 => Just("  ".to_owned()),
        1 => (91..120_usize).prop_map(|length| "long".repeat(30)[..length].to_owned()),
        2 => (0..9).prop_map(|n| format!("{{\"$\":\"sonar\",\"n\":{n}}}")),
        1 => Just("{\"$\":\"reject\",\"by\":\"me\"}".to_owned()),
        1 => Just("BARRIER".to_owned()),
    ]
}

/// A whole checked stream with right counts, or a plain one without barriers.
fn stream(lines: &[String], checked: bool) -> String {
    let mut text = if checked { "{\"$\":\"hello\",\"hop\":1}\n".to_owned() } else { String::new() };
    let mut count = 0;
    for line in lines {
        if line != "BARRIER" {
            count += usize::from(!line.starts_with("{\"$\":"));
            text.push_str(&format!("{line}\n"));
        } else if checked {
            text.push_str(&format!("{{\"$\":\"barrier\",\"lines\":{count},\"hops\":[\"s\"]}}\n"));
            count = 0;
        }
    }
    if checked {
        text.push_str(&format!("{{\"$\":\"end\",\"lines\":{count},\"drain\":true}}\n"));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_number_of_workers_batches_and_chunks_gives_what_one_loop_gives(
        lines in proptest::collection::vec(line(), 0..60),
        checked: bool,
        workers in 1_usize..5,
        batch_bytes in 1_usize..200,
        chunk in 1_usize..300,
        on_error in prop_oneof![
            Just(None), Just(Some(OnError::Stop)), Just(Some(OnError::Reject)), Just(Some(OnError::Skip)),
        ],
    ) {
        let input = stream(&lines, checked);
        let one_loop = shown(MapStage(Brackets), &input, usize::MAX, on_error);
        prop_assert_eq!(shown(MapStage(Brackets), &input, chunk, on_error), one_loop.clone());
        prop_assert_eq!(shown(pool(jobs(workers, batch_bytes)), &input, chunk, on_error), one_loop.clone());
        prop_assert_eq!(shown_by_buffers(pool(jobs(workers, batch_bytes)), &input, chunk, on_error), one_loop);
    }

    #[test]
    fn unordered_lines_stay_between_their_marks(
        lines in proptest::collection::vec(line(), 0..60),
        workers in 1_usize..5,
        batch_bytes in 1_usize..60,
    ) {
        let input = stream(&lines, true);
        let ordered = shown(MapStage(Brackets), &input, usize::MAX, None);
        let unordered = Jobs { unordered: true, ..jobs(workers, batch_bytes) };
        let seen = shown(pool(unordered), &input, usize::MAX, None);
        prop_assert_eq!(sorted_between_marks(&seen.out), sorted_between_marks(&ordered.out));
    }
}

fn sorted_between_marks(out: &str) -> Vec<Vec<&str>> {
    let is_mark = |line: &&str| line.starts_with("{\"$\":") && !line.contains("reject");
    let lines: Vec<&str> = out.lines().collect();
    let mut parts: Vec<Vec<&str>> = lines.split_inclusive(is_mark).map(<[&str]>::to_vec).collect();
    for part in &mut parts {
        let lines = part.len() - part.last().map_or(0, |line| usize::from(is_mark(line)));
        part[..lines].sort_unstable();
    }
    parts
}

#[test]
fn a_panic_ends_the_run_and_names_the_lines() {
    let input = "a\nb\npanic\nc\n";
    let seen = shown(pool(jobs(2, 2)), input, usize::MAX, None);
    assert_eq!(seen.out, "<a>\n<b>\n");
    assert_eq!(seen.result, Err(Error::data("line 3: a worker panicked: no way").into()));
}

#[test]
fn a_fault_that_stops_comes_behind_the_lines_before_it() {
    let seen = shown(pool(jobs(4, 1)), "a\nb\nstop\nc\n", usize::MAX, None);
    assert_eq!(seen.out, "<a>\n<b>\n");
    assert_eq!(seen.result, Err(Error::data("stopped here").into()));
}

/// Works only when it is let; counts the batches that it was given.
struct Gated {
    gate: Arc<Mutex<()>>,
    taken: Arc<AtomicUsize>,
}

impl Worker for Gated {
    fn work(&mut self, batch: &Batch, product: &mut Product) {
        self.taken.fetch_add(1, Ordering::SeqCst);
        drop(self.gate.lock());
        product.out = batch.bytes.clone();
        let lines = batch.lines as u64;
        product.done = protocol::Done { lines_out: lines, settled: lines, left_out: 0 };
    }
}

fn gated(jobs: Jobs) -> (Driver<Pool>, Arc<Mutex<()>>, Arc<AtomicUsize>) {
    let (gate, taken) = (Arc::new(Mutex::new(())), Arc::new(AtomicUsize::new(0)));
    let (for_gate, for_taken) = (Arc::clone(&gate), Arc::clone(&taken));
    let make = move || Gated { gate: Arc::clone(&for_gate), taken: Arc::clone(&for_taken) };
    let pool = Pool::start(jobs, STACK_BYTES, make).unwrap();
    (Driver::new(pool, Config::new("gated"), Rejects::in_memory("gated")), gate, taken)
}

#[test]
fn the_pool_takes_two_batches_for_each_worker_and_one_more_line_waits() {
    let (mut driver, gate, taken) = gated(jobs(3, 1));
    let (is_closed, closed) = bounded(1);
    let (is_fed, fed) = bounded(1);
    let is_open = AtomicBool::new(false);
    thread::scope(|scope| {
        let opener = scope.spawn(|| {
            let gate = gate.lock().unwrap();
            is_closed.send(()).unwrap();
            fed.recv().unwrap();
            thread::sleep(Duration::from_millis(200));
            let taken = taken.load(Ordering::SeqCst);
            is_open.store(true, Ordering::SeqCst);
            drop(gate);
            taken
        });
        closed.recv().unwrap();
        driver.feed(b"1\n2\n3\n4\n5\n6\n").unwrap();
        assert_eq!(driver.stage.in_flight, 6);
        is_fed.send(()).unwrap();
        driver.feed(b"7\n").unwrap();
        assert!(is_open.load(Ordering::SeqCst), "the seventh batch waits");
        assert_eq!(opener.join().unwrap(), 3, "as many as there are workers");
    });
    driver.finish().unwrap();
    assert_eq!(driver.out.take(), b"1\n2\n3\n4\n5\n6\n7\n");
}

#[test]
fn a_trickle_goes_to_an_idle_pool_at_once_and_lingers_beside_a_busy_one() {
    let linger = Duration::from_secs(3600);
    let (mut driver, gate, taken) = gated(Jobs { linger, ..jobs(2, 1000) });
    let closed = gate.lock().unwrap();
    driver.feed(b"1\n").unwrap();
    driver.stage.offer(&driver.out);
    assert_eq!((driver.stage.working, driver.stage.batch.lines), (1, 0));
    driver.feed(b"2\n3\n").unwrap();
    driver.stage.offer(&driver.out);
    assert_eq!((driver.stage.working, driver.stage.batch.lines), (1, 2));
    assert!(driver.stage.offer_in().unwrap() > Duration::from_secs(3000));
    driver.stage.jobs.linger = Duration::ZERO;
    driver.stage.offer(&driver.out);
    assert_eq!((driver.stage.working, driver.stage.batch.lines), (2, 0));
    drop(closed);
    driver.finish().unwrap();
    assert_eq!((driver.out.take(), taken.load(Ordering::SeqCst)), (b"1\n2\n3\n".to_vec(), 2));
}

#[test]
fn marks_without_lines_do_not_pile_up() {
    let (mut driver, gate, _) = gated(jobs(1, 100));
    let closed = gate.lock().unwrap();
    driver.feed(b"1\n").unwrap();
    driver.feed(b"{\"$\":\"sonar\"}\n{\"$\":\"sonar\"}\n").unwrap();
    assert_eq!(driver.stage.queue.len(), 2);
    drop(closed);
    driver.feed("{\"$\":\"sonar\"}\n".repeat(100).as_bytes()).unwrap();
    assert!(driver.stage.queue.is_empty());
    driver.finish().unwrap();
    assert_eq!(driver.out.take(), [b"1\n".to_vec(), b"{\"$\":\"sonar\"}\n".repeat(102)].concat());
}
