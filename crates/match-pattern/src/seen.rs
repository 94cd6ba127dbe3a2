//! Which steps were reached at a place between two rows: the first to reach one is preferred, and others need not go on.

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::registers::Register;

/// A step with what is kept of the match; the first row too, where partial matches end at different times.
type Reached = (u32, u64, Arc<[Register]>);

/// Steps that were reached since the last call of [`Seen::forget`].
pub struct Seen {
    /// By step, the turn in which it was reached last.
    turns: Vec<u64>,
    turn: u64,
    /// Steps inside of repetitions that have taken no row yet, with the turn.
    inside: HashSet<(u32, u64, u64), FixedState>,
    reached: HashSet<Reached, FixedState>,
    by_start: bool,
    start: u64,
}

impl Seen {
    /// For a program of so many steps. With `by_start` partial matches that began at different rows are told apart.
    #[must_use]
    pub fn new(steps: usize, by_start: bool) -> Seen {
        let hasher = FixedState::with_seed(0);
        let (inside, reached) = (HashSet::with_hasher(hasher.clone()), HashSet::with_hasher(hasher));
        Seen { turns: vec![0; steps], turn: 0, inside, reached, by_start, start: 0 }
    }

    pub fn forget(&mut self) {
        self.turn += 1;
        self.inside.clear();
        self.reached.clear();
    }

    /// A partial match that began at this row goes on, and has such registers or none.
    #[inline]
    pub fn begin(&mut self, start: u64, has_registers: bool) {
        if has_registers || (self.by_start && start != self.start) {
            self.turn += 1;
        }
        self.start = start;
    }

    /// Returns true if the step is reached for the first time: by this partial match, or without registers by any. `moved` has a bit
    /// for each repetition that has taken a row, or is not inside of the step.
    #[inline]
    pub fn reach(&mut self, step: u32, moved: u64) -> bool {
        if moved != u64::MAX {
            return self.inside.insert((step, moved, self.turn));
        }
        std::mem::replace(&mut self.turns[step as usize], self.turn) != self.turn
    }

    /// Returns true if no other partial match has reached this step with the same registers.
    #[inline]
    pub fn reach_with(&mut self, step: u32, registers: Option<&Arc<[Register]>>) -> bool {
        let Some(registers) = registers else { return true };
        let start = if self.by_start { self.start } else { 0 };
        self.reached.insert((step, start, Arc::clone(registers)))
    }
}
