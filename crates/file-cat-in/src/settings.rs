//! The settings of a source.

use crate::cli::{Cli, From, Missing, Order, Parts};
use crate::content::Limits;
use crate::file_lines::Ending;

/// Settings that the flags give.
#[derive(Clone, Copy)]
pub struct Settings {
    pub follow: bool,
    pub exactly_once: bool,
    pub from: From,
    pub order: Order,
    pub parts: Parts,
    pub missing: Missing,
    pub limits: Limits,
    /// The next run goes on where this one ends.
    pub goes_on: bool,
}

impl Settings {
    pub fn new(cli: &Cli) -> Self {
        Self {
            follow: cli.follow,
            exactly_once: cli.exactly_once.exactly_once,
            from: cli.from,
            order: cli.order,
            parts: cli.parts(),
            missing: cli.missing,
            limits: cli.limits(),
            goes_on: cli.exactly_once.no_drain,
        }
    }

    /// Says what happens to a file at its end.
    pub fn ending(&self) -> Ending {
        match (self.follow, self.goes_on) {
            (true, _) => Ending::Wait,
            (false, true) => Ending::Leave,
            (false, false) => Ending::Take,
        }
    }
}
