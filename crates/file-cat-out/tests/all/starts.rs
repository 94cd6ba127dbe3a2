//! Starts: what a run finds, what it changes, and how its parts are called.

use crate::stream;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use stream::{Scene, barrier, end};

/// Every file and folder in a folder, hidden ones too, with what is in it.
fn everything(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(everything(&path));
            all.insert(path, None);
        } else {
            let bytes = fs::read(&path).unwrap();
            all.insert(path, Some(bytes));
        }
    }
    all
}

/// What comes from a source that fails before its hello, by itself or after a stage that makes time.
const NOTHING: [&str; 3] = ["", "\n", "{\"$\":\"watermark\",\"time\":null}\n"];

#[test]
fn a_start_that_gets_neither_a_hello_nor_a_line_changes_nothing() {
    let scene = Scene::new();
    // A run that died has left an open part, and bytes that are not committed.
    let cut = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), "2\n"].concat();
    scene.run("@out --part-age 1h", &cut).fails_with(75, "cut short");
    fs::remove_file(scene.path("state/committed")).unwrap();
    scene.run("--single @all", &cut).fails_with(75, "cut short");
    let before = everything(&scene.path(""));
    for args in ["@out --part-age 1h", "@out", "--single @all", "@new", "--single @new", "@out --dead-letter @dead"] {
        for nothing in NOTHING {
            let ran = scene.run(args, nothing);
            assert_eq!(ran.stderr, "", "{args}");
            ran.ok();
            assert_eq!(everything(&scene.path("")), before, "{args} after {nothing:?}");
        }
    }
    let next = [&scene.hello("s", Some("r.1")), "2\n", &barrier("s.1", 1), end()].concat();
    fs::remove_file(scene.path("state/committed")).unwrap();
    scene.run("@out --part-age 1h", &next).ok();
    assert_eq!(scene.visible("out"), "1\n2\n", "in their order");
}

/// A run whose clock is centuries ahead.
const LATER: &str = "7ffffffffff-00000001";

#[test]
fn parts_of_a_plain_stream_sort_after_older_ones_also_when_the_clock_was_set_back() {
    let scene = Scene::new();
    let first = [&scene.hello(LATER, None), "1\n", &barrier(&format!("{LATER}.1"), 1), end()].concat();
    scene.run("@out", &first).ok();
    scene.run("@out", "2\n").ok();
    scene.run("@out --partition-by a", "{\"a\":3}\n").ok();
    scene.run("@out", "4\n").ok();
    let names: Vec<String> = scene.files("out").into_iter().map(|(name, _)| name).collect();
    assert_eq!(scene.visible("out").replace("{\"a\":3}\n", ""), "1\n2\n4\n", "{names:?}");
    let files = || names.iter().map(|name| name.rsplit('/').next().unwrap());
    assert!(files().max() < Some("part-80000000003"), "each run is just after the one before: {names:?}");
}

#[test]
fn names_go_on_after_parts_that_were_taken_away_and_after_parts_without_a_manifest() {
    let scene = Scene::new();
    let first = [&scene.hello(LATER, None), "1\n", &barrier(&format!("{LATER}.1"), 1), end()].concat();
    scene.run("@out", &first).ok();
    let taken = scene.files("out").remove(0).0;
    fs::rename(scene.path("out").join(&taken), scene.path("taken")).unwrap();
    scene.run("@out", "2\n").ok();
    let second = scene.files("out").remove(0).0;
    assert!(second > taken, "{second} after {taken}");
    fs::remove_dir_all(scene.path("out/.millpipe")).unwrap();
    scene.run("@out", "3\n").ok();
    assert_eq!(scene.visible("out"), "2\n3\n");
}

#[test]
fn parts_of_a_checked_stream_sort_after_those_of_a_plain_one_whose_clock_was_ahead() {
    let scene = Scene::new();
    fs::create_dir(scene.path("out")).unwrap();
    fs::write(scene.path("out").join(format!("part-{LATER}-00000001.ndjson")), "1\n").unwrap();
    let now = "00000000007-00000002";
    let epoch = |seq: usize, line: &str| format!("{line}\n{}", barrier(&format!("{now}.{seq}"), 1));
    let checked = [scene.hello(now, None), epoch(1, "2"), epoch(2, "3"), end().to_owned()].concat();
    scene.run("@out", &checked).ok();
    assert_eq!(scene.visible("out"), "1\n2\n3\n", "{:?}", scene.files("out"));
    assert!(scene.text("state/committed").contains(&format!("\"id\":\"{now}.2\"")), "the checkpoint keeps its name");
}

#[test]
fn nothing_becomes_visible_of_lines_without_a_hello_where_the_pipe_is_exactly_once() {
    let scene = Scene::new();
    for args in ["@out --exactly-once", "--single @all --exactly-once"] {
        let before = everything(&scene.path(""));
        scene.run(args, "1\n2\n").fails_with(1, "line 1: lines come without the hello mark");
        assert_eq!(everything(&scene.path("")), before, "{args}");
    }
    let input = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), end()].concat();
    scene.run("@out --exactly-once", &input).ok();
    assert_eq!(scene.visible("out"), "1\n");
}

#[test]
fn an_output_in_the_state_folder_is_refused() {
    let scene = Scene::new();
    let input = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), end()].concat();
    for (args, flag) in [
        ("@state/out", "the output"),
        ("--single @state/all", "--single"),
        ("@out --dead-letter @state/2-window/dead", "--dead-letter"),
        ("@out --rejects @state/rejects", "--rejects"),
    ] {
        scene.run(args, &input).fails_with(2, &format!("file-cat-out: {flag} \""));
        assert!(!scene.path("out").exists() && !scene.path("state/committed").exists(), "{args}");
    }
    scene.run("@state-of-out", &input).ok();
}
