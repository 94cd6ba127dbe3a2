//! What is committed: offsets of groups, and transactions with the epochs of their producers.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use kafka_ends::group_offsets::{Place, Stored, part_name};
use millpipe::{Error, Positions};
use serde::{Deserialize, Serialize};

use crate::broker::lines::Growing;

/// One transaction of a producer: in the files, `ID#EPOCH#NUMBER`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transaction {
    pub id: String,
    /// Each run of the producer has the next one.
    pub epoch: u64,
    pub number: u64,
}

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}#{}", self.id, self.epoch, self.number)
    }
}

impl Transaction {
    fn parse(text: &str) -> Option<Self> {
        let (rest, number) = text.rsplit_once('#')?;
        let (id, epoch) = rest.rsplit_once('#')?;
        Some(Self { id: id.to_owned(), epoch: epoch.parse().ok()?, number: number.parse().ok()? })
    }
}

/// What has become of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Open,
    Committed,
    Aborted,
}

/// An offset, and what was noted beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    offset: i64,
    note: String,
}

/// One line of the ledger.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Entry {
    /// A run of this producer has begun, with this epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    producer: Option<(String, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    abort: Option<String>,
    /// The group that these offsets are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    offsets: BTreeMap<String, Noted>,
}

impl Entry {
    pub fn producer(id: &str, epoch: u64) -> Self {
        Self { producer: Some((id.to_owned(), epoch)), ..Self::default() }
    }

    pub fn abort(transaction: &Transaction) -> Self {
        Self { abort: Some(transaction.to_string()), ..Self::default() }
    }

    /// Offsets of a group; with a transaction they are committed with it.
    ///
    /// # Errors
    /// When a position is not that of a partition.
    pub fn offsets(
        transaction: Option<&Transaction>,
        group: &str,
        positions: &Positions,
        note: &str,
    ) -> Result<Self, Error> {
        let mut offsets = BTreeMap::new();
        for (part, offset) in positions {
            let broken = || Error::data(format_args!("\"{part}\": {offset} is no offset of a partition"));
            let offset = offset.as_i64().filter(|offset| *offset >= 0).ok_or_else(broken)?;
            offsets.insert(part.clone(), Noted { offset, note: note.to_owned() });
        }
        let commit = transaction.map(ToString::to_string);
        Ok(Self { commit, group: Some(group.to_owned()), offsets, ..Self::default() })
    }

    pub fn line(&self) -> Vec<u8> {
        // Texts and numbers can always be written.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// The ledger as it was at the last look.
#[derive(Debug)]
pub struct Ledger {
    file: Growing,
    epochs: BTreeMap<String, u64>,
    ended: BTreeMap<Transaction, Fate>,
    groups: BTreeMap<String, BTreeMap<String, Noted>>,
}

impl Ledger {
    pub fn new(path: PathBuf) -> Self {
        Self { file: Growing::new(path), epochs: BTreeMap::new(), ended: BTreeMap::new(), groups: BTreeMap::new() }
    }

    /// Takes note of what is new.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn look(&mut self) -> Result<(), Error> {
        let lines = self.file.look().map_err(|error| Error::io("the stand-in broker's ledger", &error))?;
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let entry = serde_json::from_slice(line)
                .map_err(|error| Error::data(format_args!("the stand-in broker's ledger is damaged: {error}")))?;
            self.take(entry);
        }
        Ok(())
    }

    fn take(&mut self, entry: Entry) {
        let Entry { producer, commit, abort, group, offsets } = entry;
        if let Some((id, epoch)) = producer {
            self.epochs.insert(id, epoch);
        }
        let ended = [(commit, Fate::Committed), (abort, Fate::Aborted)];
        for (text, fate) in ended {
            if let Some(transaction) = text.as_deref().and_then(Transaction::parse) {
                self.ended.insert(transaction, fate);
            }
        }
        if let Some(group) = group {
            self.groups.entry(group).or_default().extend(offsets);
        }
    }

    /// Returns the epoch of the producer's newest run; 0 before the first.
    #[must_use]
    pub fn epoch(&self, id: &str) -> u64 {
        self.epochs.get(id).copied().unwrap_or(0)
    }

    /// Returns what has become of a transaction. What an older run left open is aborted as soon as a younger one begins.
    #[must_use]
    pub fn fate(&self, transaction: &Transaction) -> Fate {
        match self.ended.get(transaction) {
            Some(fate) => *fate,
            None if transaction.epoch < self.epoch(&transaction.id) => Fate::Aborted,
            None => Fate::Open,
        }
    }

    /// Returns the same for a text of the files.
    #[must_use]
    pub fn fate_of(&self, text: &str) -> Fate {
        Transaction::parse(text).map_or(Fate::Aborted, |transaction| self.fate(&transaction))
    }

    /// Returns what the group has stored for these partitions.
    #[must_use]
    pub fn stored(&self, group: &str, places: &[Place]) -> Vec<Stored> {
        let of_group = self.groups.get(group);
        let of_place = |place: &Place| {
            let part = part_name(place);
            let noted = of_group.and_then(|offsets| offsets.get(&part));
            let note = noted.map(|noted| noted.note.clone()).unwrap_or_default();
            Stored { part, offset: noted.map(|noted| noted.offset), note }
        };
        places.iter().map(of_place).collect()
    }
}
