use clap::Parser;
use serde_json::Value;
use testkit::{Played, every_way, play, play_with};

use crate::Detect;
use crate::cli::{Cli, Plan};

mod bad_input;
mod methods;
mod peers;

fn cli(flags: &str) -> Cli {
    let words = ["detect", "--time", "t", "--value", "v"].into_iter().chain(flags.split_whitespace());
    Cli::try_parse_from(words).unwrap()
}

fn detect(flags: &str) -> Detect {
    series(&cli(flags))
}

fn series(cli: &Cli) -> Detect {
    match cli.plan() {
        Ok(Plan::Series(stage)) => *stage,
        _ => panic!("it is of peers"),
    }
}

/// Numbers that look like noise, from 0 to below 1.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A line a minute.
fn lines(values: impl IntoIterator<Item = f64>) -> String {
    values.into_iter().enumerate().map(|(n, value)| format!("{{\"t\":{},\"v\":{value}}}\n", n * 60)).collect()
}

/// Noise, with other values at some places.
fn noise_with(count: usize, others: &[(usize, f64)]) -> String {
    let mut random = noise(7);
    let mut values: Vec<f64> = (0..count).map(|_| (random() + random() + random()) * 10.0).collect();
    others.iter().for_each(|(place, value)| values[*place] = *value);
    lines(values)
}

fn ran(flags: &str, input: &str) -> (Vec<Value>, Played) {
    let played = play_with(detect(flags), cli(flags).config(), input);
    assert_eq!(played.result, Ok(()));
    let lines = played.data();
    (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), played)
}

/// The numbers of the lines that are anomalies, and why.
fn anomalies(flags: &str, input: &str) -> Vec<(usize, String)> {
    let (lines, _) = ran(flags, input);
    let found = lines.iter().enumerate().filter(|(_, line)| line["anomaly"] == true);
    found.map(|(n, line)| (n, line["why"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn a_spike_and_a_dip_are_found_and_nothing_else() {
    let found = anomalies("", &noise_with(2000, &[(1000, 60.0), (1500, -40.0)]));
    assert_eq!(found, [(1000, "spike".to_owned()), (1500, "dip".to_owned())]);
}

#[test]
fn a_value_in_a_gap_of_the_range_is_an_anomaly() {
    let mut random = noise(3);
    let mut values: Vec<f64> = (0..2000).map(|n| f64::from(n % 2) * 100.0 + random()).collect();
    values[1500] = 50.0;
    let found: Vec<usize> = anomalies("", &lines(values)).into_iter().map(|(n, _)| n).collect();
    assert!(found.contains(&1500), "{found:?}");
    assert!(found.len() <= 3, "{found:?}");
}

#[test]
fn a_value_of_the_day_at_night_is_an_unseen_season() {
    let mut random = noise(5);
    let value = |n: usize| if n / 12 % 24 < 12 { 10.0 } else { 100.0 };
    let mut values: Vec<f64> = (0..288 * 14).map(|n| value(n) + random()).collect();
    values[288 * 13 + 60] = 100.5;
    let input: String = values.iter().enumerate().map(|(n, v)| format!("{{\"t\":{},\"v\":{v}}}\n", n * 300)).collect();
    let found = anomalies("--threshold 0.5", &input);
    assert!(found.contains(&(288 * 13 + 60, "unseen season".to_owned())), "{found:?}");
}

#[test]
fn a_new_level_is_one_alarm() {
    let mut random = noise(11);
    let values = (0..1500).map(|n| if n < 1000 { random() } else { 50.0 + random() * 8.0 });
    let (lines, _) = ran("", &lines(values));
    let found: Vec<&Value> = lines.iter().filter(|line| line["anomaly"] == true).collect();
    assert!(found.len() > 3, "{found:?}");
    assert!(
        found[..4].iter().all(|line| line["anomaly_id"] == 1 && line["anomaly_since"] == found[0]["anomaly_since"])
    );
    assert_eq!(found[3]["why"], "level shift");
}

#[test]
fn lines_keep_their_bytes_and_lose_members_of_the_same_names() {
    let input =
        "{\"t\": 1,\"v\":1.50, \"x\":[1 , 2]}\n {\"upper\":9,\"t\":2,\"v\":2}\n{\"t\":3}\n{\"t\":3,\"v\":null}\n";
    let expected = "{\"anomaly_score\":0,\"anomaly\":false,\"surprise\":0,\"t\": 1,\"v\":1.50, \"x\":[1 , 2]}\n \
                    {\"anomaly_score\":0,\"anomaly\":false,\"surprise\":0,\"t\":2,\"v\":2}\n\
                    {\"anomaly_score\":null,\"anomaly\":false,\"t\":3}\n\
                    {\"anomaly_score\":null,\"anomaly\":false,\"t\":3,\"v\":null}\n";
    assert_eq!(play(detect(""), input).out, expected);
}

#[test]
fn a_line_before_the_last_of_its_key_is_late() {
    let input =
        "{\"k\":1,\"t\":9,\"v\":1}\n{\"k\":2,\"t\":5,\"v\":1}\n{\"k\":1,\"t\":8,\"v\":1}\n{\"k\":1,\"t\":9,\"v\":1}\n";
    let (lines, played) = ran("--by k --late drop", input);
    assert_eq!((lines.len(), played.counts.late), (3, 1));
    let (lines, _) = ran("--by k --late pass", input);
    assert_eq!(lines[2], serde_json::json!({"k": 1, "t": 8, "v": 1}));
}

#[test]
fn a_line_without_a_number_or_a_time_is_bad() {
    for line in ["{\"t\":1,\"v\":\"x\"}", "{\"v\":1}", "[1]", "{\"t\":1,\"v\":1e999}", "{\"t\":1,\"v\":[1]}"] {
        assert!(play(detect(""), &format!("{line}\n")).result.is_err(), "{line}");
    }
}

#[test]
fn a_key_is_forgotten_after_its_ttl_and_begins_anew() {
    let series =
        |from: usize| -> String { (from..from + 5).map(|t| format!("{{\"t\":{t},\"v\":{}}}\n", t % 2)).collect() };
    let (first, second) = (series(0), series(100));
    let alone = play(detect("--ttl 50s"), &second).out;
    assert_eq!(
        play(detect("--ttl 50s"), &format!("{first}{second}")).out.split_at(play(detect(""), &first).out.len()).1,
        alone
    );
    assert_ne!(play(detect(""), &format!("{first}{second}")).out.split_at(play(detect(""), &first).out.len()).1, alone);
}

#[test]
fn of_several_values_the_most_surprising_speaks() {
    let mut random = noise(9);
    let input: String = (0..500)
        .map(|n| {
            let w = if n == 400 { 90.0 } else { random() };
            format!("{{\"t\":{n},\"v\":{},\"w\":{w}}}\n", random())
        })
        .collect();
    let cli = Cli::try_parse_from(["detect", "--time", "t", "--value", "v,w"]).unwrap();
    let out = play(series(&cli), &input).out;
    let line: Value = serde_json::from_str(out.lines().nth(400).unwrap()).unwrap();
    assert_eq!((&line["anomaly"], &line["anomaly_of"]), (&true.into(), &"w".into()), "{line}");
}

#[test]
fn any_number_gives_finite_results() {
    let wild = ["1e308", "-1e308", "0", "5e-324", "-0.0", "1e290", "1", "1e308", "-1e308"];
    let input: String = (0..400).map(|n| format!("{{\"t\":{n},\"v\":{}}}\n", wild[n % wild.len()])).collect();
    let (lines, _) = ran("", &input);
    assert!(lines[5..].iter().all(|line| line["anomaly_score"].is_number() && line["upper"].is_number()));
    let (lines, _) = ran("", &lines_of_one());
    assert!(lines.iter().all(|line| line["anomaly"] == false));
}

fn lines_of_one() -> String {
    lines(std::iter::repeat_n(42.0, 500))
}

#[test]
fn it_gives_the_same_lines_in_every_way() {
    let mut random = noise(13);
    let mut time = 0;
    let input: String = (0..260)
        .map(|n| {
            time += if n % 50 == 0 { 4000 } else { n % 7 };
            let value = if n % 61 == 60 { "40".to_owned() } else { format!("{:.3}", random()) };
            format!("{{\"k\":{},\"t\":{time},\"v\":{value}}}\n", n % 3)
        })
        .collect();
    every_way(|| detect("--by k --warm-up 5 --ttl 1h"), &input);
    every_way(|| detect("--alarms 2/10m --warm-up 0 --threshold 0.3".trim_end_matches(" --threshold 0.3")), &input);
}
