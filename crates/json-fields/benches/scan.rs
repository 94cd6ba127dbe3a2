//! What finding three fields costs, on lines as the standard job has them: `cargo bench -p json-fields`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use json_fields::{FieldPath, Scanner, validate};

const LINES: usize = 1_000;

fn main() {
    divan::main();
}

#[divan::bench]
fn remembered_shapes(bencher: Bencher<'_, '_>) {
    measure(bencher, Scanner::new(&paths()), line);
}

#[divan::bench]
fn full_scanner(bencher: Bencher<'_, '_>) {
    measure(bencher, Scanner::new(&paths()).without_shapes(), line);
}

/// Shapes that cannot be remembered cost the attempt, and then the full scan.
#[divan::bench]
fn lines_of_twelve_shapes(bencher: Bencher<'_, '_>) {
    measure(bencher, Scanner::new(&paths()), mixed_line);
}

#[divan::bench]
fn nested_and_escaped(bencher: Bencher<'_, '_>) {
    measure(bencher, Scanner::new(&paths()), nested_line);
}

#[divan::bench]
fn validation_alone(bencher: Bencher<'_, '_>) {
    let lines: Vec<String> = (0..LINES).map(line).collect();
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        for line in &lines {
            assert!(validate(black_box(line.as_bytes())).is_ok());
        }
    });
}

fn measure(bencher: Bencher<'_, '_>, mut scanner: Scanner, line: impl Fn(usize) -> String) {
    let lines: Vec<String> = (0..LINES).map(line).collect();
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        for line in &lines {
            assert!(scanner.scan(black_box(line.as_bytes())).is_ok());
        }
    });
}

fn paths() -> Vec<FieldPath> {
    FieldPath::parse_list("timestamp,key,value").expect("paths")
}

fn line(n: usize) -> String {
    let (second, ms) = (n / 1000 % 60, n % 1000);
    let (user, cents, zone) = (n * 7919 % 1000, n * 104_729 % 10_000, n % 9);
    format!(
        concat!(
            r#"{{"timestamp":"2026-11-22T10:00:{:02}.{:03}Z","key":"user-{}","value":{}.{:02},"#,
            r#""status":200,"path":"/api/v1/users/list/{}","host":"web-{}.eu-west-1a.example"}}"#
        ),
        second,
        ms,
        user,
        cents / 100,
        cents % 100,
        n % 50,
        zone
    )
}

/// Twelve shapes in an order without a pattern: too many to remember.
fn mixed_line(n: usize) -> String {
    let shape = n * 2_654_435_761 / 1000 % 12;
    line(n).replace("\"status\"", &format!("\"status{shape}\""))
}

fn nested_line(n: usize) -> String {
    let members = r#""tags":["a",{"deep":[1,[2,[3]]]}],"agent":"a \"quoted\" \u00e9","status"#;
    mixed_line(n).replace("\"status", members)
}
