//! What differs between two checkpoints.

use std::cmp::Ordering;
use std::path::Path;

use checkpoint::{CheckpointId, Entry, SnapshotReader};
use millpipe::{Error, Fault};
use printer::Printer;
use serde_json::Value;

use crate::cli;
use crate::folder::{Checkpoint, Folder, Stage};

pub fn run(diff: &cli::Diff, to: &mut Printer) -> Result<(), Fault> {
    let (from, until) = choose(diff)?;
    to.note(&format!("from {} to {}", from.id, until.id));
    let (mut from, mut until) = (from.stages, until.stages);
    let names = names(&from, &until);
    for name in names {
        match (take(&mut from, &name)?, take(&mut until, &name)?) {
            (Some(from), Some(until)) => Difference { name: &name, to }.of_snapshots(from, until)?,
            (from, _) => Difference { name: &name, to }.of_stages(from.is_some())?,
        }
    }
    Ok(())
}

/// The two checkpoints that are meant.
fn choose(diff: &cli::Diff) -> Result<(Checkpoint, Checkpoint), Error> {
    let folder = Folder::open(&diff.state)?;
    match diff.others.as_slice() {
        [] => folder.last_two(),
        [other] if Path::new(other).is_dir() => {
            Ok((folder.existing(None)?, Folder::open(Path::new(other))?.existing(None)?))
        }
        [id] => Ok((of_id(&folder, id)?, folder.existing(None)?)),
        [first, second, ..] => Ok((of_id(&folder, first)?, of_id(&folder, second)?)),
    }
}

fn of_id(folder: &Folder, text: &str) -> Result<Checkpoint, Error> {
    let hint = "say RUN.SEQ, as state check shows them, or another folder";
    let id: CheckpointId = text.parse().map_err(|why: String| Error::usage(why).hint(hint))?;
    folder.existing(Some(&id))
}

/// Of both, in the order of the pipeline.
fn names(from: &[Stage], until: &[Stage]) -> Vec<String> {
    let mut names: Vec<String> = from.iter().map(|stage| stage.name.clone()).collect();
    let new = until.iter().map(|stage| &stage.name).filter(|name| !from.iter().any(|stage| stage.name == **name));
    names.extend(new.cloned());
    names
}

fn take(stages: &mut Vec<Stage>, name: &str) -> Result<Option<SnapshotReader>, Error> {
    let Some(at) = stages.iter().position(|stage| stage.name == name) else { return Ok(None) };
    Ok(Some(stages.swap_remove(at).snapshot?))
}

/// Writes the differences of one stage.
struct Difference<'a> {
    name: &'a str,
    to: &'a mut Printer,
}

impl Difference<'_> {
    fn of_stages(&mut self, is_in_first: bool) -> Result<(), Fault> {
        let (from, until) = if is_in_first { (Some("true"), None) } else { (None, Some("true")) };
        self.line("stage", None, from.map(str::as_bytes), until.map(str::as_bytes))
    }

    fn of_snapshots(&mut self, mut from: SnapshotReader, mut until: SnapshotReader) -> Result<(), Fault> {
        let (was, is) = (from.header().clone(), until.header().clone());
        self.text("tool", &was.stage, &is.stage)?;
        self.text("flags", &was.flags, &is.flags)?;
        self.of_heads(from.head(), until.head())?;
        self.of_entries(&mut from, &mut until)
    }

    fn of_heads(&mut self, from: &[u8], until: &[u8]) -> Result<(), Fault> {
        let (mut from, mut until) = (lines(from), lines(until));
        for number in 1_u64.. {
            match (from.next(), until.next()) {
                (None, None) => break,
                (from, until) if from == until => {}
                (from, until) => self.line("head", Some(("line", number.into())), from, until)?,
            }
        }
        Ok(())
    }

    /// Both are in the order of keys.
    fn of_entries(&mut self, from: &mut SnapshotReader, until: &mut SnapshotReader) -> Result<(), Fault> {
        let (mut left, mut right) = (next(from)?, next(until)?);
        loop {
            let order = match (&left, &right) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => left.sorted_by.cmp(&right.sorted_by),
            };
            let (was, is) = match order {
                Ordering::Less => (left.take(), None),
                Ordering::Greater => (None, right.take()),
                Ordering::Equal => (left.take(), right.take()),
            };
            self.entry(was.as_ref(), is.as_ref())?;
            if order.is_le() {
                left = next(from)?;
            }
            if order.is_ge() {
                right = next(until)?;
            }
        }
    }

    fn entry(&mut self, was: Option<&Kept>, is: Option<&Kept>) -> Result<(), Fault> {
        let value = |kept: Option<&Kept>| kept.map(|kept| kept.value.clone());
        let (from, until) = (value(was), value(is));
        match was.or(is) {
            Some(kept) if from != until => {
                let key = Some(("key", kept.key.as_str().into()));
                self.line("entry", key, from.as_deref(), until.as_deref())
            }
            _ => Ok(()),
        }
    }

    fn text(&mut self, what: &str, from: &str, until: &str) -> Result<(), Fault> {
        if from == until {
            return Ok(());
        }
        let json = |text: &str| Value::from(text).to_string().into_bytes();
        self.line(what, None, Some(&json(from)), Some(&json(until)))
    }

    /// `from` and `until` are JSON, and are not printed anew: numbers keep their digits.
    fn line(
        &mut self,
        what: &str,
        at: Option<(&str, Value)>,
        from: Option<&[u8]>,
        until: Option<&[u8]>,
    ) -> Result<(), Fault> {
        let mut line = format!("{{\"name\":{},\"what\":\"{what}\"", Value::from(self.name)).into_bytes();
        if let Some((name, value)) = at {
            line.extend_from_slice(format!(",\"{name}\":{value}").as_bytes());
        }
        for (name, value) in [("from", from), ("to", until)] {
            if let Some(value) = value {
                line.extend_from_slice(format!(",\"{name}\":").as_bytes());
                line.extend_from_slice(value);
            }
        }
        line.extend_from_slice(b"}\n");
        self.to.bytes(&line)
    }
}

/// An entry that outlives the next one.
struct Kept {
    key: String,
    value: Vec<u8>,
    /// The key as JSON text.
    sorted_by: Vec<u8>,
}

fn next(snapshot: &mut SnapshotReader) -> Result<Option<Kept>, Error> {
    let kept = |entry: Entry<'_>| Kept {
        key: entry.key.to_owned(),
        value: entry.value.to_vec(),
        sorted_by: entry.line[1..entry.line.len() - entry.value.len() - ",]\n".len()].to_vec(),
    };
    Ok(snapshot.next_entry()?.map(kept))
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end)
}
