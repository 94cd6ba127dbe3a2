//! A sink on a disk that crashes, and what must be there.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use checkpoint::{CheckpointId, Disk, Storage};
use clap::Parser;
use file_cat_out::FileSink;
use file_cat_out::cli::Cli;
use millpipe::{Barrier, Fault, Hello, Mark, Out, Policy, Positions, Rejects, Sink, Truth};
use testkit::{NO_SPACE, SimDisk};

#[derive(Clone, Debug)]
pub enum Step {
    Line(u8),
    Reject,
    Commit,
    Wait(i64),
    /// The process dies; the next one has the flags of this number.
    Die(u8),
    /// The machine crashes now.
    Crash(u64),
    /// After so many operations on the disk one fails.
    Fail(u64),
    /// After so many operations on the disk the power is gone.
    PowerCut(u64, u64),
}

/// Lines by the folder that they are visible in; those of the dead letters are in a folder of their own.
type Lines = BTreeMap<String, Vec<String>>;

const REJECTS: &str = "rejects";

pub struct World {
    disk: SimDisk,
    flags: &'static [&'static str],
    chosen: usize,
    sink: Option<FileSink>,
    out: Out,
    run: u64,
    seq: u64,
    lines: u64,
    /// The last commit that is known, and all that belongs to it.
    committed: (Option<CheckpointId>, Lines),
    /// One of which nobody knows whether it came to pass.
    in_doubt: Option<(CheckpointId, Lines)>,
    /// Lines since the last commit.
    open: Vec<(String, String)>,
    crash_seed: Option<u64>,
}

impl World {
    pub fn new(flags: &'static [&'static str]) -> Self {
        let disk = SimDisk::new();
        disk.create_dir(Path::new("/out")).unwrap();
        Self {
            disk,
            flags,
            chosen: 0,
            sink: None,
            out: Out::new(&Policy::default(), Rejects::in_memory("file-cat-out")),
            run: 0,
            seq: 0,
            lines: 0,
            committed: (None, Lines::new()),
            in_doubt: None,
            open: Vec::new(),
            crash_seed: None,
        }
    }

    pub fn step(&mut self, step: &Step) {
        match *step {
            Step::Line(key) => self.line(key),
            Step::Reject => self.reject(),
            Step::Commit => self.commit(false),
            Step::Wait(ms) => self.out.set_now_ms(self.out.now_ms() + ms),
            Step::Die(flags) => {
                self.die();
                self.chosen = usize::from(flags) % self.flags.len();
            }
            Step::Crash(seed) => {
                self.die();
                self.disk.crash(seed);
                self.crash_seed = None;
                self.nothing_else_is_visible();
            }
            Step::Fail(ahead) => self.disk.fail(ahead, NO_SPACE),
            Step::PowerCut(ahead, seed) => {
                self.disk.stop(ahead);
                self.crash_seed = Some(seed);
            }
        }
    }

    /// The input ends, however many starts that takes: everything is visible.
    pub fn finish(&mut self) {
        for _ in 0..200 {
            if !self.begin() {
                continue;
            }
            self.commit(true);
            let Some(sink) = &mut self.sink else { continue };
            if sink.finish(&mut self.out).is_ok() {
                self.die();
                assert_eq!(self.visible(), self.committed.1);
                return;
            }
            self.died();
        }
        panic!("it never ends");
    }

    fn flags(&self) -> &'static str {
        self.flags[self.chosen]
    }

    /// Starts the sink if it is not running. False when that failed.
    fn begin(&mut self) -> bool {
        if self.sink.is_some() {
            return true;
        }
        self.run += 1;
        self.seq = 0;
        let cli = Cli::try_parse_from(["file-cat-out"].into_iter().chain(self.flags().split(' '))).unwrap();
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let storage = Storage { disk, lock: Box::new(|_| Ok(Box::new(()))) };
        let mut sink = FileSink::new(&cli, storage).unwrap();
        let hello = Hello {
            run: self.run(),
            hop: 2,
            state: "/state".into(),
            restore: Truth::default(),
            sink: serde_json::Value::Null,
            interval_ms: 1000,
            shard: String::new(),
        };
        let opened = sink.open(&hello, &mut self.out);
        self.sink = Some(sink);
        let Ok(truth) = opened else {
            self.died();
            return false;
        };
        self.learn(truth.id);
        let mut there = self.visible();
        self.hidden(&mut there);
        assert_eq!(there, self.committed.1, "at the start of run {}", self.run);
        true
    }

    /// What the target says is true.
    fn learn(&mut self, id: Option<CheckpointId>) {
        if let Some((doubted, lines)) = self.in_doubt.take()
            && id.as_ref() == Some(&doubted)
        {
            self.committed = (id.clone(), lines);
        }
        assert_eq!(id, self.committed.0);
    }

    fn line(&mut self, key: u8) {
        if !self.begin() {
            return;
        }
        let line = format!("{{\"k\":{key},\"n\":{}}}", self.lines);
        self.lines += 1;
        let out = &mut self.out;
        let taken = self.sink.as_mut().unwrap().line(line.as_bytes(), out);
        let folder = if self.flags().contains("partition-by") { format!("k={key}") } else { String::new() };
        self.open.push((folder, line));
        self.must_live(&taken);
    }

    fn reject(&mut self) {
        if !self.begin() {
            return;
        }
        let line = format!("{{\"n\":{}}}", self.lines);
        self.lines += 1;
        let mark = Mark::new("reject").with("by", "window").with("why", "late").with("at", "line 1").with("line", line);
        let out = &mut self.out;
        let taken = self.sink.as_mut().unwrap().reject(&mark, out);
        if !self.flags().contains("--dead-letter") {
            assert!(matches!(taken, Err(Fault::Stop(error)) if error.hint.is_some()));
            return self.die();
        }
        self.open.push((REJECTS.to_owned(), mark.to_string().replace("{\"$\":\"reject\",", "{")));
        self.must_live(&taken);
    }

    fn commit(&mut self, drain: bool) {
        if !self.begin() {
            return;
        }
        self.seq += 1;
        let id = CheckpointId::new(&self.run(), self.seq);
        let barrier = Barrier { id: id.clone(), positions: Positions::new(), snapshots: Vec::new(), drain };
        let mut lines = self.committed.1.clone();
        for (folder, line) in self.open.drain(..) {
            lines.entry(folder).or_default().push(line);
        }
        let out = &mut self.out;
        match self.sink.as_mut().unwrap().commit(&barrier, out) {
            Ok(()) => {
                self.committed = (Some(id), lines);
                assert_eq!(self.sink.as_ref().unwrap().held(), 0);
                self.nothing_else_is_visible();
            }
            Err(_) => {
                self.in_doubt = Some((id, lines));
                self.died();
            }
        }
    }

    fn must_live(&mut self, result: &Result<(), Fault>) {
        if result.is_err() {
            self.died();
        }
    }

    fn die(&mut self) {
        self.sink = None;
        self.open.clear();
    }

    /// It ended with an error; if that was the power, the machine starts again.
    fn died(&mut self) {
        let out = &mut self.out;
        self.sink.as_mut().unwrap().give_up(out);
        self.die();
        if let Some(seed) = self.crash_seed.take() {
            self.disk.crash(seed);
        }
        self.nothing_else_is_visible();
    }

    /// Of each folder the visible lines are the first ones of those that are committed, or may be.
    fn nothing_else_is_visible(&self) {
        if self.flags().contains("--single") {
            return;
        }
        let most = self.in_doubt.as_ref().map_or(&self.committed.1, |(_, lines)| lines);
        for (folder, lines) in self.visible() {
            let most = most.get(&folder).map_or(&[][..], Vec::as_slice);
            assert!(most.starts_with(&lines), "visible in {folder}: {lines:?}, committed: {most:?}");
        }
    }

    fn run(&self) -> String {
        format!("{:011x}-0", self.run)
    }

    fn visible(&self) -> Lines {
        let mut lines = Lines::new();
        for (path, bytes) in self.disk.files() {
            let path = path.to_str().unwrap();
            if path.contains(".millpipe") {
                continue;
            }
            let folder = match path.strip_prefix("/out/").unwrap_or("rejects/").rsplit_once('/') {
                _ if path.contains("rejects") => REJECTS,
                Some((folder, _)) => folder,
                None => "",
            };
            lines.entry(folder.to_owned()).or_default().extend(text_lines(path, &bytes));
        }
        lines.retain(|_, lines| !lines.is_empty());
        lines
    }

    /// What is committed and not yet visible.
    fn hidden(&self, lines: &mut Lines) {
        if self.flags().contains("--single") {
            return;
        }
        let files = self.disk.files();
        let manifest: serde_json::Value = serde_json::from_slice(&files[Path::new("/out/.millpipe/manifest")]).unwrap();
        let open = manifest["open"].as_array().unwrap();
        let looked_at = |path: &str| path.starts_with("/out/") || self.flags().contains("--dead-letter");
        let is_left = |path: &str| path.contains(".millpipe/parts") && looked_at(path);
        let left = files.keys().filter(|path| is_left(path.to_str().unwrap()));
        assert_eq!(left.count(), open.len(), "hidden files that nobody knows");
        for open in open {
            let path = Path::new("/out/.millpipe/parts").join(open["part"].as_str().unwrap());
            let folder = open["folder"].as_str().unwrap().to_owned();
            lines.entry(folder).or_default().extend(text_lines(path.to_str().unwrap(), &files[&path]));
        }
    }
}

fn text_lines(path: &str, bytes: &[u8]) -> Vec<String> {
    let mut unpacked = Vec::new();
    if bytes.is_empty() {
        return Vec::new();
    }
    let bytes = match path.rsplit_once('.').unwrap().1 {
        "gz" => {
            flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut unpacked).unwrap();
            &unpacked
        }
        "zst" => {
            unpacked = zstd::decode_all(bytes).unwrap();
            &unpacked
        }
        _ => bytes,
    };
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{path}: torn: {text}");
    text.lines().map(str::to_owned).collect()
}
