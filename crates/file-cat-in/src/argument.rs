//! One FILE of the command line, and the files that it means now.

use std::path::PathBuf;

use millpipe::Error;

use crate::failure;
use crate::found::{FileId, Found, Stamp};
use crate::glob_walk::Glob;

#[derive(Clone, Debug)]
pub struct Argument {
    /// As it was given.
    pub text: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Stdin,
    Path,
    Glob(Glob),
}

impl Argument {
    /// # Errors
    /// A glob that makes no sense.
    pub fn new(text: &str) -> Result<Self, Error> {
        let kind = match text {
            "-" => Kind::Stdin,
            _ if !text.contains(['*', '?', '[']) || PathBuf::from(text).exists() => Kind::Path,
            _ => Kind::Glob(
                Glob::new(text).map_err(|error| Error::usage(format_args!("glob \"{text}\": {}", error.msg)))?,
            ),
        };
        Ok(Self { text: text.to_owned(), kind })
    }

    pub fn is_glob(&self) -> bool {
        matches!(self.kind, Kind::Glob(_))
    }

    /// The files that it means now: those of a glob by name; none when there is none.
    ///
    /// # Errors
    /// A folder, or one that cannot be read.
    pub fn list(&self) -> Result<Vec<Found>, Error> {
        match &self.kind {
            Kind::Stdin => Ok(vec![stdin()]),
            Kind::Path => self.path(),
            Kind::Glob(glob) => files(glob),
        }
    }

    fn path(&self) -> Result<Vec<Found>, Error> {
        let path = PathBuf::from(&self.text);
        match Found::at(&path).map_err(|error| failure::error(&path, &error))? {
            Some(found) => Ok(vec![found]),
            None if path.is_dir() => Err(Error::data(format_args!("{}: is a folder", self.text))
                .hint(format_args!("'{}/*' reads the files in it", self.text.trim_end_matches('/')))),
            None => Ok(Vec::new()),
        }
    }
}

fn files(glob: &Glob) -> Result<Vec<Found>, Error> {
    let mut files = Vec::new();
    for path in glob.paths().map_err(|(path, error)| failure::error(&path, &error))? {
        let found = Found::at(&path).map_err(|error| failure::error(&path, &error))?;
        files.extend(found.filter(|found| found.is_regular));
    }
    files.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    Ok(files)
}

/// Its path is `-`: it is not opened by name.
fn stdin() -> Found {
    Found {
        path: PathBuf::from("-"),
        id: FileId { dev: 0, ino: 0 },
        stamp: Stamp { size: 0, changed_ns: 0 },
        created: None,
        is_regular: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(pattern: &str) -> Vec<String> {
        let listed = Argument::new(pattern).unwrap().list().unwrap();
        listed.iter().map(|found| found.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_glob_means_files_by_name_but_neither_hidden_ones_nor_folders() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        for name in ["b.ndjson", "a.ndjson", ".hidden.ndjson", "c.txt"] {
            fs::write(at(name), "").unwrap();
        }
        fs::create_dir_all(at("d.ndjson/deep")).unwrap();
        fs::write(at("d.ndjson/deep/e.ndjson"), "").unwrap();
        assert_eq!(names(&at("*.ndjson")), ["a.ndjson", "b.ndjson"]);
        assert_eq!(names(&at("**/*.ndjson")), ["a.ndjson", "b.ndjson", "e.ndjson"]);
        assert_eq!(names(&at("x*")), [""; 0]);
    }

    #[test]
    fn a_file_whose_name_looks_like_a_glob_is_that_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        for name in ["[x].ndjson", "x.ndjson"] {
            fs::write(at(name), "").unwrap();
        }
        assert_eq!(names(&at("[x].ndjson")), ["[x].ndjson"]);
    }

    #[test]
    fn a_folder_and_a_broken_glob_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().to_string_lossy().into_owned();
        let error = Argument::new(&text).unwrap().list().unwrap_err();
        assert_eq!(
            (error.message, error.hint),
            (format!("{text}: is a folder"), Some(format!("'{text}/*' reads the files in it")))
        );
        assert!(Argument::new("a[").unwrap_err().message.starts_with("glob \"a[\": "));
    }
}
