//! A queue in front of a reader that has stopped: how much waits where, and what is dropped, line by line.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs::{File, read_to_string};
use std::io::{PipeReader, Read, Seek, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use millpipe::{CHUNK_BYTES, ROOM_BYTES};
use testkit::wait_for_rest;

/// What a pipe holds by default on Linux, when it is written page by page.
const PIPE_BYTES: usize = 64 * 1024;
const LINE_BYTES: usize = 128;
const LINES: usize = 20_000;
const QUEUE: usize = 1_000;

/// What has left the queue: the pipe is full, and as much as it takes at once waits in front of it.
const LEFT: usize = (PIPE_BYTES + ROOM_BYTES) / LINE_BYTES;

fn line(n: usize) -> String {
    let head = format!("{{\"n\":{n},\"pad\":\"");
    format!("{head}{}\"}}\n", "x".repeat(LINE_BYTES - head.len() - 3))
}

fn lines(numbers: impl IntoIterator<Item = usize>) -> String {
    numbers.into_iter().map(line).collect()
}

struct Run {
    input: File,
    output: PipeReader,
    child: Child,
    folder: tempfile::TempDir,
}

/// A throttle whose pace is no limit, and whose reader does not read.
fn run(overflow: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(lines(0..LINES).as_bytes()).unwrap();
    input.rewind().unwrap();
    let (output, into) = std::io::pipe().unwrap();
    let overflow = overflow.replace("FILE", folder.path().join("spilled").to_str().unwrap());
    let child = Command::new(testkit::bin("throttle"))
        .args(["--rate", "1000000000/s", "--burst", "1000000", "--queue", &QUEUE.to_string(), "--overflow", &overflow])
        .args(["-v", "--rejects", folder.path().join("rejects").to_str().unwrap()])
        .stdin(input.try_clone().unwrap())
        .stdout(into)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Run { input, output, child, folder }
}

impl Run {
    /// The offset in the input that it shares with the throttle, once that has nothing to do.
    fn read_at_rest(&mut self) -> usize {
        wait_for_rest(&[self.child.id()]);
        usize::try_from(self.input.stream_position().unwrap()).unwrap()
    }

    fn kept(&self, name: &str) -> String {
        read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The lines in the file of rejects.
    fn dropped(&self) -> String {
        let line = |reject: &str| serde_json::from_str::<serde_json::Value>(reject).unwrap()["line"].clone();
        self.kept("rejects").lines().map(|reject| format!("{}\n", line(reject).as_str().unwrap())).collect()
    }

    /// The reader reads on, to the end. What it got, and what was said.
    fn finish(&mut self) -> (String, String) {
        let (mut out, mut said) = (String::new(), String::new());
        self.output.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        (out, said)
    }
}

#[test]
fn a_queue_that_blocks_reads_until_it_is_full() {
    let mut run = run("block");
    let chunks = ((LEFT + QUEUE) * LINE_BYTES).div_ceil(CHUNK_BYTES);
    assert_eq!(run.read_at_rest(), chunks * CHUNK_BYTES);
    let (out, said) = run.finish();
    assert!(out == lines(0..LINES));
    assert!(said.contains(&format!("in {LINES} = out {LINES} + late 0 + rejected 0 + held 0")), "{said}");
}

#[test]
fn the_newest_lines_are_dropped_once_the_queue_is_full() {
    let mut run = run("drop-newest");
    assert_eq!(run.read_at_rest(), LINES * LINE_BYTES);
    assert!(run.dropped() == lines(LEFT + QUEUE..LINES));
    let (out, said) = run.finish();
    assert!(out == lines(0..LEFT + QUEUE));
    let gone = LINES - LEFT - QUEUE;
    assert!(said.contains(&format!("in {LINES} = out {} + late 0 + rejected {gone} + held 0", LINES - gone)), "{said}");
    assert!(said.contains(&format!("throttle: {gone} lines dropped: the queue was full")), "{said}");
}

#[test]
fn the_oldest_lines_are_dropped_once_the_queue_is_full() {
    let mut run = run("drop-oldest");
    assert_eq!(run.read_at_rest(), LINES * LINE_BYTES);
    assert!(run.dropped() == lines(LEFT..LINES - QUEUE));
    let (out, _) = run.finish();
    assert!(out == lines((0..LEFT).chain(LINES - QUEUE..LINES)));
}

#[test]
fn what_does_not_fit_is_in_the_file_and_comes_back() {
    let mut run = run("spill:FILE");
    assert_eq!(run.read_at_rest(), LINES * LINE_BYTES);
    // The first lines that did not fit are in the file, in whole blocks.
    let block = CHUNK_BYTES.div_ceil(LINE_BYTES - 1);
    let in_file = (LINES - LEFT - QUEUE) / block * block;
    assert!(run.kept("spilled") == lines(LEFT + QUEUE..LEFT + QUEUE + in_file));
    let (out, _) = run.finish();
    assert!(out == lines(0..LINES));
    assert!(!Path::new(&run.folder.path().join("spilled")).exists());
}

#[test]
fn a_run_can_end_when_the_queue_is_full() {
    let run = run("fail");
    let ended = run.child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(75), "{said}");
    let place = format!("throttle: line {}: the queue is full, with {QUEUE} lines", LEFT + QUEUE + 1);
    assert!(said.contains(&place), "{said}");
}

/// Ctrl-C goes to all stages at once, when the run has committed something. The paces are such that most lines wait, and would
/// wait for minutes.
const STOPS: &str = r#"
job() {
    generate --rate 2000/s --lines 8000 --exactly-once --state s | throttle --rate "$1" | file-cat-out o
    codes=("${PIPESTATUS[@]}")
    echo "${codes[@]}"
}
export -f job
committed() { cat s/committed 2> /dev/null || true; }
stop() {
    local before
    before=$(committed)
    bash -c "trap : INT; job $1" &
    until [[ $(committed) != "$before" ]]; do kill -0 $!; sleep 0.05; done
    kill -INT -- -$!
    wait $!
}

cd "$(mktemp -d)"
started=$SECONDS
set -m
stop 100/s
stop 10/s
stop 1/s
(( SECONDS - started < 250 ))
(( $(cat o/*.ndjson | wc -l) < 7000 ))
job 1000000/s
cat o/*.ndjson | cmp - <(generate --event-rate 2000/s --lines 8000)
rm -r "$PWD"
"#;

#[test]
fn a_stop_leaves_what_waits_to_the_next_run() {
    let ran = testkit::bash(&["generate", "throttle", "file-cat-out"], STOPS);
    assert_eq!(ran.ok(), "0 0 0\n".repeat(4));
}
