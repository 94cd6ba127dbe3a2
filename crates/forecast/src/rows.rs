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
    /// What says which value a row is of, as `"forecast_of":"name",`; empty where there is only one.
    of_values: Vec<Vec<u8>>,
    lower: Vec<Vec<u8>>,
    upper: Vec<Vec<u8>>,
    coverage: Vec<Vec<u8>>,
    percents: Vec<f64>,
}

/// The series that a row is of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub key: &'a [u8],
    /// Which of `--value`.
    pub value: usize,
}

/// The member that says which of several values a row is of.
pub const OF: &str = "forecast_of";
/// The other members that a row has beside its key and those of its levels.
pub const NAMES: [&str; 7] = ["time", "forecast", "value", "values", "smape", "mase", "$"];

fn member(name: &str) -> Vec<u8> {
    let mut text = Vec::new();
    write_string(name, &mut text);
    text.push(b':');
    text
}

fn of_value(name: &str) -> Vec<u8> {
    let mut text = member(OF);
    write_string(name, &mut text);
    text.push(b',');
    text
}

impl Rows {
    /// Makes the rows of the keys and the values of these names.
    pub fn new(by: &[String], values: &[String], levels: &Levels) -> Rows {
        let of = |what: &str| levels.as_slice().iter().map(|level: &Level| member(&level.name(what))).collect();
        Rows {
            by: by.iter().map(|name| member(name)).collect(),
            of_values: if values.len() > 1 { values.iter().map(|name| of_value(name)).collect() } else { Vec::new() },
            lower: of("lower"),
            upper: of("upper"),
            coverage: of("coverage"),
            percents: levels.as_slice().iter().map(|level| level.percent).collect(),
        }
    }

    /// Returns true if there is more than one value.
    pub fn has_several_values(&self) -> bool {
        !self.of_values.is_empty()
    }

    /// Returns the bounds of each step of a forecast, for each level.
    pub fn bounds(&self, forecast: &Forecast) -> Vec<Vec<(f64, f64)>> {
        self.percents.iter().map(|percent| forecast.bounds(*percent).collect()).collect()
    }

    /// Writes a row for each step whose time is one: times end in the year 9999.
    pub fn write_forecast(
        &self,
        subject: Subject<'_>,
        forecast: &Forecast,
        time: impl Fn(usize) -> Option<i64>,
        out: &mut Out,
    ) {
        let bounds = self.bounds(forecast);
        for (step, mean) in forecast.means.iter().enumerate() {
            let Some(time_ms) = time(step) else { return };
            let buffer = out.buffer();
            self.begin(subject, buffer);
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
        subject: Subject<'_>,
        time_ms: i64,
        value: f64,
        expected: &Expected,
        accuracy: &Accuracy,
        out: &mut Out,
    ) {
        let buffer = out.buffer();
        self.begin(subject, buffer);
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
    pub fn write_total(&self, subject: Subject<'_>, accuracy: &Accuracy, out: &mut Out) {
        let buffer = out.buffer();
        self.begin(subject, buffer);
        // Writing to memory cannot fail.
        let _ = write!(buffer, "\"values\":{},", accuracy.count);
        self.write_accuracy(accuracy, buffer);
        out.end_result();
    }

    fn begin(&self, subject: Subject<'_>, buffer: &mut Vec<u8>) {
        buffer.push(b'{');
        for (name, cell) in self.by.iter().zip(key::cells(subject.key)) {
            buffer.extend_from_slice(name);
            buffer.extend_from_slice(cell);
            buffer.push(b',');
        }
        if let Some(of_value) = self.of_values.get(subject.value) {
            buffer.extend_from_slice(of_value);
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
