//! One test with all that its file says for it: what is run, where, and for how long at most.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use millpipe::Error;

use crate::model::{self, Input, SourceText, Test, TestFile};

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A script, as it is.
    Script(PathBuf),
    /// A pipeline in the file of tests; its exit code is that of any stage (`pipefail`).
    Pipeline(String),
}

/// A test that can be run.
#[derive(Clone, Debug)]
pub struct Job {
    pub source: Arc<SourceText>,
    /// Its place among the tests of its file, from 0.
    pub index: usize,
    /// The line that it begins in.
    pub line: usize,
    pub test: Test,
    pub program: Program,
    pub env: BTreeMap<String, String>,
    pub files: BTreeMap<String, Input>,
    /// Folders that come on the PATH after the stand-ins.
    pub path: Vec<PathBuf>,
    pub limit: Duration,
}

impl Job {
    /// Reads the tests of a file.
    ///
    /// # Errors
    /// Usage, with file and line.
    pub fn read(file: &Path) -> Result<Vec<Self>, Error> {
        let (source, file) = model::read(file)?;
        let source = Arc::new(source);
        (0..file.tests.len()).map(|index| Self::new(&source, &file, index)).collect()
    }

    fn new(source: &Arc<SourceText>, file: &TestFile, index: usize) -> Result<Self, Error> {
        let spanned = &file.tests[index];
        let (place, test) = (spanned.span().start, spanned.get_ref().clone());
        let folder = absolute(source.folder())?;
        let run = test.run.as_ref().or(file.run.as_ref()).cloned().unwrap_or_default();
        let path = file.path.iter().chain(&test.path).map(|dir| folder.join(dir)).collect();
        let limit = Duration::from_millis(test.time_ms.unwrap_or(file.time_ms).unsigned_abs());
        Ok(Self {
            program: program(&folder, &run).map_err(|what| source.error(place, what))?,
            env: merged(&file.env, &test.env),
            files: merged(&file.files.0, &test.files.0),
            line: source.line_of(place),
            source: Arc::clone(source),
            index,
            test,
            path,
            limit,
        })
    }

    /// Returns `FILE:LINE`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.source.path.display(), self.line)
    }

    /// Returns the PATH on which these folders come first, then those of the test, then the tools' own, then what there was.
    ///
    /// # Errors
    /// When a folder has a colon in its name.
    pub fn path_with(&self, first: &[PathBuf]) -> Result<OsString, Error> {
        let tools = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
        let before = std::env::var_os("PATH").unwrap_or_default();
        let all = first.iter().cloned().chain(self.path.clone()).chain(tools).chain(std::env::split_paths(&before));
        std::env::join_paths(all).map_err(|error| Error::usage(format_args!("PATH: {error}")))
    }
}

/// A word that names a file beside the tests is a script; anything else is a pipeline.
fn program(folder: &Path, run: &str) -> Result<Program, String> {
    let path = folder.join(run);
    if path.is_file() {
        return Ok(Program::Script(path));
    }
    if run.trim().is_empty() {
        return Err("run is empty: write a script's name, or a pipeline".to_owned());
    }
    if !run.contains(char::is_whitespace) && run.contains('.') {
        return Err(format!("there is no script {}", path.display()));
    }
    Ok(Program::Pipeline(run.to_owned()))
}

fn merged<T: Clone>(of_file: &BTreeMap<String, T>, of_test: &BTreeMap<String, T>) -> BTreeMap<String, T> {
    of_file.iter().chain(of_test).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn absolute(folder: &Path) -> Result<PathBuf, Error> {
    folder.canonicalize().map_err(|error| Error::usage(Error::io(folder.display(), &error).message))
}
