//! Exponential smoothing in innovations form (ETS), chosen by AICc.

mod ahead;
mod fit;
mod form;
mod recursion;
mod start;

pub use fit::{Choice, Ets, SEASON_MAX};
pub use form::{Form, Trend};
pub use recursion::{State, Weights};
