//! A piece of work that can be left in the middle of any call, and gone on with later.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ptr;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

/// Deep enough for the runtime and its operators; pages that are not touched cost nothing.
const STACK_BYTES: usize = 512 * 1024;

thread_local! {
    /// The yielder of the work that runs now on this thread, null when none does.
    static RUNNING: Cell<*const Yielder<(), Wait>> = const { Cell::new(ptr::null()) };
    /// Stacks of work that is done.
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

/// What a piece of work waits for. With neither it can go on at once: others may, too.
#[derive(Default)]
pub struct Wait {
    ready: Option<Box<dyn Fn() -> bool>>,
    until_ms: Option<i64>,
}

impl Wait {
    /// For something to become true.
    pub fn for_that(ready: impl Fn() -> bool + 'static) -> Self {
        Self { ready: Some(Box::new(ready)), until_ms: None }
    }

    /// For a time.
    pub fn until(until_ms: i64) -> Self {
        Self { ready: None, until_ms: Some(until_ms) }
    }

    /// No longer than to this time.
    #[must_use]
    pub fn at_most_until(self, until_ms: Option<i64>) -> Self {
        Self { until_ms, ..self }
    }

    pub fn is_over(&self, now_ms: i64) -> bool {
        let nothing = self.ready.is_none() && self.until_ms.is_none();
        nothing || self.until_ms.is_some_and(|at| at <= now_ms) || self.ready.as_ref().is_some_and(|ready| ready())
    }

    pub fn until_ms(&self) -> Option<i64> {
        self.until_ms
    }
}

/// What a turn came to.
pub enum Turn<T> {
    Waits(Wait),
    Done(T),
}

/// A piece of work.
pub struct Task<T: 'static>(Coroutine<(), Wait, T>);

impl<T: 'static> Task<T> {
    /// Nothing is done before the first `resume`.
    pub fn new(work: impl FnOnce() -> T + 'static) -> Self {
        let stack = STACKS.with_borrow_mut(Vec::pop);
        let stack = stack.or_else(|| DefaultStack::new(STACK_BYTES).ok()).unwrap_or_default();
        Self(Coroutine::with_stack(stack, move |yielder: &Yielder<(), Wait>, ()| {
            RUNNING.set(ptr::from_ref(yielder));
            work()
        }))
    }

    /// Goes on until the work waits or is done.
    pub fn resume(&mut self) -> Turn<T> {
        let result = self.0.resume(());
        RUNNING.set(ptr::null());
        match result {
            CoroutineResult::Yield(wait) => Turn::Waits(wait),
            CoroutineResult::Return(value) => Turn::Done(value),
        }
    }

    /// Keeps the stack of work that is done for other work.
    pub fn retire(self) {
        if self.0.done() {
            STACKS.with_borrow_mut(|stacks| stacks.push(self.0.into_stack()));
        }
    }
}

/// Leaves the work that runs now; returns when it is resumed. Outside of any work it returns at once.
pub fn leave(wait: Wait) {
    let yielder = RUNNING.get();
    if yielder.is_null() {
        return;
    }
    // SAFETY: the pointer was set by this very coroutine, at its start or below, and is taken back whenever it gives up
    // the thread: it points to the yielder on the stack that we are on, which lives as long as the work does.
    unsafe { (*yielder).suspend(wait) };
    RUNNING.set(yielder);
}
