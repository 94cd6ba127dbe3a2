//! Numbers as people read them.

use units::format_duration;

/// Returns a duration with at most two units: `12s`, `3m5s`, `2h10m`, `1d4h`; below a second in milliseconds.
pub fn short(ms: i64) -> String {
    let unit = match ms.max(0) {
        ..1_000 => 1,
        1_000..3_600_000 => 1_000,
        3_600_000..86_400_000 => 60_000,
        _ => 3_600_000,
    };
    format_duration(ms.max(0) / unit * unit)
}

/// Returns the time that has gone from `then` to `now`; nothing below zero, when clocks differ.
pub fn age(now_ms: i64, then_ms: i64) -> String {
    short(now_ms.saturating_sub(then_ms))
}

/// Returns a number with three digits: `1.2M`, `13k`, `7.0`, `0`.
pub fn scaled(value: f64) -> String {
    let (divisor, suffix) = match value {
        v if v >= 999.5e6 => (1e9, "G"),
        v if v >= 999.5e3 => (1e6, "M"),
        v if v >= 999.5 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let scaled = value / divisor;
    match scaled {
        0.0 => "0".to_owned(),
        s if s >= 99.95 => format!("{s:.0}{suffix}"),
        s => format!("{s:.1}{suffix}"),
    }
}

/// Returns a count with three digits, and all of those below a thousand: `1.2M`, `13k`, `7`.
pub fn tally(value: f64) -> String {
    if value < 999.5 { format!("{value:.0}") } else { scaled(value) }
}

/// Returns a count with commas: `1,234,567`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a size: `64KiB`, `1.5MiB`, `12B`.
pub fn bytes(value: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(size, _)| value >= *size) {
        Some((size, unit)) if value.is_multiple_of(size) => format!("{}{unit}", value / size),
        Some((size, unit)) => format!("{:.1}{unit}", value as f64 / size as f64),
        None => format!("{value}B"),
    }
}

/// Returns `1 line`, `2 lines`.
pub fn lines(value: u64) -> String {
    format!("{} {}", count(value), if value == 1 { "line" } else { "lines" })
}

/// Returns a text from a pipeline for a terminal: control characters would move its cursor, so they become spaces.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_two_units_at_most() {
        let told = [0, 12, 999, 1_500, 65_400, 3_723_000, 90_061_000, -5].map(short);
        assert_eq!(told, ["0s", "12ms", "999ms", "1s", "1m5s", "1h2m", "1d1h", "0s"]);
    }

    #[test]
    fn a_rate_has_three_digits() {
        assert_eq!([0.0, 7.0, 999.0, 1_234.0].map(tally), ["0", "7", "999", "1.2k"]);
        let told = [0.0, 0.04, 7.0, 99.94, 99.96, 999.4, 999.6, 20_000.0, 1e6, 2.5e9].map(scaled);
        assert_eq!(told, ["0", "0.0", "7.0", "99.9", "100", "999", "1.0k", "20.0k", "1.0M", "2.5G"]);
    }

    #[test]
    fn counts_and_sizes() {
        assert_eq!([0, 12, 123, 1_234, 1_234_567].map(count), ["0", "12", "123", "1,234", "1,234,567"]);
        assert_eq!([0, 1_023, 65_536, 1_500_000].map(bytes), ["0B", "1023B", "64KiB", "1.4MiB"]);
        assert_eq!(plain("a\x1b[2Jb\nc"), "a [2Jb c");
    }
}
