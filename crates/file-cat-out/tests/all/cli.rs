//! The binary, on a real disk.

use crate::stream;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use stream::{BIN, Scene, barrier, end};
use testkit::{wait_for_rest, wait_until};

fn names(files: &[(String, String)]) -> Vec<&str> {
    files.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let scene = Scene::new();
    let cases = [
        ("", "<DIR>"),
        ("@out --single @file", "cannot be used with"),
        ("@out --compress bz2", "bz2"),
        ("@out --part-size 10", "\"10\""),
        ("@out --partition-by a..b", "field path"),
        ("@out --partition-by hour=.at[:13]", "a field is wanted here: parallel-map '.hour = .at[:13]' makes one"),
        ("@out --partition-by a/b", "a name with such characters goes in quotes: .\"a/b\""),
        ("@out --partition-by a,.a", "two fields of --partition-by are named \"a\""),
        ("@out --dead-letter @out", "--dead-letter is the output itself"),
        ("--single /dev/full", "\"/dev/full\" is no regular file"),
        ("--single @file --dead-letter /dev/null", "\"/dev/null\" is no regular file"),
    ];
    for (args, words) in cases {
        scene.run(args, "").fails_with(2, words);
    }
}

#[test]
fn a_plain_stream_is_one_part_at_its_end() {
    let scene = Scene::new();
    scene.run("@out", "1\n2\n").ok();
    scene.run("@out", "3\n").ok();
    let files = scene.files("out");
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(names(&files).iter().all(|name| name.starts_with("part-") && name.ends_with(".ndjson")), "{files:?}");
    assert_eq!(scene.visible("out"), "1\n2\n3\n");
}

#[test]
fn a_plain_stream_of_nothing_is_no_part() {
    let scene = Scene::new();
    scene.run("@out", "").ok();
    assert_eq!(scene.files("out"), []);
}

#[test]
fn each_epoch_with_lines_is_one_part() {
    let scene = Scene::new();
    let epochs = [barrier("r.1", 0), format!("1\n2\n{}", barrier("r.2", 2)), barrier("r.3", 0)].concat();
    let last = format!("3\n{}{}", barrier("r.12", 1), end());
    let ran = scene.run("@out -v", &[&scene.hello("r", None), &epochs[..], &last].concat());
    assert!(ran.stderr.contains("in 3 = out 3 + late 0 + rejected 0 + held 0"), "{}", ran.stderr);
    ran.ok();
    let expected = [("part-r-00000002.ndjson", "1\n2\n"), ("part-r-00000012.ndjson", "3\n")];
    assert_eq!(scene.files("out"), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert!(scene.text("state/committed").contains("\"id\":\"r.12\",\"sink\":\"files\""));
}

#[test]
fn what_comes_behind_the_last_commit_is_never_seen() {
    let scene = Scene::new();
    let cut = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), "2\n"].concat();
    scene.run("@out", &cut).fails_with(75, "cut short");
    assert_eq!(scene.visible("out"), "1\n");
    let next = [&scene.hello("s", Some("r.1")), "2\n3\n", &barrier("s.1", 2), end()].concat();
    scene.run("@out", &next).ok();
    assert_eq!(scene.visible("out"), "1\n2\n3\n");
    assert_eq!(scene.files("out/.millpipe/parts"), []);
}

#[test]
fn a_run_that_does_not_know_of_the_last_commit_ends_and_the_next_one_does() {
    let scene = Scene::new();
    let first = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), "2\n", &barrier("r.2", 1), end()].concat();
    scene.run("@out", &first).ok();
    fs::remove_file(scene.path("state/committed")).unwrap();
    // The state of that commit is there.
    fs::create_dir(scene.path("state/1-source")).unwrap();
    fs::write(scene.path("state/1-source/r.2.ndjson"), "").unwrap();
    let stale = [&scene.hello("s", Some("r.1")), "2\n", &barrier("s.1", 1), end()].concat();
    scene.run("@out", &stale).fails_with(75, "this run goes on from r.1, but r.2 is committed");
    assert!(scene.text("state/committed").contains("r.2"));
    assert_eq!(scene.visible("out"), "1\n2\n");
}

#[test]
fn another_output_than_before_is_found_out() {
    let scene = Scene::new();
    let lost = [&scene.hello("s", Some("r.1")), "2\n", &barrier("s.1", 1), end()].concat();
    let ran = scene.run("@out", &lost);
    assert!(ran.stderr.contains("hint: another output than before?"), "{}", ran.stderr);
    ran.fails_with(1, "the output knows no commit");
    assert_eq!(scene.files("out"), []);
}

#[test]
fn a_new_pipeline_may_write_beside_old_parts() {
    let scene = Scene::new();
    fs::create_dir(scene.path("out")).unwrap();
    fs::write(scene.path("out/part-old.ndjson"), "0\n").unwrap();
    scene.run("@out", &[&scene.hello("r", None), "1\n", &barrier("r.1", 1), end()].concat()).ok();
    assert_eq!(names(&scene.files("out")), ["part-old.ndjson", "part-r-00000001.ndjson"]);
}

#[test]
fn lines_without_marks_in_the_output_of_a_checked_stream_are_warned_of() {
    let scene = Scene::new();
    scene.run("@out", &[&scene.hello("r", None), "1\n", &barrier("r.1", 1), end()].concat()).ok();
    let ran = scene.run("@out", "2\n");
    let warning = "file-cat-out: lines without marks, into the output of an exactly-once pipeline";
    assert!(ran.stderr.starts_with(warning), "{}", ran.stderr);
    ran.ok();
}

#[test]
fn fields_make_folders() {
    let scene = Scene::new();
    let lines = "{\"a\":\"x/y\",\"b\":1}\n{\"b\":2}\n{\"a\":\"x/y\",\"b\":1,\"c\":0}\n";
    scene.run("@out --partition-by a,.b", lines).ok();
    let files = scene.files("out");
    let folders: Vec<&str> = names(&files).iter().map(|name| name.rsplit_once('/').unwrap().0).collect();
    assert_eq!(folders, ["a=__null__/b=2", "a=x%2Fy/b=1"]);
    assert_eq!(files[1].1, "{\"a\":\"x/y\",\"b\":1}\n{\"a\":\"x/y\",\"b\":1,\"c\":0}\n");
    scene
        .run("@out --partition-by a", "{\"a\":{}}\n")
        .fails_with(1, "line 1, byte 0: field a is neither text nor number");
}

#[test]
fn a_part_goes_on_until_it_is_large_enough() {
    let scene = Scene::new();
    let epoch = |id: &str, line: &str| format!("{line}\n{}", barrier(id, 1));
    let first = [&scene.hello("r", None), &epoch("r.1", "11111")[..], "22222\n"].concat();
    scene.run("@out --part-size 12B", &first).fails_with(75, "cut short");
    assert_eq!(scene.files("out"), []);
    let cut = [&scene.hello("s", Some("r.1")), &epoch("s.1", "33333")[..], &epoch("s.2", "44444"), "5\n"].concat();
    scene.run("@out --part-size 12B", &cut).fails_with(75, "cut short");
    assert_eq!(scene.files("out"), [("part-s-00000001.ndjson".to_owned(), "11111\n33333\n".to_owned())]);
    scene.run("@out --part-size 12B", &[&scene.hello("t", Some("s.2")), end()].concat()).ok();
    assert_eq!(scene.visible("out"), "11111\n33333\n44444\n");
}

#[test]
fn parts_of_other_flags_are_closed_at_the_start() {
    let scene = Scene::new();
    let first = [&scene.hello("r", None), "1\n", &barrier("r.1", 1)].concat();
    scene.run("@out --part-size 1MiB", &first).fails_with(75, "cut short");
    let next = [&scene.hello("s", Some("r.1")), "2\n", &barrier("s.1", 1), end()].concat();
    scene.run("@out --part-size 1MiB --compress gz", &next).ok();
    assert_eq!(names(&scene.files("out")), ["part-s-00000000.ndjson", "part-s-00000001.ndjson.gz"]);
}

#[test]
fn parts_grow_old() {
    let scene = Scene::new();
    let mut child =
        Command::new(BIN).arg(scene.path("out")).args(["--part-age", "300ms"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(format!("{}1\n{}", scene.hello("r", None), barrier("r.1", 1)).as_bytes()).unwrap();
    let committed = || fs::read_to_string(scene.path("state/committed")).unwrap_or_default();
    wait_until("the first epoch is committed", || committed().contains("r.1"));
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(scene.files("out"), []);
    stdin.write_all(format!("{}2\n{}", barrier("r.2", 0), barrier("r.3", 1)).as_bytes()).unwrap();
    wait_until("the part is visible", || scene.visible("out") == "1\n");
    stdin.write_all(end().as_bytes()).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert_eq!(scene.visible("out"), "1\n2\n");
}

#[test]
fn compressed_parts_are_read_by_the_usual_programs() {
    let scene = Scene::new();
    for how in ["gz", "zst"] {
        let input = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), "2\n", &barrier("r.2", 1), end()].concat();
        fs::remove_file(scene.path("state/committed")).unwrap_or_default();
        scene.run(&format!("@{how} --compress {how} --part-size 1MiB"), &input).ok();
        let file = fs::read(scene.path(how).join(format!("part-r-00000002.ndjson.{how}"))).unwrap();
        let text = if how == "gz" {
            testkit::run_bytes("gzip", &["-dc"], &file).ok()
        } else {
            String::from_utf8(zstd::decode_all(&*file).unwrap()).unwrap()
        };
        assert_eq!(text, "1\n2\n", "{how}");
    }
}

#[test]
fn a_single_file_keeps_what_it_has_and_loses_what_is_not_committed() {
    let scene = Scene::new();
    fs::write(scene.path("all"), "0\n").unwrap();
    let cut = [&scene.hello("r", None), "1\n", &barrier("r.1", 1), "2\n"].concat();
    scene.run("--single @all", &cut).fails_with(75, "cut short");
    fs::OpenOptions::new().append(true).open(scene.path("all")).unwrap().write_all(b"not committed").unwrap();
    let next = [&scene.hello("s", Some("r.1")), "2\n3\n", &barrier("s.1", 2), end()].concat();
    scene.run("--single @all", &next).ok();
    assert_eq!(scene.text("all"), "0\n1\n2\n3\n");
    scene.run("--single @all", "4\n").ok();
    scene.run("--single @all", &[&scene.hello("t", Some("s.1")), "5\n", &barrier("t.1", 1), end()].concat()).ok();
    assert_eq!(scene.text("all"), "0\n1\n2\n3\n4\n5\n");
}

#[test]
fn a_single_file_that_somebody_has_cut_is_an_error() {
    let scene = Scene::new();
    scene.run("--single @all", "1\n2\n").ok();
    fs::write(scene.path("all"), "1\n").unwrap();
    let ran = scene.run("--single @all", "3\n");
    assert!(ran.stderr.contains("hint: somebody else has changed it"), "{}", ran.stderr);
    ran.fails_with(1, "all: 2 bytes where at least 4 should be, and 4 bytes of it are committed");
    fs::remove_file(scene.path("all")).unwrap();
    scene.run("--single @all", "3\n").fails_with(1, "all: not there, and 4 bytes of it are committed");
    assert!(!scene.path("all").exists());
}

#[test]
fn rejects_are_dead_letters_of_the_same_commit() {
    let scene = Scene::new();
    let mark = "{\"$\":\"reject\",\"by\":\"window\",\"why\":\"late\",\"at\":\"line 7\",\"line\":\"{}\"}\n";
    let line = "{\"by\":\"window\",\"why\":\"late\",\"at\":\"line 7\",\"line\":\"{}\"}\n";
    let cut = [&scene.hello("r", None), mark, "1\n", &barrier("r.1", 1), mark, "2\n"].concat();
    for (args, rejects) in [("@out --dead-letter @dead", "dead"), ("--single @all --dead-letter @late", "late")] {
        let _ = fs::remove_file(scene.path("state/committed"));
        scene.run(args, &cut).fails_with(75, "cut short");
        let next = [&scene.hello("s", Some("r.1")), mark, "2\n", &barrier("s.1", 1), end()].concat();
        scene.run(args, &next).ok();
        let kept = if rejects == "dead" { scene.visible(rejects) } else { scene.text(rejects) };
        assert_eq!(kept, line.repeat(2), "{args}");
    }
    let none = scene.run("@other", &[&scene.hello("t", None), mark].concat());
    assert!(none.stderr.contains("hint: --dead-letter keeps rejected lines"), "{}", none.stderr);
    none.fails_with(1, "window rejected line 7: late");
}

#[test]
fn a_bad_line_of_a_checked_stream_is_a_dead_letter_too() {
    let scene = Scene::new();
    let input = [&scene.hello("r", None), "1\nno\n", &barrier("r.1", 2), end()].concat();
    scene.run("@out --dead-letter @dead", &input).ok();
    assert_eq!(scene.visible("out"), "1\n");
    assert!(scene.visible("dead").contains("\"by\":\"file-cat-out\""), "{}", scene.visible("dead"));
}

#[test]
fn a_bad_line_of_a_plain_stream_stops_it_after_what_came_before() {
    let scene = Scene::new();
    scene.run("@out", "1\nno\n2\n").fails_with(1, "file-cat-out: line 2, byte 2: not JSON");
    assert_eq!(scene.visible("out"), "1\n");
    scene.run("@text --text", "no\n").ok();
    assert_eq!(scene.visible("text"), "no\n");
}

#[test]
fn an_output_in_use_is_refused_with_the_holders_pid() {
    let scene = Scene::new();
    for output in ["@out", "--single @all"] {
        let here = format!("{}/", scene.path("").display());
        let args = output.replace('@', &here);
        let mut first = Command::new(BIN).args(args.split_whitespace()).stdin(Stdio::piped()).spawn().unwrap();
        first.stdin.as_mut().unwrap().write_all(b"1\n").unwrap();
        let said = format!("in use by process {}", first.id());
        wait_for_rest(&[first.id()]);
        scene.run(output, "2\n").fails_with(75, &said);
        drop(first.stdin.take());
        assert!(first.wait().unwrap().success());
    }
}

#[test]
fn a_plain_stream_that_is_killed_keeps_what_it_has_had_for_a_second() {
    let scene = Scene::new();
    let mut first = Command::new(BIN).arg(scene.path("out")).stdin(Stdio::piped()).spawn().unwrap();
    first.stdin.as_mut().unwrap().write_all(b"1\n").unwrap();
    let manifest = || fs::read_to_string(scene.path("out/.millpipe/manifest")).unwrap_or_default();
    wait_until("it is in the manifest", || manifest().contains("\"bytes\":2"));
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(scene.files("out"), []);
    scene.run("@out", "2\n").ok();
    assert_eq!(scene.visible("out"), "1\n2\n");
}

#[test]
fn too_many_parts_stop_it_with_a_hint() {
    let scene = Scene::new();
    let lines: String = (0..4).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    scene
        .run("@out --partition-by n --max-parts 3", &lines)
        .fails_with(1, "more than 3 parts are hidden (--max-parts)");
}

#[test]
fn a_damaged_manifest_is_an_error_and_nothing_is_touched() {
    let scene = Scene::new();
    scene.run("@out", "1\n").ok();
    let path = scene.path("out/.millpipe/manifest");
    let whole = fs::read_to_string(&path).unwrap();
    let broken = [&whole[..whole.len() / 2], "", &whole.replace("\"v\":1", "\"v\":2"), &whole.replace("null", "\"x\"")];
    for (text, words) in broken.into_iter().zip(["damaged", "damaged", "version 2", "\"x\" is no checkpoint id"]) {
        fs::write(&path, text).unwrap();
        scene.run("@out", "2\n").fails_with(1, words);
        assert_eq!(scene.visible("out"), "1\n");
    }
}

#[test]
fn something_else_in_the_place_of_the_folder_is_named() {
    let scene = Scene::new();
    fs::write(scene.path("file"), "").unwrap();
    scene
        .run("@file", "1\n")
        .fails_with(1, "file\" is a file, and lines go into a folder\nfile-cat-out: hint: --single FILE");
    scene.run("@file/out", "1\n").fails_with(1, "file/out/.millpipe: ");
}

/// A limit on the size of files stands for a disk that is full: both refuse to write.
#[test]
fn a_full_disk_is_temporary_and_shows_nothing() {
    let scene = Scene::new();
    let lines = format!("\"{}\"\n", "x".repeat(1000)).repeat(1000);
    let script = format!("trap '' XFSZ; ulimit -f 100; exec {BIN} {}", scene.path("out").display());
    let ran = testkit::run("bash", &["-c", &script], &lines);
    ran.fails_with(75, "out/.millpipe/parts/");
    assert_eq!(scene.files("out"), []);
    scene.run("@out", "1\n").ok();
    assert_eq!(scene.visible("out"), "1\n");
}

#[test]
fn a_partition_field_that_no_line_had_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let ran = testkit::run(BIN, &[out.to_str().unwrap(), "--partition-by", "daay"], "{\"day\":1}\n");
    assert!(ran.stderr.starts_with("file-cat-out: 1 line, none had \"daay\"; the lines have: day\n"), "{}", ran.stderr);
}
