//! State folders that earlier versions left: this version goes on from each, and the whole output is that of a run without a stop.
//! `scripts/keep-state` made them, and says how.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use testkit::bash;

const TOOLS: [&str; 21] = [
    "aggregate",
    "decompose",
    "dedup",
    "derive",
    "detect",
    "file-cat-in",
    "file-cat-out",
    "filter",
    "forecast",
    "generate",
    "lookup",
    "match-pattern",
    "merge",
    "reorder",
    "resample",
    "shard",
    "stream-join",
    "throttle",
    "top-n",
    "watermark",
    "window",
];

/// Pipelines at a time: most of their time is waiting.
const AT_A_TIME: usize = 4;

#[test]
fn what_earlier_versions_saved_is_restored() {
    let archives = Path::new(env!("CARGO_MANIFEST_DIR")).join("kept_state");
    let archives: Vec<PathBuf> = fs::read_dir(archives).unwrap().map(|archive| archive.unwrap().path()).collect();
    assert!(!archives.is_empty());
    for archive in archives {
        let work = tempfile::tempdir().unwrap();
        let unpacked = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(work.path()).status().unwrap();
        assert!(unpacked.success(), "{}", archive.display());
        let folders: Vec<PathBuf> = fs::read_dir(work.path()).unwrap().map(|folder| folder.unwrap().path()).collect();
        assert!(folders.len() > 20, "{} pipelines in {}", folders.len(), archive.display());
        let wrong = Mutex::new(Vec::new());
        for some in folders.chunks(AT_A_TIME) {
            thread::scope(|scope| {
                for folder in some {
                    scope.spawn(|| wrong.lock().unwrap().extend(goes_on(folder)));
                }
            });
        }
        assert_eq!(wrong.into_inner().unwrap(), Vec::<String>::new(), "in {}", archive.display());
    }
}

/// Runs the pipeline of a folder to its end, and another one from nothing; what is wrong.
fn goes_on(folder: &Path) -> Option<String> {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let before = output(folder, name);
    let anew = tempfile::tempdir().unwrap();
    fs::copy(folder.join("pipeline"), anew.path().join("pipeline")).unwrap();
    for place in [folder, anew.path()] {
        let ran = bash(&TOOLS, &format!("cd {}\nset -o pipefail\n. ./pipeline", place.display()));
        if ran.code != Some(0) {
            return Some(format!("{name}: exit code {:?}: {}", ran.code, ran.stderr));
        }
    }
    let (whole, right) = (output(folder, name), output(anew.path(), name));
    if whole == before {
        return Some(format!("{name}: nothing was left to do"));
    }
    (whole != right).then(|| format!("{name}: {} lines, and without a stop {}", whole.len(), right.len()))
}

/// The lines of all parts, in order; where several pipes flow together, sorted.
fn output(folder: &Path, name: &str) -> Vec<String> {
    let mut parts: Vec<PathBuf> = match fs::read_dir(folder.join("output")) {
        Ok(parts) => parts.map(|part| part.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    };
    parts.retain(|part| part.extension().is_some_and(|extension| extension == "ndjson"));
    parts.sort();
    let text: String = parts.iter().map(|part| fs::read_to_string(part).unwrap()).collect();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if name.starts_with("merge") || name == "shards" {
        lines.sort();
    }
    lines
}
