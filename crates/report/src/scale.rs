//! Axes: round numbers, round times in UTC, and how both are written.

use time_text::{civil_from_days, format_rfc3339};

/// What x is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisKind {
    /// Milliseconds since the epoch.
    Time,
    #[default]
    Number,
}

const SECOND: f64 = 1e3;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// Distances of ticks on an axis of times, below a month.
const STEPS: [f64; 24] = [
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    50.0,
    100.0,
    200.0,
    500.0,
    SECOND,
    2.0 * SECOND,
    5.0 * SECOND,
    10.0 * SECOND,
    30.0 * SECOND,
    MINUTE,
    2.0 * MINUTE,
    5.0 * MINUTE,
    10.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    3.0 * HOUR,
    6.0 * HOUR,
    12.0 * HOUR,
    DAY,
];
/// The same from two days on.
const DAYS: [f64; 3] = [2.0 * DAY, 7.0 * DAY, 14.0 * DAY];
const MONTHS: [i64; 13] = [1, 3, 6, 12, 24, 60, 120, 600, 1200, 2400, 6000, 12_000, 24_000];

/// The days from a Thursday, on which the epoch began, to a Monday.
const MONDAY: f64 = 4.0 * DAY;

/// Returns where a value is between two others: 0 at the first, 1 at the second, and in the middle where those are one.
#[must_use]
pub fn fraction(value: f64, from: f64, to: f64) -> f64 {
    // Halves: a range may be longer than the largest number.
    let part = (value / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0);
    if part.is_finite() { part } else { 0.5 }
}

/// Ticks of an axis: where, and what is written there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ticks {
    pub places: Vec<f64>,
    pub labels: Vec<String>,
}

/// Places at most `max` ticks from `from` to `to`.
#[must_use]
pub fn ticks(kind: AxisKind, from: f64, to: f64, max: usize) -> Ticks {
    match kind {
        AxisKind::Time if !long_time(from).is_empty() && !long_time(to).is_empty() => time_ticks(from, to, max),
        _ => number_ticks(from, to, max),
    }
}

/// Places ticks at 1, 2 or 5 times a power of ten.
#[must_use]
pub fn number_ticks(from: f64, to: f64, max: usize) -> Ticks {
    let step = round_up((to - from) / max.max(1) as f64);
    let places = multiples(from, to, step, max);
    let digits = digits_of(step);
    let largest = from.abs().max(to.abs());
    let labels = places.iter().map(|place| number_label(*place, digits, largest)).collect();
    Ticks { places, labels }
}

/// The next 1, 2 or 5 times a power of ten that is not below a number.
fn round_up(step: f64) -> f64 {
    if !(step.is_finite() && step > 0.0) {
        return 1.0;
    }
    let mut power = 1.0;
    while power * 10.0 <= step {
        power *= 10.0;
    }
    while power > step {
        power /= 10.0;
    }
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|round| *round >= step * 0.999_999)
        .unwrap_or(step)
}

fn multiples(from: f64, to: f64, step: f64, max: usize) -> Vec<f64> {
    let first = (from / step - 1e-9).ceil();
    let all = (0..=max.saturating_add(1)).map(|n| (first + n as f64) * step);
    all.take_while(|place| *place <= to + step * 1e-9)
        .filter(|place| place.is_finite())
        .map(|place| place + 0.0)
        .collect()
}

/// How many digits after the point tell two neighbours apart.
fn digits_of(step: f64) -> usize {
    let mut digits = 0;
    let mut scaled = step;
    while digits < 9 && (scaled - scaled.round()).abs() > scaled * 1e-6 {
        scaled *= 10.0;
        digits += 1;
    }
    digits
}

const UNITS: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];

fn number_label(value: f64, digits: usize, largest: f64) -> String {
    if largest >= 1e15 || (largest < 1e-4 && largest > 0.0) {
        return if value == 0.0 { "0".to_owned() } else { format!("{value:.1e}") };
    }
    match UNITS.iter().find(|(unit, _)| largest >= *unit * 10.0) {
        Some((unit, letter)) if value != 0.0 => format!("{}{letter}", trimmed(value / unit, 3)),
        _ => format!("{value:.digits$}"),
    }
}

/// Writes a number with about four digits: `1.234k`, `0.0571`, `12`.
#[must_use]
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        return "–".to_owned();
    }
    if size >= 1e15 || (size < 1e-4 && size > 0.0) {
        return format!("{value:.2e}");
    }
    match UNITS.iter().find(|(unit, _)| size >= *unit * 10.0) {
        Some((unit, letter)) => format!("{}{letter}", trimmed(value / unit, digits_for(size / unit))),
        None => trimmed(value, digits_for(size)),
    }
}

fn digits_for(size: f64) -> usize {
    [(1000.0, 0), (100.0, 1), (10.0, 2), (1.0, 3)]
        .into_iter()
        .find(|(from, _)| size >= *from)
        .map_or(5, |(_, digits)| digits)
}

/// The number without zeros at its end.
fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn time_ticks(from: f64, to: f64, max: usize) -> Ticks {
    let least = (to - from) / max.max(1) as f64;
    if let Some(step) = STEPS.into_iter().find(|step| *step >= least) {
        return labelled(multiples(from, to, step, max), step);
    }
    if let Some(step) = DAYS.into_iter().find(|step| *step >= least) {
        let places = multiples(from - MONDAY, to - MONDAY, step, max);
        return labelled(places.into_iter().map(|place| place + MONDAY).collect(), step);
    }
    month_ticks(from, to, max)
}

fn month_ticks(from: f64, to: f64, max: usize) -> Ticks {
    let months = |time: f64| {
        let (year, month, _) = civil_from_days((time / DAY).floor() as i64);
        year * 12 + month - 1
    };
    let (first, last) = (months(from), months(to));
    let step = MONTHS.into_iter().find(|step| (last - first) / step < max as i64).unwrap_or(120_000);
    let start = |month: i64| time_text::days_from_civil(month.div_euclid(12), month.rem_euclid(12) + 1, 1) as f64 * DAY;
    let multiples = (first.div_euclid(step)..=last.div_euclid(step)).map(|n| start(n * step));
    let places: Vec<f64> = multiples.filter(|place| (from..=to).contains(place)).collect();
    let labels = places.iter().map(|place| if step >= 12 { text(*place, 0, 4) } else { text(*place, 0, 7) }).collect();
    Ticks { places, labels }
}

/// Times of day where that tells them apart, with the date where it is another than that of the tick before.
fn labelled(places: Vec<f64>, step: f64) -> Ticks {
    let clock = |place: f64| match step {
        _ if step < SECOND => text(place, 11, 23),
        _ if step < MINUTE => text(place, 11, 19),
        _ => text(place, 11, 16),
    };
    let mut day_before = None;
    let mut label = |place: f64| {
        let day = (place / DAY).floor();
        let is_new = day_before.replace(day) != Some(day);
        match (step >= DAY, is_new && place == day * DAY) {
            (true, _) | (_, true) => text(place, 5, 10),
            _ => clock(place),
        }
    };
    let labels = places.iter().map(|place| label(*place)).collect();
    Ticks { places, labels }
}

/// A part of the time as RFC 3339 with three digits of fraction; empty where it is none.
fn text(time: f64, from: usize, to: usize) -> String {
    let full = long_time(time);
    full.get(from..to.min(full.len())).unwrap_or_default().to_owned()
}

/// `2026-01-01T00:00:00.000`, of a time in milliseconds; empty beyond the years 0000 to 9999.
fn long_time(time: f64) -> String {
    if !(-62_167_219_200_000.0..253_402_300_800_000.0).contains(&time) {
        return String::new();
    }
    let text = format_rfc3339(time.floor() as i64);
    let text = text.trim_end_matches('Z');
    if text.len() == 19 { format!("{text}.000") } else { text.to_owned() }
}

/// Writes an x in full: a time as RFC 3339, a number as it is.
#[must_use]
pub fn x_text(kind: AxisKind, x: f64) -> String {
    let is_time = kind == AxisKind::Time && !long_time(x).is_empty();
    if is_time { format_rfc3339(x.floor() as i64) } else { x.to_string() }
}

/// Writes a range of x: what the ticks, which may be times of a day, leave out.
#[must_use]
pub fn range_text(kind: AxisKind, from: f64, to: f64) -> String {
    let (from, to) = (x_text(kind, from), x_text(kind, to));
    match kind {
        AxisKind::Time => {
            let plain = |text: &str| text.trim_end_matches('Z').replace('T', " ");
            let (from, to) = (plain(&from), plain(&to));
            let to = match (from.get(..10), to.get(..10)) {
                (Some(one), Some(other)) if one == other => to.get(11..).unwrap_or_default().to_owned(),
                _ => to,
            };
            format!("{from} – {to} UTC")
        }
        AxisKind::Number => format!("{from} – {to}"),
    }
}

#[cfg(test)]
mod tests;
