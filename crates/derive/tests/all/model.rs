//! Against a model that keeps all lines and works each member out anew.

use std::collections::HashMap;

use clap::Parser;
use derive::cli::Cli;
use proptest::prelude::*;
use serde_json::Value;
use testkit::play;

/// The times of the lines of a key, and times and values of those that have one.
type Known = (Vec<i64>, Vec<(i64, i64)>);

/// A line: its key, its time in seconds, its value in hundredths.
type Line = (u8, i64, Option<i64>);

const SPECS: [&str; 13] = [
    "n=count:3s",
    "sum=sum:4:v",
    "tsum=sum:3s:v",
    "mean=mean:4:v",
    "min=min:3s:v",
    "max=max:5:v",
    "median=median:3s:v",
    "p25=p25:6:v",
    "stddev=stddev:3s:v",
    "slope=slope:20:v",
    "grown=increase:3s:v",
    "d=delta:2:v",
    "s=shift:3:v",
];

fn expected(name: &str, times: &[i64], lines: &[(i64, i64)]) -> Option<f64> {
    let now = *times.last()?;
    let since = |count: usize| &lines[lines.len().saturating_sub(count)..];
    let within: Vec<(i64, i64)> = lines.iter().filter(|(time, _)| *time > now - 3).copied().collect();
    let values = |lines: &[(i64, i64)]| -> Vec<i64> { lines.iter().map(|(_, value)| *value).collect() };
    let sum = |lines: &[(i64, i64)]| lines.iter().map(|(_, value)| value).sum::<i64>() as f64 / 100.0;
    let ago = |lag: usize| lines.len().checked_sub(lag + 1).map(|at| lines[at].1);
    match name {
        "n" => Some(times.iter().filter(|time| **time > now - 3).count() as f64),
        "sum" => Some(sum(since(4))),
        "tsum" => Some(sum(&within)),
        "mean" => Some(sum(since(4)) / since(4).len() as f64),
        "min" => values(&within).into_iter().min().map(|value| value as f64 / 100.0),
        "max" => values(since(5)).into_iter().max().map(|value| value as f64 / 100.0),
        "median" => percentile(values(&within), 50.0),
        "p25" => percentile(values(since(6)), 25.0),
        "stddev" => stddev(&values(&within)),
        "slope" => slope(since(20)),
        "grown" => (within.len() > 1).then(|| grown(&values(&within)) as f64 / 100.0),
        "d" => Some((lines.last()?.1 - ago(2)?) as f64 / 100.0),
        _ => Some(ago(3)? as f64 / 100.0),
    }
}

fn percentile(mut values: Vec<i64>, percent: f64) -> Option<f64> {
    values.sort_unstable();
    let position = percent * values.len().checked_sub(1)? as f64 / 100.0;
    let (low, part) = (position as usize, position.fract());
    let high = values.get(low + 1).copied().unwrap_or(values[low]);
    Some((values[low] as f64 * (1.0 - part) + high as f64 * part) / 100.0)
}

fn stddev(values: &[i64]) -> Option<f64> {
    let mean = values.iter().sum::<i64>() as f64 / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (*value as f64 - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt() / 100.0)
}

fn slope(lines: &[(i64, i64)]) -> Option<f64> {
    let n = lines.len() as f64;
    let (x, y) = (lines.iter().map(|l| l.0 as f64).sum::<f64>() / n, lines.iter().map(|l| l.1 as f64).sum::<f64>() / n);
    let xx: f64 = lines.iter().map(|line| (line.0 as f64 - x).powi(2)).sum();
    let xy: f64 = lines.iter().map(|line| (line.0 as f64 - x) * (line.1 as f64 - y)).sum();
    (xx > 1e-9).then(|| xy / xx / 100.0)
}

fn grown(values: &[i64]) -> i64 {
    values.windows(2).map(|pair| if pair[1] < pair[0] { pair[1] } else { pair[1] - pair[0] }).sum()
}

fn hundredths(value: i64) -> String {
    format!("{}{}.{:02}", if value < 0 { "-" } else { "" }, value.abs() / 100, value.abs() % 100)
}

proptest! {
    #[test]
    fn members_are_what_the_lines_say(lines in prop::collection::vec((0u8..3, 0i64..3, prop::option::of(-500i64..500)), 1..120)) {
        let mut time = -50;
        let lines: Vec<Line> = lines.into_iter().map(|(key, step, value)| { time += step; (key, time, value) }).collect();
        let input: String = lines.iter().map(|(key, time, value)| {
            let value = value.map_or("null".to_owned(), hundredths);
            format!("{{\"k\":{key},\"t\":{time},\"v\":{value}}}\n")
        }).collect();
        let words = ["derive", "--by", "k", "--time", "t"].into_iter().chain(SPECS);
        let played = play(Cli::try_parse_from(words).unwrap().derive().unwrap(), &input);
        prop_assert_eq!(&played.result, &Ok(()));
        let mut known: HashMap<u8, Known> = HashMap::new();
        for (line, (key, time, value)) in played.out.lines().zip(&lines) {
            let (times, valued) = known.entry(*key).or_default();
            times.push(*time);
            valued.extend(value.map(|value| (*time, value)));
            let line: Value = serde_json::from_str(line).unwrap();
            for spec in SPECS {
                let name = spec.split('=').next().unwrap();
                let theirs = (value.is_some() || name == "n").then(|| expected(name, times, valued)).flatten();
                let ours = line[name].as_f64();
                let near = ours.zip(theirs).is_some_and(|(ours, theirs)| (ours - theirs).abs() < 1e-9);
                prop_assert!(near || ours.is_none() && theirs.is_none(), "{}: {:?}, not {:?}: {}", name, ours, theirs, line);
            }
        }
    }
}
