//! The files of tests that paths mean, and the tests in them.

use std::fs;
use std::path::{Path, PathBuf};

use millpipe::Error;

use crate::cli::Cli;
use crate::job::Job;

const ENDING: &str = ".pipetest.toml";

/// Returns the tests that are wanted, in the order of files and places.
///
/// # Errors
/// Usage: a file that is wrong, or no test at all.
pub fn jobs(cli: &Cli) -> Result<Vec<Job>, Error> {
    let mut files = Vec::new();
    for path in &cli.paths {
        find(path, &mut files)?;
    }
    if files.is_empty() {
        return Err(Error::usage(format_args!("no file there is called *{ENDING}")));
    }
    let mut jobs = Vec::new();
    for file in &files {
        jobs.extend(Job::read(file)?);
    }
    if let Some(pattern) = &cli.filter {
        jobs.retain(|job| pattern.matches(&job.test.name) || pattern.matches(&job.source.path.to_string_lossy()));
        if jobs.is_empty() {
            return Err(Error::usage(format_args!("no test has {:?} in its name", pattern.written)));
        }
    }
    Ok(jobs)
}

/// A file is taken whatever it is called; below a folder those with the ending.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(|error| Error::usage(Error::io(path.display(), &error).message))?;
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if entry.is_dir() && !name.starts_with('.') && !entry.is_symlink() {
            find(&entry, files)?;
        } else if name.ends_with(ENDING) {
            files.push(entry);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_a_folder_files_are_found_by_their_ending() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("b/c")).unwrap();
        fs::create_dir_all(dir.path().join(".git")).unwrap();
        for name in ["b/c/x.pipetest.toml", "a.pipetest.toml", "b/other.toml", ".git/y.pipetest.toml"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let mut files = Vec::new();
        find(dir.path(), &mut files).unwrap();
        assert_eq!(files, ["a.pipetest.toml", "b/c/x.pipetest.toml"].map(|name| dir.path().join(name)));
        let mut one = Vec::new();
        find(&dir.path().join("b/other.toml"), &mut one).unwrap();
        assert_eq!(one.len(), 1);
    }
}
