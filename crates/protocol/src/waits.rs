//! What the loop of a tool waits for, and how long: those waits too that are still under way.
//!
//! One thread waits and notes it; whoever shows the figures may be another one, and looks at any time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What a tool does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    Work,
    /// Nothing has come that it could work on.
    WaitForInput,
    /// The program after it does not read.
    WaitForOutput,
    /// The epoch is committed, or the snapshots of the other stages are waited for.
    Commit,
    /// It has lines and goes on at its own pace.
    Pace,
}

impl Doing {
    const ALL: [Self; 5] = [Self::Work, Self::WaitForInput, Self::WaitForOutput, Self::Commit, Self::Pace];
}

/// Where the time went. What is in none of these is work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waited {
    pub input: Duration,
    pub output: Duration,
    pub commit: Duration,
    pub pace: Duration,
}

impl Waited {
    fn of(&mut self, what: Doing) -> Option<&mut Duration> {
        match what {
            Doing::Work => None,
            Doing::WaitForInput => Some(&mut self.input),
            Doing::WaitForOutput => Some(&mut self.output),
            Doing::Commit => Some(&mut self.commit),
            Doing::Pace => Some(&mut self.pace),
        }
    }
}

/// The waits of one tool, shared by all who hold a clone.
#[derive(Clone, Debug)]
pub struct Waits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: fn() -> u64,
    /// By [`Doing`].
    total_us: [AtomicU64; Doing::ALL.len()],
    /// The longest ones since somebody asked.
    longest_us: [AtomicU64; Doing::ALL.len()],
    /// What the loop does, in the last bits, and above them since when, in microseconds of the clock: one number, so that
    /// nobody sees half of a change.
    doing: AtomicU64,
}

/// How many bits say what the loop does.
const DOING_BITS: u32 = 3;

impl Waits {
    /// Measures by a clock that gives microseconds and never goes back.
    pub fn new(clock: fn() -> u64) -> Self {
        Self(Arc::new(Inner {
            clock,
            total_us: Default::default(),
            longest_us: Default::default(),
            doing: AtomicU64::new(0),
        }))
    }

    /// Waits, as long as `wait` takes, for input.
    pub fn for_input<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.count(Doing::WaitForInput, wait)
    }

    /// Waits, as long as `wait` takes, for whoever reads the output.
    pub fn for_output<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.count(Doing::WaitForOutput, wait)
    }

    /// Commits, or waits, as long as `wait` takes, for what a commit needs.
    pub fn for_commit<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.count(Doing::Commit, wait)
    }

    /// Waits, as long as `wait` takes, though there are lines to go on with and room for them.
    pub fn for_pace<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.count(Doing::Pace, wait)
    }

    /// Counts a wait of this kind, which may be within another one: the time of the inner one is its own alone.
    pub fn count<T>(&self, what: Doing, wait: impl FnOnce() -> T) -> T {
        let (before, _) = self.change_to(what);
        let result = wait();
        let (_, waited_us) = self.change_to(before);
        // One thread writes; who asks for the longest may take it in between, and nothing is lost that counts.
        self.0.longest_us[what as usize].fetch_max(waited_us, Relaxed);
        result
    }

    /// Does something else from now on. Returns what it did before, and for how many microseconds.
    fn change_to(&self, what: Doing) -> (Doing, u64) {
        let now_us = self.now_us();
        let (before, since_us) = self.doing_since();
        let spent_us = now_us.saturating_sub(since_us);
        let total_us = &self.0.total_us[before as usize];
        // One thread writes: nothing comes between the two.
        total_us.store(total_us.load(Relaxed) + spent_us, Relaxed);
        self.0.doing.store(now_us << DOING_BITS | what as u64, Relaxed);
        (before, spent_us)
    }

    fn doing_since(&self) -> (Doing, u64) {
        let doing = self.0.doing.load(Relaxed);
        let what = usize::try_from(doing & ((1 << DOING_BITS) - 1)).unwrap_or_default();
        (Doing::ALL.get(what).copied().unwrap_or(Doing::Work), doing >> DOING_BITS)
    }

    /// What the loop does now, and for how long it has.
    pub fn doing(&self) -> (Doing, Duration) {
        let (what, since_us) = self.doing_since();
        (what, Duration::from_micros(self.now_us().saturating_sub(since_us)))
    }

    /// All waits so far, with the one that is under way.
    pub fn so_far(&self) -> Waited {
        self.by_kind(|what| self.0.total_us[what as usize].load(Relaxed), |ended, under_way| ended + under_way)
    }

    /// The longest wait of each kind since the last call, with the one that is under way.
    pub fn take_longest(&self) -> Waited {
        self.by_kind(|what| self.0.longest_us[what as usize].swap(0, Relaxed), Duration::max)
    }

    fn by_kind(&self, ended_us: impl Fn(Doing) -> u64, with: impl Fn(Duration, Duration) -> Duration) -> Waited {
        let (now, under_way) = self.doing();
        let mut waited = Waited::default();
        for what in Doing::ALL {
            let ended = Duration::from_micros(ended_us(what));
            if let Some(of) = waited.of(what) {
                *of = if what == now { with(ended, under_way) } else { ended };
            }
        }
        waited
    }

    /// Microseconds of the clock that waits are measured by.
    pub fn now_us(&self) -> u64 {
        (self.0.clock)()
    }
}

impl Default for Waits {
    /// Counts nothing, as there is no clock.
    fn default() -> Self {
        Self::new(|| 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static NOW_US: Cell<u64> = const { Cell::new(0) };
    }

    fn pass(ms: u64) {
        NOW_US.set(NOW_US.get() + ms * 1000);
    }

    #[test]
    fn a_wait_under_way_is_counted_and_named() {
        let waits = Waits::new(|| NOW_US.get());
        assert_eq!((waits.doing().0, waits.so_far()), (Doing::Work, Waited::default()));
        let pause = Duration::from_millis(5);
        let during = waits.for_input(|| {
            pass(5);
            (waits.clone().doing(), waits.so_far())
        });
        let input_alone = Waited { input: pause, ..Waited::default() };
        assert_eq!(during, ((Doing::WaitForInput, pause), input_alone));
        assert_eq!(waits.for_output(|| waits.doing().0), Doing::WaitForOutput);
        pass(7);
        assert_eq!(waits.so_far(), input_alone);
        assert_eq!(waits.doing(), (Doing::Work, Duration::from_millis(7)));
    }

    #[test]
    fn a_wait_within_another_one_is_counted_once() {
        let ms = Duration::from_millis;
        let waits = Waits::new(|| NOW_US.get());
        waits.for_commit(|| {
            pass(10);
            waits.for_output(|| pass(3));
            pass(1);
            assert_eq!(waits.doing(), (Doing::Commit, ms(1)));
        });
        pass(2);
        waits.for_pace(|| pass(4));
        let all = Waited { commit: ms(11), output: ms(3), pace: ms(4), ..Waited::default() };
        assert_eq!(waits.so_far(), all);
    }

    #[test]
    fn the_longest_wait_is_forgotten_when_it_was_asked_for() {
        let ms = Duration::from_millis;
        let waits = Waits::new(|| NOW_US.get());
        waits.for_input(|| pass(5));
        waits.for_input(|| pass(2));
        assert_eq!(waits.take_longest(), Waited { input: ms(5), ..Waited::default() });
        waits.for_input(|| {
            pass(9);
            assert_eq!(waits.take_longest().input, ms(9), "it is under way");
        });
        assert_eq!(waits.take_longest().input, ms(9));
        assert_eq!(waits.take_longest(), Waited::default());
    }
}
