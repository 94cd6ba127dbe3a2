//! What reading and writing the time of a line costs: `cargo bench -p event-time`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use event_time::{TimeParser, TimeUnit, format_rfc3339, parse_rfc3339, write_rfc3339};

const TIMES: usize = 1_000;
/// 2026-01-01T00:00:00Z
const START_MS: i64 = 1_767_225_600_000;

fn main() {
    divan::main();
}

/// A parser that remembers the minute, as the stages have it; times a tenth of a millisecond apart.
#[divan::bench]
fn field_in_rfc3339(bencher: Bencher<'_, '_>) {
    fields(bencher, |n| format!("\"{}\"", format_rfc3339(START_MS + n / 10)));
}

/// Each time is in another minute than the one before.
#[divan::bench]
fn field_in_changing_minutes(bencher: Bencher<'_, '_>) {
    fields(bencher, |n| format!("\"{}\"", format_rfc3339(START_MS + n * 61_001)));
}

#[divan::bench]
fn field_in_epoch_milliseconds(bencher: Bencher<'_, '_>) {
    fields(bencher, |n| (START_MS + n).to_string());
}

#[divan::bench]
fn parse_without_memory(bencher: Bencher<'_, '_>) {
    let texts: Vec<String> = times().map(|n| format_rfc3339(START_MS + n)).collect();
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        for text in &texts {
            assert!(parse_rfc3339(black_box(text.as_bytes())).is_some());
        }
    });
}

#[divan::bench]
fn write(bencher: Bencher<'_, '_>) {
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        out.clear();
        for n in times() {
            write_rfc3339(black_box(START_MS + n * 61_001), &mut out);
        }
        out.len()
    });
}

fn fields(bencher: Bencher<'_, '_>, field: impl Fn(i64) -> String) {
    let fields: Vec<String> = times().map(field).collect();
    let mut parser = TimeParser::new(TimeUnit::default());
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        for field in &fields {
            assert!(parser.parse_field(black_box(field.as_bytes())).is_ok());
        }
    });
}

fn times() -> impl Iterator<Item = i64> {
    (0..TIMES).map(|n| n as i64)
}
