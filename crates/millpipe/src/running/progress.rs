//! How far a source is that knows its end: one line on the terminal for the whole pipeline, without being asked.
//!
//! Only the source of a pipeline says it, only where standard error is a terminal that shows no data, and only of what takes
//! longer than a moment: a script sees nothing of it.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use protocol::Goal;

use crate::running::accounting::{Role, scaled};

/// What is done sooner needs no line.
const SHOWN_AFTER: Duration = Duration::from_secs(2);

/// The line about a run, if there is one to be shown.
#[derive(Debug)]
pub struct Progress {
    is_wanted: bool,
    /// How much was done when it was first looked at, and how long after the start that was: a run may go on from a checkpoint.
    first: Option<(u64, Duration)>,
    is_shown: bool,
}

impl Progress {
    /// Of a stage in this role.
    pub fn new(role: Role) -> Self {
        let is_wanted = role == Role::Source && io::stderr().is_terminal() && !io::stdout().is_terminal();
        Self { is_wanted, first: None, is_shown: false }
    }

    pub fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Shows the line anew, so long after the start.
    pub fn show(&mut self, name: &str, goal: &Goal, elapsed: Duration) {
        let first = *self.first.get_or_insert((goal.done, elapsed));
        if elapsed >= SHOWN_AFTER {
            self.is_shown = true;
            let _ = write!(io::stderr(), "\r\x1b[K{name}: {}", text(goal, first, elapsed));
        }
    }

    /// Takes the line away: what is said next begins at the left.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// `1.2GB of 3.4GB, 35 %, 180MB/s, 12 s left`
fn text(goal: &Goal, (first, first_at): (u64, Duration), elapsed: Duration) -> String {
    let Goal { done, total, of } = *goal;
    let seconds = elapsed.saturating_sub(first_at).as_secs_f64();
    let rate = if seconds > 0.0 { done.saturating_sub(first) as f64 / seconds } else { 0.0 };
    let percent = 100.0 * done as f64 / total.max(1) as f64;
    let mut text = match of {
        Goal::BYTES => format!("{}B of {}B, {percent:.0} %", scaled(done as f64), scaled(total as f64)),
        _ => format!("{} of {} {of}, {percent:.0} %", count(done), count(total)),
    };
    if rate > 0.0 {
        let left_s = total.saturating_sub(done) as f64 / rate;
        let unit = if of == Goal::BYTES { "B" } else { &format!(" {of}") };
        text.push_str(&format!(", {}{unit}/s, {} left", scaled(rate), time(left_s)));
    }
    text
}

fn count(count: u64) -> String {
    if count < 1000 { count.to_string() } else { scaled(count as f64) }
}

fn time(seconds: f64) -> String {
    match seconds.round() {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_since_the_start_says_how_long_the_rest_takes() {
        let second = Duration::from_secs;
        let goal = Goal { done: 1_200_000_000, total: 3_400_000_000, of: Goal::BYTES };
        let shown = text(&goal, (200_000_000, second(1)), second(11));
        assert_eq!(shown, "1.2GB of 3.4GB, 35 %, 100MB/s, 22 s left");
        let lines = Goal { done: 5, total: 10, of: "lines" };
        assert_eq!(text(&lines, (5, second(1)), second(3)), "5 of 10 lines, 50 %");
        let slow = Goal { done: 1, total: 10_000, of: "messages" };
        assert!(text(&slow, (0, second(0)), second(1)).ends_with(", 1.0 messages/s, 2.8 h left"));
    }
}
