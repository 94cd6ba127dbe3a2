//! What reading, adding and writing numbers costs: `cargo bench -p accumulators --bench numbers`.

use accumulators::Sum;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use values::{Number, write_f64};

const NUMBERS: usize = 1_000;

fn main() {
    divan::main();
}

#[divan::bench]
fn parse_decimals(bencher: Bencher<'_, '_>) {
    parse(bencher, decimal);
}

#[divan::bench]
fn parse_integers(bencher: Bencher<'_, '_>) {
    parse(bencher, |n| (n * 104_729).to_string());
}

#[divan::bench]
fn parse_with_exponents(bencher: Bencher<'_, '_>) {
    parse(bencher, |n| format!("{}.{:03}e{}", n % 9 + 1, n % 1000, n % 3));
}

#[divan::bench]
fn add_to_a_sum(bencher: Bencher<'_, '_>) {
    let numbers = parsed();
    bencher.counter(ItemsCount::new(NUMBERS)).bench_local(|| {
        let mut sum = Sum::default();
        for number in &numbers {
            sum.add(black_box(number));
        }
        sum.to_f64()
    });
}

#[divan::bench]
fn write_decimals(bencher: Bencher<'_, '_>) {
    let (numbers, mut out) = (parsed(), Vec::new());
    bencher.counter(ItemsCount::new(NUMBERS)).bench_local(|| {
        out.clear();
        for number in &numbers {
            black_box(number).write(&mut out);
        }
        out.len()
    });
}

/// Averages and percentiles have many digits.
#[divan::bench]
fn write_floats(bencher: Bencher<'_, '_>) {
    let (numbers, mut out) = (parsed(), Vec::new());
    let floats: Vec<f64> = numbers.iter().map(|number| number.to_f64() / 3.0).collect();
    bencher.counter(ItemsCount::new(NUMBERS)).bench_local(|| {
        out.clear();
        for float in &floats {
            write_f64(black_box(*float), &mut out);
        }
        out.len()
    });
}

fn parse(bencher: Bencher<'_, '_>, text: impl Fn(usize) -> String) {
    let texts: Vec<String> = (0..NUMBERS).map(text).collect();
    bencher.counter(ItemsCount::new(NUMBERS)).bench_local(|| {
        for text in &texts {
            assert!(Number::parse(black_box(text.as_bytes())).is_ok());
        }
    });
}

fn parsed() -> Vec<Number> {
    (0..NUMBERS).map(|n| Number::parse(decimal(n).as_bytes()).expect("a number")).collect()
}

fn decimal(n: usize) -> String {
    let cents = n * 104_729 % 10_000;
    format!("{}.{:02}", cents / 100, cents % 100)
}
