//! Inputs: what they are called, and opening them.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use millpipe::{Error, MergeInput, must_have_input};
use rustix::fs::{Mode, OFlags, open};

/// An input of the command line: a path, or `NAME=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub name: Option<String>,
    pub path: PathBuf,
}

impl FromStr for Input {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let is_name = |name: &str| name.bytes().all(is_letter) && name.starts_with(|c: char| c.is_ascii_alphabetic());
        Ok(match text.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, path)) => Self { name: Some(name.to_owned()), path: path.into() },
            None => Self { name: None, path: text.into() },
        })
    }
}

impl Input {
    /// The name given; else the path, but for what a shell made of `<(…)` and for stdin: their number.
    fn name(&self, number: usize) -> String {
        let is_nameless = self.is_stdin() || self.path.starts_with("/dev/fd") || self.path.starts_with("/proc/self/fd");
        match &self.name {
            Some(name) => name.clone(),
            None if is_nameless => (number + 1).to_string(),
            None => self.path.display().to_string(),
        }
    }

    pub fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    /// Does not wait for the writer of a FIFO: it may wait for us to open another one.
    fn open(&self) -> Result<std::os::fd::OwnedFd, Error> {
        let io = |error: rustix::io::Errno| Error::io(self.path.display(), &error.into());
        if self.is_stdin() {
            must_have_input()?;
            return rustix::io::dup(rustix::stdio::stdin()).map_err(io);
        }
        let file = open(&self.path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).map_err(io)?;
        let stat = rustix::fs::fstat(&file).map_err(io)?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory {
            return Err(Error::data(format_args!("{}: is a folder", self.path.display())));
        }
        Ok(file)
    }
}

/// The names of inputs, each once.
///
/// # Errors
/// When two have the same.
pub fn names(inputs: &[Input]) -> Result<Vec<String>, Error> {
    let names: Vec<String> = inputs.iter().enumerate().map(|(number, input)| input.name(number)).collect();
    for (number, name) in names.iter().enumerate() {
        if names[..number].contains(name) {
            return Err(Error::usage(format_args!("two inputs are called \"{name}\""))
                .hint("give them names: merge first=PATH second=PATH"));
        }
    }
    Ok(names)
}

/// # Errors
/// When one cannot be opened.
pub fn open_all(inputs: &[Input]) -> Result<Vec<MergeInput>, Error> {
    let names = names(inputs)?;
    let called = |name: String| if inputs.len() == 1 { String::new() } else { format!("input {name}") };
    inputs.iter().zip(names).map(|(input, name)| Ok(MergeInput { name: called(name), file: input.open()? })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        let inputs: Vec<Input> = text.split(' ').map(|text| text.parse().unwrap()).collect();
        names(&inputs).unwrap()
    }

    #[test]
    fn an_input_is_called_by_its_name_its_path_or_its_number() {
        assert_eq!(named("a.ndjson /dev/fd/63 clicks=/dev/fd/62 -"), ["a.ndjson", "2", "clicks", "4"]);
        assert_eq!(named("./a=b 1=x /tmp/a=b"), ["./a=b", "1=x", "/tmp/a=b"]);
    }

    #[test]
    fn two_inputs_of_one_name_are_refused() {
        let inputs: Vec<Input> = ["a", "b", "a"].iter().map(|text| text.parse().unwrap()).collect();
        assert!(names(&inputs).unwrap_err().message.contains("two inputs are called \"a\""));
    }
}
