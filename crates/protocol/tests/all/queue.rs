//! Stages that cannot take everything at once, on the state machine around them: no process, no pipe, no clock.

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex};

use protocol::{Config, Drain, Driver, Out, Queue, ROOM_BYTES, Rejects, Stage, Stateful};
use stream::{Error, Fault, Mark};

const SECOND_US: i64 = 1_000_000;
const ROOM: usize = 2;

/// Keeps lines and marks, and lets one out each second.
#[derive(Default)]
struct Slow {
    queue: VecDeque<Vec<u8>>,
    next_us: i64,
    is_ending: bool,
    /// Lets all out as long as the output has room.
    is_fast: bool,
}

impl Slow {
    fn release(&mut self, out: &mut Out) {
        while self.is_fast && !self.queue.is_empty() && out.has_room() {
            self.write(out);
        }
        if !self.is_fast && (out.now_us() >= self.next_us || out.now_us() + SECOND_US < self.next_us) {
            self.write(out);
            self.next_us = out.now_us() + SECOND_US;
        }
    }

    fn write(&mut self, out: &mut Out) {
        let Some(line) = self.queue.pop_front() else { return };
        match Mark::parse(&line) {
            Ok(mark) => out.mark(&mark),
            Err(_) => out.line(&line),
        }
    }
}

impl Stage for Slow {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.queue.push_back(line.to_vec());
        self.release(out);
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        self.line(mark.to_string().as_bytes(), out)
    }

    fn end(&mut self, _out: &mut Out) -> Result<(), Fault> {
        self.is_ending = true;
        Ok(())
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.release(out);
        Ok(())
    }

    fn held(&self) -> u64 {
        self.queue.iter().filter(|line| !line.starts_with(b"{\"$\":")).count() as u64
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }

    #[inline]
    fn queue(&self) -> Option<&dyn Queue> {
        Some(self)
    }
}

impl Stateful for Slow {
    fn snapshot(&self, _to: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn restore(&mut self, _from: &mut dyn BufRead) -> Result<(), Error> {
        Ok(())
    }
}

impl Queue for Slow {
    fn wake_at_us(&self) -> Option<i64> {
        (!self.is_fast && !self.queue.is_empty()).then_some(self.next_us)
    }

    fn is_full(&self) -> bool {
        !self.is_fast && (self.queue.len() > ROOM || self.is_ending && !self.queue.is_empty())
    }
}

fn driver(stage: Slow) -> Driver<Slow> {
    let mut driver = Driver::new(stage, Config::new("slow"), Rejects::in_memory("slow"));
    driver.clock(0).unwrap();
    driver
}

fn written(driver: &mut Driver<Slow>) -> String {
    String::from_utf8(driver.out.take()).unwrap()
}

#[test]
fn a_full_stage_is_offered_no_line_and_no_mark() {
    let mut driver = driver(Slow::default());
    let input = b"1\n2\n3\n4\n{\"$\":\"sonar\"}\n5\n";
    assert_eq!(driver.offer(input).unwrap(), 8, "one goes out, and one is too many for the room");
    assert_eq!((written(&mut driver).as_str(), driver.counts().1), ("1\n", 3));
    assert_eq!(driver.offer(&input[8..]).unwrap(), 0);
    driver.clock(999).unwrap();
    assert_eq!(written(&mut driver), "");
    driver.clock(1_000).unwrap();
    assert_eq!(written(&mut driver), "2\n");
    assert_eq!(driver.offer(&input[8..]).unwrap(), 14, "the mark takes the room");
}

#[test]
fn without_a_clock_a_full_stage_is_given_the_time_it_waits_for() {
    let mut driver = driver(Slow::default());
    driver.feed(b"1\n2\n3\n4\n{\"$\":\"sonar\"}\n5\n6").unwrap();
    assert_eq!(driver.out.now_ms(), 3_000);
    driver.finish().unwrap();
    assert_eq!(written(&mut driver), "1\n2\n3\n4\n{\"$\":\"sonar\"}\n5\n6\n");
    assert_eq!((driver.out.now_ms(), driver.counts().1), (6_000, 0));
}

#[test]
fn the_end_of_a_checked_stream_waits_for_what_the_stage_holds() {
    let hello = "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n";
    let mut driver = driver(Slow::default());
    driver.feed(hello.as_bytes()).unwrap();
    written(&mut driver);
    let end = "1\n2\n{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":2,\"drain\":true}\n{\"$\":\"end\",\"lines\":0,\"drain\":true}\n";
    let taken = driver.offer(end.as_bytes()).unwrap();
    assert!(end[taken..].starts_with("{\"$\":\"end\""), "it stops behind the barrier");
    assert_eq!(written(&mut driver), "1\n", "the barrier waits");
    driver.clock(1_000).unwrap();
    let out = written(&mut driver);
    assert!(out.starts_with("2\n{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":2,"), "{out}");
    driver.feed(&end.as_bytes()[taken..]).unwrap();
    driver.finish().unwrap();
    assert_eq!(written(&mut driver), "{\"$\":\"end\",\"lines\":0,\"drain\":true}\n");
}

#[test]
fn the_end_of_a_stopped_stream_waits_for_nothing() {
    let mut driver = driver(Slow::default());
    driver.feed(b"{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n").unwrap();
    written(&mut driver);
    driver.feed(b"1\n2\n3\n{\"$\":\"end\",\"lines\":3,\"drain\":false}\n").unwrap();
    assert_eq!(written(&mut driver), "1\n{\"$\":\"end\",\"lines\":1,\"drain\":false}\n");
    assert_eq!((driver.out.now_ms(), driver.counts().1), (0, 2));
}

#[test]
fn behind_the_last_barrier_nothing_is_written_before_the_end() {
    let mut driver = driver(Slow::default());
    driver.feed(b"{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n").unwrap();
    let barrier = |lines| format!("{{\"$\":\"barrier\",\"id\":\"r.{lines}\",\"lines\":{lines}");
    driver.feed(format!("1\n2\n3\n{}}}\n", barrier(3)).as_bytes()).unwrap();
    driver.clock(1_000).unwrap();
    assert!(written(&mut driver).ends_with("\n2\n"), "behind any other barrier the lines go on");
    driver.feed(format!("{},\"last\":true}}\n", barrier(0)).as_bytes()).unwrap();
    assert!(
        written(&mut driver)
            .starts_with(&format!("{},\"last\":true", barrier(0).replace("\"lines\":0", "\"lines\":1")))
    );
    assert_eq!(driver.wake_at_us(), None);
    let waiting = "{\"$\":\"waiting\",\"for\":\"r.0\"}\n".repeat(2 * ROOM);
    driver.feed(waiting.as_bytes()).unwrap();
    driver.clock(9_000).unwrap();
    assert_eq!(written(&mut driver), waiting, "marks go past what waits");
    let end = "{\"$\":\"end\",\"lines\":0,\"drain\":false}\n";
    driver.feed(end.as_bytes()).unwrap();
    driver.finish().unwrap();
    assert_eq!((written(&mut driver).as_str(), driver.counts().1), (end, 1));
}

#[test]
fn behind_the_last_barrier_room_in_the_output_wakes_nobody() {
    let reader = Reader::default();
    let mut driver = driver(Slow { is_fast: true, ..Slow::default() });
    driver.out.set_drain(Box::new(reader.clone()));
    driver.feed(b"{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n").unwrap();
    driver.feed(format!("{}\n", "x".repeat(99)).repeat(200).as_bytes()).unwrap();
    driver.feed(b"{\"$\":\"barrier\",\"id\":\"r.1\",\"lines\":200,\"last\":true}\n").unwrap();
    let held = driver.counts().1;
    reader.reads(1 << 20);
    driver.flush_some().unwrap();
    assert_eq!((driver.counts().1, driver.out.counts().lines_out), (held, 200 - held));
    assert!(held > 0 && reader.has() > 0);
}

#[test]
fn a_clock_that_is_set_back_wakes_whoever_waits() {
    let mut driver = driver(Slow::default());
    driver.clock(3_600_000).unwrap();
    driver.feed(b"1\n2\n").unwrap();
    assert_eq!(written(&mut driver), "1\n");
    driver.clock(10).unwrap();
    assert_eq!(written(&mut driver), "2\n");
}

#[test]
fn a_stage_that_is_full_and_waits_for_nothing_is_an_error() {
    struct Stuck;
    impl Stage for Stuck {
        fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
            out.line(line);
            Ok(())
        }

        fn state(&mut self) -> Option<&mut dyn Stateful> {
            Some(self)
        }

        #[inline]
        fn queue(&self) -> Option<&dyn Queue> {
            Some(self)
        }
    }

    impl Stateful for Stuck {
        fn snapshot(&self, _to: &mut dyn Write) -> io::Result<()> {
            Ok(())
        }

        fn restore(&mut self, _from: &mut dyn BufRead) -> Result<(), Error> {
            Ok(())
        }
    }

    impl Queue for Stuck {
        fn is_full(&self) -> bool {
            true
        }
        fn wake_at_us(&self) -> Option<i64> {
            None
        }
    }
    let mut driver = Driver::new(Stuck, Config::new("stuck"), Rejects::in_memory("stuck"));
    let Err(Fault::Stop(error)) = driver.feed(b"1\n2\n") else { panic!("it went on") };
    assert_eq!(error.message, "the stage is full, and waits for nothing");
}

/// A reader that takes so many bytes.
#[derive(Clone, Default)]
struct Reader(Arc<Mutex<(usize, Vec<u8>)>>);

impl Reader {
    fn reads(&self, bytes: usize) {
        self.0.lock().unwrap().0 += bytes;
    }

    fn has(&self) -> usize {
        self.0.lock().unwrap().1.len()
    }
}

impl Drain for Reader {
    fn drain(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        self.0.lock().unwrap().1.append(bytes);
        Ok(())
    }

    fn drain_some(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let mut reader = self.0.lock().unwrap();
        let takes = bytes.len().min(reader.0);
        reader.0 -= takes;
        reader.1.extend(bytes.drain(..takes));
        Ok(())
    }
}

#[test]
fn a_stage_with_a_queue_writes_no_further_ahead_than_there_is_room() {
    let (reader, line) = (Reader::default(), [b'x'; 99]);
    let mut driver = driver(Slow { is_fast: true, ..Slow::default() });
    driver.out.set_drain(Box::new(reader.clone()));
    let input = [&line[..], b"\n"].concat().repeat(200);
    let ahead = ROOM_BYTES.div_ceil(100);
    driver.feed(&input).unwrap();
    driver.flush_some().unwrap();
    assert_eq!((reader.has(), driver.counts().1), (0, 200 - ahead as u64));
    reader.reads(10_000);
    driver.flush_some().unwrap();
    assert_eq!((reader.has(), driver.counts().1), (10_000, 100 - ahead as u64), "it was woken when there was room");
    driver.out.flush_all().unwrap();
    assert_eq!(reader.has(), 10_000 + 100 * ahead, "at the end all that was written goes");
}
