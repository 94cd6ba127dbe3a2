use clap::Parser;
use millpipe::{Fault, Stage};
use serde_json::Value;
use sorted_runs::Memory;
use testkit::{Played, every_way, play_with};
use units::ByteSize;

use crate::cli::{Cli, Plan};
use crate::{Batch, Decompose};

fn cli(flags: &str) -> Cli {
    let words = ["decompose", "--time", "t", "--value", "v"].into_iter().chain(flags.split_whitespace());
    Cli::try_parse_from(words).unwrap()
}

fn online(flags: &str) -> Decompose {
    match cli(flags).plan().unwrap() {
        Plan::Online(stage) => *stage,
        Plan::Batch(_) => panic!("{flags}"),
    }
}

fn batch(flags: &str) -> Batch {
    match cli(&format!("--batch {flags}")).plan().unwrap() {
        Plan::Batch(stage) => *stage,
        Plan::Online(_) => panic!("{flags}"),
    }
}

fn played(stage: impl Stage, flags: &str, input: &str) -> Played {
    play_with(stage, cli(flags).config(), input)
}

fn lines_of(played: &Played) -> Vec<Value> {
    assert_eq!(played.result, Ok(()));
    played.data().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ran(flags: &str, input: &str) -> Vec<Value> {
    lines_of(&played(online(flags), flags, input))
}

fn ran_batch(flags: &str, input: &str) -> Vec<Value> {
    lines_of(&played(batch(flags), flags, input))
}

/// A line an hour.
fn lines(values: impl IntoIterator<Item = f64>) -> String {
    values.into_iter().enumerate().map(|(n, value)| format!("{{\"t\":{},\"v\":{value}}}\n", n * 3600)).collect()
}

/// The hours of days that go up and down, with a trend.
fn days(hour: usize) -> f64 {
    50.0 + 0.01 * hour as f64 + [0.0, 3.0, 9.0, 4.0, -2.0, -14.0][hour / 4 % 6]
}

fn number(line: &Value, name: &str) -> f64 {
    line[name].as_f64().unwrap_or_else(|| panic!("{name} of {line}"))
}

#[test]
fn the_parts_are_null_until_there_were_two_seasons_and_then_a_sum() {
    let lines = ran("--season 24", &lines((0..100).map(days)));
    assert!(lines[..47].iter().all(|line| line["trend"].is_null() && line["season_strength"].is_null()));
    for (hour, line) in lines.iter().enumerate().skip(47) {
        let sum = number(line, "trend") + number(line, "season") + number(line, "remainder");
        assert!((sum - days(hour)).abs() < 1e-9, "{line}");
        assert!(number(line, "remainder").abs() < 0.05, "{line}");
        assert!(number(line, "season_strength") > 0.99, "{line}");
    }
    assert_eq!(
        lines[0].as_object().unwrap().keys().collect::<Vec<_>>()[..4],
        ["trend", "season", "remainder", "season_strength"]
    );
}

#[test]
fn of_several_seasons_the_shorter_is_known_first() {
    let value = |hour: usize| days(hour) + if hour / 24 % 7 > 4 { -8.0 } else { 0.0 };
    let lines = ran("--every 1h --season 1d,7d", &lines((0..168 * 5).map(value)));
    assert!(lines[60]["season_1d"].is_number() && lines[60]["season_7d"].is_null(), "{}", lines[60]);
    let line = &lines[168 * 5 - 1];
    assert!((number(line, "season_1d") + number(line, "season_7d") - number(line, "season")).abs() < 1e-9, "{line}");
    assert!(lines[168 * 3..].iter().all(|line| number(line, "remainder").abs() < 1.0));
}

#[test]
fn auto_finds_the_season_and_says_how_long_it_is() {
    let lines = ran("", &lines((0..600).map(days)));
    assert!(lines[..31].iter().all(|line| line["season_length"].is_null()));
    assert_eq!(lines[599]["season_length"], serde_json::json!([24]));
    assert!(number(&lines[599], "remainder").abs() < 0.1);
    let batch = ran_batch("", &self::lines((0..600).map(days)));
    assert!(batch.iter().all(|line| line["season_length"] == serde_json::json!([24])));
}

#[test]
fn lines_keep_their_bytes_and_lose_members_of_the_same_names() {
    let input = "{\"t\": 1,\"v\":1.50, \"x\":[1 , 2]}\n {\"trend\":9,\"t\":2,\"v\":2}\n{\"t\":3}\n";
    let null = "\"trend\":null,\"season\":null,\"remainder\":null,\"season_strength\":null,";
    let expected =
        format!("{{{null}\"t\": 1,\"v\":1.50, \"x\":[1 , 2]}}\n {{{null}\"t\":2,\"v\":2}}\n{{{null}\"t\":3}}\n");
    assert_eq!(played(online("--season 2"), "", input).out, expected);
    assert_eq!(played(batch("--season 4"), "--batch", input).out, expected);
}

#[test]
fn several_values_have_members_with_their_names() {
    let cli = Cli::try_parse_from(["decompose", "--time", "t", "--value", "v,w=.o.p", "--season", "2"]).unwrap();
    let Plan::Online(stage) = cli.plan().unwrap() else { panic!() };
    let input: String = (0..8).map(|n| format!("{{\"t\":{n},\"v\":{},\"o\":{{\"p\":{n}}}}}\n", n % 2)).collect();
    let lines = lines_of(&play_with(*stage, cli.config(), &input));
    assert!(number(&lines[7], "v_season") > 0.4, "{}", lines[7]);
    assert!((number(&lines[7], "w_trend") - 7.0).abs() < 1e-3, "{}", lines[7]);
}

#[test]
fn a_gap_is_filled_and_after_a_long_one_all_begins_anew() {
    let skipped = |gap: std::ops::Range<usize>| -> String {
        let hours = (0..200).filter(|hour| !gap.contains(hour));
        hours.map(|hour| format!("{{\"t\":{},\"v\":{}}}\n", hour * 3600, days(hour))).collect()
    };
    for (gap, is_anew) in [(100..124, false), (100..125, true), (30..40, false)] {
        let lines = ran("--every 1h --season 24", &skipped(gap.clone()));
        let after = lines.iter().find(|line| line["t"] == gap.end as u64 * 3600).unwrap();
        assert_eq!(after["trend"].is_null(), is_anew || gap.end < 47, "{after}");
        assert!(number(&lines[lines.len() - 1], "remainder").abs() < 1.0);
    }
    let lines = ran("--every 1h --season 1d --max-gap 100h", &skipped(100..190));
    assert!(lines.iter().skip(60).all(|line| number(line, "remainder").abs() < 0.2));
}

#[test]
fn lines_in_the_same_step_or_earlier_are_late() {
    let flags = "--every 1m --season 2 --late pass";
    let input = "{\"t\":0,\"v\":1}\n{\"t\":29,\"v\":1}\n{\"t\":61,\"v\":1}\n{\"t\":60,\"v\":1}\n{\"t\":119,\"v\":1}\n";
    let lines = ran(flags, input);
    let passed: Vec<bool> = lines.iter().map(|line| line.get("trend").is_none()).collect();
    assert_eq!(passed, [false, true, false, true, false]);
}

#[test]
fn null_is_a_step_and_moves_nothing() {
    let value = |hour: usize| if hour == 70 { "null".to_owned() } else { days(hour).to_string() };
    let input: String = (0..100).map(|hour| format!("{{\"t\":{},\"v\":{}}}\n", hour, value(hour))).collect();
    let lines = ran("--season 24", &input);
    assert!(lines[70]["trend"].is_null());
    assert!(lines[71..].iter().all(|line| number(line, "remainder").abs() < 0.05));
}

#[test]
fn a_line_without_a_number_or_a_time_is_bad() {
    for line in ["{\"t\":1,\"v\":\"x\"}", "{\"v\":1}", "[1]", "{\"t\":1,\"v\":1e999}", "{\"t\":1,\"v\":[1]}", "{"] {
        for flags in ["--season 2", "--season 2 --batch"] {
            let input = format!("{line}\n");
            let result = match cli(flags).plan().unwrap() {
                Plan::Online(stage) => played(*stage, flags, &input).result,
                Plan::Batch(stage) => played(*stage, flags, &input).result,
            };
            assert!(matches!(result, Err(Fault::Bad(_) | Fault::Stop(_))), "{line}: {result:?}");
        }
    }
}

/// All numbers that come out are finite, or null.
#[test]
fn any_series_gives_numbers_or_null() {
    let wild = [1e308, -1e308, 0.0, 5e-324, -0.0, 1e30, 1.0, -1e30, 1e-300];
    let series: [Vec<f64>; 6] = [
        vec![42.0; 200],
        vec![0.0; 200],
        (0..400).map(|n| wild[n % wild.len()]).collect(),
        (0..200).map(|n| if n == 50 { 1e308 } else { days(n) }).collect(),
        vec![1.0],
        vec![1.0, 2.0],
    ];
    for values in series {
        for flags in ["--season 2", "--season 24", "--season 5,7,50", "", "--season 24 --robust"] {
            let input: String =
                values.iter().enumerate().map(|(n, v)| format!("{{\"t\":{},\"v\":{v}}}\n", n as i64 - 90)).collect();
            let of_batch = ran_batch(flags, &input);
            assert_eq!(of_batch.len(), values.len());
            let of_online = if flags.contains("robust") { Vec::new() } else { ran(flags, &input) };
            for line in of_batch.iter().chain(&of_online) {
                let strength = &line["season_strength"];
                assert!(strength.is_null() || (0.0..=1.0).contains(&strength.as_f64().unwrap()), "{line}");
                assert!(line["trend"].is_null() || line["remainder"].is_number(), "{line}");
            }
        }
    }
    let lines = ran("--season 24", &lines(vec![42.0; 100]));
    assert!((number(&lines[99], "trend") - 42.0).abs() < 1e-9 && lines[99]["season_strength"] == 0, "{}", lines[99]);
}

#[test]
fn a_clock_that_jumps_a_year_begins_anew() {
    let year = 365 * 24;
    let hours = (0..60).chain(year..year + 60).chain(5 * year..5 * year + 60);
    let input: String = hours.map(|hour| format!("{{\"t\":{},\"v\":{}}}\n", hour * 3600, days(hour))).collect();
    let lines = ran("--every 1h --season 24", &input);
    let known: Vec<usize> = (0..180).filter(|at| lines[*at]["trend"].is_number()).collect();
    assert_eq!(known, (47..60).chain(107..120).chain(167..180).collect::<Vec<_>>());
}

#[test]
fn months_are_steps_of_the_calendar() {
    let input: String = (0..60)
        .map(|n| format!("{{\"t\":\"{}-{:02}-01T00:00:00Z\",\"v\":{}}}\n", 2015 + n / 12, n % 12 + 1, n % 12))
        .collect();
    let lines = ran("--every 1mo --season 12", &input);
    assert!(lines[30..].iter().all(|line| number(line, "remainder").abs() < 1e-6));
}

#[test]
fn batch_takes_points_by_their_times_and_passes_lines_as_they_came() {
    let mut hours: Vec<usize> = (0..96).collect();
    hours.swap(10, 60);
    let input: String = hours.iter().map(|hour| format!("{{\"t\":{},\"v\":{}}}\n", hour * 3600, days(*hour))).collect();
    let lines = ran_batch("--every 1h --season 1d", &input);
    let sorted = ran_batch("--season 24", &self::lines((0..96).map(days)));
    assert_eq!(lines[10], sorted[60]);
    assert_eq!(lines[60], sorted[10]);
    assert!(hours.iter().zip(&lines).all(|(hour, line)| line["t"] == hour * 3600));
}

#[test]
fn batch_fills_gaps_and_leaves_old_lines_without_parts() {
    let with_gap: String = lines((0..96).map(days))
        .lines()
        .enumerate()
        .filter(|(n, _)| *n != 50)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    let on_line: String = lines((0..96).map(|n| if n == 50 { (days(49) + days(51)) / 2.0 } else { days(n) }));
    let (gap, whole) = (ran_batch("--every 1h --season 24", &with_gap), ran_batch("--every 1h --season 24", &on_line));
    assert_eq!(gap[50..], whole[51..]);
    let last = ran_batch("--season 24 --history 60", &lines((0..96).map(days)));
    assert!(last[..36].iter().all(|line| line["trend"].is_null()));
    assert_eq!(last[36]["trend"], ran_batch("--season 24", &lines((36..96).map(days)))[0]["trend"]);
}

#[test]
fn batch_holds_lines_to_the_end_and_no_more_than_there_is_room_for() {
    let played = played(batch("--season 24 --buffer 1KiB"), "--batch", &lines((0..96).map(days)));
    assert!(format!("{:?}", played.result).contains("the lines that wait take more than 1KiB"), "{:?}", played.result);
}

#[test]
fn flags_that_do_not_go_together_teach_the_right_ones() {
    for (flags, words) in [
        ("--season 1", "a season of 1 is shorter than two steps"),
        ("--season 1d", "--season 1d without --every"),
        ("--season 1d --every 7m", "a season of 1d is not a whole number of steps of 7m"),
        ("--season 1h --every 1h", "a season of 1h is shorter than two steps"),
        ("--season 1d,24 --every 1h", "the seasons 1d and 24 are both 24 steps"),
        ("--season none", "--season none"),
        ("--season 2000000", "has more than 1000000 steps"),
        ("--batch --season 24 --history 40", "--history 40 is less than two seasons of 24 steps"),
        ("--batch --season 24 --trend-window 23", "--trend-window 23 is not more than the season of 24 steps"),
        ("--batch --season 24 --season-window 7,9", "--season-window has 2 lengths for 1 seasons"),
        ("--batch --season-window 7", "--season-window with --season auto"),
        ("--robust", "without --batch"),
        ("--batch --ttl 1h", "--ttl with --batch"),
        ("--batch --late drop", "--late with --batch"),
        ("--max-gap 1h", "--max-gap of a duration without --every"),
        ("--ttl 0s", "--ttl must be more than 0"),
    ] {
        let error = cli(flags).plan().err().unwrap_or_else(|| panic!("{flags}"));
        assert!(error.message.contains(words) && error.hint.is_some(), "{flags}: {error:?}");
    }
    let cli = Cli::try_parse_from(["decompose", "--value", "trend"]).unwrap();
    assert!(cli.plan().is_err_and(|error| error.message.contains("also the name of a member")));
}

/// Of three keys, with gaps, nulls, outliers, and lines in the same step.
fn mixed(lines: usize) -> String {
    let mut time = 0;
    (0..lines)
        .map(|n| {
            time += if n % 60 == 59 { 400 } else { n % 3 * 10 };
            let value = match n {
                n if n % 31 == 30 => "null".to_owned(),
                n if n % 37 == 36 => "900".to_owned(),
                n => format!("{:.2}", days(n)),
            };
            format!("{{\"k\":{},\"t\":{time},\"v\":{value}}}\n", n * 7 % 3)
        })
        .collect()
}

#[test]
fn it_gives_the_same_lines_in_every_way() {
    every_way(|| online("--by k --every 10s --season 4,8 --late pass --ttl 30m"), &mixed(130));
    every_way(|| online("--season 5"), &mixed(60));
    every_way(|| online("--by k --history 40"), &mixed(150));
    every_way(|| batch("--by k --season 4"), &mixed(60));
}

/// All series but one are on disk at any time.
#[test]
fn with_series_on_disk_the_lines_are_the_same_in_every_way() {
    let scratch = Memory::default();
    let spilled = |flags: &str| {
        let mut stage = online(flags);
        stage.spill_to(ByteSize(900), Box::new(scratch.clone())).unwrap();
        stage
    };
    for flags in ["--by k --every 10s --season 4,8 --late pass --ttl 30m", "--by k --history 40"] {
        let before = scratch.written();
        assert_eq!(
            play_with(spilled(flags), cli(flags).config(), &mixed(150)).out,
            play_with(online(flags), cli(flags).config(), &mixed(150)).out
        );
        assert!(scratch.written() > before + 5_000, "{} bytes went to disk", scratch.written() - before);
        every_way(|| spilled(flags), &mixed(130));
    }
}
