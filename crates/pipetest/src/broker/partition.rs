//! One partition: its messages, and which of them a reader sees.

use std::collections::VecDeque;
use std::path::PathBuf;

use kafka_cat_in::Incoming;
use kafka_ends::envelope::{self, Message};
use millpipe::Error;
use serde::Deserialize;

use crate::broker::ledger::{Fate, Ledger};
use crate::broker::lines::Growing;

/// A message of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    topic: String,
    partition: i32,
    offset: i64,
    time_ms: Option<i64>,
    message: Message,
    transaction: Option<String>,
}

#[derive(Deserialize)]
struct Place {
    partition: i32,
    offset: i64,
    transaction: Option<String>,
}

impl Record {
    fn parse(line: &[u8]) -> Result<Self, Error> {
        let damaged = |why: String| Error::data(format_args!("a partition of the stand-in broker is damaged: {why}"));
        let Place { partition, offset, transaction } =
            serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
        let mut message = envelope::read(line).map_err(|error| damaged(error.to_string()))?;
        let topic = message.topic.take().unwrap_or_default();
        Ok(Self { topic, partition, offset, time_ms: message.timestamp_ms.flatten(), message, transaction })
    }
}

impl Incoming for Record {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn partition(&self) -> i32 {
        self.partition
    }

    fn offset(&self) -> i64 {
        self.offset
    }

    fn time_ms(&self) -> Option<i64> {
        self.time_ms
    }

    fn key(&self) -> Option<&[u8]> {
        self.message.key.as_deref()
    }

    fn value(&self) -> Option<&[u8]> {
        self.message.value.as_deref()
    }

    fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        self.message.headers.0.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }
}

/// A partition as a reader sees it, from its beginning.
#[derive(Debug)]
pub struct Log {
    file: Growing,
    waiting: VecDeque<Record>,
    /// The offset after the last message that is there.
    there: i64,
    /// Messages of open transactions are given too.
    sees_all: bool,
}

impl Log {
    pub fn new(path: PathBuf, sees_all: bool) -> Self {
        Self { file: Growing::new(path), waiting: VecDeque::new(), there: 0, sees_all }
    }

    /// Takes note of what is new.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn look(&mut self) -> Result<(), Error> {
        let lines = self.file.look().map_err(|error| Error::io("a partition of the stand-in broker", &error))?;
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let record = Record::parse(line)?;
            self.there = record.offset + 1;
            self.waiting.push_back(record);
        }
        Ok(())
    }

    /// Returns the offset after the last message, whatever has become of its transaction.
    #[must_use]
    pub fn there(&self) -> i64 {
        self.there
    }

    /// Returns the offset before which all is committed or aborted.
    #[must_use]
    pub fn committed(&self, ledger: &Ledger) -> i64 {
        self.waiting.iter().find(|record| self.is_open(record, ledger)).map_or(self.there, |record| record.offset)
    }

    /// Drops messages before this offset.
    pub fn skip_to(&mut self, offset: i64) {
        while self.waiting.front().is_some_and(|record| record.offset < offset) {
            self.waiting.pop_front();
        }
    }

    /// Returns the next message that may be seen, if there is one; aborted ones before it are dropped.
    pub fn peek(&mut self, ledger: &Ledger) -> Option<&Record> {
        while self.waiting.front().is_some_and(|record| self.is_hidden(record, ledger)) {
            self.waiting.pop_front();
        }
        self.waiting.front().filter(|record| !self.is_open(record, ledger))
    }

    /// Takes the message that [`Log::peek`] gave.
    pub fn pop(&mut self) -> Option<Record> {
        self.waiting.pop_front()
    }

    /// Returns how many messages wait, seen or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns the first offset at or after a time that messages have.
    #[must_use]
    pub fn offset_at(&self, time_ms: i64) -> Option<i64> {
        self.waiting.iter().find(|record| record.time_ms.is_some_and(|ms| ms >= time_ms)).map(|record| record.offset)
    }

    fn is_open(&self, record: &Record, ledger: &Ledger) -> bool {
        !self.sees_all && fate(record, ledger) == Fate::Open
    }

    fn is_hidden(&self, record: &Record, ledger: &Ledger) -> bool {
        !self.sees_all && fate(record, ledger) == Fate::Aborted
    }
}

fn fate(record: &Record, ledger: &Ledger) -> Fate {
    record.transaction.as_deref().map_or(Fate::Committed, |text| ledger.fate_of(text))
}
