//! The numbers of a row: rates and shares over the time that was chosen.

use crate::facts::{Facts, Rates, Shares, Spans};
use crate::machine::stage::Stage;

/// Over which time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    S1,
    #[default]
    S10,
    S60,
    /// Since the stage began: counts in place of rates.
    Start,
}

/// What a row shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Lines for each second, or all of them.
    pub lines_in: Option<f64>,
    pub lines_out: Option<f64>,
    /// Bytes for each second, or all of them; of the input, and at a source of the output.
    pub bytes: Option<f64>,
    pub shares: Shares,
}

impl Span {
    /// The next one of the rates.
    pub fn next(self) -> Self {
        match self {
            Self::S1 => Self::S10,
            Self::S10 => Self::S60,
            Self::S60 | Self::Start => Self::S1,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::S1 => "1s",
            Self::S10 => "10s",
            Self::S60 => "60s",
            Self::Start => "since start",
        }
    }
}

/// Returns the numbers of a stage. `before` is what was seen of it `gone_ms` ago: of a foreign program only two looks tell a rate.
pub fn numbers(stage: &Stage, before: Option<&Stage>, gone_ms: i64, span: Span) -> Numbers {
    match (&stage.facts, span) {
        (Some(facts), Span::Start) => since_start(facts, stage.is_source()),
        (Some(facts), _) => over(facts, stage.is_source(), span),
        (None, _) => before.map(|before| foreign(stage, before, gone_ms)).unwrap_or_default(),
    }
}

fn over(facts: &Facts, is_source: bool, span: Span) -> Numbers {
    let rates: Rates = chosen(facts.rates, span);
    Numbers {
        lines_in: rates.lines_in.filter(|_| !is_source),
        lines_out: rates.lines_out,
        bytes: if is_source { rates.bytes_out } else { rates.bytes_in },
        shares: chosen(facts.shares, span),
    }
}

fn chosen<T: Copy + Default>(spans: Spans<T>, span: Span) -> T {
    match span {
        Span::S1 => spans.s1,
        Span::S10 | Span::Start => spans.s10,
        Span::S60 => spans.s60,
    }
}

fn since_start(facts: &Facts, is_source: bool) -> Numbers {
    let float = |count: Option<u64>| count.map(|count| count as f64);
    let elapsed = float(facts.elapsed_ms).filter(|ms| *ms > 0.0);
    let share = |ms: Option<u64>| Some((float(ms)? / elapsed?).clamp(0.0, 1.0));
    let mut shares = Shares {
        busy: None,
        input: share(facts.wait_input_ms),
        output: share(facts.wait_output_ms),
        commit: share(facts.wait_commit_ms),
        pace: share(facts.wait_pace_ms),
    };
    let waits = [shares.input, shares.output, shares.commit, shares.pace];
    shares.busy = shares.input.map(|_| (1.0 - waits.into_iter().flatten().sum::<f64>()).max(0.0));
    Numbers {
        lines_in: float(facts.lines_in).filter(|_| !is_source),
        lines_out: float(facts.lines_out),
        bytes: float(if is_source { facts.bytes_out } else { facts.bytes_in }),
        shares,
    }
}

/// What a foreign program has done between two looks.
fn foreign(stage: &Stage, before: &Stage, gone_ms: i64) -> Numbers {
    let Some(shares) = stage.shares_of_two_looks(before, gone_ms) else { return Numbers::default() };
    let moved = |stage: &Stage| stage.kernel.and_then(|kernel| kernel.moved);
    let read = moved(stage).zip(moved(before)).map(|(now, then)| now.read.saturating_sub(then.read) as f64);
    Numbers { bytes: read.map(|bytes| bytes * 1_000.0 / gone_ms as f64), shares, ..Numbers::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::stage::{Kernel, Moved, Wait};

    #[test]
    fn shares_since_the_start_add_up_to_one() {
        let facts = Facts {
            elapsed_ms: Some(1_000),
            wait_input_ms: Some(600),
            wait_output_ms: Some(100),
            lines_in: Some(7),
            ..Facts::default()
        };
        let stage = Stage { facts: Some(facts.into()), ..Stage::default() };
        let told = numbers(&stage, None, 0, Span::Start);
        assert!((told.shares.busy.unwrap() - 0.3).abs() < 1e-9);
        assert_eq!((told.lines_in, told.shares.pace), (Some(7.0), None));
        assert_eq!(numbers(&stage, None, 0, Span::S1), Numbers::default());
    }

    #[test]
    fn two_looks_tell_the_rates_of_a_foreign_program() {
        let at = |cpu_ticks, read| {
            let moved = Some(Moved { read, written: 0 });
            let kernel = Kernel { state: 'S', waits: Some(Wait::PipeRead), cpu_ticks, moved };
            Stage { kernel: Some(kernel), ..Stage::default() }
        };
        let told = numbers(&at(35, 9_000), Some(&at(10, 1_000)), 1_000, Span::S1);
        assert_eq!((told.shares.busy, told.shares.input, told.bytes), (Some(0.25), Some(0.75), Some(8_000.0)));
        assert_eq!(numbers(&at(35, 9_000), None, 1_000, Span::S1), Numbers::default());
        assert_eq!(numbers(&at(35, 9_000), Some(&at(10, 1_000)), 0, Span::S1), Numbers::default());
    }
}
