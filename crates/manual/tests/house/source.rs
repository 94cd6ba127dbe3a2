//! The source files of the crates, without their tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use manual::root;

/// A source file.
#[derive(Clone, Debug)]
pub struct Source {
    /// From the root of the project.
    pub path: String,
    /// The module's path in its crate; empty for `lib.rs`.
    pub module: Vec<String>,
    pub text: String,
}

/// All crates by name.
pub fn crates() -> BTreeMap<String, Vec<Source>> {
    let folders = fs::read_dir(root().join("crates")).unwrap().map(|folder| folder.unwrap().path());
    folders
        .filter(|folder| folder.join("src").is_dir())
        .map(|folder| {
            let mut sources = Vec::new();
            read(&folder.join("src"), &[], &mut sources);
            (folder.file_name().unwrap().to_string_lossy().into_owned(), sources)
        })
        .collect()
}

fn read(folder: &Path, module: &[String], sources: &mut Vec<Source>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let own = || [module, std::slice::from_ref(&name)].concat();
        if name == "tests" {
            continue;
        }
        if path.is_dir() {
            read(&path, &own(), sources);
            continue;
        }
        let whole = fs::read_to_string(&path).unwrap();
        let text = whole.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
        let module = if ["lib", "mod"].contains(&name.as_str()) { module.to_vec() } else { own() };
        let path = path.strip_prefix(root()).unwrap().display().to_string();
        sources.push(Source { path, module, text });
    }
}
