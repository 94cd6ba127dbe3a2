//! A log that is written to, rotated in every way, and followed by a source that dies now and then.

use millpipe::Source;
use proptest::prelude::*;

use super::scene::{Reading, Scene, gzip, numbers};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many lines, and perhaps the start of one more.
    Append(u64, bool),
    /// `log` becomes `log.1`, and so on.
    Rename,
    /// And the one before it is compressed.
    RenameAndCompress,
    /// `log` is copied to `log.1` and truncated.
    Copy,
    Read,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1u64..8, any::<bool>()).prop_map(|(lines, torn)| Step::Append(lines, torn)),
        2 => Just(Step::Rename),
        2 => Just(Step::RenameAndCompress),
        1 => Just(Step::Copy),
        4 => Just(Step::Read),
        2 => Just(Step::Restart),
    ]
}

/// The writer's side.
struct Log {
    scene: Scene,
    lines: String,
    /// What was written of a line that is not whole.
    torn: usize,
    next: u64,
    /// The first line of the log as it is now.
    first: u64,
    seconds: u64,
    rotated: Vec<String>,
}

impl Log {
    fn new() -> Self {
        let scene = Scene::new();
        scene.write("log", "");
        let mut log = Self {
            scene,
            lines: String::new(),
            torn: 0,
            next: 0,
            first: 0,
            seconds: 1_700_000_000,
            rotated: Vec::new(),
        };
        log.touch();
        log
    }

    fn line(n: u64) -> String {
        // No two logs end alike: one could not be told from the other.
        let letter = char::from(b'a' + (n % 23) as u8);
        format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", letter.to_string().repeat((n as usize * 37) % 300))
    }

    fn append(&mut self, lines: u64, torn: bool) {
        for _ in 0..lines {
            let line = Self::line(self.next);
            self.scene.append("log", &line[self.torn..]);
            self.lines.push_str(&line);
            (self.torn, self.next) = (0, self.next + 1);
        }
        if torn {
            self.scene.append("log", &Self::line(self.next)[..5]);
            self.torn = 5;
        }
        self.touch();
    }

    fn touch(&mut self) {
        // Files that are written in the same moment could not be put in order.
        self.seconds += 1;
        self.scene.date("log", self.seconds);
    }

    /// Makes room for a new `log.1`.
    fn shift(&mut self, compress: bool) {
        if self.torn > 0 {
            self.append(1, false);
        }
        for (old, name) in self.rotated.iter_mut().enumerate().rev() {
            let ending = if name.ends_with(".gz") { ".gz" } else { "" };
            let shifted = format!("log.{}{ending}", old + 2);
            self.scene.rename(name, &shifted);
            *name = shifted;
        }
        if let Some(name) = self.rotated.first_mut().filter(|name| compress && !name.ends_with(".gz")) {
            self.scene.gzip(name);
            name.push_str(".gz");
        }
        self.rotated.insert(0, "log.1".to_owned());
        self.first = self.next;
    }

    fn rename(&mut self, compress: bool) {
        self.shift(compress);
        self.scene.rename("log", "log.1");
        self.scene.write("log", "");
        self.touch();
    }

    fn copy(&mut self) {
        self.shift(false);
        self.scene.copy("log", "log.1");
        self.scene.date("log.1", self.seconds);
        self.scene.write("log", "");
        self.touch();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn every_line_comes_once_and_in_order(steps in proptest::collection::vec(step(), 0..40)) {
        let flags = "--follow @log";
        let mut log = Log::new();
        let mut reading: Reading = log.scene.start(flags);
        let mut read = String::new();
        for step in steps {
            match step {
                Step::Append(lines, torn) => log.append(lines, torn),
                Step::Rename => log.rename(false),
                Step::RenameAndCompress => log.rename(true),
                // Of a file of which nothing is known yet no copy can be known.
                Step::Copy if read.lines().count() as u64 > log.first => log.copy(),
                Step::Copy => {}
                Step::Read => read.push_str(&reading.read()),
                Step::Restart => {
                    let position = reading.source.position();
                    reading = log.scene.resume(flags, &position);
                }
            }
        }
        if log.torn > 0 {
            log.append(1, false);
        }
        read.push_str(&reading.read());
        prop_assert_eq!(&read, &log.lines);
        prop_assert_eq!(reading.warnings().matches("lost").count(), 0);
    }
}

/// A log of 1000 lines that was read and renamed, a new one, and the parts of what the old one is compressed to.
fn half_packed(reading: &mut Reading, scene: &Scene) -> (Vec<u8>, Vec<u8>) {
    scene.write("log", numbers(0..1000));
    assert_eq!(reading.read(), numbers(0..1000));
    scene.rename("log", "log.1");
    scene.write("log", "new\n");
    let packed = gzip(numbers(0..1000).as_bytes());
    let (first, rest) = packed.split_at(packed.len() / 2);
    (first.to_vec(), rest.to_vec())
}

#[test]
fn a_copy_that_is_still_being_compressed_is_not_read_as_new() {
    for name in ["log.1.gz", "log.2.gz"] {
        for part in [0, 1, 3, 20, usize::MAX] {
            let scene = Scene::new();
            let mut reading = scene.start("--follow @log");
            let (first, _) = half_packed(&mut reading, &scene);
            let first = &first[..part.min(first.len())];
            scene.write(name, first);
            let mut read = reading.read();
            let position = reading.source.position();
            let mut started = scene.resume("--follow @log", &position);
            let mut read_after_start = started.read();
            scene.write(name, gzip(numbers(0..1000).as_bytes()));
            scene.remove("log.1");
            for _ in 0..3 {
                read.push_str(&reading.read());
                read_after_start.push_str(&started.read());
                reading.pass_seconds(20);
            }
            assert_eq!(read, "new\n", "{name}, {part} bytes");
            assert!(["", "new\n"].contains(&&*read_after_start), "{name}, {part} bytes: {read_after_start}");
        }
    }
}

#[test]
fn a_run_that_starts_while_a_copy_is_being_compressed_does_not_read_it_as_new() {
    for flags in ["--follow @log", "--follow @log*", "--exactly-once --state s --no-drain @log*"] {
        let lines =
            |text: String| text.split_inclusive('\n').filter(|line| !line.starts_with("{\"$")).collect::<String>();
        let scene = Scene::new();
        scene.write("log", numbers(0..1000));
        let mut reading = scene.start(flags);
        assert_eq!(lines(reading.read()), numbers(0..1000));
        scene.rename("log", "log.1");
        scene.write("log", "new\n");
        let packed = gzip(numbers(0..1000).as_bytes());
        scene.write("log.1.gz", &packed[..packed.len() / 2]);
        let mut reading = scene.resume(flags, &reading.source.position());
        assert_eq!(lines(reading.read()), "new\n", "{flags}");
        scene.write("log.1.gz", packed);
        scene.remove("log.1");
        assert_eq!(lines(scene.resume(flags, &reading.source.position()).read()), "", "{flags}");
    }
}

#[test]
fn what_may_come_from_a_file_that_is_not_whole_is_waited_for_and_said() {
    let scene = Scene::new();
    scene.write("log", numbers(0..1000));
    let mut reading = scene.start("--follow @log");
    assert_eq!(reading.read(), numbers(0..1000));
    let packed = gzip(numbers(1000..2000).as_bytes());
    scene.rename("log", "log.2");
    scene.write("log.1.gz", &packed[..packed.len() / 2]);
    scene.write("log", "new\n");
    assert_eq!(reading.read(), "", "it was missed, and comes before the new one");
    reading.source.stop(&mut reading.out).unwrap();
    let said = scene.plain(&reading.warnings());
    assert!(said.contains("log.1.gz: its compressed data is not whole: it waits"), "{said}");
    scene.append("log.1.gz", &packed[packed.len() / 2..]);
    assert_eq!(reading.read(), format!("{}new\n", numbers(1000..2000)));
}

#[test]
fn a_log_is_not_held_back_for_ever_by_an_old_file_that_nobody_finishes() {
    let scene = Scene::new();
    scene.write("log", numbers(0..1000));
    let mut reading = scene.start("--follow @log");
    reading.read();
    scene.rename("log", "log.2");
    scene.write("log.1.gz", "");
    scene.write("log", "new\n");
    assert_eq!(reading.read(), "");
    reading.pass_seconds(20);
    assert_eq!(reading.read(), "new\n");
    assert!(reading.warnings().contains("nobody has written to it for a while: left out"));
}

#[test]
fn files_that_were_missed_are_read_in_the_order_of_their_numbers_whatever_their_times_are() {
    let scene = Scene::new();
    scene.write("log", "1\n");
    scene.date("log", 1_700_000_000);
    let mut reading = scene.start("--follow @log");
    assert_eq!(reading.read(), "1\n");
    let position = reading.source.position();
    scene.write("log.4.gz", gzip(b"not of this log, and compressed later\n"));
    scene.rename("log", "log.3");
    scene.write("log.2.gz", gzip(b"2\n"));
    scene.write("log.1", "3\n");
    scene.date("log.1", 1_700_000_002);
    scene.write("log", "4\n");
    assert_eq!(scene.resume("--follow @log", &position).read(), "2\n3\n4\n");
    assert_eq!(reading.read(), "2\n3\n4\n");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "files made in one moment have the same time")]
fn a_missed_file_is_read_also_if_that_before_it_was_copied_later() {
    type Change = fn(&Scene);
    let changes: [(&str, Change); 4] = [
        ("compressed", |scene| scene.write("log.2.gz", gzip(&std::fs::read(scene.path("log.1")).unwrap()))),
        ("copied", |scene| scene.copy("log.1", "log.2")),
        ("touched", |scene| {
            scene.copy("log.1", "log.2");
            scene.date("log.2", 4_000_000_000);
        }),
        ("copied, and the time of the missed one set back", |scene| {
            scene.copy("log.1", "log.2");
            scene.date("log", 1_000_000);
        }),
    ];
    for (change, make) in changes {
        let scene = Scene::new();
        scene.write("log", "1\n");
        let mut reading = scene.start("--follow @log");
        assert_eq!(reading.read(), "1\n");
        let position = reading.source.position();
        scene.append("log", "2\n");
        scene.rename("log", "log.1");
        std::thread::sleep(std::time::Duration::from_millis(20));
        scene.write("log", "3\n");
        std::thread::sleep(std::time::Duration::from_millis(20));
        make(&scene);
        scene.remove("log.1");
        scene.rename("log", "log.1");
        scene.write("log", "4\n");
        assert_eq!(scene.resume("--follow @log", &position).read(), "2\n3\n4\n", "{change}");
    }
}
