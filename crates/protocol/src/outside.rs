//! What a user names, and what the runtime keeps in the state folder, must not get in each other's way.

use std::path::{Path, PathBuf};

use stream::Error;

use crate::hello::Hello;

/// For a sink, at its `open`: refuses a path of the user's that is in the state folder.
///
/// # Errors
/// Usage. `flag` says which path it is.
pub fn must_be_outside(hello: &Hello, flag: &str, path: &Path) -> Result<(), Error> {
    if !resolved(path).starts_with(resolved(&hello.state)) {
        return Ok(());
    }
    Err(Error::usage(format_args!(
        "{flag} \"{}\" is in the state folder \"{}\"",
        path.display(),
        hello.state.display()
    ))
    .hint("that folder is the pipeline's own: give a path outside of it"))
}

/// The path without links, as far as there is something.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for there in absolute.ancestors() {
        if let (Ok(real), Ok(rest)) = (there.canonicalize(), absolute.strip_prefix(there)) {
            return real.join(rest);
        }
    }
    absolute
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hello::Truth;

    #[test]
    fn a_path_in_the_state_folder_is_refused_also_by_a_link_and_before_it_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        std::fs::create_dir(&state).unwrap();
        std::os::unix::fs::symlink(&state, dir.path().join("link")).unwrap();
        let hello = Hello {
            run: "r".to_owned(),
            hop: 1,
            state: state.clone(),
            restore: Truth::default(),
            sink: serde_json::Value::Null,
            interval_ms: 1000,
            shard: String::new(),
        };
        for inside in ["state", "state/out", "state/2-window/out", "link/out", "other/../state/out"] {
            std::fs::create_dir_all(dir.path().join("other")).unwrap();
            let error = must_be_outside(&hello, "--rejects", &dir.path().join(inside)).unwrap_err();
            assert!(error.exit == stream::Exit::Usage && error.message.contains("--rejects"), "{inside}: {error}");
        }
        for outside in ["out", "state-of-old/out", "stat", "."] {
            assert_eq!(must_be_outside(&hello, "--rejects", &dir.path().join(outside)), Ok(()), "{outside}");
        }
    }
}
