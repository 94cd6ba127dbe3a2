//! Whatever is wrong with a byte of a snapshot: it is said, nothing panics, and no wrong state is taken for a right one.

use crate::folder;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use checkpoint::{Disk, Error, publish};
use folder::{NAME, State, changes, id, load, open, snapshot};
use testkit::{INPUT_OUTPUT_ERROR, NO_SPACE, READ_ONLY, SimDisk};

const DIR: &str = "/state";

fn disk() -> (SimDisk, Arc<dyn Disk>) {
    let disk = SimDisk::new();
    (disk.clone(), Arc::new(disk))
}

fn path(file: &str) -> PathBuf {
    Path::new(DIR).join(NAME).join(file)
}

fn bytes(disk: &SimDisk, file: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    disk.read(&path(file)).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Two snapshots, the second building on the first, with escapes, a head and a key that is gone.
fn save_two(disk: &Arc<dyn Disk>) {
    let mut folder = open(disk, Path::new(DIR), "r");
    let first = [("a", Some("{\"n\":1}")), ("b\"\\", Some("2")), ("é", Some("3"))];
    folder.save(snapshot(id("r", 1), "{\"time\":7}\n", changes(first))).unwrap();
    folder.save(snapshot(id("r", 2), "{\"time\":8}\n[]\n", changes([("a", None), ("c", Some("[4]"))]))).unwrap();
}

/// One that is compressed.
fn save_large(disk: &Arc<dyn Disk>) {
    let keys: Vec<String> = (0..2000).map(|key| format!("key-{:08x}", key * 2_654_435_761_u64)).collect();
    let all = keys.iter().map(|key| (key.as_str(), Some("{\"count\":1,\"sum\":2}")));
    open(disk, Path::new(DIR), "r").save(snapshot(id("r", 1), "{}\n", changes(all))).unwrap();
}

fn load_again(disk: &Arc<dyn Disk>, seq: u64) -> Result<(String, State), Error> {
    load(&mut open(disk, Path::new(DIR), "s"), &id("r", seq))
}

/// Damages the file in one way, and says what loading gives then.
fn damaged(
    sim: &SimDisk,
    disk: &Arc<dyn Disk>,
    seq: u64,
    file: &str,
    change: impl Fn(&mut Vec<u8>),
) -> Result<(String, State), Error> {
    let good = bytes(sim, file);
    sim.damage(&path(file), change);
    let result = load_again(disk, seq);
    sim.damage(&path(file), |bytes| bytes.clone_from(&good));
    result
}

#[test]
fn each_changed_byte_is_found() {
    let (sim, disk) = disk();
    save_two(&disk);
    for file in ["r.1.ndjson", "r.2.ndjson"] {
        for at in 0..bytes(&sim, file).len() {
            for mask in [0x01, 0x02, 0x20, 0x80, 0xff] {
                let error = damaged(&sim, &disk, 2, file, |bytes| bytes[at] ^= mask).unwrap_err();
                assert!(matches!(error, Error::Damaged { .. }), "{file} byte {at} xor {mask}: {error}");
            }
            let to_newline = damaged(&sim, &disk, 2, file, |bytes| bytes[at] = b'\n');
            assert!(to_newline.is_err() || bytes(&sim, file)[at] == b'\n', "{file} byte {at}");
        }
    }
    load_again(&disk, 2).unwrap();
}

#[test]
fn each_changed_byte_of_compressed_data_is_found_or_changes_nothing() {
    let (sim, disk) = disk();
    save_large(&disk);
    let good = load_again(&disk, 1).unwrap();
    let length = bytes(&sim, "r.1.ndjson.zst").len();
    // The frame's header and its end, and every few bytes between.
    for at in (0..200).chain((200..length - 50).step_by(11)).chain(length - 50..length) {
        for mask in [0x01, 0x10, 0xff] {
            match damaged(&sim, &disk, 1, "r.1.ndjson.zst", |bytes| bytes[at] ^= mask) {
                Ok(loaded) => assert_eq!(loaded, good, "byte {at} xor {mask}"),
                Err(error) => assert!(matches!(error, Error::Damaged { .. }), "byte {at} xor {mask}: {error}"),
            }
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_found() {
    let (sim, disk) = disk();
    save_two(&disk);
    for (seq, file) in [(1, "r.1.ndjson"), (2, "r.1.ndjson"), (2, "r.2.ndjson")] {
        for length in 0..bytes(&sim, file).len() {
            let error = damaged(&sim, &disk, seq, file, |bytes| bytes.truncate(length)).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{file} of {length} bytes: {error}");
        }
    }
    let (sim, disk) = self::disk();
    save_large(&disk);
    for length in (0..bytes(&sim, "r.1.ndjson.zst").len()).step_by(41) {
        let error = damaged(&sim, &disk, 1, "r.1.ndjson.zst", |bytes| bytes.truncate(length)).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{length} bytes: {error}");
    }
}

#[test]
fn what_stands_behind_the_end_is_found() {
    let (sim, disk) = disk();
    save_two(&disk);
    for more in ["\n", "x", "{}\n", "[\"z\",1]\n"] {
        let error =
            damaged(&sim, &disk, 2, "r.2.ndjson", |bytes| bytes.extend_from_slice(more.as_bytes())).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{more}: {error}");
    }
    let twice = damaged(&sim, &disk, 2, "r.2.ndjson", |bytes| bytes.extend_from_within(..));
    assert!(matches!(twice, Err(Error::Damaged { .. })));
}

#[test]
fn a_file_under_another_name_is_found() {
    let (sim, disk) = disk();
    save_two(&disk);
    let second = bytes(&sim, "r.2.ndjson");
    let error = damaged(&sim, &disk, 1, "r.1.ndjson", |bytes| bytes.clone_from(&second)).unwrap_err();
    assert!(error.to_string().ends_with("r.1.ndjson: it says that it is \"r.2\""), "{error}");
}

#[test]
fn a_file_that_is_built_on_and_gone_is_found() {
    let (sim, disk) = disk();
    save_two(&disk);
    sim.remove(&path("r.1.ndjson")).unwrap();
    let error = load_again(&disk, 2).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }));
    assert!(error.to_string().ends_with("r.2.ndjson: it builds on \"r.1.ndjson\", which is not there"), "{error}");
}

#[test]
fn a_later_version_is_refused_as_that() {
    let (sim, disk) = disk();
    save_two(&disk);
    let later = |bytes: &mut Vec<u8>| *bytes.iter_mut().find(|byte| **byte == b'1').unwrap() = b'2';
    let error = damaged(&sim, &disk, 2, "r.2.ndjson", later).unwrap_err();
    assert!(error.to_string().ends_with("of version 2; this tool reads version 1"), "{error}");
}

#[test]
fn a_disk_that_fails_is_not_called_damage() {
    let (sim, disk) = disk();
    save_two(&disk);
    let start = sim.operations();
    load_again(&disk, 2).unwrap();
    for ahead in 0..sim.operations() - start {
        sim.fail(ahead, INPUT_OUTPUT_ERROR);
        let mut folder = match checkpoint::StageFolder::open(Arc::clone(&disk), Path::new(DIR), NAME, "s") {
            Err(error) => {
                assert!(matches!(error, Error::Io { .. }), "{error}");
                continue;
            }
            Ok(folder) => folder,
        };
        let error = load(&mut folder, &id("r", 2)).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "operation {ahead}: {error}");
    }
}

#[test]
fn a_stale_run_whose_file_is_tidied_away_can_be_started_again() {
    let (_, disk) = disk();
    disk.create_dir(Path::new(DIR)).unwrap();
    let path = Path::new(DIR).join("committed");
    let error = publish(&*disk, &path, &mut |to| {
        to.write_all(b"stale")?;
        checkpoint::remove_leftovers(&*disk, Path::new(DIR)).map_err(std::io::Error::other)
    });
    let Err(Error::Io { source, .. }) = error else { panic!("{error:?}") };
    assert_eq!(
        source.to_string(),
        "removed while it was being written, by another run that has begun since or by somebody"
    );
    assert_ne!(source.kind(), std::io::ErrorKind::NotFound, "that would be an error for good");
}

#[test]
fn a_save_that_fails_does_no_damage_and_ends_the_run() {
    for errno in [NO_SPACE, READ_ONLY] {
        let (sim, disk) = disk();
        save_two(&disk);
        let mut folder = open(&disk, Path::new(DIR), "s");
        load(&mut folder, &id("r", 2)).unwrap();
        sim.refuse_writes(Some(errno));
        let error = folder.save(snapshot(id("s", 1), "", changes([("z", Some("1"))]))).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        sim.refuse_writes(None);
        let error = folder.save(snapshot(id("s", 2), "", changes([]))).unwrap_err();
        assert!(error.to_string().contains("the snapshot before it could not be written"), "{error}");
        load_again(&disk, 2).unwrap();
    }
}
