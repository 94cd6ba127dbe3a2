//! The life of a log: appended to, renamed, compressed, deleted, cut, at any moment in the middle of a line, while it is
//! read by runs that come and go, or by one that follows it.

use millpipe::Source;
use proptest::prelude::*;

use super::scene::{Reading, Scene, gzip};

#[derive(Clone, Copy, Debug)]
enum Step {
    Lines(u64),
    /// A whole line, but for its newline.
    Unended,
    /// The start of a line.
    Half,
    /// What is missing of the line that was begun.
    Finish,
    Rename,
    RenameAndCompress,
    /// The youngest of the old files is about to be compressed: its copy is there in part; or it is completed.
    Pack(Packing),
    /// After it was read.
    Delete,
    /// After it was read, and nobody has a copy.
    Cut,
    Read,
    /// Reads, and does not come to commit it.
    Crash,
}

#[derive(Clone, Copy, Debug)]
struct Packing {
    /// Under the next number, as `gzip -c log.1 > log.2.gz` does; not where the newest file has the highest.
    shifts: bool,
    /// The copy is given the time of what it is made of; it is where only times tell the order.
    keeps_time: bool,
    /// So much of it is there at first, in percent.
    percent: usize,
}

/// Which number an old file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// The newest one the highest.
    Rising,
    /// The newest one 1, as logrotate has it.
    Shifting,
}

fn packing() -> impl Strategy<Value = Packing> {
    (any::<bool>(), any::<bool>(), 0usize..100).prop_map(|(shifts, keeps_time, percent)| Packing {
        shifts,
        keeps_time,
        percent,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u64..4).prop_map(Step::Lines),
        4 => Just(Step::Unended),
        2 => Just(Step::Half),
        3 => Just(Step::Finish),
        2 => Just(Step::Rename),
        2 => Just(Step::RenameAndCompress),
        4 => packing().prop_map(Step::Pack),
        1 => Just(Step::Delete),
        1 => Just(Step::Cut),
        6 => Just(Step::Read),
        2 => Just(Step::Crash),
    ]
}

/// How the log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Newline,
    Whole,
    Half,
    /// It was taken without its newline.
    Taken,
}

/// What half a line lacks.
const REST: usize = 5;

struct World {
    scene: Scene,
    follows: bool,
    end: End,
    /// The log is there.
    exists: bool,
    /// A run has seen it since one was deleted.
    is_known: bool,
    next: u64,
    seconds: u64,
    renamed: u64,
    numbers: Numbers,
    /// The old files, the newest first.
    old: Vec<String>,
    /// So many reads have come after a copy with a time of its own: one that was forgotten would be taken for a new one.
    reads_since_anew: Option<u32>,
    /// What is still to be written of the copy of the newest one, its name, and whether it keeps the time.
    packing: Option<(Vec<u8>, String, bool)>,
    /// It has not changed since the last run left its unfinished line.
    is_as_left: bool,
    expected: String,
    /// Half lines that nobody can finish.
    broken: usize,
    position: Option<String>,
    /// Nothing more happens.
    is_over: bool,
    /// A run that goes on.
    reading: Option<Reading>,
    read: String,
    halves: usize,
}

impl World {
    fn new(follows: bool, numbers: Numbers) -> Self {
        let scene = Scene::new();
        scene.write("log", "");
        let mut world = Self {
            scene,
            follows,
            end: End::Newline,
            exists: true,
            is_known: true,
            next: 0,
            seconds: 1_700_000_000,
            renamed: 0,
            numbers,
            old: Vec::new(),
            packing: None,
            reads_since_anew: None,
            is_as_left: false,
            expected: String::new(),
            broken: 0,
            position: None,
            is_over: false,
            reading: None,
            read: String::new(),
            halves: 0,
        };
        world.touch();
        world.read(true);
        world
    }

    fn flags(&self) -> &'static str {
        if self.follows { "--follow @log" } else { "--exactly-once --state s --no-drain @[l]og" }
    }

    fn touch(&mut self) {
        // Files that are written in the same moment could not be put in order.
        self.seconds += 1;
        self.scene.date("log", self.seconds);
    }

    fn line(&self) -> String {
        format!("{{\"n\":{},\"x\":1}}", self.next)
    }

    fn append(&mut self, text: &str) {
        self.scene.append("log", text);
        self.touch();
        (self.exists, self.is_as_left) = (true, false);
    }

    fn expect_line(&mut self) {
        self.expected.push_str(&format!("{}\n", self.line()));
        self.next += 1;
    }

    fn finish(&mut self) {
        let line = self.line();
        match self.end {
            End::Newline => return,
            End::Whole => self.append("\n"),
            End::Half => self.append(&format!("{}\n", &line[line.len() - REST..])),
            End::Taken => return self.end_taken(),
        }
        self.end = End::Newline;
        self.expect_line();
    }

    fn end_taken(&mut self) {
        self.append("\n");
        self.end = End::Newline;
    }

    fn begin(&mut self, end: End) {
        self.finish();
        let line = self.line();
        self.append(if end == End::Whole { &line } else { &line[..line.len() - REST] });
        self.end = end;
    }

    /// Nobody will finish the line that the log ends with.
    fn let_go(&mut self, is_kept: bool) {
        match std::mem::replace(&mut self.end, End::Newline) {
            End::Whole => self.expect_line(),
            End::Half if is_kept => (self.broken, self.next) = (self.broken + 1, self.next + 1),
            End::Half => self.next += 1,
            End::Newline | End::Taken => {}
        }
        self.is_as_left = false;
    }

    fn rename(&mut self, compress: bool) {
        // Of a log that came after a deleted one, and went before it was seen, nobody knows.
        if !self.exists || !self.is_known {
            return;
        }
        self.let_go(true);
        self.end_packing();
        self.renamed += 1;
        let number = if self.numbers == Numbers::Rising { self.renamed } else { 1 };
        self.shift(0);
        let mut name = format!("log.{number}");
        self.scene.rename("log", &name);
        if compress {
            self.scene.gzip(&name);
            name.push_str(".gz");
        }
        self.old.insert(0, name);
        self.append("");
    }

    /// Gives the old files, from that one on, the numbers that they have when there is one more.
    fn shift(&mut self, from: usize) {
        if self.numbers == Numbers::Rising {
            return;
        }
        for (index, name) in self.old.iter_mut().enumerate().skip(from).rev() {
            let ending = if name.ends_with(".gz") { ".gz" } else { "" };
            let shifted = format!("log.{}{ending}", index + 2);
            if shifted != *name {
                self.scene.rename(name, &shifted);
                *name = shifted;
            }
        }
    }

    fn pack(&mut self, packing: Packing) {
        if self.packing.is_some() {
            return self.end_packing();
        }
        let Some(name) = self.old.first().filter(|name| !name.ends_with(".gz")).cloned() else { return };
        let shifts = packing.shifts && self.numbers == Numbers::Shifting && name == "log.1";
        if shifts {
            self.shift(1);
        }
        let packed = if shifts { "log.2.gz".to_owned() } else { format!("{name}.gz") };
        let bytes = gzip(&std::fs::read(self.scene.path(&name)).unwrap());
        let (first, rest) = bytes.split_at(bytes.len() * packing.percent / 100);
        self.scene.write(&packed, first);
        self.reads_since_anew.get_or_insert(0);
        self.packing = Some((rest.to_vec(), packed, packing.keeps_time || self.numbers == Numbers::Rising));
    }

    fn end_packing(&mut self) {
        let Some((rest, packed, keeps_time)) = self.packing.take() else { return };
        self.scene.append(&packed, rest);
        let name = std::mem::replace(&mut self.old[0], packed.clone());
        if keeps_time {
            self.scene.date_as(&packed, &name);
        }
        self.scene.remove(&name);
    }

    /// What waits for a copy to be whole is not read.
    fn read_all(&mut self) {
        if self.packing.as_ref().is_some_and(|(_, name, _)| name == "log.2.gz") {
            self.end_packing();
        }
        self.read(true);
    }

    fn delete(&mut self) {
        self.read_all();
        // One that follows must see it go.
        if self.exists && (!self.follows || self.reading.is_some()) {
            self.let_go(true);
            self.scene.remove("log");
            (self.exists, self.is_known) = (false, false);
            self.read(true);
        }
    }

    fn cut(&mut self) {
        self.read_all();
        if self.exists {
            self.let_go(false);
            self.scene.write("log", "");
            self.touch();
            self.read(true);
        }
    }

    fn read(&mut self, commits: bool) {
        let flags = self.flags();
        let mut reading = match (self.reading.take(), &self.position) {
            (Some(reading), _) => reading,
            (None, Some(position)) => self.scene.resume(flags, position),
            (None, None) => self.scene.start(flags),
        };
        let read = reading.read();
        self.reads_since_anew = self.reads_since_anew.map(|reads| reads + 1);
        if !commits {
            return;
        }
        for line in read.lines().filter(|line| !line.starts_with("{\"$\":")) {
            if line.ends_with('}') {
                self.read.push_str(&format!("{line}\n"));
            } else {
                self.halves += 1;
            }
        }
        self.position = Some(reading.source.position());
        self.is_known |= self.exists;
        if self.follows && (self.is_over || !self.next.is_multiple_of(3)) {
            self.reading = Some(reading);
        }
        if !self.follows && self.end == End::Whole && self.is_as_left {
            self.end = End::Taken;
            self.expect_line();
        }
        self.is_as_left = matches!(self.end, End::Whole | End::Half);
    }

    fn step(&mut self, step: Step) {
        if self.reads_since_anew > Some(6) {
            return;
        }
        match step {
            Step::Lines(lines) => {
                self.finish();
                for _ in 0..lines {
                    let line = self.line();
                    self.append(&format!("{line}\n"));
                    self.expect_line();
                }
            }
            Step::Unended => self.begin(End::Whole),
            Step::Half => self.begin(End::Half),
            Step::Finish => self.finish(),
            Step::Rename => self.rename(false),
            Step::RenameAndCompress => self.rename(true),
            Step::Pack(packing) => self.pack(packing),
            Step::Delete => self.delete(),
            Step::Cut => self.cut(),
            Step::Read => self.read(true),
            // What follows goes on from what was committed.
            Step::Crash => self.read(false),
        }
    }

    /// All that is still to come.
    fn settle(&mut self) {
        self.finish();
        self.end_packing();
        self.is_over = true;
        for _ in 0..3 {
            if let Some(reading) = &mut self.reading {
                reading.pass_seconds(20);
            }
            self.read(true);
        }
    }
}

fn live(follows: bool, numbers: Numbers, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(follows, numbers);
    for step in steps {
        world.step(*step);
        prop_assert!(world.expected.starts_with(&world.read), "read:\n{}\nexpected:\n{}", world.read, world.expected);
    }
    world.settle();
    prop_assert_eq!(&world.read, &world.expected);
    prop_assert_eq!(world.halves, world.broken, "half a line comes once too");
    Ok(())
}

fn numbers() -> impl Strategy<Value = Numbers> {
    prop_oneof![Just(Numbers::Rising), Just(Numbers::Shifting)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn runs_that_come_and_go_give_each_line_once_and_in_order(
        numbers in numbers(),
        steps in proptest::collection::vec(step(), 0..30),
    ) {
        live(false, numbers, &steps)?;
    }

    #[test]
    fn a_run_that_follows_gives_each_line_once_and_in_order(
        numbers in numbers(),
        steps in proptest::collection::vec(step(), 0..30),
    ) {
        live(true, numbers, &steps)?;
    }
}
