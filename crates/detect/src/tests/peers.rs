//! Members beside their peers.

use super::*;
use crate::Among;
use millpipe::{Error, Fault};

fn among(flags: &str) -> Among {
    match cli(&format!("--among h {flags}")).plan() {
        Ok(Plan::Among(stage)) => *stage,
        _ => panic!("it is of series"),
    }
}

fn line(time: usize, host: usize, value: f64) -> String {
    format!("{{\"t\":{time},\"h\":\"h{host}\",\"v\":{value:.4}}}\n")
}

/// Hosts with levels of their own that go up and down together.
fn fleet(hosts: usize, times: usize, mut other: impl FnMut(usize, usize) -> f64) -> String {
    let mut random = noise(31);
    let mut all = String::new();
    for time in 0..times {
        let common = (time * 37 % 100) as f64 + time as f64;
        for host in 0..hosts {
            all += &line(time * 60, host, common + (host % 5) as f64 + random() + other(time, host));
        }
    }
    all
}

fn judged(flags: &str, input: &str) -> (Vec<Value>, Played) {
    let played = play_with(among(flags), cli(&format!("--among h {flags}")).config(), input);
    assert_eq!(played.result, Ok(()));
    (played.data().lines().map(|line| serde_json::from_str(line).unwrap()).collect(), played)
}

#[test]
fn the_host_that_differs_from_forty_is_found() {
    let input = fleet(40, 150, |time, host| if time == 120 && host == 17 { 25.0 } else { 0.0 });
    let (lines, _) = judged("", &input);
    let found: Vec<&Value> = lines.iter().filter(|line| line["anomaly"] == true).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["h"], &found[0]["t"], &found[0]["why"]),
        (&"h17".into(), &7200.into(), &"unlike its peers".into())
    );
    let number = |name: &str| found[0][name].as_f64().unwrap();
    assert!(number("lower") < number("expected") && number("upper") < number("v") && number("anomaly_score") > 0.65);
}

#[test]
fn what_was_always_beside_its_peers_is_no_news() {
    let input = fleet(12, 200, |_, host| if host == 3 { 400.0 } else { 0.0 });
    let (lines, _) = judged("", &input);
    let found: Vec<&Value> = lines.iter().filter(|line| line["anomaly"] == true).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn of_too_few_nothing_is_said() {
    let input = fleet(4, 100, |time, host| if time == 90 && host == 1 { 100.0 } else { 0.0 });
    let (lines, _) = judged("", &input);
    assert!(
        lines.iter().all(|line| line["anomaly"] == false && line["anomaly_score"] == 0 && line["expected"].is_null())
    );
    let (lines, _) = judged("--peers 4", &input);
    assert!(lines.iter().any(|line| line["anomaly"] == true));
}

#[test]
fn lines_wait_for_the_time_of_their_key_and_go_out_as_they_came() {
    let first = [line(1, 2, 1.0), line(1, 1, 1.0)].concat();
    let played = play(among(""), &first);
    assert_eq!(played.data().lines().count(), 2, "the end lets them go");
    let mut moved = first.clone();
    moved += &line(2, 1, 1.0);
    moved += "{\"$\":\"idle\",\"part\":\"x\"}\n";
    let played = play(among(""), &moved);
    let hosts: Vec<String> =
        played.data().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["h"].to_string()).collect();
    assert_eq!(hosts, ["\"h2\"", "\"h1\"", "\"h1\""]);
}

#[test]
fn a_watermark_lets_go_what_is_before_it() {
    let mark = |time: &str| format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:{time}Z\"}}\n");
    let input = [line(1, 1, 1.0), mark("01"), line(1, 2, 1.0), mark("02"), line(1, 3, 1.0)].concat();
    let played = play_with(among("--late drop"), cli("--late drop").config(), &input);
    let out: Vec<&str> = played.out.lines().collect();
    assert!(
        out[0].contains("watermark") && out[1].contains("h1") && out[2].contains("h2") && out[3].contains("watermark"),
        "{out:?}"
    );
    assert_eq!((out.len(), played.counts.late), (4, 1));
}

#[test]
fn keys_have_peers_of_their_own() {
    let mut random = noise(37);
    let mut input = String::new();
    for time in 0..120 {
        for host in 0..12 {
            let value = random()
                + if host % 2 == 0 { 1000.0 } else { 0.0 }
                + if time == 100 && host == 4 { -1000.0 } else { 0.0 };
            input += &format!("{{\"t\":{time},\"h\":{host},\"k\":{},\"v\":{value}}}\n", host % 2);
        }
    }
    let (lines, _) = judged("--by k --alarms 1/10s", &input);
    let found: Vec<&Value> = lines.iter().filter(|line| line["anomaly"] == true && line["t"] == 100).collect();
    assert!(found.len() == 1 && found[0]["h"] == 4, "{found:?}");
}

#[test]
fn lines_that_wait_have_a_limit() {
    let input: String = (0..100).map(|host| line(1, host, 1.0)).collect();
    let stop = Error::data("the lines that wait for their peers take more than 4KiB")
        .hint("--buffer SIZE allows more, watermarks let them go sooner");
    assert_eq!(play(among("--buffer 4KiB"), &input).result, Err(Fault::Stop(stop)));
    assert!(matches!(play(among("--max-keys 10"), &input).result, Err(Fault::Stop(_))));
}

#[test]
fn a_member_that_is_gone_for_long_begins_anew() {
    let input = fleet(8, 200, |_, _| 0.0);
    let gone: String = input
        .lines()
        .enumerate()
        .filter(|(n, _)| n % 8 != 3 || !(800..1200).contains(n))
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    assert_eq!(judged("--ttl 10m", &gone).0.len(), gone.lines().count());
    every_way(
        || among("--ttl 10m --warm-up 0"),
        &gone.lines().skip(700).take(240).map(|line| format!("{line}\n")).collect::<String>(),
    );
}

#[test]
fn it_gives_the_same_lines_in_every_way() {
    let mut random = noise(41);
    let input: String = (0..260)
        .map(|n| {
            format!(
                "{{\"t\":{},\"h\":{},\"k\":{},\"v\":{:.2}}}\n",
                n / 9,
                n % 7,
                n % 2,
                random() + f64::from(n % 31 / 30) * 50.0
            )
        })
        .collect();
    every_way(|| among("--by k --peers 2 --warm-up 2"), &input);
    every_way(|| among("--peers 3 --alarms 2/10m --warm-up 0 --lateness 2s --late pass --ttl 20s"), &input);
}
