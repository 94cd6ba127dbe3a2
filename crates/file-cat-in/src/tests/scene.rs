//! A folder with files, and a source that reads them.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use clap::Parser;
use millpipe::{Error, Fault, OnError, Out, Policy, Polled, Rejects, Source};
use tempfile::TempDir;

use crate::FileSource;
use crate::cli::Cli;
use crate::position::Position;

pub struct Scene {
    folder: TempDir,
}

/// A source, and what it has said.
pub struct Reading {
    pub source: FileSource,
    pub out: Out,
    now_ms: i64,
}

impl Scene {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub fn append(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// As logrotate does: a new file beside it, then the old one is deleted.
    pub fn gzip(&self, name: &str) {
        let time = fs::metadata(self.path(name)).unwrap().modified().unwrap();
        let packed = format!("{name}.gz");
        self.write(&packed, gzip(&fs::read(self.path(name)).unwrap()));
        OpenOptions::new().append(true).open(self.path(&packed)).unwrap().set_modified(time).unwrap();
        self.remove(name);
    }

    /// Gives a file a time, in seconds of the epoch.
    pub fn date(&self, name: &str, seconds: u64) {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        OpenOptions::new().append(true).open(self.path(name)).unwrap().set_modified(time).unwrap();
    }

    /// Gives a file the time of another one.
    pub fn date_as(&self, name: &str, of: &str) {
        let time = fs::metadata(self.path(of)).unwrap().modified().unwrap();
        OpenOptions::new().append(true).open(self.path(name)).unwrap().set_modified(time).unwrap();
    }

    /// The source that these flags ask for; `@` is the folder.
    fn source(&self, flags: &str) -> FileSource {
        let flags = flags.replace('@', &format!("{}/", self.folder.path().display()));
        FileSource::new(&Cli::try_parse_from(["file-cat-in"].into_iter().chain(flags.split_whitespace())).unwrap())
            .unwrap()
    }

    pub fn start(&self, flags: &str) -> Reading {
        self.try_start(flags, None).unwrap()
    }

    /// What a start fails with.
    pub fn refusal(&self, flags: &str, position: Option<&str>) -> Error {
        match self.try_start(flags, position) {
            Err(Fault::Stop(error)) => error,
            Err(fault) => panic!("{fault:?}"),
            Ok(_) => panic!("it starts"),
        }
    }

    pub fn resume(&self, flags: &str, position: &str) -> Reading {
        self.try_start(flags, Some(position)).unwrap()
    }

    fn try_start(&self, flags: &str, position: Option<&str>) -> Result<Reading, Fault> {
        let mut source = self.source(flags);
        let policy = Policy { on_error: Some(OnError::Reject), ..Policy::default() };
        let mut out = Out::new(&policy, Rejects::in_memory("file-cat-in"));
        out.set_now_ms(1_000_000);
        if let Some(position) = position {
            source.seek(position)?;
        }
        source.start(&mut out)?;
        Ok(Reading { source, out, now_ms: 1_000_000 })
    }

    /// All lines and marks of a source that ends.
    pub fn read(&self, flags: &str) -> String {
        self.start(flags).read()
    }

    /// Its text without the folder's name.
    pub fn plain(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

impl Reading {
    /// All that comes within a second.
    pub fn read(&mut self) -> String {
        let until_ms = self.now_ms + 1000;
        loop {
            match self.poll() {
                Polled::More | Polled::Nothing => {}
                Polled::WaitUntil(at_ms) if at_ms < until_ms => self.now_ms = at_ms,
                Polled::WaitUntil(_) | Polled::PaceUntil(_) | Polled::Done => break,
            }
        }
        self.now_ms = until_ms;
        self.taken()
    }

    pub fn poll(&mut self) -> Polled {
        self.try_poll().unwrap()
    }

    pub fn try_poll(&mut self) -> Result<Polled, Fault> {
        self.out.set_now_ms(self.now_ms);
        self.source.poll(0, &mut self.out)
    }

    pub fn pass_seconds(&mut self, seconds: i64) {
        self.now_ms += seconds * 1000;
    }

    pub fn taken(&mut self) -> String {
        String::from_utf8(self.out.take()).unwrap()
    }

    /// How many files are still in the position.
    pub fn kept_files(&self) -> usize {
        let position: Position = serde_json::from_str(&self.source.position()).unwrap();
        position.files.len()
    }

    pub fn warnings(&mut self) -> String {
        self.out.rejects().warnings().join("\n")
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// `{"n":0}` to `{"n":N-1}`, a line each.
pub fn numbers(range: std::ops::Range<u64>) -> String {
    range.map(|n| format!("{{\"n\":{n}}}\n")).collect()
}
