//! The lines of an input: data, and words on when they come.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use millpipe::Error;

use crate::model::{Input, Origin};

/// A command that writes more than this has no end.
const COMMAND_BYTES_MAX: u64 = 256 << 20;

/// One step of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Line(Vec<u8>),
    /// `@sleep 200ms`: nothing comes for so long.
    Sleep(Duration),
    /// `@idle`: nothing comes before all so far was read.
    Idle,
    /// `@end`: nothing comes after it.
    End,
}

/// Returns the steps of an input.
///
/// # Errors
/// Usage: a word that is none, a file that is not there. The command's failure.
pub fn steps(input: &Input, folder: &Path, path: &str) -> Result<Vec<Step>, Error> {
    let bytes = bytes(input, folder, path)?;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.map(step).collect()
}

/// Returns the bytes of an input, as they are.
///
/// # Errors
/// As [`steps`].
pub fn bytes(input: &Input, folder: &Path, path: &str) -> Result<Vec<u8>, Error> {
    match &input.origin {
        Origin::Lines(text) => Ok(text.clone().into_bytes()),
        Origin::File(file) => read(&folder.join(file)),
        Origin::Command(line) => run(line, folder, path),
    }
}

/// Reads a file; of `.gz` and `.zst` what is in them.
///
/// # Errors
/// Usage: it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(path)?;
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => MultiGzDecoder::new(file).read_to_end(&mut bytes)?,
            Some("zst") => zstd::Decoder::new(file)?.read_to_end(&mut bytes)?,
            _ => { file }.read_to_end(&mut bytes)?,
        };
        Ok(bytes)
    };
    read().map_err(|error| Error::usage(Error::io(path.display(), &error).message))
}

fn run(line: &str, folder: &Path, path: &str) -> Result<Vec<u8>, Error> {
    let mut bash = Command::new("bash");
    bash.args(["-o", "pipefail", "-c", line]).current_dir(folder).env("PATH", path).env_remove("MILLPIPE_METRICS");
    let failed = |error: io::Error| Error::io("bash", &error);
    let mut said = tempfile::tempfile().map_err(failed)?;
    bash.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said.try_clone().map_err(failed)?);
    let mut child = bash.spawn().map_err(failed)?;
    let mut written = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(COMMAND_BYTES_MAX + 1).read_to_end(&mut written).map_err(failed)?;
    }
    // What writes on is told so by a pipe that nobody reads.
    let status = child.wait().map_err(failed)?;
    if written.len() as u64 > COMMAND_BYTES_MAX {
        return Err(Error::usage(format_args!(
            "the input's command \"{line}\" writes more than 256 MiB: give it an end"
        )));
    }
    if status.success() {
        return Ok(written);
    }
    let mut text = Vec::new();
    let _ = said.rewind().and_then(|()| said.read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(Error::usage(format_args!("the input's command \"{line}\" ended with {status}: {last}")))
}

fn step(line: &[u8]) -> Result<Step, Error> {
    let Some(word) = line.strip_prefix(b"@") else { return Ok(Step::Line(line.to_vec())) };
    if word.starts_with(b"@") {
        return Ok(Step::Line(word.to_vec()));
    }
    let text = String::from_utf8_lossy(word);
    let mut words = text.split_whitespace();
    let hint = "@sleep 200ms, @idle, @end; a line that begins with @ is written with @@";
    let wrong = || Error::usage(format_args!("\"@{}\" is no word of an input", text.trim())).hint(hint);
    match (words.next(), words.next(), words.next()) {
        (Some("sleep"), Some(time), None) => {
            let ms = units::parse_duration(time).map_err(|_| wrong())?;
            Ok(Step::Sleep(Duration::from_millis(ms.unsigned_abs())))
        }
        (Some("idle"), None, None) => Ok(Step::Idle),
        (Some("end"), None, None) => Ok(Step::End),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Step>, Error> {
        let input = Input { origin: Origin::Lines(text.to_owned()), envelope: false };
        steps(&input, Path::new("."), "/bin:/usr/bin")
    }

    #[test]
    fn lines_and_words_are_told_apart() {
        let line = |text: &str| Step::Line(text.as_bytes().to_vec());
        let steps = of("\n{\"a\":1}\n@sleep 200ms\n@@home\n\n@idle\n@end\n").unwrap();
        assert_eq!(
            steps,
            [line("{\"a\":1}"), Step::Sleep(Duration::from_millis(200)), line("@home"), Step::Idle, Step::End]
        );
    }

    #[test]
    fn a_word_that_is_none_is_told() {
        for text in ["@idle 5s x", "@sleep", "@sleep 5", "@slep 5s", "@"] {
            let error = of(text).unwrap_err();
            assert!(error.message.contains("is no word of an input"), "{text}: {error}");
        }
    }

    #[test]
    fn an_input_is_what_a_command_writes_and_its_failure_is_told() {
        let run = |line: &str| {
            bytes(&Input { origin: Origin::Command(line.to_owned()), envelope: false }, Path::new("."), "/bin:/usr/bin")
        };
        assert_eq!(run("echo a; echo b").unwrap(), b"a\nb\n");
        let error = run("echo why >&2; false | cat").unwrap_err();
        assert!(error.message.contains("ended with exit status: 1: why"), "{error}");
    }

    #[test]
    fn compressed_files_are_read_as_what_is_in_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.zst");
        std::fs::write(&path, zstd::encode_all(&b"a\n"[..], 1).unwrap()).unwrap();
        assert_eq!(read(&path).unwrap(), b"a\n");
        assert!(read(&dir.path().join("none")).unwrap_err().message.contains("none: "));
    }
}
