//! One generated line: a metric of a host, with seasons, a trend, noise, and anomalies whose kind is in the line.
//!
//! Line N is of host N mod `--keys`, and all hosts have a line at each time. A value is a level, times what the trend, the
//! day and the week make of it, and normal noise of three hundredths of the level. From the third day on, about one day in three of a host
//! has one anomaly. All is a function of the seed and the line: random numbers are the finalizer of `SplitMix64`
//! (Steele, Lea, Flood 2014) of the seed, the host and the line or day.

use std::f64::consts::TAU;

use event_time::write_rfc3339;
use values::Number;

use crate::Spec;

/// No line is longer: 24 of the time, 20 each of host and value, 11 of the label, and the names.
pub const LINE_BYTES_MAX: usize = 128;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// The first days have no anomaly: detectors learn from them.
const QUIET_DAYS: i64 = 2;
/// The number of days of a host for each day with an anomaly.
const DAYS_FOR_EACH: u64 = 3;
/// Deviation of the noise, as a part of the level.
const NOISE: f64 = 0.03;

/// An endless row of metrics.
pub struct Metrics {
    seed: u64,
    keys: u64,
    /// How long it is from one line of a host to the next.
    step_ms: i64,
    out_of_order_ms: u64,
    line: u64,
}

/// What is wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Spike,
    Dip,
    LevelShift,
    Variance,
    FlatLine,
}

const KINDS: [Kind; 5] = [Kind::Spike, Kind::Dip, Kind::LevelShift, Kind::Variance, Kind::FlatLine];

impl Kind {
    /// Its name, as `detect` says it.
    fn name(self) -> &'static str {
        match self {
            Kind::Spike => "spike",
            Kind::Dip => "dip",
            Kind::LevelShift => "level shift",
            Kind::Variance => "variance",
            Kind::FlatLine => "flat line",
        }
    }

    fn length_ms(self) -> i64 {
        match self {
            Kind::Spike => MINUTE_MS,
            Kind::Dip => 10 * MINUTE_MS,
            Kind::LevelShift => 3 * HOUR_MS,
            Kind::Variance | Kind::FlatLine => 2 * HOUR_MS,
        }
    }
}

impl Metrics {
    pub fn new(spec: &Spec) -> Self {
        let out_of_order_ms = u64::try_from(spec.out_of_order_ms).unwrap_or(0);
        Self { seed: spec.seed, keys: spec.keys, step_ms: spec.event_ms(spec.keys).max(1), out_of_order_ms, line: 0 }
    }

    /// Goes to a line, counted from 0.
    pub fn seek(&mut self, line: u64) {
        self.line = line;
    }

    /// Appends the next line, without a newline. Event time started at `start_ms`; that of the host's line is `elapsed_ms` after it.
    pub fn write_next(&mut self, start_ms: i64, elapsed_ms: i64, to: &mut Vec<u8>) {
        let host = self.line % self.keys;
        let (value, label) = self.value(host, start_ms, elapsed_ms);
        let early = random(self.seed, 4, self.line, 0) % self.out_of_order_ms.max(1);
        let late_by_ms = i64::try_from(self.out_of_order_ms.saturating_sub(early)).unwrap_or(0);
        to.extend_from_slice(b"{\"timestamp\":\"");
        write_rfc3339(start_ms + elapsed_ms + late_by_ms, to);
        to.extend_from_slice(b"\",\"host\":\"web-");
        Number::decimal(i128::from(host), 0).write(to);
        to.extend_from_slice(b"\",\"value\":");
        let hundredths = libm::floor(value * 100.0 + 0.5) as i64;
        Number::decimal(i128::from(hundredths), 2).write(to);
        to.extend_from_slice(b",\"label\":");
        match label {
            Some(kind) => to.extend_from_slice(format!("\"{}\"", kind.name()).as_bytes()),
            None => to.extend_from_slice(b"null"),
        }
        to.push(b'}');
        self.line += 1;
    }

    /// Returns the value of a host at a time, and what is wrong with it.
    fn value(&self, host: u64, start_ms: i64, elapsed_ms: i64) -> (f64, Option<Kind>) {
        let ordinary = self.ordinary(host, start_ms, elapsed_ms, NOISE);
        let Some((kind, from_ms)) = self.anomaly(host, elapsed_ms) else { return (ordinary, None) };
        let value = match kind {
            Kind::Spike => ordinary * 2.5,
            Kind::Dip => ordinary * 0.3,
            Kind::LevelShift => ordinary * 1.6,
            Kind::Variance => self.ordinary(host, start_ms, elapsed_ms, 6.0 * NOISE),
            // The first of its lines is ordinary.
            Kind::FlatLine => self.ordinary(host, start_ms, from_ms, NOISE),
        };
        (value.max(0.0), Some(kind))
    }

    /// Level, trend, day, week and noise; `elapsed_ms` tells the trend, the clock the seasons.
    fn ordinary(&self, host: u64, start_ms: i64, elapsed_ms: i64, noise: f64) -> f64 {
        let trait_of_host = |number| unit(random(self.seed, 1, host, number));
        let level = 50.0 + 100.0 * trait_of_host(0);
        let trend = 0.3 * trait_of_host(1) * elapsed_ms as f64 / (30 * DAY_MS) as f64;
        let time_ms = start_ms + elapsed_ms;
        let day = time_ms.rem_euclid(DAY_MS) as f64 / DAY_MS as f64 - 0.25 * trait_of_host(2);
        let week = time_ms.rem_euclid(7 * DAY_MS) as f64 / (7 * DAY_MS) as f64;
        let of_day = 0.35 * libm::sin(TAU * (day - 0.3)) + 0.1 * libm::sin(2.0 * TAU * day);
        // The epoch was a Thursday: the week is lowest on Sunday.
        let of_week = -0.12 * libm::cos(TAU * (week - 3.0 / 7.0));
        level * (1.0 + trend + of_day + of_week + noise * self.normal(host, elapsed_ms))
    }

    /// A standard normal number of a host and a time: that of Box and Muller.
    fn normal(&self, host: u64, elapsed_ms: i64) -> f64 {
        let at =
            |number| unit(random(self.seed ^ random(self.seed, 2, host, number), 3, elapsed_ms.unsigned_abs(), number));
        // The logarithm's argument is in (0, 1]: never zero.
        libm::sqrt(-2.0 * libm::log(1.0 - at(0))) * libm::cos(TAU * at(1))
    }

    /// Returns the anomaly that a time lies in, and when the first of its lines is. None crosses midnight of elapsed time.
    fn anomaly(&self, host: u64, elapsed_ms: i64) -> Option<(Kind, i64)> {
        let day = elapsed_ms.div_euclid(DAY_MS);
        let choice = |number| random(self.seed ^ 5, host, day.unsigned_abs(), number);
        if day < QUIET_DAYS || !choice(0).is_multiple_of(DAYS_FOR_EACH) {
            return None;
        }
        let kind = KINDS[usize::try_from(choice(1) % KINDS.len() as u64).unwrap_or(0)];
        let length_ms = kind.length_ms().max(self.step_ms);
        let room_ms = (DAY_MS - length_ms).max(1).unsigned_abs();
        let from_ms = day * DAY_MS + i64::try_from(choice(2) % room_ms).unwrap_or(0);
        let first_ms = from_ms.saturating_add(self.step_ms - 1) / self.step_ms * self.step_ms;
        (first_ms..first_ms + length_ms).contains(&elapsed_ms).then_some((kind, first_ms))
    }
}

/// A random number from 0 to below 1.
fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

/// A random number of these.
fn random(seed: u64, use_of_it: u64, a: u64, b: u64) -> u64 {
    [use_of_it, a, b].into_iter().fold(mixed(seed), |state, more| mixed(state ^ mixed(more.wrapping_add(state))))
}

/// The next number of `SplitMix64`.
fn mixed(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
