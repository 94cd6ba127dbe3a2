//! `--follow`: files that grow, are renamed, truncated, deleted, compressed.

use millpipe::Polled;

use super::scene::{Scene, gzip, numbers};

#[test]
fn what_is_appended_comes_once_its_newline_is_there() {
    let scene = Scene::new();
    scene.write("a", "1\n2");
    let mut reading = scene.start("--follow @a");
    assert_eq!(reading.read(), "1\n");
    assert_eq!(reading.read(), "");
    scene.append("a", "0");
    assert_eq!(reading.read(), "");
    scene.append("a", "\n3\n4");
    assert_eq!(reading.read(), "20\n3\n");
    assert!(matches!(reading.poll(), Polled::WaitUntil(_)));
}

#[test]
fn a_file_that_is_not_there_yet_is_waited_for() {
    let scene = Scene::new();
    let mut reading = scene.start("--follow @a @b*");
    assert!(scene.plain(&reading.warnings()).starts_with("a: not there: waiting for it\nb*: no file matches: waiting"));
    assert_eq!(reading.read(), "");
    scene.write("b1", "2\n");
    scene.write("a", "1\n");
    assert_eq!(reading.read(), "1\n2\n");
    scene.write("b0", "3\n");
    assert_eq!(reading.read(), "3\n");
    assert_eq!(reading.warnings(), "");
}

#[test]
fn from_the_end_only_new_lines_come_and_new_files_whole() {
    let scene = Scene::new();
    scene.write("a1", "1\ntorn");
    let mut reading = scene.start("--follow -o end @a*");
    assert_eq!(reading.read(), "");
    scene.append("a1", " no more\n2\n");
    scene.write("a2", "3\n");
    assert_eq!(reading.read(), "torn no more\n2\n3\n");
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    let mut reading = scene.start("--follow @a");
    assert_eq!(reading.read(), "1\n");
    scene.append("a", "2\n");
    scene.rename("a", "a.1");
    scene.append("a.1", "3\n");
    scene.write("a", "5\n");
    scene.append("a.1", "4\n");
    assert_eq!(reading.read(), "2\n3\n4\n5\n");
    scene.append("a.1", "late\n");
    scene.append("a", "6\n");
    assert_eq!(reading.read(), "late\n6\n", "the program may still write to the old one");
    assert_eq!(reading.warnings(), "");
}

#[test]
fn files_that_were_rotated_away_between_two_looks_are_read_too() {
    let scene = Scene::new();
    scene.write("a.3", "old\n");
    scene.date("a.3", 1_000_000);
    scene.write("a", "1\n");
    let mut reading = scene.start("--follow @a");
    assert_eq!(reading.read(), "1\n");
    scene.rename("a", "a.2");
    scene.write("a", "2\n");
    scene.rename("a", "a.1");
    scene.gzip("a.1");
    scene.write("a", "3\n");
    scene.write("a.backup", "no\n");
    assert_eq!(reading.read(), "2\n3\n");
    scene.rename("a.2", "a.4");
    scene.rename("a.1.gz", "a.2.gz");
    assert_eq!(reading.read(), "");
}

#[test]
fn a_truncated_file_is_read_from_its_start_with_a_warning() {
    let scene = Scene::new();
    scene.write("a", "1\n2\n");
    let mut reading = scene.start("--follow @a");
    assert_eq!(reading.read(), "1\n2\n");
    scene.write("a", "3\n");
    assert_eq!(reading.read(), "3\n");
    assert!(scene.plain(&reading.warnings()).starts_with("a: truncated or replaced after byte 4: read from its start"));
    scene.write("a", "4\n5\n6\n");
    assert_eq!(reading.read(), "4\n5\n6\n", "also when it is longer than before, at the next look");
    scene.write("a", "7\n8\n9\n");
    assert_eq!(reading.read(), "7\n8\n9\n", "and when it is as long");
}

#[test]
fn what_was_left_of_a_truncated_file_is_read_from_its_copy() {
    let scene = Scene::new();
    scene.write("a", "1\n2\n");
    let mut reading = scene.start("--follow @a");
    assert_eq!(reading.read(), "1\n2\n");
    scene.append("a", "3\n");
    scene.copy("a", "a.1");
    scene.write("a", "4\n");
    assert_eq!(reading.read(), "3\n4\n");
    assert!(scene.plain(&reading.warnings()).contains("a: truncated after byte 4: what was left is read from a.1"));
}

#[test]
fn a_deleted_file_gives_its_last_line_and_a_new_one_of_its_name_is_read() {
    let scene = Scene::new();
    scene.write("a", "1\n2");
    let mut reading = scene.start("--follow @a");
    assert_eq!(reading.read(), "1\n");
    scene.remove("a");
    assert_eq!(reading.read(), "");
    reading.pass_seconds(20);
    assert_eq!(reading.read(), "2\n", "nobody can finish it any more");
    assert_eq!(reading.kept_files(), 0, "and it is forgotten");
    scene.write("a", "3\n");
    assert_eq!(reading.read(), "3\n");
}

#[test]
fn a_compressed_copy_of_what_was_read_is_not_read_again() {
    let scene = Scene::new();
    scene.write("a", numbers(0..100));
    let mut reading = scene.start("--follow @a*");
    assert_eq!(reading.read(), numbers(0..100));
    scene.rename("a", "a.1");
    scene.write("a", "new\n");
    assert_eq!(reading.read(), "new\n");
    // The compressor is still writing.
    let packed = gzip(numbers(0..100).as_bytes());
    scene.write("a.1.gz", &packed[..packed.len() / 2]);
    assert_eq!(reading.read(), "");
    scene.append("a.1.gz", &packed[packed.len() / 2..]);
    assert_eq!(reading.read(), "");
    scene.remove("a.1");
    reading.pass_seconds(20);
    assert_eq!(reading.read(), "");
    scene.rename("a.1.gz", "a.2.gz");
    scene.write("a.3.gz", gzip(b"another\n"));
    assert_eq!(reading.read(), "another\n");
}

#[test]
fn old_files_of_a_path_are_forgotten_one_day() {
    let scene = Scene::new();
    scene.write("a", "0\n");
    let mut reading = scene.start("--follow @a");
    for n in 1..20 {
        reading.read();
        for old in (1..n).rev() {
            scene.rename(&format!("a.{old}"), &format!("a.{}", old + 1));
        }
        scene.rename("a", "a.1");
        scene.write("a", format!("{n}\n"));
        assert_eq!(reading.read(), format!("{n}\n"));
    }
    assert!(reading.kept_files() <= 6);
}

#[test]
fn a_partition_with_nothing_to_read_says_so_once_and_one_whose_file_is_gone_ends() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    scene.write("b", "2\n");
    let mut reading = scene.start("--follow --marks --parts files @*");
    let mut read = |seconds: i64| {
        reading.pass_seconds(seconds);
        scene.plain(&reading.read()).replace("{\"$\":", "")
    };
    assert_eq!(
        read(0),
        "\"from\",\"part\":\"a\"}\n\"from\",\"part\":\"b\"}\n\"from\",\"part\":\"a\"}\n1\n\"from\",\"part\":\"b\"}\n2\n\
         \"idle\",\"part\":\"a\",\"final\":false}\n\"idle\",\"part\":\"b\",\"final\":false}\n"
    );
    assert_eq!(read(0), "");
    scene.append("b", "3\n");
    assert_eq!(read(0), "3\n\"idle\",\"part\":\"b\",\"final\":false}\n");
    scene.remove("a");
    read(0);
    assert_eq!(read(20), "\"idle\",\"part\":\"a\",\"final\":true}\n");
}
