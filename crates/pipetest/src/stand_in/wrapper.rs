//! A wrapper around a program of the pipeline: its input comes cut at random, or its output is kept for who compares.
//!
//! The program takes the wrapper's place (exec), so that pids, signals and exit codes are its own. Beside it runs a pump that
//! cuts or keeps: this program again, under a name of its own.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use millpipe::Error;
use printer::Printer;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::stand_in::environment::{CUT, KEEP, SHARDS, TOOLS, WRAPPED};

/// Set for a stand-in that the wrapper starts: it is the tool now.
const BARE: &str = "PIPETEST_BARE";
const CUT_PUMP: &str = "pipetest:cut";
const KEEP_PUMP: &str = "pipetest:keep";

/// Stages that read standard input and may do so in several threads.
const STAGES: [&str; 19] = [
    "aggregate",
    "decompose",
    "dedup",
    "derive",
    "detect",
    "filter",
    "forecast",
    "lookup",
    "match-pattern",
    "parallel-map",
    "reorder",
    "report",
    "resample",
    "stream-join",
    "throttle",
    "top-n",
    "validate",
    "watermark",
    "window",
];
const SINKS: [&str; 3] = ["kafka-cat-out", "file-cat-out", "exec-cat-out"];
/// Tools that neither are given more threads nor cut.
const OTHERS: [&str; 5] = ["file-cat-in", "generate", "kafka-cat-in", "merge", "shard"];
/// Programs of others that stand between stages, and have a link of their own when outputs are kept.
const FOREIGN: [&str; 20] = [
    "awk", "cat", "cut", "gawk", "gojq", "grep", "head", "jaq", "jq", "mawk", "mlr", "node", "perl", "python3", "sed",
    "sort", "tail", "tee", "tr", "uniq",
];

/// Of a stream of many pieces only so many are small.
const SMALL_PIECES: u32 = 2_000;
const BLOCK_BYTES: usize = 64 * 1024;
const THREADS_MAX: u32 = 3;

/// How long, in all and for one piece, it is waited for that pieces are read.
const PATIENCE: Duration = Duration::from_millis(300);
const PATIENCE_OF_A_PIECE: Duration = Duration::from_millis(50);
const LOOK: Duration = Duration::from_micros(100);

/// What a wrapped run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Cut,
    Kept,
}

impl Taken {
    /// Returns the programs that need a link for it.
    pub fn programs(self) -> impl Iterator<Item = &'static str> {
        let foreign = FOREIGN.into_iter().filter(move |_| self == Self::Kept);
        STAGES.into_iter().chain(SINKS).chain(OTHERS).chain(foreign)
    }
}

/// Returns true if a program of this name is wrapped in this run, or is a pump of one that is.
pub fn is_wanted(name: &str) -> bool {
    let is_pump = name == CUT_PUMP || name == KEEP_PUMP;
    is_pump || (std::env::var_os(WRAPPED).is_some() && std::env::var_os(BARE).is_none() && name != "pipetest")
}

/// Becomes the program, or is a pump.
pub fn run(name: &str) -> ExitCode {
    let done = match name {
        CUT_PUMP => cut_pump(),
        KEEP_PUMP => keep_pump(),
        _ => Err(become_program(name)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            Printer::new("pipetest").note(&format!("{name}: {error}"));
            // As a shell says it of a program that is not there.
            ExitCode::from(127)
        }
    }
}

fn become_program(name: &str) -> io::Error {
    let is_ours = STAGES.contains(&name) || SINKS.contains(&name) || OTHERS.contains(&name);
    let noted = std::env::var_os(KEEP).filter(|_| !is_ours);
    match (prepared(name), noted) {
        (Ok(command), Some(folder)) => watch(command, name, Path::new(&folder)).unwrap_or_else(|error| error),
        (Ok(mut command), None) => command.exec(),
        (Err(error), _) => error,
    }
}

/// Runs a program that keeps no books as a child, notes how it ended, and ends in the same way.
fn watch(mut command: Command, name: &str, folder: &Path) -> io::Result<io::Error> {
    let mut child = command.spawn()?;
    // The end of its output is that of the child alone.
    drop(command);
    let status = child.wait()?;
    let signal = status.signal();
    let code = status.code().unwrap_or_else(|| 128 + signal.unwrap_or(0));
    fs::write(folder.join(format!("{}.{name}.exit", std::process::id())), code.to_string())?;
    if let Some(signal) = signal {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    end_with(code)
}

/// Ends as the child did: its code can be any.
#[allow(clippy::exit, reason = "there is nothing left to be flushed, and the code is not one of ours")]
fn end_with(code: i32) -> ! {
    std::process::exit(code)
}

fn prepared(name: &str) -> io::Result<Command> {
    let mut command = program(name)?;
    let mut args: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(shards) = std::env::var(SHARDS).ok().filter(|_| name == "shard") {
        args = with_shards(args, &shards);
    }
    if let Some(seed) = std::env::var_os(CUT).and_then(|seed| seed.to_str()?.parse::<u64>().ok()) {
        let mut random = random(seed, name);
        let has_threads = args.iter().any(|arg| arg.to_string_lossy().starts_with("--threads"));
        if STAGES.contains(&name) && !has_threads {
            command.arg(format!("--threads={}", 1 + random.next_u32() % THREADS_MAX));
        }
        if STAGES.contains(&name) || SINKS.contains(&name) || name == "shard" {
            command.stdin(pump_before(random.next_u64())?);
        }
    }
    let is_sink = SINKS.contains(&name);
    if let Some(folder) = std::env::var_os(KEEP).filter(|_| !is_sink) {
        let file = Path::new(&folder).join(format!("{}.{name}", std::process::id()));
        command.stdout(pump_after(&file)?);
    }
    command.args(args);
    Ok(command)
}

/// The command line of `shard`, with another number of them.
fn with_shards(args: Vec<OsString>, shards: &str) -> Vec<OsString> {
    let mut changed = vec![format!("--shards={shards}").into()];
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy().into_owned();
        if text == "--" {
            changed.push(arg);
            break;
        }
        match text.as_str() {
            "-n" | "--shards" => drop(args.next()),
            text if text.starts_with("--shards=") || text.starts_with("-n") => {}
            _ => changed.push(arg),
        }
    }
    changed.extend(args);
    changed
}

/// The program itself: a stand-in again, or the first of its name on the rest of the PATH.
fn program(name: &str) -> io::Result<Command> {
    if TOOLS.contains(&name) {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg0(name).env(BARE, "1");
        return Ok(command);
    }
    let folder = std::env::var_os(WRAPPED).map(PathBuf::from).unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .filter(|dir| *dir != folder)
        .map(|dir| dir.join(name))
        .find(|file| is_program(file));
    let missing = || io::Error::new(ErrorKind::NotFound, "command not found");
    let mut command = Command::new(found.ok_or_else(missing)?);
    command.arg0(name);
    Ok(command)
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn pump(name: &str) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg0(name);
    Ok(command)
}

/// Starts a pump that cuts what comes in; returns what it gives.
fn pump_before(seed: u64) -> io::Result<Stdio> {
    let (reader, writer) = io::pipe()?;
    pump(CUT_PUMP)?.arg(seed.to_string()).stdin(Stdio::inherit()).stdout(writer).spawn()?;
    Ok(reader.into())
}

/// Starts a pump that passes what it is given on, and keeps it; returns where to write.
fn pump_after(file: &Path) -> io::Result<Stdio> {
    let (reader, writer) = io::pipe()?;
    pump(KEEP_PUMP)?.arg(file).stdin(reader).stdout(Stdio::inherit()).spawn()?;
    Ok(writer.into())
}

fn cut_pump() -> io::Result<()> {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut patience = PATIENCE;
    // A piece that is read together with the next one was not cut.
    let let_read = || {
        let until = Instant::now() + patience.min(PATIENCE_OF_A_PIECE);
        while rustix::io::ioctl_fionread(rustix::stdio::stdout()).is_ok_and(|waiting| waiting > 0)
            && Instant::now() < until
        {
            patience = patience.saturating_sub(LOOK);
            thread::sleep(LOOK);
        }
    };
    cut(&mut io::stdin().lock(), &mut io::stdout(), seed, let_read)
}

/// Passes bytes on, in pieces of random lengths, with pauses between some of them; the first pieces are each read before the
/// next is written.
fn cut(from: &mut impl Read, to: &mut impl Write, seed: u64, mut let_read: impl FnMut()) -> io::Result<()> {
    let mut random = random(seed, "");
    let longest = [2, 7, 60, 700, 20_000][random.next_u32() as usize % 5];
    let mut block = vec![0; BLOCK_BYTES];
    let mut pieces = 0;
    loop {
        let length = from.read(&mut block)?;
        if length == 0 {
            return Ok(());
        }
        let mut rest = &block[..length];
        while !rest.is_empty() {
            let most = if pieces < SMALL_PIECES { longest } else { BLOCK_BYTES };
            let piece = (1 + random.next_u32() as usize % most).min(rest.len());
            to.write_all(&rest[..piece])?;
            to.flush()?;
            rest = &rest[piece..];
            pieces += 1;
            if pieces < SMALL_PIECES {
                let_read();
            }
            if pieces < SMALL_PIECES && random.next_u32().is_multiple_of(50) {
                thread::sleep(Duration::from_micros(u64::from(random.next_u32() % 3_000)));
            }
        }
    }
}

fn keep_pump() -> io::Result<()> {
    let path = std::env::args_os().nth(1).unwrap_or_default();
    let mut file = File::create(path)?;
    let (mut from, mut to) = (io::stdin().lock(), io::stdout());
    let mut block = vec![0; BLOCK_BYTES];
    let mut reader_is_there = true;
    loop {
        let length = from.read(&mut block)?;
        if length == 0 {
            return Ok(());
        }
        file.write_all(&block[..length])?;
        // A reader that has gone ends the program before it, as it would without a pump.
        reader_is_there = reader_is_there && to.write_all(&block[..length]).and_then(|()| to.flush()).is_ok();
        if !reader_is_there {
            return Err(ErrorKind::BrokenPipe.into());
        }
    }
}

fn random(seed: u64, name: &str) -> ChaCha8Rng {
    let of_name = name.bytes().fold(seed, |hash, byte| hash.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte));
    ChaCha8Rng::seed_from_u64(of_name)
}

/// Puts a link to this program there.
///
/// # Errors
/// The disk's.
pub fn link(folder: &Path, name: &str) -> Result<(), Error> {
    let link = folder.join(name);
    let make = || std::os::unix::fs::symlink(std::env::current_exe()?, &link);
    match make() {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::io(link.display(), &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_shards_stands_in_place_of_the_one_that_was_said() {
        let changed = |text: &str| -> String {
            let args = with_shards(text.split(' ').map(OsString::from).collect(), "4");
            args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(changed("--by k -n 2 -- window -n 3"), "--shards=4 --by k -- window -n 3");
        assert_eq!(changed("--shards=2 --by k -- x"), "--shards=4 --by k -- x");
        assert_eq!(changed("-n2 --by k --ordered -- x"), "--shards=4 --by k --ordered -- x");
    }

    /// Counts what it is given, and how often.
    #[derive(Default)]
    struct Pieces(Vec<Vec<u8>>);

    impl Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn cut_bytes_are_the_same_bytes_and_another_seed_cuts_elsewhere() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
        let cut_by = |seed| {
            let mut pieces = Pieces::default();
            cut(&mut &bytes[..], &mut pieces, seed, || {}).unwrap();
            assert_eq!(pieces.0.concat(), bytes);
            pieces.0.len()
        };
        let numbers: Vec<usize> = (0..20).map(cut_by).collect();
        assert!(numbers.iter().any(|number| *number != numbers[0]), "{numbers:?}");
        assert_eq!(cut_by(3), numbers[3], "the same seed makes the same cuts");
    }
}
