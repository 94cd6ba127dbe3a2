use super::*;
use chrono::{DateTime, FixedOffset, SecondsFormat, TimeZone, Utc};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const RANDOM_TIMES: usize = 1_000_000;

fn oracle(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|t| t.timestamp_millis())
}

#[test]
fn random_times_are_written_as_chrono_writes_them_and_read_back() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut text = Vec::new();
    let mut cache = MinuteCache::default();
    for _ in 0..RANDOM_TIMES {
        let time_ms = rng.random_range(crate::TIME_MIN_MS..=crate::TIME_MAX_MS);
        let time_ms = if rng.random_ratio(1, 3) { time_ms.div_euclid(1_000) * 1_000 } else { time_ms };
        text.clear();
        write_rfc3339(time_ms, &mut text);
        let style = if time_ms % 1_000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        let expected = Utc.timestamp_millis_opt(time_ms).unwrap().to_rfc3339_opts(style, true);
        assert_eq!(std::str::from_utf8(&text).unwrap(), expected);
        assert_eq!(cache.parse(&text), Some(time_ms));
    }
}

#[test]
fn random_times_in_random_zones_are_read_as_chrono_reads_them() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..RANDOM_TIMES {
        let nanos = rng.random_range(0..1_000_000_000);
        let zone = FixedOffset::east_opt(rng.random_range(-1_439..=1_439) * 60).unwrap();
        let seconds = rng.random_range(-62_000_000_000..=253_000_000_000);
        let time = zone.timestamp_opt(seconds, nanos).unwrap();
        let text = time.to_rfc3339_opts(SecondsFormat::Nanos, false);
        assert_eq!(parse_rfc3339(text.as_bytes()), Some(time.timestamp_millis()), "{text}");
    }
}

/// Random edits of a good time: taken exactly when chrono takes it, with its value.
#[test]
fn mutated_times_are_judged_as_chrono_judges_them() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let alphabet = b"0123456789-+:.TZtz 6";
    let mut good = 0;
    for _ in 0..RANDOM_TIMES {
        let mut text = b"2024-02-28T23:59:59.9+08:00".to_vec();
        for _ in 0..rng.random_range(1..4) {
            let place = rng.random_range(0..text.len());
            text[place] = alphabet[rng.random_range(0..alphabet.len())];
        }
        let text = std::str::from_utf8(&text).unwrap();
        let expected = oracle(text);
        // The leap second is ours to round; chrono keeps its fraction.
        if text[17..].starts_with("60") {
            continue;
        }
        good += usize::from(expected.is_some());
        assert_eq!(parse_rfc3339(text.as_bytes()), expected, "{text}");
    }
    assert!(good > RANDOM_TIMES / 20, "{good}");
}

#[test]
fn every_day_of_eight_centuries_counts_one_up() {
    let mut days = days_from_civil(1600, 1, 1);
    for year in 1600..2400 {
        for month in 1..=12 {
            for day in 1..=days_in_month(year, month) {
                assert_eq!(days_from_civil(year, month, day), days);
                assert_eq!(civil_from_days(days), (year, month, day));
                days += 1;
            }
        }
    }
}

#[test]
fn the_looser_forms_of_the_rfc_are_taken() {
    let time_ms = oracle("2026-11-23T02:30:05.125Z").unwrap();
    for text in [
        "2026-11-23 02:30:05.125Z",
        "2026-11-23t02:30:05.125z",
        "2026-11-23T02:30:05.1259999999999999999999Z",
        "2026-11-23T10:30:05.125+08:00",
        "2026-11-22T21:00:05.125-05:30",
        "2026-11-23T02:30:05.125-00:00",
    ] {
        assert_eq!(parse_rfc3339(text.as_bytes()), Some(time_ms), "{text}");
    }
}

#[test]
fn a_leap_second_is_the_start_of_the_next_minute() {
    let next = oracle("2017-01-01T00:00:00Z");
    assert_eq!(parse_rfc3339(b"2016-12-31T23:59:60Z"), next);
    assert_eq!(parse_rfc3339(b"2016-12-31T23:59:60.9Z"), next);
}

#[test]
fn times_before_the_epoch_are_floored() {
    assert_eq!(parse_rfc3339(b"1969-12-31T23:59:59.9999Z"), Some(-1));
    assert_eq!(format_rfc3339(-1), "1969-12-31T23:59:59.999Z");
}

#[test]
fn a_fraction_is_written_only_when_needed() {
    assert_eq!(format_rfc3339(0), "1970-01-01T00:00:00Z");
    assert_eq!(format_rfc3339(500), "1970-01-01T00:00:00.500Z");
    assert_eq!(format_rfc3339(crate::TIME_MAX_MS + 1), "+10000-01-01T00:00:00Z");
    assert_eq!(format_rfc3339(crate::TIME_MIN_MS - 1), "-0001-12-31T23:59:59.999Z");
}

#[test]
fn what_is_not_rfc_3339_is_refused() {
    for text in [
        "",
        "2026-11-23",
        "2026-11-23T02:30Z",
        "2026-11-23T02:30:05",
        "2026-11-23T02:30:05.Z",
        "2026-11-23T02:30:05+0800",
        "2026-11-23T02:30:05+08",
        "2026-11-23T02:30:05ZZ",
        "2026-11-23T24:00:00Z",
        "2026-11-23T02:60:00Z",
        "2026-11-23T02:30:61Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-11-23T02:30:05+24:00",
        "2026-11-23T02:30:05+08:60",
        "\u{ff12}026-11-23T02:30:05Z",
    ] {
        assert_eq!(parse_rfc3339(text.as_bytes()), None, "{text}");
    }
    assert!(parse_rfc3339(b"2000-02-29T00:00:00Z").is_some());
}

#[test]
fn a_remembered_minute_does_not_outlive_its_text() {
    let mut cache = MinuteCache::default();
    for text in [
        "2026-11-23T02:30:05Z",
        "2026-11-23T02:30:59.999Z",
        "2026-11-23T02:31:05Z",
        "2026-11-23T02:30:05+08:00",
        "2026-11-23T02:30:05Z",
    ] {
        assert_eq!(cache.parse(text.as_bytes()), oracle(text), "{text}");
    }
    assert_eq!(cache.parse(b"2026-11-23T02:99:05Z"), None);
    assert_eq!(cache.parse(b"2026-11-23T02:30:05Z"), oracle("2026-11-23T02:30:05Z"));
}
