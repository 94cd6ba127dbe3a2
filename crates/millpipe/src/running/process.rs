//! What the kernel says of this process and of the pipes at its ends.

use std::fs;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use serde_json::{Value, json};

/// Linux gives programs times in hundredths of a second.
const MS_PER_TICK: u64 = 10;

/// The fields of `/proc/PID/stat` that are used here, counted as in proc(5).
const USER_TICKS: usize = 14;
const SYSTEM_TICKS: usize = 15;
const START_TICKS: usize = 22;

/// What follows one of these words in a command line is not shown; nor is what is in one word with them.
const SECRETS: [&str; 3] = ["password", "secret", "token"];

/// So much of a command line is shown.
const ARGS_BYTES_MAX: usize = 4000;

/// The command line without its secrets.
pub fn args() -> Vec<String> {
    without_secrets(std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()))
}

fn without_secrets(words: impl Iterator<Item = String>) -> Vec<String> {
    let (mut shown, mut bytes, mut is_secret) = (Vec::new(), 0, false);
    for word in words {
        bytes += word.len();
        if bytes > ARGS_BYTES_MAX {
            shown.push("…".to_owned());
            break;
        }
        let lower = word.to_lowercase();
        let names_one = SECRETS.iter().any(|secret| lower.contains(secret));
        let value_at = word.find('=').filter(|_| names_one);
        shown.push(match value_at {
            Some(at) => format!("{}=…", &word[..at]),
            None if is_secret => "…".to_owned(),
            None => word,
        });
        is_secret = names_one && value_at.is_none();
    }
    shown
}

/// When a process began, in ticks since the machine did: with its number the name of a process that no later one has. None for
/// a process that is not there.
pub fn start_ticks(pid: u32) -> Option<u64> {
    field(&stat(pid)?, START_TICKS)
}

fn stat(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/stat")).ok()
}

/// The name of the program, the second field, may have blanks and brackets in it.
fn field(stat: &str, number: usize) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(number - 3)?.parse().ok()
}

/// Processor time of this process so far, in milliseconds.
pub fn cpu_ms() -> Option<u64> {
    let stat = stat(std::process::id())?;
    Some((field(&stat, USER_TICKS)? + field(&stat, SYSTEM_TICKS)?) * MS_PER_TICK)
}

/// Memory of this process, in bytes.
pub fn rss_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The pipe at standard input or output: its number, and how full it is. None for what is no pipe.
pub fn pipe(fd: BorrowedFd<'_>, number: u8) -> Option<Value> {
    let file = fs::metadata(Path::new("/proc/self/fd").join(number.to_string())).ok()?;
    if !file.file_type().is_fifo() {
        return None;
    }
    let bytes = rustix::io::ioctl_fionread(fd).ok()?;
    let size = rustix::pipe::fcntl_getpipe_size(fd).ok()?;
    Some(json!({ "pipe": file.ino(), "bytes": bytes, "size": size }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_the_name_of_the_program() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 0 0 0 11 12 0 0 20 0 1 0 4711 2 3";
        assert_eq!((field(stat, START_TICKS), field(stat, USER_TICKS)), (Some(4711), Some(11)));
        assert_eq!(field("", START_TICKS), None);
        assert!(start_ticks(std::process::id()).is_some_and(|ticks| ticks > 0));
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(rss_bytes().is_some_and(|bytes| bytes > 100_000));
        assert!(cpu_ms().is_some());
    }

    #[test]
    fn secrets_are_not_shown() {
        let words = ["-X", "sasl.password=p", "--token", "t", "-t", "topic"].map(str::to_owned);
        assert_eq!(without_secrets(words.into_iter()), ["-X", "sasl.password=…", "--token", "…", "-t", "topic"]);
        let long = without_secrets((0..3).map(|_| "x".repeat(3000)));
        assert_eq!((long.len(), long[1].as_str()), (2, "…"));
    }
}
