//! Files that are there: which, in what order, with which marks.

use millpipe::{Counts, Polled};

use super::scene::{Scene, gzip, numbers, zstd};

#[test]
fn files_are_read_in_the_order_given_and_those_of_a_glob_by_name() {
    let scene = Scene::new();
    for (name, text) in [("b", "1\n2\n"), ("a", "3\n"), ("g2", "5"), ("g10", "4\n"), (".g", "9\n")] {
        scene.write(name, text);
    }
    assert_eq!(scene.read("@b @a @g*"), "1\n2\n3\n4\n5\n");
    assert_eq!(scene.read("@g*"), "4\n5\n", "a last line without newline is a line");
    assert_eq!(scene.read("@a @a @*"), "3\n1\n2\n4\n5\n", "a file that is named twice is read once");
}

#[test]
fn a_file_that_is_named_twice_is_said_once_with_its_names() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    scene.write("b", "2\n");
    std::os::unix::fs::symlink(scene.path("b"), scene.path("c")).unwrap();
    let said = |flags: &str| {
        let mut reading = scene.start(flags);
        reading.read();
        reading.pass_seconds(5);
        reading.read();
        scene.plain(&reading.warnings())
    };
    assert_eq!(said("@a @b"), "");
    assert_eq!(said("@a @a"), "a: named twice, read once");
    assert_eq!(said("@a @./a"), "a, ./a: named twice, read once");
    assert_eq!(said("--follow @*"), "b, c: named twice, read once");
    assert_eq!(said("@a @*"), "a: named twice, read once; so is another file");
}

#[test]
fn by_time_rotated_files_come_oldest_first() {
    let scene = Scene::new();
    for (name, text, seconds) in [("app.log", "3\n", 300), ("app.log.1", "2\n", 200), ("app.log.2.gz", "", 100)] {
        scene.write(name, if text.is_empty() { gzip(b"1\n") } else { text.into() });
        scene.date(name, seconds);
    }
    assert_eq!(scene.read("--order time @app.log*"), "1\n2\n3\n");
    assert_eq!(scene.read("@app.log*"), "3\n2\n1\n");
}

#[test]
fn the_format_is_told_by_the_bytes() {
    let scene = Scene::new();
    let lines = numbers(0..30_000);
    scene.write("a.txt", gzip(lines.as_bytes()));
    scene.write("b.gz", zstd(lines.as_bytes()));
    scene.write("c.zst", &lines);
    assert!(scene.read("@a.txt @b.gz @c.zst") == lines.repeat(3));
}

#[test]
fn compressed_data_that_is_cut_short_stops_after_what_is_good() {
    let scene = Scene::new();
    let packed = gzip(numbers(0..30_000).as_bytes());
    scene.write("a.gz", &packed[..packed.len() - 4]);
    let mut reading = scene.start("@a.gz");
    let fault = loop {
        match reading.try_poll() {
            Ok(polled) => assert_eq!(polled, Polled::More),
            Err(fault) => break fault,
        }
    };
    assert!(reading.taken() == numbers(0..30_000));
    let millpipe::Fault::Stop(error) = fault else { panic!("{fault:?}") };
    assert!(error.message.ends_with("a.gz: ends in the middle of its compressed data"), "{error}");
}

#[test]
fn no_file_and_a_folder_are_errors() {
    let scene = Scene::new();
    assert!(scene.refusal("@a", None).message.ends_with("/a: No such file or directory"));
    assert!(scene.refusal("@a*", None).message.starts_with("no file matches \""));
    assert!(scene.refusal("@", None).message.ends_with(": is a folder"));
}

#[test]
fn every_line_is_counted_or_rejected() {
    let scene = Scene::new();
    scene.write("a", format!("1\n\n{}\n22\n{}\n3", "x".repeat(20), "y".repeat(300_000)));
    let mut reading = scene.start("--max-line 10B @a");
    assert_eq!(reading.read(), "1\n22\n3\n");
    let Counts { lines_out, rejected, .. } = reading.out.counts();
    assert_eq!((lines_out, rejected), (3, 2));
    let rejects = reading.out.rejects().take();
    assert!(rejects[0].contains("/a, byte 3\"") && rejects[1].contains("/a, byte 27\""), "{rejects:?}");
}

#[test]
fn marks_name_the_partitions_and_their_ends() {
    let scene = Scene::new();
    scene.write("a", "1\n");
    scene.write("b", "2\n");
    let read = |flags: &str| scene.plain(&scene.read(flags)).replace("{\"$\":", "");
    assert_eq!(read("--marks @a"), "\"from\",\"part\":\"a\"}\n1\n\"idle\",\"part\":\"a\",\"final\":true}\n");
    assert_eq!(
        read("--marks @a @b"),
        "\"from\",\"part\":\"files\"}\n1\n2\n\"idle\",\"part\":\"files\",\"final\":true}\n",
        "files that are read one after the other are one partition"
    );
    assert_eq!(
        read("--marks --parts arguments @a @b"),
        "\"from\",\"part\":\"a\"}\n\"from\",\"part\":\"b\"}\n\"from\",\"part\":\"a\"}\n1\n\"from\",\"part\":\"b\"}\n2\n\
         \"idle\",\"part\":\"a\",\"final\":true}\n\"idle\",\"part\":\"b\",\"final\":true}\n"
    );
    assert_eq!(read("--marks --parts files @*"), read("--marks --parts arguments @a @b"));
    assert_eq!(read("--marks @*"), "\"from\",\"part\":\"*\"}\n1\n2\n\"idle\",\"part\":\"*\",\"final\":true}\n");
}

#[test]
fn partitions_are_read_in_turns_of_a_block() {
    let scene = Scene::new();
    let line = |name: &str| format!("\"{}\"\n", name.repeat(998));
    scene.write("a", line("a").repeat(200));
    scene.write("b", line("b").repeat(100));
    let read = scene.read("--parts files @a @b");
    let mut turns: Vec<(char, usize)> = Vec::new();
    for name in read.lines().map(|line| line.chars().nth(1).unwrap()) {
        match turns.last_mut() {
            Some((last, lines)) if *last == name => *lines += 1,
            _ => turns.push((name, 1)),
        }
    }
    assert_eq!(turns, [('a', 65), ('b', 65), ('a', 65), ('b', 35), ('a', 70)]);
}

#[test]
fn reading_starts_at_the_last_lines_and_stops_after_enough() {
    let scene = Scene::new();
    scene.write("a", "1\n2\n3\n");
    scene.write("b.gz", gzip(b"4\n5\n6"));
    assert_eq!(scene.read("-o -2 @a @b.gz"), "2\n3\n5\n6\n", "a last one without newline counts");
    scene.write("c", "1\n\n2\n\n \n");
    scene.write("d.gz", gzip(b"3\n4\n\n\n"));
    assert_eq!(scene.read("-o -1 @c @d.gz"), "2\n4\n", "blank lines are none");
    assert_eq!(scene.read("--text -o -2 @c @d.gz"), "\"\"\n\" \"\n\"\"\n\"\"\n", "of text they are");
    assert_eq!(scene.read("-c 4 @a @b.gz"), "1\n2\n3\n4\n");
    assert_eq!(scene.read("-c 0 @a"), "");
}
