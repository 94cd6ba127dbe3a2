//! The last line of a file, without its newline: when it waits, and when it is a line.

use millpipe::Source;

use super::scene::{Scene, gzip, zstd};

const NO_DRAIN: &str = "--exactly-once --state s --no-drain";

/// What one run reads, and where it ends.
struct Runs<'s> {
    scene: &'s Scene,
    flags: String,
    position: Option<String>,
    said: String,
    rejects: Vec<String>,
}

impl<'s> Runs<'s> {
    fn new(scene: &'s Scene, flags: &str) -> Self {
        Self { scene, flags: flags.to_owned(), position: None, said: String::new(), rejects: Vec::new() }
    }

    /// Lines of the next run.
    fn run(&mut self) -> String {
        let mut reading = match &self.position {
            Some(position) => self.scene.resume(&self.flags, position),
            None => self.scene.start(&self.flags),
        };
        let read = reading.read();
        self.position = Some(reading.source.position());
        reading.source.stop(&mut reading.out).unwrap();
        self.said = self.scene.plain(&reading.warnings());
        self.rejects = reading.out.rejects().take();
        read.lines().filter(|line| !line.starts_with("{\"$\":")).map(|line| format!("{line}\n")).collect()
    }
}

#[test]
fn a_last_line_without_newline_waits_and_says_so_and_is_a_line_when_the_next_run_finds_it_so() {
    let scene = Scene::new();
    scene.write("drop1", "{\"a\":1}");
    let mut runs = Runs::new(&scene, &format!("{NO_DRAIN} @drop*"));
    assert_eq!(runs.run(), "");
    assert!(runs.said.contains("the last line has no newline"), "{}", runs.said);
    assert!(runs.said.contains("waits for the next run: drop1 (byte 0)\nhint: "), "{}", runs.said);
    assert_eq!(runs.run(), "{\"a\":1}\n");
    assert_eq!(runs.said, "");
    assert_eq!(runs.run(), "");
    for newline in ["\n", "\r\n"] {
        scene.write("drop2", "{\"b\":1}");
        assert_eq!(runs.run(), "");
        assert_eq!(runs.run(), "{\"b\":1}\n");
        scene.append("drop2", format!("{newline}{{\"b\":2}}\n"));
        assert_eq!(runs.run(), "{\"b\":2}\n", "the newline that comes later is no line");
        scene.remove("drop2");
        assert_eq!(runs.run(), "");
    }
}

#[test]
fn text_that_was_taken_without_newline_leaves_no_empty_line() {
    let scene = Scene::new();
    for flags in [format!("{NO_DRAIN} --text @t"), "--exactly-once --state s --text @t".to_owned()] {
        scene.write("t", "a\nb");
        let mut runs = Runs::new(&scene, &flags);
        let read = runs.run() + &runs.run();
        assert_eq!(read, "\"a\"\n\"b\"\n", "{flags}");
        scene.append("t", "\nc\n\n");
        assert_eq!(runs.run(), "\"c\"\n\"\"\n", "{flags}");
    }
}

#[test]
fn a_file_with_a_newer_one_beside_it_gives_its_last_line_at_once_if_it_is_whole() {
    let scene = Scene::new();
    for (name, text, seconds) in
        [("d1", "{\"n\":1}", 1), ("d2", "{\"n\":2", 2), ("d3", "{\"n\":3}\n", 3), ("d4", "{\"n\":4}", 4)]
    {
        scene.write(name, text);
        scene.date(name, 1_700_000_000 + seconds);
    }
    let mut runs = Runs::new(&scene, &format!("{NO_DRAIN} @d*"));
    assert_eq!(runs.run(), "{\"n\":1}\n{\"n\":3}\n");
    assert!(runs.said.contains("d2 (byte 0), d4 (byte 0)\n"), "{}", runs.said);
    assert_eq!(runs.run(), "{\"n\":4}\n");
    assert!(runs.said.contains(": d2 (byte 0)\n"), "half an object is no line, however old: {}", runs.said);
    scene.append("d2", "0}\n");
    assert_eq!(runs.run(), "{\"n\":20}\n");
}

#[test]
fn a_line_that_grows_after_it_was_taken_is_not_doubled_and_its_rest_is_kept_aside() {
    let scene = Scene::new();
    scene.write("a", "12");
    let mut runs = Runs::new(&scene, &format!("{NO_DRAIN} @a"));
    assert_eq!((runs.run().as_str(), runs.run().as_str()), ("", "12\n"));
    scene.append("a", "34");
    assert_eq!(runs.run(), "");
    scene.append("a", "5\n6\n");
    assert_eq!(runs.run(), "6\n");
    assert!(runs.rejects[0].contains("the rest of a line whose start was taken"), "{:?}", runs.rejects);
    assert!(runs.rejects[0].contains("\"at\":\"") && runs.rejects[0].contains("\"line\":\"345\""));
}

#[test]
fn what_becomes_of_the_file_makes_its_last_line_one() {
    type Change<'a> = (&'a str, &'a dyn Fn(&Scene));
    let changes: [Change<'_>; 8] = [
        ("renamed", &|scene| scene.rename("a", "a.1")),
        ("renamed, with a new one", &|scene| {
            scene.rename("a", "a.1");
            scene.write("a", "");
        }),
        ("renamed by date before the ending", &|scene| scene.rename("a", "a-20260610")),
        ("compressed", &|scene| {
            scene.rename("a", "a.1");
            scene.gzip("a.1");
        }),
        ("compressed in its place", &|scene| scene.gzip("a")),
        ("copied and truncated", &|scene| {
            scene.copy("a", "a.1");
            scene.write("a", "");
        }),
        ("deleted", &|scene| scene.remove("a")),
        ("cut", &|scene| scene.write("a", "")),
    ];
    for (what, change) in changes {
        for before in ["", "{\"n\":0}\n"] {
            let scene = Scene::new();
            scene.write("a", format!("{before}{{\"n\":1}}"));
            let mut runs = Runs::new(&scene, &format!("{NO_DRAIN} @a"));
            assert_eq!(runs.run(), before, "{what}");
            change(&scene);
            assert_eq!(runs.run(), "{\"n\":1}\n", "{what}, after {before:?}");
            scene.append("a", "{\"n\":2}\n");
            assert_eq!(runs.run(), "{\"n\":2}\n", "{what}, and then a new one");
        }
    }
}

#[test]
fn half_a_line_of_a_file_that_is_deleted_or_renamed_is_a_bad_line_for_those_after_it() {
    for is_deleted in [true, false] {
        let scene = Scene::new();
        scene.write("a", "{\"n\":");
        let mut runs = Runs::new(&scene, &format!("{NO_DRAIN} @[a]"));
        assert_eq!((runs.run().as_str(), runs.run().as_str()), ("", ""));
        if is_deleted {
            scene.remove("a")
        } else {
            scene.rename("a", "a.1")
        }
        assert_eq!(runs.run(), "{\"n\":\n");
        assert_eq!(runs.run(), "");
    }
}

#[test]
fn a_compressed_file_is_whole_and_ends_with_a_line() {
    let scene = Scene::new();
    scene.write("a.gz", gzip(b"{\"n\":1}"));
    scene.write("b.zst", zstd(b"{\"n\":2}\n{\"n\":3}"));
    for flags in [format!("{NO_DRAIN} @*"), "--follow @*".to_owned()] {
        assert_eq!(Runs::new(&scene, &flags).run(), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", "{flags}");
    }
    let packed = gzip(b"{\"n\":4}\n{\"n\":5}");
    scene.write("a.gz", &packed[..packed.len() - 9]);
    let mut runs = Runs::new(&scene, &format!("{NO_DRAIN} @a.gz"));
    let first = runs.run();
    assert!(runs.said.contains("its compressed data is not whole"), "{}", runs.said);
    let second = runs.run();
    scene.write("a.gz", &packed);
    assert_eq!(first + &second + &runs.run(), "{\"n\":4}\n{\"n\":5}\n");
}

#[test]
fn a_followed_log_that_is_renamed_gives_its_last_line_before_those_of_the_new_one() {
    let scene = Scene::new();
    scene.write("a", "{\"n\":1}\n{\"n\":2}");
    let mut reading = scene.start("--follow @a");
    assert_eq!(reading.read(), "{\"n\":1}\n");
    scene.rename("a", "a.1");
    assert_eq!(reading.read(), "");
    scene.write("a", "{\"n\":3}\n");
    assert_eq!(reading.read(), "{\"n\":2}\n{\"n\":3}\n");
    scene.append("a.1", "\n{\"n\":0}\n");
    assert_eq!(reading.read(), "{\"n\":0}\n", "its newline came late, and a line after it");
    scene.append("a", "{\"n\":");
    scene.rename("a", "a.2");
    scene.write("a", "{\"n\":5}\n");
    assert_eq!(reading.read(), "{\"n\":5}\n", "half a line may still be finished");
    scene.append("a.2", "4}\n");
    assert_eq!(reading.read(), "{\"n\":4}\n");
}

#[test]
fn a_renamed_log_that_nobody_writes_to_any_more_gives_its_last_line_after_a_while() {
    let scene = Scene::new();
    scene.write("a", "one\ntwo");
    let mut reading = scene.start("--follow --text @a");
    assert_eq!(reading.read(), "\"one\"\n");
    scene.rename("a", "a.1");
    assert_eq!(reading.read(), "");
    reading.pass_seconds(20);
    assert_eq!(reading.read(), "\"two\"\n");
    assert!(
        scene.plain(&reading.warnings()).contains("a: its last line, from byte 4, has no newline: taken as a line")
    );
    scene.append("a.1", "\n");
    assert_eq!(reading.read(), "");
}

#[test]
fn a_followed_log_that_went_while_nobody_ran_gives_its_last_line() {
    type Change<'a> = (&'a str, &'a dyn Fn(&Scene));
    let changes: [Change<'_>; 3] = [
        ("compressed", &|scene| scene.gzip("a.1")),
        ("copied", &|scene| {
            scene.copy("a.1", "a.2");
            scene.remove("a.1");
        }),
        ("deleted", &|scene| scene.remove("a.1")),
    ];
    for (what, change) in changes {
        let scene = Scene::new();
        scene.write("a", "{\"n\":1}\n{\"n\":2}");
        let mut reading = scene.start("--follow @a");
        assert_eq!(reading.read(), "{\"n\":1}\n");
        scene.rename("a", "a.1");
        assert_eq!(reading.read(), "", "{what}");
        let position = reading.source.position();
        drop(reading);
        change(&scene);
        scene.write("a", "{\"n\":3}\n");
        let mut reading = scene.resume("--follow @a", &position);
        assert_eq!(reading.read(), "{\"n\":2}\n{\"n\":3}\n", "{what}");
        let position = reading.source.position();
        assert_eq!(scene.resume("--follow @a", &position).read(), "", "{what}");
    }
}

#[test]
fn one_who_stops_following_says_what_was_not_read_to_its_newline() {
    let scene = Scene::new();
    scene.write("a", "{\"n\":1}\n{\"n\":2}");
    let mut runs = Runs::new(&scene, "--follow @a");
    assert_eq!(runs.run(), "{\"n\":1}\n");
    assert!(runs.said.contains("and is left out: a (byte 8)"), "{}", runs.said);
}

#[test]
fn a_file_that_was_cut_or_replaced_between_runs_is_read_from_its_start_with_a_word() {
    let scene = Scene::new();
    scene.write("a", "{\"n\":1}\n{\"n\":2}\n");
    let mut runs = Runs::new(&scene, &format!("{NO_DRAIN} @a"));
    assert_eq!(runs.run(), "{\"n\":1}\n{\"n\":2}\n");
    scene.write("a", "{\"n\":3}\n");
    assert_eq!(runs.run(), "{\"n\":3}\n");
    assert!(
        runs.said.contains("a: truncated or replaced since it was read to its end at byte 16: read from its start"),
        "{}",
        runs.said
    );
    scene.append("a", "{\"n\":4}\n");
    assert_eq!((runs.run().as_str(), runs.said.as_str()), ("{\"n\":4}\n", ""));
}

#[test]
fn an_empty_log_that_was_written_copied_away_and_truncated_between_two_looks_is_read_from_its_copy() {
    let scene = Scene::new();
    scene.write("a", "");
    let mut reading = scene.start("--follow @a");
    assert_eq!(reading.read(), "");
    let rotate = |lines: &str, name: &str| {
        scene.append("a", lines);
        scene.copy("a", name);
        scene.write("a", "");
    };
    rotate("{\"n\":1}\n", "a.1");
    assert_eq!(reading.read(), "{\"n\":1}\n", "it is empty again");
    rotate("{\"n\":2}\n", "a-20260610");
    scene.append("a", "{\"n\":3}\n");
    assert_eq!(reading.read(), "{\"n\":2}\n{\"n\":3}\n", "and here it is not");
    assert_eq!(scene.plain(&reading.warnings()).matches("a: truncated: what was in it is read from a").count(), 2);
    assert_eq!(reading.read(), "");
    scene.copy("a", "a.3");
    assert_eq!(reading.read(), "", "not truncated yet");
    scene.write("a", "");
    assert_eq!(reading.read(), "");
}
