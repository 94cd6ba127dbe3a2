//! Runs against a model: a map that appends.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::ErrorKind;

use proptest::prelude::*;
use sorted_runs::{Combine, Error, Fold, Folder, Memory, Runs};

/// Values of a key, one behind the other.
#[derive(Default)]
struct Append(Vec<u8>);

impl Combine for Append {
    type Error = Error;

    fn start(&mut self, value: &[u8]) -> Result<(), Error> {
        self.0 = value.to_vec();
        Ok(())
    }

    fn take(&mut self, value: &[u8]) -> Result<(), Error> {
        self.0.extend_from_slice(value);
        Ok(())
    }

    fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

#[derive(Default)]
struct Collect {
    value: Append,
    all: Entries,
}

impl Fold for Collect {
    type Error = Error;

    fn begin(&mut self, value: &[u8]) -> Result<(), Error> {
        self.value.start(value)
    }

    fn add(&mut self, value: &[u8]) -> Result<(), Error> {
        self.value.take(value)
    }

    fn end(&mut self, key: &[u8]) -> Result<(), Error> {
        self.all.push((key.to_vec(), self.value.0.clone()));
        Ok(())
    }
}

/// Keys and their values.
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

type Run = BTreeMap<u8, BTreeMap<Vec<u8>, Vec<u8>>>;

fn add(runs: &mut Runs<u8>, run: &Run) -> Result<(), Error> {
    let mut writer = runs.begin()?;
    for (span, entries) in run {
        writer.begin(*span)?;
        for (key, value) in entries {
            writer.push(key, value)?;
        }
    }
    runs.add(writer, &mut Append::default())
}

fn merged(runs: &mut Runs<u8>, spans: &[u8]) -> Result<Entries, Error> {
    let mut collect = Collect::default();
    runs.merge(spans, &mut Append::default())?.fold(&mut collect)?;
    Ok(collect.all)
}

/// What should come of one span.
fn model(runs: &[Run], span: u8) -> Entries {
    let mut all: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for (key, value) in runs.iter().filter_map(|run| run.get(&span)).flatten() {
        all.entry(key.clone()).or_default().extend_from_slice(value);
    }
    all.into_iter().collect()
}

fn any_run() -> impl Strategy<Value = Run> {
    let key = prop_oneof![prop::collection::vec(0u8..3, 0..3), prop::collection::vec(any::<u8>(), 0..200)];
    let value = prop_oneof![prop::collection::vec(any::<u8>(), 0..9), prop::collection::vec(any::<u8>(), 0..20_000)];
    let entries = prop::collection::btree_map(key, value, 0..12);
    prop::collection::btree_map(0u8..4, entries, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_key_s_values_meet_oldest_first(all in prop::collection::vec(any_run(), 0..30), fan_in in 2usize..7) {
        let scratch = Memory::default();
        let mut runs = Runs::new(Box::new(scratch.clone()), Ord::cmp).with_fan_in(fan_in);
        all.iter().for_each(|run| add(&mut runs, run).unwrap());
        prop_assert!(scratch.files() <= (fan_in * 6) as u64, "{} files", scratch.files());
        for span in 0..4 {
            let expected = model(&all, span);
            prop_assert_eq!(runs.has(span), !expected.is_empty());
            prop_assert_eq!(merged(&mut runs, &[span]).unwrap(), expected);
        }
        (0..4).for_each(|span| runs.forget(span));
        prop_assert_eq!(scratch.files(), 0, "what nobody needs gives its room back");
    }

    #[test]
    fn spans_are_read_as_one(all in prop::collection::vec(any_run(), 0..30)) {
        let mut runs = Runs::new(Box::new(Memory::default()), Ord::cmp).with_fan_in(2);
        all.iter().for_each(|run| add(&mut runs, run).unwrap());
        let keys = |some: Entries| some.into_iter().map(|(key, value)| (key, value.len()));
        let mut expected: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for span in 0..4 {
            keys(model(&all, span)).for_each(|(key, len)| *expected.entry(key).or_default() += len);
        }
        let found: Vec<_> = keys(merged(&mut runs, &[0, 1, 2, 3]).unwrap()).collect();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_damaged_byte_is_an_error_and_never_another_value(run in any_run(), at in 0u64..40_000) {
        let scratch = Memory::default();
        let mut runs = Runs::new(Box::new(scratch.clone()), Ord::cmp);
        add(&mut runs, &run).unwrap();
        let is_hit = at < scratch.written();
        scratch.damage(at);
        let found: Result<Vec<_>, Error> = (0..4).map(|span| merged(&mut runs, &[span])).collect();
        match found {
            Ok(found) => {
                prop_assert!(!is_hit, "byte {} was read wrongly", at);
                let expected: Vec<_> = (0..4).map(|span| model(std::slice::from_ref(&run), span)).collect();
                prop_assert_eq!(found, expected);
            }
            Err(error) => prop_assert!(matches!(error, Error::Damaged { .. }), "{error}"),
        }
    }

    #[test]
    fn a_full_disk_is_an_error(all in prop::collection::vec(any_run(), 1..8), room in 0u64..60_000) {
        let mut runs = Runs::new(Box::new(Memory::with_room(room)), Ord::cmp).with_fan_in(3);
        for (at, run) in all.iter().enumerate() {
            match add(&mut runs, run) {
                Ok(()) => prop_assert_eq!(merged(&mut runs, &[1]).unwrap(), model(&all[..=at], 1)),
                Err(Error::Io { source, .. }) => {
                    prop_assert_eq!(source.kind(), ErrorKind::StorageFull);
                    break;
                }
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
    }
}

#[test]
fn a_run_is_written_once_more_only_when_there_are_very_many() {
    let mut runs = Runs::new(Box::new(Memory::default()), Ord::cmp).with_fan_in(4);
    let run: Run = [(1, [(b"k".to_vec(), b"v".to_vec())].into())].into();
    (0..64).for_each(|_| add(&mut runs, &run).unwrap());
    let written = runs.written();
    // Each four runs of one entry become one of one entry: 16 + 4 + 1.
    assert_eq!((written.runs, written.entries, written.rewritten), (64, 64, 21));
    assert_eq!(merged(&mut runs, &[1]).unwrap(), [(b"k".to_vec(), b"v".repeat(64))]);
}

#[test]
fn files_in_a_folder_have_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = Runs::new(Box::new(Folder::new(folder.path().to_owned())), Ord::cmp);
    let run: Run = [(1, [(b"k".to_vec(), vec![7; 100_000])].into())].into();
    (0..3).for_each(|_| add(&mut runs, &run).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(merged(&mut runs, &[1]).unwrap()[0].1.len(), 300_000);
    let nowhere = Runs::<u8>::new(Box::new(Folder::new(folder.path().join("none"))), Ord::cmp).begin();
    assert!(matches!(nowhere, Err(Error::Io { .. })));
}
