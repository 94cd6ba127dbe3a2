//! The rows that are written.

use std::io::Write;

use event_time::write_rfc3339;
use forecasting::Forecast;
use forecasting::accuracy::Accuracy;
use json_fields::write_string;
use millpipe::Out;
use values::{Number, key};

use crate::levels::{Level, Levels};

/// Names of members, each as `"name":`.
pub struct Rows {
    by: Vec<Vec<u8>>,
    lower: Vec<Vec<u8>>,
    upper: Vec<Vec<u8>>,
    coverage: Vec<Vec<u8>>,
    percents: Vec<f64>,
}

/// The members that a row has beside its key and those of its levels.
pub const NAMES: [&str; 7] = ["time", "forecast", "value", "values", "smape", "mase", "$"];

fn member(name: &str) -> Vec<u8> {
    let mut text = Vec::new();
    write_string(name, &mut text);
    text.push(b':');
    text
}

impl Rows {
    pub fn new(by: &[String], levels: &Levels) -> Rows {
        let of = |what: &str| levels.as_slice().iter().map(|level: &Level| member(&level.name(what))).collect();
        Rows {
            by: by.iter().map(|name| member(name)).collect(),
            lower: of("lower"),
            upper: of("upper"),
            coverage: of("coverage"),
            percents: levels.as_slice().iter().map(|level| level.percent).collect(),
        }
    }

    /// Returns the bounds of each step of a forecast, for each level.
    pub fn bounds(&self, forecast: &Forecast) -> Vec<Vec<(f64, f64)>> {
        self.percents.iter().map(|percent| forecast.bounds(*percent).collect()).collect()
    }

    /// Writes a row for each step whose time is one: times end in the year 9999.
    pub fn write_forecast(&self, key: &[u8], forecast: &Forecast, time: impl Fn(usize) -> Option<i64>, out: &mut Out) {
        let bounds = self.bounds(forecast);
        for (step, mean) in forecast.means.iter().enumerate() {
            let Some(time_ms) = time(step) else { return };
            let buffer = out.buffer();
            self.begin(key, buffer);
            write_time(time_ms, buffer);
            buffer.extend_from_slice(b",\"forecast\":");
            write_value(*mean, buffer);
            self.write_bounds(bounds.iter().map(|of_level| of_level[step]), buffer);
            buffer.push(b'}');
            out.end_result();
        }
    }

    /// Writes a value beside what was forecast for it, and how good forecasts were so far.
    pub fn write_check(
        &self,
        key: &[u8],
        time_ms: i64,
        value: f64,
        expected: &Expected,
        accuracy: &Accuracy,
        out: &mut Out,
    ) {
        let buffer = out.buffer();
        self.begin(key, buffer);
        write_time(time_ms, buffer);
        buffer.extend_from_slice(b",\"value\":");
        write_value(value, buffer);
        buffer.extend_from_slice(b",\"forecast\":");
        write_value(expected.mean, buffer);
        self.write_bounds(expected.bounds.iter().copied(), buffer);
        buffer.push(b',');
        self.write_accuracy(accuracy, buffer);
        out.end_result();
    }

    /// Writes how good forecasts were in all.
    pub fn write_total(&self, key: &[u8], accuracy: &Accuracy, out: &mut Out) {
        let buffer = out.buffer();
        self.begin(key, buffer);
        // Writing to memory cannot fail.
        let _ = write!(buffer, "\"values\":{},", accuracy.count);
        self.write_accuracy(accuracy, buffer);
        out.end_result();
    }

    fn begin(&self, key: &[u8], buffer: &mut Vec<u8>) {
        buffer.push(b'{');
        for (name, cell) in self.by.iter().zip(key::cells(key)) {
            buffer.extend_from_slice(name);
            buffer.extend_from_slice(cell);
            buffer.push(b',');
        }
    }

    fn write_bounds(&self, bounds: impl Iterator<Item = (f64, f64)>, buffer: &mut Vec<u8>) {
        for ((lower, upper), bounds) in self.lower.iter().zip(&self.upper).zip(bounds) {
            for (name, bound) in [(lower, bounds.0), (upper, bounds.1)] {
                buffer.push(b',');
                buffer.extend_from_slice(name);
                write_value(bound, buffer);
            }
        }
    }

    fn write_accuracy(&self, accuracy: &Accuracy, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(b"\"smape\":");
        write_maybe(accuracy.smape(), buffer);
        buffer.extend_from_slice(b",\"mase\":");
        write_maybe(accuracy.mase(), buffer);
        for (number, name) in self.coverage.iter().enumerate() {
            buffer.push(b',');
            buffer.extend_from_slice(name);
            write_maybe(accuracy.coverage(number), buffer);
        }
        buffer.push(b'}');
    }
}

/// What was forecast for one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub mean: f64,
    /// For each level.
    pub bounds: Vec<(f64, f64)>,
}

fn write_time(time_ms: i64, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(b"\"time\":\"");
    write_rfc3339(time_ms, buffer);
    buffer.push(b'"');
}

/// What is beyond the range of an f64 is null, as a sum of `aggregate` is.
fn write_value(value: f64, buffer: &mut Vec<u8>) {
    write_maybe(Some(value), buffer);
}

fn write_maybe(value: Option<f64>, buffer: &mut Vec<u8>) {
    match value.filter(|value| value.is_finite()) {
        Some(value) => Number::float(value).write(buffer),
        None => buffer.extend_from_slice(b"null"),
    }
}
