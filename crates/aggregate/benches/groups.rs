//! What it costs to find the group of a line, by its key: `cargo bench -p aggregate`.
//!
//! A whole stage, fed with short lines of an empty value, so that little else is to be done for a line.

use aggregate::{Aggregate, Job};
use divan::Bencher;
use divan::counter::ItemsCount;
use line_values::Expression;
use millpipe::{Config, Driver, Rejects};

const LINES: usize = 10_000;

fn main() {
    divan::main();
}

#[divan::bench(args = [1, 1_000, 100_000])]
fn count_by_key(bencher: Bencher<'_, '_>, keys: usize) {
    fed(bencher, keys, |key| format!("{{\"key\":\"user-{key}\"}}\n"));
}

/// Two members, and numbers, which are one key however they are written.
#[divan::bench(args = [1_000])]
fn count_by_two_keys(bencher: Bencher<'_, '_>, keys: usize) {
    fed(bencher, keys, |key| format!("{{\"key\":\"user-{}\",\"shop\":{}.50}}\n", key % 10, key / 10));
}

/// Windows are found too: the lines carry their window, as those of `window` do.
#[divan::bench(args = [1_000])]
fn count_by_key_and_window(bencher: Bencher<'_, '_>, keys: usize) {
    let window = r#""window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:00:10Z""#;
    fed(bencher, keys, |key| format!("{{{window},\"key\":\"user-{key}\"}}\n"));
}

fn fed(bencher: Bencher<'_, '_>, keys: usize, line: impl Fn(usize) -> String) {
    let mut stage = driver();
    let every_key: String = (0..keys).map(&line).collect();
    stage.feed(every_key.as_bytes()).expect("lines");
    let lines: String = (0..LINES).map(|n| line(n * 7_919 % keys)).collect();
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| stage.feed(lines.as_bytes()).is_ok());
}

fn driver() -> Driver<Aggregate> {
    let plan = accumulators::Plan::new(vec!["count".parse().expect("a spec")], accumulators::Settings::default());
    let by = Expression::parse_list("key,shop").expect("keys");
    let stage = Aggregate::new(Job::new(plan.expect("a plan"), by).expect("a job"));
    let mut driver = Driver::new(stage, Config::new("aggregate"), Rejects::in_memory("aggregate"));
    driver.clock(0).expect("a clock");
    driver
}
