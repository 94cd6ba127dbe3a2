//! Saving, loading, merging and pruning on the computer's own disk.

use crate::folder;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use checkpoint::{Changes, Disk, Error, Part, RealDisk, StageFolder, has_snapshot};
use folder::{FLAGS, NAME, State, changes, id, load, open, snapshot};
use tempfile::TempDir;

fn scene() -> (TempDir, Arc<dyn Disk>) {
    (tempfile::tempdir().unwrap(), Arc::new(RealDisk))
}

fn state<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> State {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn files(dir: &Path) -> BTreeSet<String> {
    RealDisk.list(&dir.join(NAME)).unwrap().into_iter().collect()
}

#[test]
fn a_snapshot_is_text_that_names_what_it_builds_on() {
    let (dir, disk) = scene();
    let mut folder = open(&disk, dir.path(), "r");
    folder.save(snapshot(id("r", 1), "{\"time\":7}\n", changes([("b", Some("2")), ("a", Some("[1]"))]))).unwrap();
    folder.save(snapshot(id("r", 2), "{\"time\":8}", changes([("a", None), ("c\n", Some("3"))]))).unwrap();
    let first = r#"{"snapshot":1,"stage":"aggregate","name":"3-aggregate","id":"r.1","flags":"--by key count","head":1,"after":[]}
{"time":7}
["a",[1]]
["b",2]
{"end":"r.1","entries":2,"xxh3":"XXX"}
"#;
    let second = r#"{"snapshot":1,"stage":"aggregate","name":"3-aggregate","id":"r.2","flags":"--by key count","head":1,"after":["r.1.ndjson"]}
{"time":8}
["a"]
["c\n",3]
{"end":"r.2","entries":2,"xxh3":"XXX"}
"#;
    for (file, expected) in [("r.1.ndjson", first), ("r.2.ndjson", second)] {
        let text = fs::read_to_string(dir.path().join(NAME).join(file)).unwrap();
        let (content, digest) = text.rsplit_once("\"xxh3\":\"").unwrap();
        assert_eq!(digest.len(), 16 + "\"}\n".len());
        assert_eq!(format!("{content}\"xxh3\":\"XXX\"}}\n"), expected);
    }
    let loaded = load(&mut open(&disk, dir.path(), "s"), &id("r", 2)).unwrap();
    assert_eq!(loaded, ("{\"time\":8}\n".to_owned(), state([("b", "2"), ("c\n", "3")])));
}

#[test]
fn a_run_goes_on_from_the_snapshot_of_another() {
    let (dir, disk) = scene();
    let mut first = open(&disk, dir.path(), "a");
    first.save(snapshot(id("a", 1), "", changes([("x", Some("1")), ("y", Some("1"))]))).unwrap();
    let mut second = open(&disk, dir.path(), "b");
    assert_eq!(load(&mut second, &id("a", 1)).unwrap().1, state([("x", "1"), ("y", "1")]));
    second.save(snapshot(id("b", 1), "", changes([("y", Some("2"))]))).unwrap();
    let mut third = open(&disk, dir.path(), "c");
    assert_eq!(load(&mut third, &id("b", 1)).unwrap().1, state([("x", "1"), ("y", "2")]));
}

#[test]
fn a_large_snapshot_is_compressed() {
    let (dir, disk) = scene();
    let keys: Vec<String> = (0..5000).map(|key| format!("user-{key:06} \"quoted\"")).collect();
    let all: Vec<_> = keys.iter().map(|key| (key.as_str(), Some("{\"n\":1}"))).collect();
    open(&disk, dir.path(), "r").save(snapshot(id("r", 1), "", changes(all.iter().copied()))).unwrap();
    assert_eq!(files(dir.path()), BTreeSet::from(["r.1.ndjson.zst".to_owned()]));
    assert!(fs::metadata(dir.path().join(NAME).join("r.1.ndjson.zst")).unwrap().len() < 50_000);
    assert!(has_snapshot(&*disk, &dir.path().join(NAME), &id("r", 1)).unwrap());
    let loaded = load(&mut open(&disk, dir.path(), "s"), &id("r", 1)).unwrap().1;
    assert_eq!(loaded, all.iter().map(|(key, value)| ((*key).to_owned(), value.unwrap().to_owned())).collect());
}

#[test]
fn files_are_private() {
    let (dir, disk) = scene();
    open(&disk, &dir.path().join("deep/state"), "r").save(snapshot(id("r", 1), "", Changes::default())).unwrap();
    let mode = |path: &str| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("deep"), 0o700);
    assert_eq!(mode("deep/state/3-aggregate"), 0o700);
    assert_eq!(mode("deep/state/3-aggregate/r.1.ndjson"), 0o600);
}

#[test]
fn a_file_is_written_behind_what_is_kept_and_never_stretched() {
    let (dir, disk) = scene();
    let path = dir.path().join("out");
    disk.write(&path, 0).unwrap().write_all(b"abcdef").unwrap();
    disk.write(&path, 3).unwrap().write_all(b"x").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"abcx");
    assert!(disk.write(&path, 5).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"abcx");
}

#[test]
fn a_missing_snapshot_is_told_with_those_that_are_there() {
    let (dir, disk) = scene();
    let mut folder = open(&disk, dir.path(), "r");
    let error = load(&mut folder, &id("r", 9)).unwrap_err();
    assert!(error.to_string().ends_with("3-aggregate/r.9: there is no such snapshot, nor any other"), "{error}");
    for seq in [1, 2] {
        folder.save(snapshot(id("r", seq), "", Changes::default())).unwrap();
    }
    let error = load(&mut folder, &id("r", 9)).unwrap_err();
    assert!(matches!(error, Error::Missing { .. }));
    assert!(error.to_string().ends_with("no such snapshot, only r.1, r.2"), "{error}");
    for seq in 3..12 {
        folder.save(snapshot(id("r", seq), "", Changes::default())).unwrap();
    }
    let error = load(&mut folder, &id("x", 9)).unwrap_err();
    assert!(error.to_string().ends_with("only 11 others, r.1 to r.9"), "{error}");
}

#[test]
fn other_flags_are_refused_with_both_texts() {
    let (dir, disk) = scene();
    let mut folder = open(&disk, dir.path(), "r");
    folder.save(snapshot(id("r", 1), "", Changes::default())).unwrap();
    let error = folder.load(&id("r", 1), "--by user count", &mut |_: Part<'_>| Ok::<(), Error>(())).unwrap_err();
    let expected = "r.1.ndjson: made with other flags: --by key count; now they are: --by user count";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn what_the_taker_says_ends_the_load() {
    let (dir, disk) = scene();
    let mut folder = open(&disk, dir.path(), "r");
    folder.save(snapshot(id("r", 1), "", changes([("a", Some("1")), ("b", Some("1"))]))).unwrap();
    let mut taken = 0;
    let result = folder.load(&id("r", 1), FLAGS, &mut |_: Part<'_>| {
        taken += 1;
        if taken == 2 { Err(Error::damaged(Path::new("a"), "not mine")) } else { Ok(()) }
    });
    assert!(result.unwrap_err().to_string().ends_with("not mine"));
    assert_eq!(taken, 2);
}

#[test]
fn a_name_that_is_no_folder_is_refused() {
    let (dir, disk) = scene();
    for name in ["..", "a/b", "lock", "committed", ""] {
        assert!(StageFolder::open(Arc::clone(&disk), dir.path(), name, "r").is_err(), "{name}");
    }
}

#[test]
fn only_new_snapshots_of_the_run_are_saved() {
    let (dir, disk) = scene();
    let mut folder = open(&disk, dir.path(), "r");
    folder.save(snapshot(id("r", 2), "", changes([("a", Some("1"))]))).unwrap();
    for id in [id("r", 2), id("r", 1), id("s", 3)] {
        assert!(folder.save(snapshot(id, "", Changes::default())).is_err());
    }
    let mut same_run = open(&disk, dir.path(), "r");
    assert!(same_run.save(snapshot(id("r", 2), "", Changes::default())).is_err(), "it would replace the other");
    assert_eq!(load(&mut open(&disk, dir.path(), "s"), &id("r", 2)).unwrap().1, state([("a", "1")]));
}

/// Saves `from..=to`, each with a change of one of three keys, merging whenever it is due.
fn save_many(folder: &mut StageFolder, run: &str, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        let (key, value) = (format!("key-{}", seq % 3), seq.to_string());
        folder.save(snapshot(id(run, seq), "", changes([(key.as_str(), Some(value.as_str()))]))).unwrap();
        if let Some(merge) = folder.merge_due() {
            assert!(folder.merge_due().is_none(), "one at a time");
            folder.merged(merge.run().unwrap());
        }
    }
}

#[test]
fn merging_keeps_files_few_and_the_state_the_same() {
    let (dir, disk) = scene();
    let mut folder = open(&disk, dir.path(), "r");
    save_many(&mut folder, "r", 1..=100);
    folder.prune(&id("r", 99)).unwrap();
    folder.prune(&id("r", 100)).unwrap();
    assert!(files(dir.path()).len() <= 12, "{:?}", files(dir.path()));
    let loaded = load(&mut open(&disk, dir.path(), "s"), &id("r", 100)).unwrap().1;
    assert_eq!(loaded, state([("key-0", "99"), ("key-1", "100"), ("key-2", "98")]));
}

#[test]
fn saves_beside_a_merge_are_not_lost() {
    let (dir, disk) = scene();
    let mut folder = open(&disk, dir.path(), "r");
    for seq in 1..=4 {
        let value = seq.to_string();
        folder.save(snapshot(id("r", seq), "", changes([("a", Some(value.as_str()))]))).unwrap();
    }
    let merge = folder.merge_due().unwrap();
    folder.save(snapshot(id("r", 5), "", changes([("b", Some("5"))]))).unwrap();
    folder.prune(&id("r", 4)).unwrap();
    let merged = std::thread::scope(|scope| scope.spawn(|| merge.run()).join().unwrap()).unwrap();
    folder.merged(merged);
    folder.save(snapshot(id("r", 6), "", changes([("c", Some("6"))]))).unwrap();
    folder.prune(&id("r", 5)).unwrap();
    folder.prune(&id("r", 6)).unwrap();
    for (seq, expected) in [(5, state([("a", "4"), ("b", "5")])), (6, state([("a", "4"), ("b", "5"), ("c", "6")]))] {
        assert_eq!(load(&mut open(&disk, dir.path(), "s"), &id("r", seq)).unwrap().1, expected);
    }
}

#[test]
fn what_is_gone_stays_gone_when_the_files_in_between_are_merged() {
    let (dir, disk) = scene();
    let mut folder = open(&disk, dir.path(), "r");
    let keys: Vec<String> = (0..100).map(|key| format!("key-{key}")).collect();
    folder.save(snapshot(id("r", 1), "", changes(keys.iter().map(|key| (key.as_str(), Some("1")))))).unwrap();
    for seq in 2..=9 {
        let key = format!("key-{seq}");
        folder.save(snapshot(id("r", seq), "", changes([(key.as_str(), None)]))).unwrap();
    }
    let merge = folder.merge_due().unwrap();
    folder.merged(merge.run().unwrap());
    folder.save(snapshot(id("r", 10), "", Changes::default())).unwrap();
    let (_, loaded) = load(&mut open(&disk, dir.path(), "s"), &id("r", 10)).unwrap();
    assert_eq!((loaded.len(), loaded.contains_key("key-2")), (92, false));
}

#[test]
fn a_state_that_became_empty_leaves_nothing_behind() {
    let (dir, disk) = scene();
    let mut folder = open(&disk, dir.path(), "r");
    for seq in 1..=40 {
        let value = Some("1").filter(|_| seq % 2 == 1);
        folder.save(snapshot(id("r", seq), "", changes([("a", value)]))).unwrap();
        if let Some(merge) = folder.merge_due() {
            folder.merged(merge.run().unwrap());
        }
        folder.prune(&id("r", seq)).unwrap();
        assert!(files(dir.path()).len() <= 8);
    }
    assert_eq!(load(&mut open(&disk, dir.path(), "s"), &id("r", 40)).unwrap().1, state([]));
}

#[test]
fn pruning_waits_for_the_runs_own_commits() {
    let (dir, disk) = scene();
    let mut old = open(&disk, dir.path(), "a");
    for seq in 1..=3 {
        old.save(snapshot(id("a", seq), "", changes([("x", Some("1"))]))).unwrap();
    }
    let mut young = open(&disk, dir.path(), "b");
    load(&mut young, &id("a", 2)).unwrap();
    young.save(snapshot(id("b", 1), "", changes([("y", Some("1"))]))).unwrap();
    let everything = files(dir.path());
    young.prune(&id("a", 3)).unwrap();
    young.prune(&id("b", 9)).unwrap();
    assert_eq!(files(dir.path()), everything, "nothing of ours is committed");
    young.save(snapshot(id("b", 2), "", changes([("y", Some("2"))]))).unwrap();
    young.prune(&id("b", 1)).unwrap();
    let names = |ids: &[&str]| ids.iter().map(|id| format!("{id}.ndjson")).collect::<BTreeSet<_>>();
    assert_eq!(files(dir.path()), names(&["a.1", "a.2", "b.1", "b.2"]), "the restored one and what it builds on stay");
    young.prune(&id("b", 2)).unwrap();
    young.prune(&id("b", 1)).unwrap();
    for seq in [1, 2] {
        load(&mut open(&disk, dir.path(), "c"), &id("b", seq)).unwrap();
    }
}

#[test]
fn a_fresh_start_removes_what_older_runs_left_and_only_that() {
    let (dir, disk) = scene();
    open(&disk, dir.path(), "a").save(snapshot(id("a", 1), "", changes([("x", Some("1"))]))).unwrap();
    let path = dir.path().join(NAME);
    for name in [".tmp-17-a.2.ndjson", "notes.txt", "a.ndjson"] {
        fs::write(path.join(name), "…").unwrap();
    }
    let mut folder = open(&disk, dir.path(), "b");
    open(&disk, dir.path(), "c").save(snapshot(id("c", 1), "", Changes::default())).unwrap();
    for seq in 1..=3 {
        folder.save(snapshot(id("b", seq), "", Changes::default())).unwrap();
    }
    folder.prune(&id("b", 2)).unwrap();
    let expected = ["a.ndjson", "b.2.ndjson", "b.3.ndjson", "c.1.ndjson", "notes.txt"];
    assert_eq!(files(dir.path()), expected.map(str::to_owned).into());
}
