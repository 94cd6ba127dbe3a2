//! The counts every stage keeps, and how they are shown: `-v`, `--progress`.

use std::fmt::Write as _;
use std::time::Duration;

use protocol::{Counts, Waited};

/// What a tool has to say of its run.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    pub counts: Counts,
    pub held: u64,
    pub waits: Waited,
    pub elapsed: Duration,
    pub role: Role,
    /// The run has ended with an error: what it was at then is in no other count.
    pub has_failed: bool,
}

/// Where in its pipe a tool stands, as far as its report differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has no input: its identity starts at what it read.
    Source,
    Stage,
    /// Has no output.
    Sink,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Stage => "stage",
            Self::Sink => "sink",
        }
    }
}

impl Report {
    /// True when every input line is accounted for.
    pub fn adds_up(&self) -> bool {
        self.role == Role::Source || self.counts.lines_in + self.counts.restored == self.accounted() + self.not_done()
    }

    fn accounted(&self) -> u64 {
        self.counts.ended() + self.held
    }

    /// How many lines a run that has failed was at.
    fn not_done(&self) -> u64 {
        let lines = self.counts.lines_in + self.counts.restored;
        if self.has_failed { lines.saturating_sub(self.accounted()) } else { 0 }
    }

    /// The line that `-v` prints at exit, without the tool's name.
    pub fn line(&self) -> String {
        let c = &self.counts;
        let mut text = String::new();
        if c.restored > 0 {
            let _ = write!(text, "restored {} + ", c.restored);
        }
        let _ = match self.role {
            Role::Stage | Role::Sink => write!(
                text,
                "in {} = out {}{} + late {} + rejected {} + held {}{}{}",
                c.lines_in,
                c.settled,
                if c.left_out > 0 { format!(" + left out {}", c.left_out) } else { String::new() },
                c.late,
                c.rejected,
                self.held,
                if self.not_done() > 0 { format!(" + not done {}", self.not_done()) } else { String::new() },
                if self.adds_up() { "" } else { " (DOES NOT ADD UP)" }
            ),
            Role::Source => {
                write!(text, "in {} = out {} + rejected {}", c.lines_out + c.rejected, c.lines_out, c.rejected)
            }
        };
        if c.late_passed > 0 {
            let _ = write!(text, "; {} late lines passed", c.late_passed);
        }
        if self.role == Role::Stage && c.lines_out != c.settled {
            let _ = write!(text, "; wrote {} lines", c.lines_out);
        }
        let seconds = self.elapsed.as_secs_f64().max(1e-9);
        let (lines, bytes) = (c.lines_in.max(c.lines_out), c.bytes_in.max(c.bytes_out));
        let _ = write!(text, "; {} lines/s, {}B/s", scaled(lines as f64 / seconds), scaled(bytes as f64 / seconds));
        let share = |d: Duration| (100.0 * d.as_secs_f64() / seconds).clamp(0.0, 100.0);
        // Who goes at its own pace has lines that its reader will get.
        let (input, output) = (share(self.waits.input), share(self.waits.output + self.waits.pace));
        let busy = (100.0 - input - output).max(0.0);
        let _ = write!(text, "; busy {busy:.0} %, waiting for input {input:.0} %, waiting for output {output:.0} %");
        text
    }
}

/// `1.2M`, `13k`, `7.0`: three digits are enough for a rate.
pub fn scaled(value: f64) -> String {
    let (divisor, suffix) = match value {
        v if v >= 1e9 => (1e9, "G"),
        v if v >= 1e6 => (1e6, "M"),
        v if v >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let scaled = value / divisor;
    if scaled >= 100.0 { format!("{scaled:.0}{suffix}") } else { format!("{scaled:.1}{suffix}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(counts: Counts, held: u64) -> Report {
        let waits = Waited { input: Duration::from_millis(500), ..Waited::default() };
        Report { counts, held, waits, elapsed: Duration::from_secs(1), role: Role::Stage, has_failed: false }
    }

    #[test]
    fn the_line_shows_the_identity() {
        let counts = Counts { lines_in: 10, settled: 5, late: 2, rejected: 1, lines_out: 5, ..Counts::default() };
        let line = report(counts, 2).line();
        assert!(line.starts_with("in 10 = out 5 + late 2 + rejected 1 + held 2; 10.0 lines/s"), "{line}");
        assert!(line.ends_with("busy 50 %, waiting for input 50 %, waiting for output 0 %"), "{line}");
    }

    #[test]
    fn lines_that_are_left_out_are_not_called_output() {
        let counts = Counts { lines_in: 10, settled: 3, left_out: 7, lines_out: 3, ..Counts::default() };
        let report = report(counts, 0);
        assert!(report.adds_up());
        let line = report.line();
        assert!(line.starts_with("in 10 = out 3 + left out 7 + late 0 + rejected 0 + held 0; 10.0 lines/s"), "{line}");
    }

    #[test]
    fn a_lost_line_is_said_out_loud() {
        let counts = Counts { lines_in: 10, settled: 9, ..Counts::default() };
        assert!(report(counts, 0).line().contains("DOES NOT ADD UP"));
        let failed = Report { has_failed: true, ..report(counts, 0) }.line();
        assert!(failed.starts_with("in 10 = out 9 + late 0 + rejected 0 + held 0 + not done 1; "), "{failed}");
        let doubled = Counts { settled: 11, ..counts };
        assert!(Report { has_failed: true, ..report(doubled, 0) }.line().contains("DOES NOT ADD UP"));
    }
}
