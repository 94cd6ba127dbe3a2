//! Prints what a scan costs per line, on lines as the standard job has them. An argument names the one
//! measurement to make.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::Instant;

use json_fields::{FieldPath, PathError, Scanner, validate};

const LINES: usize = 10_000;
const ROUNDS: usize = 100;

fn main() -> Result<(), PathError> {
    let paths = FieldPath::parse_list("timestamp,key,value")?;
    let lines: Vec<String> = (0..LINES).map(line).collect();
    let bytes: usize = lines.iter().map(String::len).sum();
    println!("{} bytes a line, {} fields", bytes / LINES, paths.len());

    let mut full = Scanner::new(&paths).without_shapes();
    measure("full scanner", &lines, |line| full.scan(line).is_ok());
    let mut shapes = Scanner::new(&paths);
    measure("remembered shapes", &lines, |line| shapes.scan(line).is_ok());
    measure("validate", &lines, |line| validate(line).is_ok());

    let mixed: Vec<String> = (0..LINES).map(mixed_line).collect();
    let mut full = Scanner::new(&paths).without_shapes();
    measure("mixed, full scanner", &mixed, |line| full.scan(line).is_ok());
    let mut shapes = Scanner::new(&paths);
    measure("mixed, with shapes", &mixed, |line| shapes.scan(line).is_ok());
    Ok(())
}

/// The best round, so that other work on the machine counts little.
fn measure(name: &str, lines: &[String], mut scan: impl FnMut(&[u8]) -> bool) {
    if std::env::args().nth(1).is_some_and(|only| only != name) {
        return;
    }
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for line in lines {
            assert!(scan(black_box(line.as_bytes())));
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{name:20} {:6.1} ns a line", best * 1e9 / lines.len() as f64);
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
