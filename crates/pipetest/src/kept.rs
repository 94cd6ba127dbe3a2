//! What stages wrote, kept by wrappers: which one differs first from a run that was right.

use std::fs;
use std::path::{Path, PathBuf};

/// Beside what a program wrote: how it ended.
const EXIT: &str = ".exit";
/// The code of a program whose reader has gone.
const READER_GONE: i32 = 141;

/// What one program wrote.
struct Kept {
    pid: u64,
    name: String,
    path: PathBuf,
}

/// Returns the first program without books that ended with another code than 0, and was not left by its reader.
#[must_use]
pub fn first_failure(folder: &Path) -> Option<String> {
    let code = |kept: &Kept| fs::read_to_string(exit_file(&kept.path)).ok()?.parse::<i32>().ok();
    let all = list(folder);
    let mut failed = all.iter().enumerate().filter_map(|(at, kept)| Some((at, kept, code(kept)?)));
    let (at, kept, code) = failed.find(|(_, _, code)| *code != 0 && *code != READER_GONE)?;
    Some(format!("the first program that ended with another code than 0: {} {}, with {code}", at + 1, kept.name))
}

fn exit_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(EXIT);
    name.into()
}

/// The first program that wrote something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstDifference {
    /// Its place among those that were kept and its name.
    pub stage: String,
    /// The number of the line, marks left out.
    pub line: usize,
    pub right: Option<String>,
    pub wrong: Option<String>,
}

impl FirstDifference {
    /// Says it in lines.
    #[must_use]
    pub fn words(&self, than: &str) -> Vec<String> {
        let Self { stage, line, right, wrong } = self;
        let said = |sign: char, text: &Option<String>| {
            let text = text.as_deref().unwrap_or("(nothing more)");
            format!("{line:>4} {sign} {text}")
        };
        let first = format!("the first stage that wrote something else than {than}: {stage}");
        vec![first, said('-', right), said('+', wrong)]
    }
}

/// Compares what two runs have kept. None: all that both have is the same.
#[must_use]
pub fn first_difference(right: &Path, wrong: &Path) -> Option<FirstDifference> {
    let (right, wrong) = (list(right), list(wrong));
    let pairs = right.iter().zip(&wrong).enumerate();
    pairs.take_while(|(_, (one, other))| one.name == other.name).find_map(|(at, (one, other))| {
        let (one, other) = (data_lines(&one.path), data_lines(&other.path));
        let longest = one.len().max(other.len());
        let line = (0..longest).find(|index| one.get(*index) != other.get(*index))?;
        let stage = format!("{} {}", at + 1, right[at].name);
        Some(FirstDifference { stage, line: line + 1, right: one.get(line).cloned(), wrong: other.get(line).cloned() })
    })
}

/// The programs of a run, in the order in which they were started.
fn list(folder: &Path) -> Vec<Kept> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<Kept> = files
        .filter_map(|file| {
            let file_name = file.file_name().into_string().ok().filter(|name| !name.ends_with(EXIT))?;
            let (pid, name) = file_name.split_once('.')?;
            Some(Kept { pid: pid.parse().ok()?, name: name.to_owned(), path: file.path() })
        })
        .collect();
    all.sort_by_key(|kept| kept.pid);
    all
}

/// The lines that are no marks: those have times and names of their own in each run.
fn data_lines(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.lines().filter(|line| !line.starts_with("{\"$\":")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| fs::write(dir.path().join(name), text).unwrap());
        dir
    }

    #[test]
    fn the_first_stage_that_differs_is_named_with_the_line() {
        let right = folder(&[("9.window", "{\"$\":\"watermark\"}\na\nb\n"), ("10.aggregate", "x\n")]);
        let wrong = folder(&[("12.window", "a\n{\"$\":\"idle\"}\nc\n"), ("103.aggregate", "y\n")]);
        let found = first_difference(right.path(), wrong.path()).unwrap();
        assert_eq!((found.stage.as_str(), found.line), ("1 window", 2));
        assert_eq!(found.words("that")[1..], ["   2 - b", "   2 + c"]);
        let late = folder(&[("12.window", "a\nb\n"), ("103.aggregate", "")]);
        let found = first_difference(right.path(), late.path()).unwrap();
        assert_eq!((found.stage.as_str(), found.wrong), ("2 aggregate", None));
        assert_eq!(first_difference(right.path(), right.path()), None);
    }

    #[test]
    fn a_program_that_failed_is_named() {
        let dir = folder(&[("9.cat", ""), ("9.cat.exit", "141"), ("10.jq", ""), ("10.jq.exit", "3")]);
        let said = first_failure(dir.path()).unwrap();
        assert_eq!(said, "the first program that ended with another code than 0: 2 jq, with 3");
        assert_eq!(first_failure(folder(&[("9.cat.exit", "0"), ("9.cat", "")]).path()), None);
    }
}
