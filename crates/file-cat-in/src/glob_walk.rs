//! The files that a glob means, also those whose names are not UTF-8: a shell's `*` takes any byte.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};

use crate::found::FileId;

/// As a shell has it: hidden files are not meant.
const AS_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// A path with patterns in it, by its steps.
#[derive(Clone, Debug)]
pub struct Glob {
    /// `/`, or nothing for the folder that we are in.
    root: PathBuf,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Literal(String),
    Matching(Pattern),
    /// `**`: any number of folders, none too.
    AnyFolders,
}

/// What could not be read, and why.
pub type Failed = (PathBuf, io::Error);

impl Glob {
    /// # Errors
    /// A pattern that makes no sense.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        // Tells a wrong pattern with its place in all of it.
        Pattern::new(text)?;
        let mut steps = Vec::new();
        for step in text.split('/').filter(|step| !step.is_empty() && *step != ".") {
            steps.push(match step {
                "**" => Step::AnyFolders,
                _ if !step.contains(['*', '?', '[']) => Step::Literal(step.to_owned()),
                _ => Step::Matching(Pattern::new(step)?),
            });
        }
        let root = if text.starts_with('/') { PathBuf::from("/") } else { PathBuf::new() };
        Ok(Self { root, steps })
    }

    /// All that is there and fits, in no order; folders too.
    ///
    /// # Errors
    /// A folder that is there, and cannot be read.
    pub fn paths(&self) -> Result<Vec<PathBuf>, Failed> {
        let mut paths = Vec::new();
        walk(&self.root, &self.steps, &mut Vec::new(), &mut paths)?;
        paths.sort();
        paths.dedup();
        Ok(paths)
    }
}

/// `above`: the folders that `**` went through, against links that lead in a circle.
fn walk(at: &Path, steps: &[Step], above: &mut Vec<FileId>, paths: &mut Vec<PathBuf>) -> Result<(), Failed> {
    let Some((step, rest)) = steps.split_first() else {
        if at.symlink_metadata().is_ok() {
            paths.push(at.to_owned());
        }
        return Ok(());
    };
    match step {
        Step::Literal(name) => walk(&at.join(name), rest, above, paths),
        Step::Matching(pattern) => {
            for name in names(at)? {
                if pattern.matches_with(&name.to_string_lossy(), AS_A_SHELL) {
                    walk(&at.join(name), rest, above, paths)?;
                }
            }
            Ok(())
        }
        Step::AnyFolders => {
            walk(at, rest, above, paths)?;
            for name in names(at)? {
                let path = at.join(&name);
                let Ok(metadata) = fs::metadata(&path) else { continue };
                let id = FileId::of(&metadata);
                if metadata.is_dir() && !name.to_string_lossy().starts_with('.') && !above.contains(&id) {
                    above.push(id);
                    walk(&path, steps, above, paths)?;
                    above.pop();
                }
            }
            Ok(())
        }
    }
}

/// The names in a folder; none where there is no folder.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>, Failed> {
    let opened = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let failed = |error: io::Error| (opened.to_owned(), error);
    match fs::read_dir(opened) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.file_name()).map_err(failed)).collect(),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    fn found(folder: &Path, pattern: &str) -> Vec<String> {
        let glob = Glob::new(&format!("{}/{pattern}", folder.display())).unwrap();
        let name = |path: &PathBuf| path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        glob.paths().unwrap().iter().map(name).collect()
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_a_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in [&b"caf\xe9.log"[..], b"ok.log", b"\xff\xfe", b"x\xff"] {
            fs::write(folder.path().join(OsStr::from_bytes(name)), "").unwrap();
        }
        fs::create_dir(folder.path().join(OsStr::from_bytes(b"d\xe9p"))).unwrap();
        fs::write(folder.path().join(OsStr::from_bytes(b"d\xe9p/deep.log")), "").unwrap();
        assert_eq!(found(folder.path(), "*.log"), ["caf\u{fffd}.log", "ok.log"]);
        assert_eq!(found(folder.path(), "caf?.log"), ["caf\u{fffd}.log"]);
        assert_eq!(found(folder.path(), "*/*.log"), ["d\u{fffd}p/deep.log"]);
        assert_eq!(found(folder.path(), "**/*.log").len(), 3);
        let glob = Glob::new(&format!("{}/caf*", folder.path().display())).unwrap();
        assert_eq!(glob.paths().unwrap()[0].file_name().unwrap().as_bytes(), b"caf\xe9.log", "its very bytes");
    }

    #[test]
    fn stars_stand_for_folders_too_and_go_in_no_circle() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b/c")).unwrap();
        fs::create_dir_all(folder.path().join("a/.hidden")).unwrap();
        for name in ["x.log", "a/x.log", "a/b/c/x.log", "a/.hidden/x.log", "a/b/.x.log"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        std::os::unix::fs::symlink(folder.path().join("a"), folder.path().join("a/b/up")).unwrap();
        assert_eq!(found(folder.path(), "*.log"), ["x.log"]);
        assert_eq!(found(folder.path(), "*/x.log"), ["a/x.log"]);
        assert_eq!(found(folder.path(), "**/x.log"), ["a/b/c/x.log", "a/x.log", "x.log"]);
        assert_eq!(found(folder.path(), "a/**/x.log"), ["a/b/c/x.log", "a/b/up/x.log", "a/x.log"]);
        assert_eq!(found(folder.path(), "a/[b]/*/x.lo?"), ["a/b/c/x.log", "a/b/up/x.log"]);
        assert_eq!(found(folder.path(), "nothing/*/x.log"), [""; 0]);
        assert_eq!(found(folder.path(), "x.log/*"), [""; 0]);
        assert!(Glob::new("a[").is_err());
    }

    #[test]
    fn paths_begin_as_the_pattern_does() {
        assert!(Glob::new("./Cargo.tom[l]").unwrap().paths().unwrap() == [Path::new("Cargo.toml")]);
        assert!(Glob::new("../file-cat-in/Cargo.tom?").unwrap().paths().unwrap()[0].starts_with(".."));
        assert!(Glob::new("/et[c]").unwrap().paths().unwrap() == [Path::new("/etc")]);
    }
}
