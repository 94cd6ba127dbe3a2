//! What visible parts are called: `part-RUN-NNNNNNNN`, so that they sort in the order of commits.

use std::path::{Path, PathBuf};

use checkpoint::{CheckpointId, Disk};
use millpipe::Error;

use crate::manifest::Manifest;
use crate::storage::failed;

const BEGIN: &str = "part-";

/// A part's name among the others of its folder. It ends as its hidden name does.
pub fn visible_name(folder: &str, id: &CheckpointId, hidden: &str) -> PathBuf {
    let ending = hidden.find('.').map_or("", |dot| &hidden[dot..]);
    Path::new(folder).join(format!("{BEGIN}{}-{:08}{ending}", id.run, id.seq))
}

/// The run in the name of a visible part.
fn run_of(name: &str) -> Option<&str> {
    let (stem, _ending) = name.strip_prefix(BEGIN)?.split_once('.')?;
    let (run, seq) = stem.rsplit_once('-')?;
    (seq.len() >= 8 && seq.bytes().all(|byte| byte.is_ascii_digit())).then_some(run)
}

/// The run that sorts last among those of the parts of an output. A manifest knows it, also when somebody has taken the
/// parts away; before the first one, and for one of an older release, the names themselves say it.
///
/// # Errors
/// When the folder cannot be read.
pub fn newest_run(disk: &dyn Disk, dir: &Path, manifest: &Manifest) -> Result<Option<String>, Error> {
    if let Some(newest) = &manifest.newest_run {
        return Ok(Some(newest.clone()));
    }
    let mut names = disk.list(dir).map_err(|error| failed(dir, &error))?;
    let shown = manifest.shown.iter().filter_map(|shown| shown.name.file_name());
    names.extend(shown.map(|name| name.to_string_lossy().into_owned()));
    let of_parts = names.iter().filter_map(|name| run_of(name)).map(str::to_owned);
    Ok(of_parts.chain(manifest.id().map(|id| id.run)).max())
}

/// The run's name in those of its parts: its own, or where the clock was set back since the newest one, a later one.
pub fn run_after(newest: Option<&str>, run: &str) -> String {
    let Some(newest) = newest.filter(|newest| *newest >= run) else { return run.to_owned() };
    let (ms, _) = newest.split_once('-').unwrap_or((newest, ""));
    match (i64::from_str_radix(ms, 16), run.split_once('-')) {
        (Ok(ms), Some((_, rest))) if ms < i64::MAX => format!("{:011x}-{rest}", ms + 1),
        // It sorts after what follows the newest one's name.
        _ => format!("{newest}_{run}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_run_sorts_after_an_earlier_one_whatever_the_clock_says() {
        assert_eq!(run_after(None, "00000000007-a"), "00000000007-a");
        assert_eq!(run_after(Some("00000000006-b"), "00000000007-a"), "00000000007-a");
        for newest in ["00000000007-a", "00000000007-b", "000000000ff-0", "r", "r-2"] {
            let name = run_after(Some(newest), "00000000007-a");
            assert!(name.as_str() > newest, "{name} after {newest}");
            let parts = [newest, &name].map(|run| visible_name("", &CheckpointId::new(run, 99_999_999), "x.ndjson"));
            assert!(parts[0] < parts[1], "{parts:?}");
        }
    }

    #[test]
    fn a_part_says_of_which_run_it_is() {
        let name = visible_name("a=b", &CheckpointId::new("19a-7f", 3), "x-0.ndjson.gz");
        assert_eq!(name, Path::new("a=b/part-19a-7f-00000003.ndjson.gz"));
        assert_eq!(run_of("part-19a-7f-00000003.ndjson.gz"), Some("19a-7f"));
        for other in ["part-old.ndjson", "part-19a-7f-3.ndjson", "mine-19a-7f-00000003.ndjson", "part-19a-7f-00000003"]
        {
            assert_eq!(run_of(other), None, "{other}");
        }
    }
}
