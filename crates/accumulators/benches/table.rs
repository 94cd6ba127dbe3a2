//! What the states of a group cost: to update, to merge, to write. `cargo bench -p accumulators --bench table`.
//!
//! A group with more than 512 values has a DDSketch, one with fewer has the values themselves.

use std::sync::Arc;

use accumulators::{Plan, Settings, Table, Values, WriteScratch};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use json_fields::Scanner;

const STATS: [&str; 5] = ["count", "sum:v", "avg:v", "min:v", "max:v"];
const PERCENTILES: [&str; 4] = ["p50:v", "p90:v", "p95:v", "p99:v"];
const FEW: usize = 100;
const MANY: usize = 5_000;

fn main() {
    divan::main();
}

/// Count, sum, average, minimum and maximum, of groups in turn.
#[divan::bench(args = [1, 1_000, 100_000])]
fn update_stats(bencher: Bencher<'_, '_>, groups: usize) {
    let mut job = Job::new(&STATS);
    for _ in 0..groups {
        job.table.push();
    }
    let lines = lines(1_000);
    let mut group = 0;
    bencher.counter(ItemsCount::new(lines.len())).bench_local(|| {
        for line in &lines {
            group = (group + 7_919) % groups;
            job.update(group, line);
        }
    });
}

#[divan::bench]
fn add_to_a_sketch(bencher: Bencher<'_, '_>) {
    let (mut job, lines) = (Job::new(&PERCENTILES), lines(1_000));
    let group = job.filled(MANY);
    bencher.counter(ItemsCount::new(lines.len())).bench_local(|| {
        for line in &lines {
            job.update(group, line);
        }
    });
}

#[divan::bench(args = [FEW, MANY])]
fn merge_percentiles(bencher: Bencher<'_, '_>, values: usize) {
    let mut job = Job::new(&PERCENTILES);
    let (into, from) = (job.filled(MANY), job.filled(values));
    bencher.bench_local(|| job.table.merge_within(into, black_box(from)));
}

#[divan::bench(args = [FEW, MANY])]
fn write_percentiles(bencher: Bencher<'_, '_>, values: usize) {
    write(bencher, &PERCENTILES, values);
}

#[divan::bench]
fn write_stats(bencher: Bencher<'_, '_>) {
    write(bencher, &STATS, FEW);
}

fn write(bencher: Bencher<'_, '_>, specs: &[&str], values: usize) {
    let mut job = Job::new(specs);
    let group = job.filled(values);
    let (mut scratch, mut out) = (WriteScratch::default(), Vec::new());
    bencher.bench_local(|| {
        out.clear();
        job.table.write_results(black_box(group), None, &mut scratch, &mut out);
        out.len()
    });
}

struct Job {
    plan: Arc<Plan>,
    scanner: Scanner,
    values: Values,
    table: Table,
    sequence: u64,
}

impl Job {
    fn new(specs: &[&str]) -> Job {
        let specs = specs.iter().map(|spec| spec.parse().expect("a spec")).collect();
        let plan = Arc::new(Plan::new(specs, Settings::default()).expect("a plan"));
        let scanner = Scanner::new(plan.paths());
        let table = Table::new(&plan);
        Job { plan, scanner, values: Values::default(), table, sequence: 0 }
    }

    fn update(&mut self, group: usize, line: &str) {
        let line = line.as_bytes();
        let fields = self.scanner.scan(line).expect("a line");
        self.values.read(&self.plan, fields.as_slice(), line).expect("a number");
        self.table.update(group, &self.values, line, self.sequence).expect("no limit");
        self.sequence += 1;
    }

    /// A new group with so many values.
    fn filled(&mut self, values: usize) -> usize {
        let group = self.table.push();
        for line in lines(values) {
            self.update(group, &line);
        }
        group
    }
}

fn lines(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| n * 104_729 % 100_003)
        .map(|cents| format!("{{\"v\":{}.{:02}}}", cents / 100, cents % 100))
        .collect()
}
