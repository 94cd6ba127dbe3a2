//! A log that is written to, rotated in every way, and followed by a source that dies now and then.

use millpipe::Source;
use proptest::prelude::*;

use super::scene::{Reading, Scene};

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
        format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "x".repeat((n as usize * 37) % 300))
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
