//! Series that teach nothing, and numbers and times at the edge.

use super::*;

const METHODS: [&str; 5] = ["", "--method robust", "--trend", "--change-points", "--among k --peers 2"];

/// What comes out: each line is JSON, and each number in it finite.
fn out(flags: &str, input: &str) -> Vec<Value> {
    let cli = cli(flags);
    let played = match cli.plan() {
        Ok(Plan::Series(stage)) => play_with(*stage, cli.config(), input),
        Ok(Plan::Among(stage)) => play_with(*stage, cli.config(), input),
        Err(error) => panic!("{error:?}"),
    };
    assert_eq!(played.result, Ok(()), "{flags}");
    played.data().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn no_anomaly(flags: &str, input: &str) {
    let lines = out(flags, input);
    assert_eq!(lines.len(), input.lines().count(), "{flags}");
    assert!(lines.iter().all(|line| line["anomaly"] == false), "{flags} {lines:?}");
}

#[test]
fn series_that_teach_nothing_have_no_anomalies() {
    let line = |n: usize, value: &str| format!("{{\"t\":{n},\"k\":{},\"v\":{value}}}\n", n % 3);
    for flags in METHODS {
        no_anomaly(flags, &line(1, "7"));
        no_anomaly(flags, &[line(1, "7"), line(2, "8")].concat());
        no_anomaly(flags, &(0..300).map(|n| line(n, "42")).collect::<String>());
        no_anomaly(flags, &(0..300).map(|n| line(n, "null")).collect::<String>());
        no_anomaly(flags, &(0..300).map(|n| line(n, "0")).collect::<String>());
    }
}

#[test]
fn wild_numbers_give_finite_results() {
    let wild = ["1e308", "-1e308", "0", "5e-324", "-0.0", "1e290", "1", "1e308", "-1e308"];
    for flags in METHODS {
        let input: String = (0..900)
            .map(|n| format!("{{\"t\":{},\"k\":{},\"v\":{}}}\n", n / 9, n % 9, wild[n * n % wild.len()]))
            .collect();
        let lines = out(flags, &input);
        assert_eq!(lines.len(), 900, "{flags}");
        for name in ["anomaly_score", "surprise", "expected", "lower", "upper"] {
            assert!(lines[90..].iter().all(|line| line[name].is_number()), "{flags} {name}");
        }
    }
}

#[test]
fn texts_that_look_like_numbers_are_bad_lines() {
    for value in ["\"NaN\"", "\"inf\"", "\"7\"", "true", "[1]", "1e999"] {
        let input = format!("{{\"t\":1,\"k\":1,\"v\":{value}}}\n");
        assert!(play(detect("--method robust"), &input).result.is_err(), "{value}");
    }
}

#[test]
fn times_before_1970_and_clocks_that_jump_a_year_are_taken() {
    for flags in METHODS {
        let time = |n: i64| -86_400 * 3 + n * 600 + if n > 400 { 31_536_000 } else { 0 };
        let input: String =
            (0..600).map(|n| format!("{{\"t\":{},\"k\":{},\"v\":{}}}\n", time(n / 3), n % 3, n * 7919 % 100)).collect();
        let lines = out(flags, &input);
        assert_eq!(lines.len(), 600, "{flags}");
        let input = input.replace("\"k\":1", "\"k\":0").replace("\"k\":2", "\"k\":0");
        assert_eq!(out(flags, &input).len(), 600, "{flags}");
    }
}

#[test]
fn keys_that_come_and_go_are_forgotten() {
    for flags in METHODS {
        let input: String = (0..600).map(|n| format!("{{\"t\":{n},\"k\":{},\"v\":{}}}\n", n / 20, n % 7)).collect();
        let by = if flags.contains("among") { "" } else { "--by k" };
        assert_eq!(out(&format!("{flags} {by} --ttl 10s --max-keys 15"), &input).len(), 600, "{flags}");
    }
}
