//! Waiting for what must come instead of for a time: a busy machine takes longer, and gives the same.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Nothing in a test takes so long on the slowest machine: beyond it something hangs.
pub const HANGS_AFTER: Duration = Duration::from_secs(300);

/// So often is looked whether something has come.
const LOOK: Duration = Duration::from_millis(10);

/// So many looks at processes one after the other, each a bit after the last one, must find them asleep.
const RESTFUL_LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A process that only looks now and then whether there is something to do uses less than this between two looks.
const DOZING_NS: u64 = 2_000_000;

/// Returns when the condition holds.
///
/// # Panics
/// With these words when it does not hold after [`HANGS_AFTER`].
#[track_caller]
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_until_or_tell(condition, || what.to_owned());
}

/// Waits until a condition holds; what there is instead is asked when it does not.
///
/// # Panics
/// With these words when it does not hold after [`HANGS_AFTER`].
#[track_caller]
pub fn wait_until_or_tell(mut condition: impl FnMut() -> bool, what: impl FnOnce() -> String) {
    let began = Instant::now();
    while !condition() {
        if began.elapsed() >= HANGS_AFTER {
            panic!("not within {} s: {}", HANGS_AFTER.as_secs(), what());
        }
        thread::sleep(LOOK);
    }
}

/// Returns when these processes have nothing to do: they wait for a pipe, a clock, or for nothing more.
///
/// # Panics
/// When they work for longer than [`HANGS_AFTER`].
#[track_caller]
pub fn wait_for_rest(processes: &[u32]) {
    let mut rest = Rest::default();
    wait_until("the processes are at rest", || {
        thread::sleep(BETWEEN_LOOKS);
        rest.look(processes)
    });
}

/// Finds out whether processes are at rest by looking at them again and again.
///
/// What counts is what the kernel says, not how long it takes: a thread that waits for its turn on a busy machine is not
/// asleep.
#[derive(Debug, Default)]
pub struct Rest {
    used_ns: BTreeMap<u32, u64>,
    looks: u32,
}

impl Rest {
    /// Looks once more, some 50 ms after the last time. True when nothing has been done for several looks.
    pub fn look(&mut self, processes: &[u32]) -> bool {
        let mut restful = !processes.is_empty() && processes.len() == self.used_ns.len();
        let mut used_ns = BTreeMap::new();
        for &pid in processes {
            let (used, asleep) = threads(pid);
            let before = self.used_ns.get(&pid);
            restful &= asleep && before.is_some_and(|before| used.abs_diff(*before) < DOZING_NS);
            used_ns.insert(pid, used);
        }
        self.used_ns = used_ns;
        self.looks = if restful { self.looks + 1 } else { 0 };
        self.looks >= RESTFUL_LOOKS
    }

    /// The processor time that the processes of the last look have used.
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.used_ns.values().sum())
    }
}

/// The processor time of a process, and whether none of its threads runs or wants to.
fn threads(pid: u32) -> (u64, bool) {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return (0, true) };
    let mut used_ns = 0;
    let mut asleep = true;
    for task in tasks.flatten() {
        let text = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let state = text("stat").rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        asleep &= state.is_none_or(|state| !"RD".contains(state));
        let used = text("schedstat").split(' ').next().and_then(|used| used.parse::<u64>().ok());
        used_ns += used.unwrap_or_default();
    }
    (used_ns, asleep)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_that_waits_is_at_rest_and_one_that_works_is_not() {
        let mut waits = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut works = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        wait_for_rest(&[waits.id()]);
        let mut rest = Rest::default();
        let busy = (0..3 * RESTFUL_LOOKS).all(|_| {
            thread::sleep(BETWEEN_LOOKS);
            !rest.look(&[waits.id(), works.id()])
        });
        works.kill().unwrap();
        waits.kill().unwrap();
        works.wait().unwrap();
        waits.wait().unwrap();
        assert!(busy);
    }
}
