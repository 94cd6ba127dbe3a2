//! What `perf script` prints: samples, and between them which process has started which.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

/// Before the numbers of a new process and thread, and of those that have started them: `PERF_RECORD_FORK(12:12):(7:9)`.
const FORK: &str = "PERF_RECORD_FORK(";

/// Each line that is no sample has it.
const NO_SAMPLE: &str = ": PERF_RECORD_";

/// A reader of the samples alone. The process that has started another is noted in `parents`.
pub struct Samples<'p, R> {
    from: R,
    parents: &'p mut BTreeMap<u32, u32>,
    line: Vec<u8>,
    read: usize,
}

impl<'p, R: BufRead> Samples<'p, R> {
    pub fn new(from: R, parents: &'p mut BTreeMap<u32, u32>) -> Self {
        Self { from, parents, line: Vec::new(), read: 0 }
    }

    /// Reads up to the next line of a sample; at the end the line is empty.
    fn next_line(&mut self) -> io::Result<()> {
        self.read = 0;
        loop {
            self.line.clear();
            self.from.read_until(b'\n', &mut self.line)?;
            let text = String::from_utf8_lossy(&self.line);
            if !text.contains(NO_SAMPLE) {
                return Ok(());
            }
            self.parents.extend(fork(&text));
        }
    }
}

/// The process that has begun, and the one that has started it; nothing for a thread.
fn fork(line: &str) -> Option<(u32, u32)> {
    let (child, parent) = line.split_once(FORK)?.1.split_once("):(")?;
    let process = |pair: &str| pair.split_once(':')?.0.parse::<u32>().ok();
    let (child, parent) = (process(child)?, process(parent)?);
    (child != parent).then_some((child, parent))
}

impl<R: BufRead> Read for Samples<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Samples<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.read >= self.line.len() {
            self.next_line()?;
        }
        Ok(self.line.get(self.read..).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.read += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_processes_are_taken_out_and_forks_are_noted() {
        let text = "window 0/0 0.0: PERF_RECORD_COMM: window:7/7\njq 12/12 7.5: cpu-clock: \n\t5 main (/bin/jq)\n\n\
            worker 7/9 7.6: PERF_RECORD_FORK(13:13):(7:9)\nworker 7/9 7.6: PERF_RECORD_FORK(7:10):(7:9)\n\
            jq 13/13 7.7: PERF_RECORD_EXIT(13:13):(7:7)\nx PERF_RECORD_FORK(a\n";
        let mut parents = BTreeMap::new();
        let mut samples = String::new();
        Samples::new(text.as_bytes(), &mut parents).read_to_string(&mut samples).unwrap();
        assert_eq!(samples, "jq 12/12 7.5: cpu-clock: \n\t5 main (/bin/jq)\n\nx PERF_RECORD_FORK(a\n");
        assert_eq!(parents, BTreeMap::from([(13, 7)]));
    }
}
