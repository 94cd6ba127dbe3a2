//! Compressed files that are not whole yet: they are waited for, and what comes after them too.

use std::collections::HashMap;
use std::path::PathBuf;

use millpipe::Out;

use crate::found::{FileId, Found, Stamp};
use crate::piece::QUIET_MS;

#[derive(Default)]
pub struct Unwhole {
    seen: HashMap<FileId, Seen>,
}

struct Seen {
    path: PathBuf,
    stamp: Stamp,
    since_ms: i64,
    is_there: bool,
}

impl Unwhole {
    /// Begins a look: no file is seen in it yet.
    pub fn begin_look(&mut self) {
        self.seen.values_mut().for_each(|seen| seen.is_there = false);
    }

    /// Forgets files that were not noted since the look began.
    pub fn end_look(&mut self) {
        self.seen.retain(|_, seen| seen.is_there);
    }

    /// Takes note of a file that is not whole. True if nobody has written to it for so long that nobody will.
    pub fn note(&mut self, found: &Found, now_ms: i64) -> bool {
        let path = found.path.clone();
        let now = Seen { path, stamp: found.stamp, since_ms: now_ms, is_there: true };
        let seen = self.seen.entry(found.id).or_insert(now);
        seen.is_there = true;
        seen.path.clone_from(&found.path);
        if seen.stamp != found.stamp {
            (seen.stamp, seen.since_ms) = (found.stamp, now_ms);
        }
        now_ms - seen.since_ms >= QUIET_MS
    }

    /// Names the files that are waited for.
    pub fn report(&self, out: &mut Out) {
        let mut paths: Vec<String> = self.seen.values().map(|seen| seen.path.display().to_string()).collect();
        paths.sort();
        for path in paths {
            out.warn(format_args!(
                "{path}: its compressed data is not whole: it waits, as does what comes after it\n\
                 hint: it is read when it is whole; delete it if nobody will finish it"
            ));
        }
    }
}
