use super::*;
use std::collections::BTreeSet;

const FILE: &str = "/dir/file";

fn disk() -> SimDisk {
    let disk = SimDisk::new();
    disk.create_dir(Path::new("/dir")).unwrap();
    disk
}

fn text(disk: &SimDisk, path: &str) -> io::Result<String> {
    let mut bytes = Vec::new();
    disk.read(Path::new(path))?.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a crash after this leaves of the file, over many seeds.
fn left(path: &str, before: impl Fn(&SimDisk)) -> BTreeSet<Option<String>> {
    let left = |seed| {
        let disk = disk();
        before(&disk);
        disk.crash(seed);
        text(&disk, path).ok()
    };
    (0..200).map(left).collect()
}

fn some(texts: &[&str]) -> BTreeSet<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn what_was_synced_stays() {
    let left = left(FILE, |disk| {
        let mut file = disk.write(Path::new(FILE), 0).unwrap();
        file.write_all(b"ab").unwrap();
        file.sync().unwrap();
        disk.sync_dir(Path::new("/dir")).unwrap();
    });
    assert_eq!(left, some(&["ab"]));
}

#[test]
fn bytes_that_were_not_synced_are_lost_in_part() {
    let left = left(FILE, |disk| {
        let mut file = disk.write(Path::new(FILE), 0).unwrap();
        file.write_all(b"a").unwrap();
        file.sync().unwrap();
        disk.sync_dir(Path::new("/dir")).unwrap();
        file.write_all(b"bc").unwrap();
    });
    assert_eq!(left, some(&["a", "ab", "abc", "ab\0", "a\0\0"]));
}

#[test]
fn a_file_that_was_cut_may_be_whole_again() {
    let left = left(FILE, |disk| {
        let mut file = disk.write(Path::new(FILE), 0).unwrap();
        file.write_all(b"abc").unwrap();
        file.sync().unwrap();
        disk.sync_dir(Path::new("/dir")).unwrap();
        disk.write(Path::new(FILE), 1).unwrap();
    });
    assert_eq!(left, some(&["a", "abc"]));
}

#[test]
fn a_rename_without_a_sync_of_the_folder_may_be_lost_but_not_half_of_it() {
    let replace = |disk: &SimDisk| {
        for (content, sync) in [("old", true), ("new", false)] {
            let mut file = disk.write(Path::new("/dir/.tmp"), 0).unwrap();
            file.write_all(content.as_bytes()).unwrap();
            file.sync().unwrap();
            disk.rename(Path::new("/dir/.tmp"), Path::new(FILE)).unwrap();
            if sync {
                disk.sync_dir(Path::new("/dir")).unwrap();
            }
        }
    };
    assert_eq!(left(FILE, replace), some(&["old", "new"]));
    assert_eq!(left("/dir/.tmp", replace), [None, Some("new".to_owned())].into());
}

#[test]
fn a_removal_without_a_sync_may_be_undone() {
    let left = left(FILE, |disk| {
        disk.write(Path::new(FILE), 0).unwrap().sync().unwrap();
        disk.sync_dir(Path::new("/dir")).unwrap();
        disk.remove(Path::new(FILE)).unwrap();
        assert!(!disk.exists(Path::new(FILE)).unwrap());
    });
    assert_eq!(left, [None, Some(String::new())].into());
}

#[test]
fn operations_fail_when_they_are_told_to() {
    let disk = disk();
    let mut file = disk.write(Path::new(FILE), 0).unwrap();
    disk.fail(1, NO_SPACE);
    file.write_all(b"ab").unwrap();
    assert_eq!(file.write_all(b"cdef").unwrap_err().raw_os_error(), Some(NO_SPACE));
    file.write_all(b"g").unwrap();
    assert_eq!(text(&disk, FILE).unwrap(), "abcdg");
    disk.refuse_writes(Some(READ_ONLY));
    assert_eq!(disk.remove(Path::new(FILE)).unwrap_err().raw_os_error(), Some(READ_ONLY));
    assert!(disk.exists(Path::new(FILE)).unwrap());
    disk.refuse_writes(None);
    disk.stop(0);
    for _ in 0..3 {
        assert!(disk.exists(Path::new(FILE)).is_err());
    }
    disk.crash(1);
    disk.exists(Path::new(FILE)).unwrap();
    assert!(file.write_all(b"x").is_err(), "opened before the crash");
}

#[test]
fn whoever_waits_lets_others_work() {
    let disk = disk();
    let other = disk.clone();
    disk.on_pause(move || drop(other.write(Path::new(FILE), 0).unwrap()));
    assert!(!disk.exists(Path::new(FILE)).unwrap());
    disk.pause();
    assert!(disk.exists(Path::new(FILE)).unwrap());
}
