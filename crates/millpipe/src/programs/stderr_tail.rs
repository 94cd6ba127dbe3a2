//! What a process says on stderr: passed on line by line, and the last of it kept for the message if it fails.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::process::ChildStderr;

use rustix::io::Errno;

/// Lines that are kept, and how much of each.
const LINES_MAX: usize = 3;
const LINE_BYTES_MAX: usize = 500;

#[derive(Default)]
pub(crate) struct StderrTail {
    open: Vec<u8>,
    last: VecDeque<String>,
}

impl StderrTail {
    /// Takes what a process has said, if that does not block; at the end of it there is no pipe any more.
    pub fn read(&mut self, from: &mut Option<ChildStderr>) {
        let Some(stderr) = from else { return };
        let mut bytes = [0; 4096];
        match rustix::io::read(stderr, &mut bytes) {
            Ok(n) if n > 0 => self.push(&bytes[..n]),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Ok(_) | Err(_) => *from = None,
        }
    }

    /// Takes what came. Whole lines go to our stderr, so that those of several processes do not mix.
    fn push(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(bytes);
        let Some(end) = memchr::memrchr(b'\n', &self.open) else {
            // A process that never ends its line must not fill the memory.
            if self.open.len() > 64 * LINE_BYTES_MAX {
                self.pass_on(self.open.len());
            }
            return;
        };
        self.pass_on(end + 1);
    }

    /// The last lines, for a message; forgets them.
    pub fn take(&mut self) -> String {
        self.pass_on(self.open.len());
        let lines: Vec<String> = self.last.drain(..).collect();
        lines.join("; ")
    }

    fn pass_on(&mut self, length: usize) {
        let rest = self.open.split_off(length);
        let whole = std::mem::replace(&mut self.open, rest);
        if whole.is_empty() {
            return;
        }
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(&whole);
        if !whole.ends_with(b"\n") {
            let _ = stderr.write_all(b"\n");
        }
        for line in whole.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            self.last.push_back(String::from_utf8_lossy(&line[..line.len().min(LINE_BYTES_MAX)]).trim().to_owned());
            if self.last.len() > LINES_MAX {
                self.last.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_three_lines_are_kept() {
        let mut tail = StderrTail::default();
        for part in ["o", "ne\ntw", "o\n\nthree\nfour", "\nfi", "ve"] {
            tail.push(part.as_bytes());
        }
        assert_eq!(tail.take(), "three; four; five");
        assert_eq!(tail.take(), "");
    }
}
