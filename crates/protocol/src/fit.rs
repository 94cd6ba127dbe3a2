//! Whether a state folder, the stages of a pipeline and its output belong together; and where they do not, what to do.

use std::io::ErrorKind;
use std::path::Path;

use checkpoint::{CheckpointId, Committed, Disk, SAVEPOINT, SnapshotReader, without_shard};
use stream::Error;

use crate::hello::{Hello, Truth};

/// What a snapshot can fail to be loaded by.
pub enum Loading {
    Folder(checkpoint::Error),
    Stage(Error),
}

impl From<checkpoint::Error> for Loading {
    fn from(error: checkpoint::Error) -> Self {
        Self::Folder(error)
    }
}

/// The state folder, as one stage sees it.
pub struct Folder<'f> {
    pub disk: &'f dyn Disk,
    pub dir: &'f Path,
    /// The stage's own folder in it.
    pub name: &'f str,
}

impl Folder<'_> {
    /// A snapshot that a stage of this tool should go on from cannot be loaded: why, and what to do.
    pub fn explain(&self, error: Loading, hello: &Hello, tool: &str) -> Error {
        use checkpoint::Error as Folder;
        match error {
            Loading::Stage(error) => error,
            Loading::Folder(error @ Folder::OtherFlags { .. }) => {
                Error::data(error).hint(format_args!("give the old flags, or {}", begin_anew(hello)))
            }
            Loading::Folder(error @ Folder::Missing { .. }) => self.missing(&error, hello, tool),
            Loading::Folder(error) => error.into(),
        }
    }

    fn missing(&self, error: &checkpoint::Error, hello: &Hello, tool: &str) -> Error {
        let Some(id) = &hello.restore.id else { return Error::data(error) };
        let folders = match self.folders_with(id) {
            Ok(folders) if folders.is_empty() => return self.no_state_of(id, error, hello),
            Ok(folders) => folders,
            Err(error) => return error,
        };
        let all = folders.join(", ");
        let of_tool: Vec<&str> =
            folders.iter().map(|name| without_shard(name)).filter(|name| self.is_of(name, id, tool)).collect();
        let what = Error::data(format_args!("{error}; folders that have it: {all}"));
        match of_tool.first() {
            Some(old) => what.hint(format_args!(
                "a stage that has moved, or has another name, keeps its state so: state save {} NEW --rename {old}={}, then --state NEW",
                self.dir.display(),
                without_shard(self.name),
            )),
            None => what.hint(format_args!(
                "{tool} had no state in that checkpoint: take it out again, or {}",
                begin_anew(hello)
            )),
        }
    }

    /// No folder at all has the checkpoint.
    fn no_state_of(&self, id: &CheckpointId, error: &checkpoint::Error, hello: &Hello) -> Error {
        let anew = begin_anew(hello);
        match hello.group() {
            Some(group) => Error::data(format_args!(
                "the consumer group \"{group}\" is at checkpoint {id}, and \"{}\" has no state of it",
                self.dir.display()
            ))
            .hint(format_args!("bring the state folder back that the group goes on from, or {anew}")),
            None => Error::data(error)
                .hint(format_args!("is --state the folder of this pipeline? If its state is lost, {anew}")),
        }
    }

    /// The folders of stages that have a snapshot of this checkpoint.
    ///
    /// # Errors
    /// When the folder cannot be read: then nobody knows whether it has one.
    pub fn folders_with(&self, id: &CheckpointId) -> Result<Vec<String>, Error> {
        let names = self.disk.list(self.dir).map_err(|error| Error::io(self.dir.display(), &error))?;
        let mut folders = Vec::new();
        for name in names {
            match checkpoint::has_snapshot(self.disk, &self.dir.join(&name), id) {
                Ok(true) => folders.push(name),
                Ok(false) => {}
                Err(checkpoint::Error::Io { source, .. }) if source.kind() == ErrorKind::NotADirectory => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(folders)
    }

    fn is_of(&self, name: &str, id: &CheckpointId, tool: &str) -> bool {
        let snapshot = SnapshotReader::open(self.disk, &self.dir.join(name), id);
        snapshot.map_or_else(|_| name.ends_with(&format!("-{tool}")), |snapshot| snapshot.header().stage == tool)
    }
}

/// A copied checkpoint comes without the output that it was committed to: it may begin a new one.
pub fn begins_from_a_savepoint(hello: &Hello, truth: &Truth, copy: Option<&Committed>) -> bool {
    let copy = copy.filter(|copy| copy.sink == SAVEPOINT);
    truth.id.is_none() && copy.is_some_and(|copy| Some(&copy.id) == hello.restore.id.as_ref())
}

fn shown(truth: &Truth) -> String {
    truth.id.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

/// The run goes on from a commit, and the output knows none.
pub fn no_commit(hello: &Hello) -> Error {
    let restored = shown(&hello.restore);
    Error::data(format_args!("the state folder goes on from {restored}, the output knows no commit"))
        .hint("another output than before? A new pipeline begins with an empty state folder")
}

/// An older run has committed what the run does not go on from.
pub fn committed_since(hello: &Hello, truth: &Truth) -> Error {
    let (restored, known) = (shown(&hello.restore), shown(truth));
    Error::temporary(format_args!(
        "this run goes on from {restored}, but {known} is committed: an older run committed after this one began"
    ))
    .hint("start the pipeline again; the state folder is now correct")
}

/// The output is at a checkpoint that the state folder has no state of.
pub fn another_folder(dir: &Path, hello: &Hello, truth: &Truth) -> Error {
    let (dir, restored, known) = (dir.display(), shown(&hello.restore), shown(truth));
    let anew = begin_anew(hello);
    if hello.restore.id.is_none() {
        return Error::data(format_args!("{known} is committed in the output, and \"{dir}\" has no state of it"))
            .hint(format_args!("bring the state folder back that the output was written with, or {anew}"));
    }
    Error::data(format_args!(
        "{known} is committed in the output, and \"{dir}\" has no state of it: it is at {restored}, an older copy or that of another pipeline"
    ))
    .hint(format_args!(
        "bring the newest state folder back, or {anew}\n\
         to go on from {restored}: state save {dir} NEW, then {}",
        others(hello, "--state NEW").join(", ")
    ))
}

/// What all has to be another one, for a pipeline that is to begin anew.
fn begin_anew(hello: &Hello) -> String {
    let all = others(hello, "another --state folder");
    let (last, first) = all.split_last().map_or(("", &[][..]), |(last, first)| (last.as_str(), first));
    format!("begin anew with {} and {last}", first.join(", "))
}

fn others(hello: &Hello, state: &str) -> Vec<String> {
    let group = hello.group().map(|group| format!("another -G than \"{group}\""));
    group.into_iter().chain([state.to_owned(), "another output".to_owned()]).collect()
}
