//! A folder with an output and a state folder in it, and streams with checkpoints as a source writes them.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use testkit::{Ran, run};

pub const BIN: &str = env!("CARGO_BIN_EXE_file-cat-out");

/// A place for one pipeline.
pub struct Scene {
    dir: TempDir,
}

impl Scene {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("state")).unwrap();
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Arguments in which `@name` is a path in here.
    pub fn run(&self, args: &str, input: &str) -> Ran {
        let here = format!("{}/", self.dir.path().display());
        let args: Vec<String> = args.split_whitespace().map(|arg| arg.replace('@', &here)).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(BIN, &args, input)
    }

    /// The first line of a stream of this run that goes on from a checkpoint.
    pub fn hello(&self, run: &str, restore: Option<&str>) -> String {
        let state = self.path("state");
        let restore = restore.map_or("null".to_owned(), |id| format!("{{\"id\":\"{id}\",\"positions\":{{}}}}"));
        format!(
            "{{\"$\":\"hello\",\"v\":1,\"run\":\"{run}\",\"hop\":1,\"state\":\"{}\",\"restore\":{restore},\"sink\":null,\"interval_ms\":1000}}\n",
            state.display()
        )
    }

    /// The visible files, each with its path in a folder and what is in it.
    pub fn files(&self, folder: &str) -> Vec<(String, String)> {
        let root = self.path(folder);
        let mut files = Vec::new();
        collect(&root, &root, &mut files);
        files.sort();
        files
    }

    /// What is visible, in the order of names.
    pub fn visible(&self, folder: &str) -> String {
        self.files(folder).into_iter().map(|(_, text)| text).collect()
    }

    pub fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if path.is_dir() && !name.ends_with(".millpipe") {
            collect(root, &path, files);
        } else if path.is_file() {
            files.push((name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
        }
    }
}

/// The end of an epoch with so many lines.
pub fn barrier(id: &str, lines: usize) -> String {
    format!(
        "{{\"$\":\"barrier\",\"id\":\"{id}\",\"lines\":{lines},\"positions\":{{}},\"hops\":[\"source\"],\"snapshots\":[]}}\n"
    )
}

/// The end of a stream that is to go on in another run.
pub fn end() -> &'static str {
    "{\"$\":\"end\",\"lines\":0,\"drain\":false}\n"
}
