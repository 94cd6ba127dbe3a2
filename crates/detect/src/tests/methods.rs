//! Methods, changes, and what an anomaly is called.

use sorted_runs::Memory;
use units::ByteSize;

use super::*;

/// Lines with these times in seconds.
fn timed(points: impl IntoIterator<Item = (usize, f64)>) -> String {
    points.into_iter().map(|(time, value)| format!("{{\"t\":{time},\"v\":{value}}}\n")).collect()
}

fn wave(n: usize) -> f64 {
    50.0 + 10.0 * noise(n as u64 + 1)()
}

#[test]
fn a_value_that_stays_the_same_is_a_flat_line() {
    for flags in ["", "--method robust", "--trend"] {
        let found = anomalies(flags, &lines((0..400).map(|n| if n < 300 { wave(n) } else { 55.0 })));
        assert_eq!(found.first(), Some(&(312, "flat line".to_owned())), "{flags}");
        assert!(found.iter().all(|(n, why)| (312..332).contains(n) && why == "flat line"), "{flags} {found:?}");
    }
}

#[test]
fn a_long_time_without_lines_is_a_gap_and_the_same_again_is_none() {
    let time = |n: usize| n * 60 + if n >= 200 { 3600 } else { 0 } + if n >= 300 { 3600 } else { 0 };
    let input = timed((0..400).map(|n| (time(n), wave(n))));
    assert_eq!(anomalies("", &input), [(200, "gap".to_owned())]);
    assert_eq!(anomalies("--method robust", &input), [(200, "gap".to_owned())]);
}

#[test]
fn neither_gap_nor_flat_line_changes_a_score() {
    let values: Vec<f64> = (0..600).map(|n| if (300..340).contains(&n) { 55.0 } else { wave(n) }).collect();
    let (with, _) = ran("", &timed(values.iter().enumerate().map(|(n, value)| (n * 60 + n / 500 * 100_000, *value))));
    let (without, _) = ran("", &timed(values.iter().enumerate().map(|(n, value)| (n * 60, *value))));
    let scores = |lines: &[Value]| lines.iter().map(|line| line["surprise"].clone()).collect::<Vec<_>>();
    assert_eq!(scores(&with)[..500], scores(&without)[..500]);
    assert_eq!((&with[500]["why"], &with[500]["anomaly_score"]), (&"gap".into(), &0.into()));
}

#[test]
fn numbers_that_go_on_and_on_are_a_new_trend() {
    let found =
        anomalies("", &lines((0..1200).map(|n| wave(n) + if n < 1000 { 0.0 } else { (n - 1000) as f64 * 3.0 })));
    assert!(found.iter().any(|(_, why)| why == "trend change"), "{found:?}");
}

#[test]
fn a_surprise_among_restless_numbers_is_one_of_variance() {
    let mut random = noise(17);
    let size = |n: usize| if n < 1700 { 1.0 } else { 5.0 };
    let mut values: Vec<f64> = (0..1800).map(|n| (random() + random() + random() - 1.5) * size(n)).collect();
    values[1740] = 30.0;
    let found = anomalies("", &lines(values));
    assert!(found.contains(&(1740, "variance".to_owned())), "{found:?}");
}

#[test]
fn robust_finds_spikes_where_all_else_is_noise() {
    let found = anomalies("--method robust", &noise_with(2000, &[(1000, 60.0), (1500, -40.0)]));
    assert_eq!(found, [(1000, "spike".to_owned()), (1500, "dip".to_owned())]);
}

#[test]
fn robust_knows_the_hour_of_the_day() {
    let mut random = noise(5);
    let value = |n: usize| if n / 12 % 24 < 12 { 10.0 } else { 100.0 };
    let mut values: Vec<f64> = (0..288 * 14).map(|n| value(n) + random()).collect();
    values[288 * 13 + 60] = 100.5;
    let input = timed(values.into_iter().enumerate().map(|(n, value)| (n * 300, value)));
    let found = anomalies("--method robust", &input);
    assert!(found.iter().any(|(n, _)| *n == 288 * 13 + 60), "{found:?}");
    let (lines, _) = ran("--method robust", &input);
    let (expected, upper) = (lines[4000]["expected"].as_f64().unwrap(), lines[4000]["upper"].as_f64().unwrap());
    assert!((100.0..101.0).contains(&expected) && upper < 110.0, "{}", lines[4000]);
}

#[test]
fn on_a_trend_heights_are_no_news_and_a_spike_is() {
    let mut random = noise(3);
    let mut values: Vec<f64> = (0..4000).map(|n| f64::from(n) * 2.0 + random() + random() + random()).collect();
    values[3500] += 40.0;
    let found = anomalies("--trend", &lines(values));
    assert_eq!(found.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [3500]);
}

#[test]
fn a_change_is_told_with_when_it_began() {
    let mut random = noise(19);
    let values = (0..1000).map(|n| random() + random() + random() + if n < 600 { 0.0 } else { 4.0 });
    let (lines, _) = ran("--change-points", &lines(values));
    let changes: Vec<&Value> = lines.iter().filter(|line| !line["change"].is_null()).collect();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!((&changes[0]["change"], &changes[0]["change_since"]), (&"level".into(), &"1970-01-01T10:00:00Z".into()));
    assert!(changes[0]["change_probability"].as_f64().unwrap() > 0.9);
}

#[test]
fn a_change_says_which_number_it_is_of() {
    let mut random = noise(23);
    let input: String = (0..800)
        .map(|n| format!("{{\"t\":{n},\"v\":{},\"w\":{}}}\n", random(), random() + if n < 500 { 0.0 } else { 9.0 }))
        .collect();
    let cli = Cli::try_parse_from(["detect", "--time", "t", "--value", "v,w", "--change-points"]).unwrap();
    let out = play(series(&cli), &input).out;
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["change_of"] == "w") && lines.iter().all(|line| line["change_of"] != "v"));
}

#[test]
fn members_of_changes_are_a_lines_own_without_the_flag() {
    let input = "{\"t\":1,\"v\":1,\"change\":\"mine\"}\n";
    assert!(play(detect(""), input).out.contains("mine"));
    assert!(!play(detect("--change-points"), input).out.contains("mine"));
}

/// All that has a state: numbers, a spike, a flat line, gaps, keys that come and go.
pub fn eventful() -> String {
    let mut random = noise(29);
    let mut time = 0;
    (0..260)
        .map(|n| {
            time += if n % 83 == 82 { 4000 } else { n % 7 };
            let level = if n > 170 { 5.0 } else { 0.0 };
            let value = match n {
                140..180 if n % 3 == 0 => "0.5".to_owned(),
                _ if n % 61 == 60 => "40".to_owned(),
                _ => format!("{:.3}", random() + level),
            };
            format!("{{\"k\":{},\"t\":{time},\"v\":{value}}}\n", n % 3)
        })
        .collect()
}

#[test]
fn each_method_gives_the_same_lines_in_every_way() {
    for flags in ["--method robust --warm-up 3", "--trend --warm-up 3", "--change-points --ttl 1h"] {
        every_way(|| detect(&format!("--by k {flags}")), &eventful());
    }
    every_way(|| detect("--method robust --alarms 2/10m --change-points --warm-up 0"), &eventful());
}

#[test]
fn robust_judges_its_hour_in_every_way() {
    let input = timed((0..250).map(|n| (n * 1700, wave(n) + (n / 2 % 24) as f64 * 50.0)));
    every_way(|| detect("--method robust --warm-up 0 --threshold 0.3"), &input);
}

/// All series but one are on disk at any time.
#[test]
fn with_series_on_disk_the_lines_are_the_same_in_every_way() {
    let scratch = Memory::default();
    let spilled = |flags: &str| {
        let mut stage = detect(flags);
        stage.spill_to(ByteSize(700), Box::new(scratch.clone())).unwrap();
        stage
    };
    for flags in ["--ttl 1h --warm-up 3", "--method robust --warm-up 3", "--trend --change-points --alarms 2/10m"] {
        let flags = format!("--by k {flags}");
        let before = scratch.written();
        let played = play(spilled(&flags), &eventful());
        assert_eq!(played.result, Ok(()), "{flags}");
        assert_eq!(played.out, play(detect(&flags), &eventful()).out, "{flags}");
        assert!(scratch.written() > before + 5_000, "{flags}: {} bytes went to disk", scratch.written() - before);
        every_way(|| spilled(&flags), &eventful());
    }
}
