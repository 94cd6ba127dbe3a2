//! Acceptance data that lies beside the project's checkout, where there is one.

use std::path::{Path, PathBuf};

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A file of the acceptance data, from `MILLPIPE_SHARED` or the folder `shared` beside the checkout.
///
/// A user who has just cloned has none: the test then says so and is over. Under CI its absence is a failure.
pub fn shared(path: &str) -> Option<PathBuf> {
    let base = std::env::var_os("MILLPIPE_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let file = base.join(path);
    if file.exists() {
        return Some(file);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing, and this is CI", file.display());
    None
}
