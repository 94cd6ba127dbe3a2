//! Going on from a position after the world has changed.

use super::scene::{Scene, gzip, numbers};

/// Reads these files, and says where it was.
fn position_after(scene: &Scene, flags: &str) -> String {
    let mut reading = scene.start(flags);
    reading.read();
    millpipe::Source::position(&reading.source)
}

#[test]
fn a_position_is_text_that_a_person_can_read() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    let position: serde_json::Value = serde_json::from_str(&scene.plain(&position_after(&scene, "@a"))).unwrap();
    assert_eq!(position["turn"], "a");
    let file = &position["files"][0];
    assert_eq!((&file["path"], &file["offset"]), (&"a".into(), &2.into()));
    assert_eq!(file["finished"]["size"], 2);
}

#[test]
fn a_finished_file_that_has_grown_is_gone_on_with_and_new_ones_are_read() {
    let scene = Scene::new();
    scene.write("b", "1\n");
    let position = position_after(&scene, "--marks @*");
    assert_eq!(scene.resume("--marks @*", &position).read(), "", "the partition had ended");
    scene.append("b", "2\n");
    scene.write("a", "3\n");
    assert_eq!(scene.resume("@*", &position).read(), "2\n3\n", "known files come first");
}

#[test]
fn an_unfinished_last_line_is_left_for_the_next_run_if_there_is_one() {
    let scene = Scene::new();
    scene.write("a", "1\n2");
    let flags = "--exactly-once --state s --no-drain @a";
    let mut reading = scene.start(flags);
    assert!(reading.read().contains("}\n1\n{"));
    let position = millpipe::Source::position(&reading.source);
    assert!(scene.resume(flags, &position).read().contains("}\n2\n{"), "which finds it as it was left");
    assert_eq!(scene.resume("@a", &position).read(), "2\n", "which may be the last one");
    scene.append("a", "0\n");
    assert!(scene.resume(flags, &position).read().contains("}\n20\n{"));
}

#[test]
fn a_finished_file_may_be_deleted_and_its_number_be_another_files() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    let position = position_after(&scene, "@*");
    scene.remove("a");
    assert_eq!(scene.resume("@*", &position).read(), "");
    scene.write("a", "2\n3\n");
    assert_eq!(scene.resume("@*", &position).read(), "2\n3\n");
    // As if the file system had used the number again, for a file of the same length.
    scene.write("a", "4\n");
    let numbered = position.replace(&inode(&position), &format!("\"ino\":{}", inode_of(&scene, "a")));
    assert_eq!(scene.resume("@*", &numbered).read(), "4\n");
}

fn inode(position: &str) -> String {
    let start = position.find("\"ino\":").unwrap();
    position[start..].split(',').next().unwrap().to_owned()
}

fn inode_of(scene: &Scene, name: &str) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(scene.path(name)).unwrap().ino()
}

#[test]
fn a_followed_file_is_found_again_renamed_compressed_or_copied() {
    let lines = numbers(0..1000);
    type Change<'a> = (&'a str, &'a dyn Fn(&Scene));
    let changes: [Change<'_>; 5] = [
        ("renamed", &|scene| scene.rename("a", "a.1")),
        ("renamed by date", &|scene| scene.rename("a", "a-20260131")),
        ("compressed", &|scene| {
            scene.rename("a", "a.2");
            scene.gzip("a.2");
        }),
        ("copied and truncated", &|scene| {
            scene.copy("a", "a.1");
            scene.write("a", "");
        }),
        ("brought back from a backup", &|scene| {
            scene.copy("a", "backup");
            scene.rename("backup", "a");
            scene.rename("a", "a.1");
        }),
    ];
    for (what, change) in changes {
        let scene = Scene::new();
        scene.write("a", &lines);
        let position = position_after(&scene, "--follow @a");
        scene.append("a", "\"left\"\n");
        change(&scene);
        scene.append("a", "\"new\"\n");
        let mut reading = scene.resume("--follow @a", &position);
        assert_eq!(reading.read(), "\"left\"\n\"new\"\n", "{what}");
        // And once more, from there.
        let position = millpipe::Source::position(&reading.source);
        scene.append("a", "\"more\"\n");
        assert_eq!(scene.resume("--follow @a", &position).read(), "\"more\"\n", "{what}");
    }
}

#[test]
fn all_that_was_rotated_while_nobody_ran_is_read() {
    let scene = Scene::new();
    scene.write("a.1", "older\n");
    scene.date("a.1", 1_000_000);
    scene.write("a", numbers(0..100));
    let position = position_after(&scene, "--follow @a");
    scene.append("a", "\"left\"\n");
    scene.rename("a", "a.3");
    scene.gzip("a.3");
    scene.write("a.2", "\"missed\"\n");
    scene.gzip("a.2");
    scene.write("a.1", "\"missed too\"\n");
    scene.write("a", "\"new\"\n");
    let mut reading = scene.resume("--follow @a", &position);
    assert_eq!(reading.read(), "\"left\"\n\"missed\"\n\"missed too\"\n\"new\"\n");
    assert_eq!(reading.warnings(), "");
    let position = millpipe::Source::position(&reading.source);
    assert_eq!(scene.resume("--follow @a", &position).read(), "");
}

#[test]
fn what_was_written_to_an_empty_file_and_truncated_while_nobody_ran_is_read() {
    let scene = Scene::new();
    scene.write("a", "");
    let position = position_after(&scene, "--follow @a");
    scene.append("a", "1\n");
    scene.copy("a", "a.1");
    assert_eq!(scene.resume("--follow @a", &position).read(), "1\n", "it is not truncated yet");
    scene.write("a", "2\n");
    assert_eq!(scene.resume("--follow @a", &position).read(), "1\n2\n");
    scene.write("a", "");
    assert_eq!(scene.resume("--follow @a", &position).read(), "1\n");
}

#[test]
fn a_file_that_is_gone_stops_unless_told_to_go_on() {
    let scene = Scene::new();
    scene.write("a", "1\n2\n");
    let position = position_after(&scene, "--follow @a");
    scene.remove("a");
    let error = scene.refusal("--follow @a", Some(&position));
    assert!(scene.plain(&error.message).starts_with("a: gone: it was read up to byte 4"), "{error}");
    assert!(error.hint.unwrap().contains("--missing skip"));
    // Kept alive, so that the new file gets another number.
    scene.write("other", "");
    scene.write("a", "3\n");
    let mut reading = scene.resume("--follow --missing skip @a", &position);
    assert_eq!(reading.read(), "3\n");
    assert!(reading.warnings().contains("after byte 4 is l"), "left out or lost: by its number, if it was given again");
}

#[test]
fn a_file_that_was_truncated_stops_unless_it_is_followed() {
    let scene = Scene::new();
    scene.write("a", numbers(0..20_000));
    let mut reading = scene.start("@a");
    reading.poll();
    let position = millpipe::Source::position(&reading.source);
    scene.write("a", "new\n");
    let error = scene.refusal("@a", Some(&position));
    assert!(scene.plain(&error.message).starts_with("a: truncated or replaced: it is not the file"), "{error}");
    for flags in ["--follow @a", "--missing skip @a"] {
        let mut reading = scene.resume(flags, &position);
        assert_eq!(reading.read(), "new\n");
        assert!(scene.plain(&reading.warnings()).starts_with("a: truncated or replaced after byte "));
    }
}

#[test]
fn a_renamed_file_that_was_read_to_its_end_may_go() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    let mut reading = scene.start("--follow @a");
    reading.read();
    scene.rename("a", "a.1");
    scene.write("a", "2\n");
    reading.read();
    let position = millpipe::Source::position(&reading.source);
    scene.remove("a.1");
    scene.append("a", "3\n");
    let mut reading = scene.resume("--follow @a", &position);
    assert_eq!(reading.read(), "3\n");
    assert!(scene.plain(&reading.warnings()).starts_with("a: renamed earlier, and now gone"));
}

#[test]
fn a_compressed_copy_stays_unread_after_a_restart() {
    let scene = Scene::new();
    scene.write("a", numbers(0..100));
    let mut reading = scene.start("--follow @a*");
    reading.read();
    scene.write("a.1.gz", gzip(numbers(0..100).as_bytes()));
    assert_eq!(reading.read(), "");
    let position = millpipe::Source::position(&reading.source);
    scene.rename("a.1.gz", "a.2.gz");
    scene.append("a", "new\n");
    assert_eq!(scene.resume("--follow @a*", &position).read(), "new\n");
}
