//! The main job on real data through a real broker: 158,631 recorded lines, four partitions, results computed
//! exactly by an independent program.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::{Broker, bash, shared};

const TOOLS: [&str; 4] = ["kafka-cat-in", "window", "aggregate", "kafka-cat-out"];

/// count, sum, min, max, p50, p95
type Cell = [f64; 6];
const COLUMNS: [&str; 6] = ["count", "sum", "min", "max", "p50", "p95"];

fn cells(text: &str) -> BTreeMap<(String, String), Cell> {
    let mut cells = BTreeMap::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let word = |name: &str| row[name].as_str().unwrap().to_owned();
        let cell = COLUMNS.map(|c| row[c].as_f64().unwrap());
        assert!(cells.insert((word("window_start"), word("ticker")), cell).is_none(), "twice: {line}");
    }
    cells
}

/// The values of each cell, sorted: what "an order statistic neighbour" is told from.
fn sorted_values(lines: &str) -> BTreeMap<(String, String), Vec<f64>> {
    let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let hour = format!("{}:00:00Z", &row["timestamp"].as_str().unwrap()[..13]);
        let key = (hour, row["ticker"].as_str().unwrap().to_owned());
        values.entry(key).or_default().push(row["tweets"].as_f64().unwrap());
    }
    values.values_mut().for_each(|v| v.sort_by(f64::total_cmp));
    values
}

/// Within 1 % of the order statistics on both sides of the rank.
fn near(got: f64, sorted: &[f64], share: f64) -> bool {
    let rank = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    (low * 0.99..=high * 1.01).contains(&got)
}

#[test]
fn tweets_per_hour_and_ticker_are_what_an_independent_program_says() {
    let (Some(data), Some(expected)) =
        (shared("data/tweets.ndjson.gz"), shared("data/tweets-hourly-expected.ndjson.gz"))
    else {
        return;
    };
    let broker = Broker::start();
    let address = broker.address();
    let data = data.display();
    let said = tempfile::NamedTempFile::new().unwrap();
    bash(
        &TOOLS,
        &format!(
            "zcat {data} | kafka-cat-out -b {address} -t tweets --create 4
             kafka-cat-out -b {address} -t tweets-hourly --create 1 < /dev/null
             kafka-cat-in -b {address} -t tweets -o beginning -e --marks \
               | window --size 1h --time timestamp -v 2> {said} \
               | aggregate --by ticker count sum:tweets min:tweets max:tweets p50:tweets p95:tweets \
               | kafka-cat-out -b {address} -t tweets-hourly --key ticker",
            said = said.path().display()
        ),
    )
    .ok();
    let said = std::fs::read_to_string(said.path()).unwrap();
    assert!(said.contains("in 158631 = out 158631 + late 0 + rejected 0 + held 0"), "{said}");

    let got = cells(&bash(&TOOLS, &format!("kafka-cat-in -b {address} -t tweets-hourly -o beginning -e")).ok());
    let expected = cells(&bash(&[], &format!("zcat {}", expected.display())).ok());
    let values = sorted_values(&bash(&[], &format!("zcat {data}")).ok());
    assert_eq!(expected.len(), 13_230);
    assert_eq!(got.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (key, want) in &expected {
        let cell = got[key];
        assert_eq!(cell[..4], want[..4], "{key:?}");
        assert!(near(cell[4], &values[key], 0.5) && near(cell[5], &values[key], 0.95), "{key:?}: {cell:?} {want:?}");
    }
}
