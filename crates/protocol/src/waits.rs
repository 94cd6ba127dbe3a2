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
}

/// Where the time went. What is in neither wait is work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waited {
    pub input: Duration,
    pub output: Duration,
}

/// The waits of one tool, shared by all who hold a clone.
#[derive(Clone, Debug)]
pub struct Waits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: fn() -> u64,
    input_us: AtomicU64,
    output_us: AtomicU64,
    /// What the loop does, in the last two bits, and above them since when, in microseconds of the clock: one number, so that
    /// nobody sees half of a change.
    doing: AtomicU64,
}

impl Waits {
    /// Measures by a clock that gives microseconds and never goes back.
    pub fn new(clock: fn() -> u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self(Arc::new(Inner { clock, input_us: zero(), output_us: zero(), doing: zero() }))
    }

    /// Waits, as long as `wait` takes, for input.
    pub fn for_input<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.count(Doing::WaitForInput, &self.0.input_us, wait)
    }

    /// Waits, as long as `wait` takes, for whoever reads the output.
    pub fn for_output<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.count(Doing::WaitForOutput, &self.0.output_us, wait)
    }

    fn count<T>(&self, what: Doing, total_us: &AtomicU64, wait: impl FnOnce() -> T) -> T {
        let since_us = self.now_us();
        self.0.doing.store(since_us << 2 | what as u64, Relaxed);
        let result = wait();
        let until_us = self.now_us();
        // One thread writes: nothing comes between the two.
        total_us.store(total_us.load(Relaxed) + (until_us - since_us), Relaxed);
        self.0.doing.store(until_us << 2, Relaxed);
        result
    }

    /// What the loop does now, and for how long it has.
    pub fn doing(&self) -> (Doing, Duration) {
        let doing = self.0.doing.load(Relaxed);
        let what = match doing & 3 {
            1 => Doing::WaitForInput,
            2 => Doing::WaitForOutput,
            _ => Doing::Work,
        };
        (what, Duration::from_micros(self.now_us().saturating_sub(doing >> 2)))
    }

    /// All waits so far, with the one that is under way.
    pub fn so_far(&self) -> Waited {
        let of = |total_us: &AtomicU64| Duration::from_micros(total_us.load(Relaxed));
        let mut waited = Waited { input: of(&self.0.input_us), output: of(&self.0.output_us) };
        match self.doing() {
            (Doing::WaitForInput, now) => waited.input += now,
            (Doing::WaitForOutput, now) => waited.output += now,
            (Doing::Work, _) => {}
        }
        waited
    }

    fn now_us(&self) -> u64 {
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
        assert_eq!(during, ((Doing::WaitForInput, pause), Waited { input: pause, output: Duration::ZERO }));
        assert_eq!(waits.for_output(|| waits.doing().0), Doing::WaitForOutput);
        pass(7);
        assert_eq!(waits.so_far(), Waited { input: pause, output: Duration::ZERO });
        assert_eq!(waits.doing(), (Doing::Work, Duration::from_millis(7)));
    }
}
