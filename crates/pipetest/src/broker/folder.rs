//! The folder: topics and their partitions, and writing to them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kafka_ends::Headers;
use kafka_ends::envelope::{self, Envelope};
use millpipe::{Error, Positions};

use crate::broker::ledger::{Entry, Fate, Ledger, Transaction};
use crate::broker::lines::{self, Held};
use crate::broker::partition::{Log, Record};

/// A message on its way to a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub topic: String,
    pub partition: i32,
    pub time_ms: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub headers: Headers,
    pub value: Option<Vec<u8>>,
}

/// The membership of a group, for as long as it lives.
pub struct Member(#[allow(dead_code, reason = "the lock is its use")] Held);

/// A broker in a folder.
#[derive(Clone, Debug)]
pub struct Broker {
    dir: PathBuf,
    /// The offsets that come next, as far as this one has written.
    next: BTreeMap<(String, i32), (u64, i64)>,
}

impl Broker {
    /// # Errors
    /// When the folder cannot be made.
    pub fn at(dir: &Path) -> Result<Self, Error> {
        for folder in ["topics", "read"] {
            fs::create_dir_all(dir.join(folder)).map_err(|error| Error::io(dir.display(), &error))?;
        }
        Ok(Self { dir: dir.to_owned(), next: BTreeMap::new() })
    }

    /// Makes a topic, or gives it more partitions.
    ///
    /// # Errors
    /// The disk's.
    pub fn create(&self, topic: &str, partitions: i32) -> Result<(), Error> {
        let dir = self.dir.join("topics").join(topic);
        let make = || -> io::Result<()> {
            fs::create_dir_all(&dir)?;
            (0..partitions).try_for_each(|number| lines::append(&self.partition(topic, number), b""))
        };
        let _lock = self.lock()?;
        make().map_err(|error| self.failed(&error))
    }

    /// Returns all topics with their numbers of partitions, in order of their names.
    ///
    /// # Errors
    /// The disk's.
    pub fn topics(&self) -> Result<Vec<(String, i32)>, Error> {
        let folders = fs::read_dir(self.dir.join("topics")).map_err(|error| self.failed(&error))?;
        let mut topics = Vec::new();
        for folder in folders {
            let folder = folder.map_err(|error| self.failed(&error))?;
            let name = folder.file_name().to_string_lossy().into_owned();
            topics.push((name.clone(), self.count(&name)));
        }
        topics.sort();
        Ok(topics)
    }

    /// Returns how many partitions a topic has; 0: there is no such topic.
    #[must_use]
    pub fn count(&self, topic: &str) -> i32 {
        (0..).find(|number| !self.partition(topic, *number).exists()).unwrap_or(0)
    }

    /// Returns a reader of a partition, from its beginning.
    #[must_use]
    pub fn log(&self, topic: &str, number: i32, sees_all: bool) -> Log {
        Log::new(self.partition(topic, number), sees_all)
    }

    /// Returns a reader of the ledger.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger::new(self.dir.join("ledger.ndjson"))
    }

    /// Returns what is committed in a partition.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn committed(&self, topic: &str, number: i32) -> Result<Vec<Record>, Error> {
        let (mut log, mut ledger) = (self.log(topic, number, false), self.ledger());
        log.look()?;
        ledger.look()?;
        let mut records = Vec::new();
        while log.peek(&ledger).is_some() {
            records.extend(log.pop());
        }
        Ok(records)
    }

    /// Appends messages, in their order for each partition; with a transaction they are seen when that is committed.
    ///
    /// # Errors
    /// The disk's; another run of the producer has begun.
    pub fn append(&mut self, messages: &[Outgoing], transaction: Option<&Transaction>) -> Result<(), Error> {
        let _lock = self.lock()?;
        self.must_be_newest(transaction)?;
        let mut parts: BTreeMap<(&str, i32), Vec<&Outgoing>> = BTreeMap::new();
        for message in messages {
            parts.entry((&message.topic, message.partition)).or_default().push(message);
        }
        for ((topic, number), messages) in parts {
            self.append_to(topic, number, &messages, transaction)?;
        }
        Ok(())
    }

    fn append_to(
        &mut self,
        topic: &str,
        number: i32,
        messages: &[&Outgoing],
        transaction: Option<&Transaction>,
    ) -> Result<(), Error> {
        let path = self.partition(topic, number);
        let mut next = self.next_offset(topic, number, &path)?;
        let mut bytes = Vec::new();
        for message in messages {
            write(message, next, transaction, &mut bytes);
            next += 1;
        }
        lines::append(&path, &bytes).map_err(|error| self.failed(&error))?;
        let length = fs::metadata(&path).map_err(|error| self.failed(&error))?.len();
        self.next.insert((topic.to_owned(), number), (length, next));
        Ok(())
    }

    /// The offset after the last one; counted anew where somebody else has written meanwhile.
    fn next_offset(&self, topic: &str, number: i32, path: &Path) -> Result<i64, Error> {
        let length = fs::metadata(path).map_err(|error| self.failed(&error))?.len();
        match self.next.get(&(topic.to_owned(), number)) {
            Some((known, next)) if *known == length => Ok(*next),
            _ => {
                let mut log = Log::new(path.to_owned(), true);
                log.look()?;
                Ok(log.there())
            }
        }
    }

    /// Begins a run of a producer: from here on no older one can write or commit.
    ///
    /// # Errors
    /// The disk's.
    pub fn fence(&self, id: &str) -> Result<u64, Error> {
        let _lock = self.lock()?;
        let mut ledger = self.ledger();
        ledger.look()?;
        let epoch = ledger.epoch(id) + 1;
        self.note(&Entry::producer(id, epoch))?;
        Ok(epoch)
    }

    /// Commits a transaction, with the offsets of its group.
    ///
    /// # Errors
    /// The disk's; another run of the producer has begun; a position is not that of a partition.
    pub fn commit(
        &self,
        transaction: &Transaction,
        group: &str,
        positions: &Positions,
        note: &str,
    ) -> Result<(), Error> {
        let entry = Entry::offsets(Some(transaction), group, positions, note)?;
        let _lock = self.lock()?;
        self.must_be_newest(Some(transaction))?;
        self.note(&entry)
    }

    /// Drops what was written in a transaction.
    ///
    /// # Errors
    /// The disk's.
    pub fn abort(&self, transaction: &Transaction) -> Result<(), Error> {
        let _lock = self.lock()?;
        self.note(&Entry::abort(transaction))
    }

    /// Stores offsets of a group.
    ///
    /// # Errors
    /// The disk's; a position is not that of a partition.
    pub fn store(&self, group: &str, positions: &Positions) -> Result<(), Error> {
        let entry = Entry::offsets(None, group, positions, "")?;
        let _lock = self.lock()?;
        self.note(&entry)
    }

    /// Joins a group, if it has no other member now.
    ///
    /// # Errors
    /// The disk's.
    pub fn join(&self, group: &str) -> Result<Option<Member>, Error> {
        let name: String = group.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let path = self.dir.join("read").join(format!("{name}.lock"));
        Ok(lines::try_lock(&path).map_err(|error| self.failed(&error))?.map(Member))
    }

    /// Says that the input of a partition has ended.
    ///
    /// # Errors
    /// The disk's.
    pub fn end(&self, topic: &str, number: i32) -> Result<(), Error> {
        fs::write(self.end_file(topic, number), b"").map_err(|error| self.failed(&error))
    }

    #[must_use]
    pub fn has_ended(&self, topic: &str, number: i32) -> bool {
        self.end_file(topic, number).exists()
    }

    /// Says how far a source has read a partition, and passed it on.
    ///
    /// # Errors
    /// The disk's.
    pub fn note_read(&self, topic: &str, number: i32, offset: i64) -> Result<(), Error> {
        let path = self.read_file(topic, number);
        let write = || -> io::Result<()> {
            fs::create_dir_all(self.dir.join("read").join(topic))?;
            let new = path.with_extension("new");
            fs::write(&new, offset.to_string())?;
            fs::rename(&new, &path)
        };
        write().map_err(|error| self.failed(&error))
    }

    /// Returns how far a source has read a partition; nothing before the first.
    #[must_use]
    pub fn read_so_far(&self, topic: &str, number: i32) -> Option<i64> {
        fs::read_to_string(self.read_file(topic, number)).ok()?.parse().ok()
    }

    fn must_be_newest(&self, transaction: Option<&Transaction>) -> Result<(), Error> {
        let Some(transaction) = transaction else { return Ok(()) };
        let mut ledger = self.ledger();
        ledger.look()?;
        if ledger.fate(transaction) == Fate::Open {
            return Ok(());
        }
        let id = &transaction.id;
        Err(Error::temporary(format_args!("another run of this pipeline has taken over (transactional id \"{id}\")")))
    }

    fn note(&self, entry: &Entry) -> Result<(), Error> {
        lines::append(&self.dir.join("ledger.ndjson"), &entry.line()).map_err(|error| self.failed(&error))
    }

    fn lock(&self) -> Result<Held, Error> {
        lines::lock(&self.dir.join("lock")).map_err(|error| self.failed(&error))
    }

    fn partition(&self, topic: &str, number: i32) -> PathBuf {
        self.dir.join("topics").join(topic).join(format!("{number}.ndjson"))
    }

    fn end_file(&self, topic: &str, number: i32) -> PathBuf {
        self.partition(topic, number).with_extension("end")
    }

    fn read_file(&self, topic: &str, number: i32) -> PathBuf {
        self.dir.join("read").join(topic).join(number.to_string())
    }

    fn failed(&self, error: &io::Error) -> Error {
        Error::io(format_args!("the stand-in broker in {}", self.dir.display()), error)
    }
}

/// Appends a message's line.
fn write(message: &Outgoing, offset: i64, transaction: Option<&Transaction>, to: &mut Vec<u8>) {
    let envelope = Envelope {
        topic: &message.topic,
        partition: message.partition,
        offset,
        timestamp_ms: message.time_ms,
        key: message.key.as_deref(),
        value: message.value.as_deref(),
    };
    envelope::write(&envelope, message.headers.0.iter().map(|(name, value)| (name.as_str(), value.as_deref())), to);
    if let Some(transaction) = transaction {
        to.pop();
        to.extend_from_slice(format!(",\"transaction\":{}}}", serde_json::json!(transaction.to_string())).as_bytes());
    }
    to.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_cat_in::Incoming;
    use serde_json::json;

    fn broker() -> (tempfile::TempDir, Broker) {
        let dir = tempfile::tempdir().unwrap();
        let broker = Broker::at(dir.path()).unwrap();
        broker.create("t", 2).unwrap();
        (dir, broker)
    }

    fn message(partition: i32, value: &str) -> Outgoing {
        Outgoing {
            topic: "t".to_owned(),
            partition,
            time_ms: Some(5),
            key: Some(b"k\xff".to_vec()),
            headers: Headers(vec![("h".to_owned(), None)]),
            value: Some(value.as_bytes().to_vec()),
        }
    }

    fn begin(broker: &Broker, number: u64) -> Transaction {
        Transaction { id: "id".to_owned(), epoch: broker.fence("id").unwrap(), number }
    }

    fn seen(broker: &Broker, partition: i32) -> Vec<String> {
        let text = |record: &Record| String::from_utf8(record.value().unwrap().to_vec()).unwrap();
        broker.committed("t", partition).unwrap().iter().map(text).collect()
    }

    fn positions(offset: i64) -> Positions {
        json!({ "t/0": offset }).as_object().cloned().unwrap()
    }

    #[test]
    fn messages_come_back_as_they_were_with_offsets_for_each_partition() {
        let (_dir, mut broker) = broker();
        let other = &mut broker.clone();
        broker.append(&[message(0, "{\"a\": 1}"), message(1, "x"), message(0, "b\nc")], None).unwrap();
        other.append(&[message(0, "d")], None).unwrap();
        broker.append(&[message(0, "e")], None).unwrap();
        assert_eq!(seen(&broker, 0), ["{\"a\": 1}", "b\nc", "d", "e"]);
        let records = broker.committed("t", 0).unwrap();
        assert_eq!(records.iter().map(Incoming::offset).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!((records[0].key(), records[0].time_ms()), (Some(&b"k\xff"[..]), Some(5)));
        assert_eq!(records[0].headers().collect::<Vec<_>>(), [("h", None)]);
        assert_eq!(broker.topics().unwrap(), [("t".to_owned(), 2)]);
    }

    #[test]
    fn nothing_of_an_open_transaction_is_seen_and_nothing_after_it() {
        let (_dir, mut broker) = broker();
        let first = begin(&broker, 1);
        broker.append(&[message(0, "a"), message(1, "b")], Some(&first)).unwrap();
        broker.append(&[message(0, "plain")], None).unwrap();
        assert!(seen(&broker, 0).is_empty() && seen(&broker, 1).is_empty());
        let mut all = broker.log("t", 0, true);
        all.look().unwrap();
        assert!(all.peek(&broker.ledger()).is_some(), "readers of uncommitted messages see it");
        broker.commit(&first, "g", &positions(7), "r.1").unwrap();
        assert_eq!(
            (seen(&broker, 0), seen(&broker, 1)),
            (vec!["a".to_owned(), "plain".to_owned()], vec!["b".to_owned()])
        );
        let mut ledger = broker.ledger();
        ledger.look().unwrap();
        let stored = ledger.stored("g", &[("t".to_owned(), 0), ("t".to_owned(), 1)]);
        assert_eq!((stored[0].offset, stored[0].note.as_str(), stored[1].offset), (Some(7), "r.1", None));
    }

    #[test]
    fn an_older_run_can_neither_write_nor_commit_and_what_it_left_is_gone() {
        let (_dir, mut broker) = broker();
        let old = begin(&broker, 1);
        broker.append(&[message(0, "old")], Some(&old)).unwrap();
        let new = begin(&broker, 1);
        broker.append(&[message(0, "new")], Some(&new)).unwrap();
        let error = broker.append(&[message(0, "late")], Some(&old)).unwrap_err();
        assert!(error.message.contains("another run of this pipeline has taken over"), "{error}");
        assert!(broker.commit(&old, "g", &positions(1), "").is_err());
        broker.commit(&new, "g", &positions(2), "").unwrap();
        assert_eq!(seen(&broker, 0), ["new"]);
    }

    #[test]
    fn an_aborted_transaction_leaves_nothing() {
        let (_dir, mut broker) = broker();
        let first = begin(&broker, 1);
        broker.append(&[message(0, "a")], Some(&first)).unwrap();
        broker.abort(&first).unwrap();
        broker.append(&[message(0, "b")], None).unwrap();
        assert_eq!(seen(&broker, 0), ["b"]);
    }

    #[test]
    fn a_group_has_one_member_at_a_time() {
        let (_dir, broker) = broker();
        let member = broker.join("a/b").unwrap();
        assert!(member.is_some() && broker.join("a/b").unwrap().is_none() && broker.join("c").unwrap().is_some());
        drop(member);
        assert!(broker.join("a/b").unwrap().is_some());
    }

    #[test]
    fn who_feeds_a_partition_sees_how_far_it_was_read() {
        let (_dir, broker) = broker();
        assert_eq!(broker.read_so_far("t", 1), None);
        broker.note_read("t", 1, 17).unwrap();
        assert_eq!(broker.read_so_far("t", 1), Some(17));
        assert!(!broker.has_ended("t", 1));
        broker.end("t", 1).unwrap();
        assert!(broker.has_ended("t", 1));
    }
}
