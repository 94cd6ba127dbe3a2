//! One pipe at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::Error;
use crate::disk::{Disk, RealDisk};

/// For the holder's pid the file is read so often, with a pause of 1 ms.
const HOLDER_ATTEMPTS: u32 = 100;

/// An exclusive lock on a file that holds the owner's pid, or a share in one on a folder. Gone with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock or fails at once. The file is made when it is not there (its folder must be), and stays.
    ///
    /// # Errors
    /// `InUse` with the holder's pid.
    pub fn take(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::io(path, source);
        // Not truncated before it is ours: the pid in it is the holder's.
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let mut file = file.map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { path: path.to_owned(), pid: holder(path) }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(io)?;
        Ok(Self { _file: file })
    }

    /// Shares in a lock on a folder: a sign of life, which goes with the process. None where the file system has no such locks.
    pub fn share(folder: &Path) -> Option<Self> {
        let file = File::open(folder).ok()?;
        file.lock_shared().ok()?;
        Some(Self { _file: file })
    }

    /// Whether nobody shares in the lock on a folder; false where it cannot be asked.
    pub fn is_left(folder: &Path) -> bool {
        File::open(folder).is_ok_and(|file| file.try_lock().is_ok())
    }

    /// Whether nobody holds the lock; false where there is no such file, or it cannot be asked. Somebody who takes the
    /// lock in the same moment may find it in use.
    pub fn is_free(path: &Path) -> bool {
        File::open(path).is_ok_and(|file| file.try_lock_shared().is_ok())
    }
}

/// Who has written itself into the file. It may be about to, and is waited for a moment; then `?`.
#[cold]
fn holder(path: &Path) -> String {
    for attempt in 0..HOLDER_ATTEMPTS {
        if attempt > 0 {
            RealDisk.pause();
        }
        // A pid ends with a newline: without it there is more to come.
        if let Some(pid) = fs::read_to_string(path).unwrap_or_default().strip_suffix('\n') {
            return pid.to_owned();
        }
    }
    "?".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::take(&path).unwrap();
        let error = Lock::take(&path).unwrap_err();
        assert!(matches!(&error, Error::InUse { pid, .. } if *pid == std::process::id().to_string()), "{error}");
        drop(first);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_holder_that_has_not_written_its_pid_yet_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = File::create(&path).unwrap();
        first.lock().unwrap();
        let told = || Lock::take(&path).unwrap_err().to_string();
        assert!(told().contains("process ?"), "{}", told());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..5).for_each(|_| RealDisk.pause());
                fs::write(&path, "4711\n").unwrap();
            });
            assert!(told().contains("process 4711"), "{}", told());
        });
    }

    #[test]
    fn a_longer_pid_of_before_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        fs::write(&path, "99999999999999\n").unwrap();
        let _lock = Lock::take(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    }

    #[test]
    fn anybody_can_ask_whether_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(!Lock::is_free(&path), "there is none");
        let lock = Lock::take(&path).unwrap();
        assert!(!Lock::is_free(&path));
        drop(lock);
        assert!(Lock::is_free(&path));
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_folder_is_left_when_the_last_one_has_gone() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Lock::is_left(dir.path()));
        let (one, another) = (Lock::share(dir.path()).unwrap(), Lock::share(dir.path()).unwrap());
        drop(one);
        assert!(!Lock::is_left(dir.path()));
        drop(another);
        assert!(Lock::is_left(dir.path()));
        let gone = dir.path().join("gone");
        assert!(!Lock::is_left(&gone) && Lock::share(&gone).is_none());
    }

    #[test]
    fn without_its_folder_there_is_no_lock() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Lock::take(&dir.path().join("no/lock")), Err(Error::Io { .. })));
    }
}
