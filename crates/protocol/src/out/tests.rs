use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stream::Error;

use super::*;

thread_local! {
    static NOW_US: Cell<u64> = const { Cell::new(0) };
}

/// What came, write by write; after so many it fails.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<Vec<u8>>>>, Option<usize>);

impl Writes {
    fn write(&self, bytes: &[u8]) -> Result<(), Fault> {
        let mut writes = self.0.lock().unwrap();
        if self.1 == Some(writes.len()) {
            return Err(Fault::ReaderGone);
        }
        NOW_US.set(NOW_US.get() + 2_000);
        writes.push(bytes.to_vec());
        Ok(())
    }

    fn sizes(&self) -> Vec<usize> {
        self.0.lock().unwrap().iter().map(Vec::len).collect()
    }
}

impl Drain for Writes {
    fn drain(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let result = self.write(bytes);
        bytes.clear();
        result
    }
}

fn out(writes: &Writes) -> Out {
    let mut out = Out::new(&Policy::default(), Rejects::in_memory(""));
    out.set_drain(Box::new(writes.clone()));
    out.set_waits(Waits::new(|| NOW_US.get()));
    out
}

fn lines(bytes: usize) -> Vec<u8> {
    b"1234567\n".repeat(bytes / 8)
}

#[test]
fn blocks_keep_their_place_among_lines_and_marks() {
    let writes = Writes::default();
    let mut out = out(&writes);
    out.line(b"first");
    out.block(&lines(800), 100);
    out.mark(&Mark::new("x"));
    out.block(&lines(COPIED_BYTES_MAX), 2048);
    assert_eq!(writes.sizes(), [6 + 800 + 10 + COPIED_BYTES_MAX], "a large one goes out with what was before it");
    out.line(b"last");
    out.flush_all().unwrap();
    let all = writes.0.lock().unwrap().concat();
    let wanted = [b"first\n", &lines(800)[..], b"{\"$\":\"x\"}\n", &lines(COPIED_BYTES_MAX), b"last\n"].concat();
    assert!(all == wanted);
    let counts = out.counts();
    assert_eq!((counts.lines_out, counts.settled, counts.bytes_out), (2150, 2150, wanted.len() as u64));
    let waited = out.waits().so_far();
    assert_eq!((waited.output, waited.input), (Duration::from_millis(4), Duration::ZERO));
}

#[test]
fn nothing_is_written_behind_a_failure() {
    let writes = Writes(Arc::default(), Some(1));
    let mut out = out(&writes);
    for _ in 0..3 {
        out.block(&lines(COPIED_BYTES_MAX), 2048);
    }
    assert_eq!(out.flush_all(), Err(Fault::ReaderGone));
    assert_eq!((writes.sizes(), out.counts().bytes_out), (vec![COPIED_BYTES_MAX], COPIED_BYTES_MAX as u64));

    let writes = Writes::default();
    let mut out = super::tests::out(&writes);
    out.line(b"good");
    out.fail(Error::data("bad").into());
    out.block(&lines(COPIED_BYTES_MAX), 2048);
    assert_eq!((out.flush_all(), writes.sizes()), (Err(Error::data("bad").into()), vec![5]));
}

#[test]
fn a_line_in_another_format_is_told_by_it_and_by_what_helps() {
    let mut out = Out::new(&Policy::default(), Rejects::in_memory(""));
    out.bad("line 1", "not JSON at byte 0: expected a value", b"\x1f\x8b\x08");
    let Err(Fault::Stop(error)) = out.check() else { panic!("it goes on") };
    assert_eq!(error.message, "line 1: not JSON at byte 0: expected a value: this is gzip data");
    assert!(error.hint.unwrap().starts_with("file-cat-in reads gzip and zstd"));

    let policy = Policy { on_error: Some(OnError::Reject), ..Policy::default() };
    let mut out = Out::new(&policy, Rejects::in_memory("t"));
    out.bad("line 2", "not JSON at byte 7: expected the end of the line", b"{\"a\":1}{\"b\":2}");
    out.bad("line 3", "no field \"time\"", b"{}");
    let kept = out.rejects().take();
    assert!(kept[0].contains("expected the end of the line: there are several values on one line\""), "{kept:?}");
    assert!(kept[1].contains("\"why\":\"no field \\\"time\\\"\""), "{kept:?}");
}
