//! Rates and shares of the last second, ten seconds and minute, from the totals of each second.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::{Counts, Waited};
use serde_json::{Map, Value, json};

/// What is told apart, with its name.
const SPANS: [(&str, Duration); 3] =
    [("1s", Duration::from_secs(1)), ("10s", Duration::from_secs(10)), ("60s", Duration::from_secs(60))];

/// A sample more than the longest span has seconds.
const SAMPLES_MAX: usize = 61;

/// The totals of a run, and the longest waits since the sample before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Since the start of the run.
    pub at: Duration,
    pub counts: Counts,
    pub waited: Waited,
    pub longest: Waited,
}

/// The samples of the last minute.
#[derive(Debug)]
pub struct Samples(VecDeque<Sample>);

impl Samples {
    /// Begins with a sample of a run that has not begun.
    pub fn new() -> Self {
        Self(VecDeque::from([Sample::default()]))
    }

    pub fn push(&mut self, sample: Sample) {
        if self.0.len() == SAMPLES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// The shares of time that went into work and into each kind of waiting; they add up to 1.
    pub fn shares(&self) -> Value {
        self.by_span(|from, to, seconds| {
            let share = |of: fn(&Waited) -> Duration| {
                let waited = of(&to.waited).saturating_sub(of(&from.waited));
                (waited.as_secs_f64() / seconds).clamp(0.0, 1.0)
            };
            let (input, output) = (share(|waited| waited.input), share(|waited| waited.output));
            let (commit, pace) = (share(|waited| waited.commit), share(|waited| waited.pace));
            let busy = (1.0 - input - output - commit - pace).max(0.0);
            json!({
                "busy": rounded(busy), "input": rounded(input), "output": rounded(output), "commit": rounded(commit),
                "pace": rounded(pace),
            })
        })
    }

    /// Lines and bytes in a second.
    pub fn rates(&self) -> Value {
        self.by_span(|from, to, seconds| {
            let rate =
                |of: fn(&Counts) -> u64| rounded(of(&to.counts).saturating_sub(of(&from.counts)) as f64 / seconds);
            json!({
                "lines_in": rate(|counts| counts.lines_in), "lines_out": rate(|counts| counts.lines_out),
                "bytes_in": rate(|counts| counts.bytes_in), "bytes_out": rate(|counts| counts.bytes_out),
            })
        })
    }

    /// The longest wait of each kind in the last minute, in milliseconds.
    pub fn longest_ms(&self) -> Value {
        let longest = |of: fn(&Waited) -> Duration| {
            let longest = self.0.iter().map(|sample| of(&sample.longest)).max().unwrap_or_default();
            u64::try_from(longest.as_millis()).unwrap_or(u64::MAX)
        };
        json!({
            "input": longest(|waited| waited.input), "output": longest(|waited| waited.output),
            "commit": longest(|waited| waited.commit), "pace": longest(|waited| waited.pace),
        })
    }

    fn by_span(&self, of: impl Fn(&Sample, &Sample, f64) -> Value) -> Value {
        let Some(last) = self.0.back() else { return Value::Null };
        let spans = SPANS.iter().map(|(name, span)| {
            let begin = last.at.saturating_sub(*span);
            // The sample that is closest to the begin of the span; the clock of samples is not exact.
            let from = self.0.iter().min_by_key(|sample| sample.at.abs_diff(begin)).unwrap_or(last);
            let seconds = last.at.saturating_sub(from.at).as_secs_f64();
            // No time has gone in a process that ends before its run begins.
            ((*name).to_owned(), if seconds > 0.0 { of(from, last, seconds) } else { json!({}) })
        });
        Value::Object(spans.collect::<Map<_, _>>())
    }
}

/// Three digits behind the point are enough for people, and for charts.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(second: u64, lines_in: u64, input_ms: u64) -> Sample {
        let waited = Waited { input: Duration::from_millis(input_ms), ..Waited::default() };
        let counts = Counts { lines_in, ..Counts::default() };
        Sample { at: Duration::from_secs(second), counts, waited, longest: waited }
    }

    #[test]
    fn a_span_is_of_its_own_seconds() {
        let mut samples = Samples::new();
        for second in 1..=100 {
            // A hundred lines a second, and from second 95 on none: then it waits.
            samples.push(sample(second, second.min(95) * 100, second.saturating_sub(95) * 1000));
        }
        let (rates, shares) = (samples.rates(), samples.shares());
        assert_eq!((&rates["1s"]["lines_in"], &rates["10s"]["lines_in"]), (&json!(0.0), &json!(50.0)));
        assert_eq!(rates["60s"]["lines_in"], json!(91.667));
        assert_eq!((&shares["1s"]["busy"], &shares["10s"]["input"]), (&json!(0.0), &json!(0.5)));
        assert_eq!(samples.longest_ms()["input"], 5000);
    }

    #[test]
    fn a_run_that_has_not_begun_has_no_shares() {
        let mut samples = Samples::new();
        samples.push(Sample::default());
        assert_eq!((samples.shares(), &samples.rates()["1s"]), (json!({"1s": {}, "10s": {}, "60s": {}}), &json!({})));
    }

    #[test]
    fn a_run_that_is_younger_than_a_span_is_taken_whole() {
        let mut samples = Samples::new();
        samples.push(sample(2, 10, 0));
        assert_eq!(samples.rates()["60s"]["lines_in"], json!(5.0));
        assert_eq!(samples.shares()["60s"]["busy"], json!(1.0));
    }
}
