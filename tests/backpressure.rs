//! With the reader of a pipeline stopped, its source stops after an amount that can be told beforehand, each
//! stage's memory stays flat, and nothing is lost once the reader goes on.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs::File;
use std::io::{PipeReader, Read, Seek, Write};
use std::process::{Child, Command, Stdio};

use millpipe::{BLOCK_BYTES, CHANNEL_CHUNKS, CHUNK_BYTES};
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, Signal, kill_process};
use testkit::wait_for_rest;

/// What a pipe holds by default on Linux.
const PIPE_BYTES: usize = 64 * 1024;
const LINES: usize = 400_000;
const WINDOW: [&str; 3] = ["--size", "1h", "--plain"];

/// A file of lines of equal length: what was read of it is the offset that it shares with the stage.
fn source() -> (File, usize) {
    let mut file = tempfile::tempfile().unwrap();
    let line = |n: usize| format!("{{\"timestamp\":\"2026-01-01T00:00:00Z\",\"n\":\"{n:08}\"}}\n");
    let text: String = (0..LINES).map(line).collect();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    (file, line(0).len())
}

/// How long an annotated line is.
fn line_out_bytes(line_bytes: usize) -> usize {
    line_bytes + "\"window_start\":\"2026-01-01T00:00:00Z\",\"window_end\":\"2026-01-01T01:00:00Z\",".len()
}

/// In which chunk of its input (from 1) a stage makes its n-th block of output (from 1), and the blocks' sizes.
fn blocks(line_in: usize, line_out: usize, count: usize) -> Vec<(usize, usize)> {
    let mut made = Vec::new();
    let (mut chunk, mut lines) = (0, 0);
    while made.len() < count {
        chunk += 1;
        let mut block = 0;
        while (lines + 1) * line_in <= chunk * CHUNK_BYTES {
            lines += 1;
            block += line_out;
            if block >= BLOCK_BYTES {
                made.push((chunk, block));
                block = 0;
            }
        }
        if block > 0 {
            made.push((chunk, block));
        }
    }
    made
}

/// The block (from 0) that does not fit any more into this many bytes.
fn first_that_does_not_fit(blocks: &[(usize, usize)], bytes: usize) -> usize {
    let mut sum = 0;
    blocks
        .iter()
        .position(|(_, size)| {
            sum += size;
            sum > bytes
        })
        .unwrap()
}

/// Waits until the stages have nothing to do, and says how far the first one got in its input.
fn offset_at_rest(file: &mut File, stages: &[&Child]) -> usize {
    wait_for_rest(&stages.iter().map(|stage| stage.id()).collect::<Vec<_>>());
    usize::try_from(file.stream_position().unwrap()).unwrap()
}

fn spawn(tool: &str, args: &[&str], stdin: Stdio, stdout: Stdio) -> Child {
    Command::new(testkit::bin(tool)).args(args).stdin(stdin).stdout(stdout).spawn().unwrap()
}

/// Peak memory, from the kernel's own books.
fn peak_kib(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Reads on: every line arrives, in order.
fn everything_arrives(mut output: PipeReader, children: Vec<Child>) {
    let before: Vec<u64> = children.iter().map(peak_kib).collect();
    assert!(before.iter().all(|kib| *kib < 16 * 1024), "stopped, the stages hold {before:?} KiB");
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), LINES);
    for (n, line) in text.lines().enumerate() {
        assert!(line.ends_with(&format!("\"n\":\"{n:08}\"}}")), "line {n} is {line}");
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn one_loop_stops_when_its_pipe_is_full() {
    let (mut file, line_in) = source();
    let (output, into) = std::io::pipe().unwrap();
    let child = spawn("window", &WINDOW, file.try_clone().unwrap().into(), into.into());
    let made = blocks(line_in, line_out_bytes(line_in), 100);
    // The pipe is full; the loop sits in the write of the next block, made of the chunk read last.
    let stuck = first_that_does_not_fit(&made, PIPE_BYTES);
    assert_eq!(offset_at_rest(&mut file, &[&child]), made[stuck].0 * CHUNK_BYTES);
    everything_arrives(output, vec![child]);
}

#[test]
fn three_threads_stop_when_their_channels_are_full_too() {
    let (mut file, line_in) = source();
    let (output, into) = std::io::pipe().unwrap();
    let args = [&WINDOW[..], &["--threads", "3"]].concat();
    let child = spawn("window", &args, file.try_clone().unwrap().into(), into.into());
    let made = blocks(line_in, line_out_bytes(line_in), 100);
    // Output: the pipe is full, the writer sits on a block, its channel is full, the operator holds the next one.
    let held = first_that_does_not_fit(&made, PIPE_BYTES) + CHANNEL_CHUNKS + 1;
    // Input: the chunk being worked on, the full channel, and the chunk that the reader cannot hand over.
    let chunks = made[held].0 + CHANNEL_CHUNKS + 1;
    assert_eq!(offset_at_rest(&mut file, &[&child]), chunks * CHUNK_BYTES);
    everything_arrives(output, vec![child]);
}

#[test]
fn two_stages_add_a_pipe_and_a_chunk() {
    let (mut file, line_in) = source();
    let (middle, into_middle) = std::io::pipe().unwrap();
    let (output, into) = std::io::pipe().unwrap();
    // Room for more than the second stage takes before it is stuck: each of its reads then gives a whole chunk.
    let middle_bytes = 4 * PIPE_BYTES;
    assert_eq!(fcntl_setpipe_size(&into_middle, middle_bytes).unwrap(), middle_bytes);
    // The second stage replaces the annotation by one of the same length: its output is as long as its input.
    let second = spawn("window", &WINDOW, middle.into(), into.into());
    // Held until the pipe before it is full.
    let pid = Pid::from_child(&second);
    kill_process(pid, Signal::STOP).unwrap();
    let first = spawn("window", &WINDOW, file.try_clone().unwrap().into(), into_middle.into());
    let made = blocks(line_in, line_out_bytes(line_in), 100);
    let stuck = first_that_does_not_fit(&made, middle_bytes);
    assert_eq!(offset_at_rest(&mut file, &[&first]), made[stuck].0 * CHUNK_BYTES);
    kill_process(pid, Signal::CONT).unwrap();
    // The second stage's first chunk fits into its pipe but for the line that the chunk's end cuts; the second
    // chunk it has read, and holds.
    let stuck = first_that_does_not_fit(&made, middle_bytes + 2 * CHUNK_BYTES);
    assert_eq!(offset_at_rest(&mut file, &[&first, &second]), made[stuck].0 * CHUNK_BYTES);
    everything_arrives(output, vec![first, second]);
}
